//! Each kind of value: what is right, what is wrong.

use super::*;

/// Splits the texts by whether `parse` takes them.
#[track_caller]
fn check<T>(parse: impl Fn(&str) -> Result<T, String>, right: &[&str], wrong: &[&str]) {
    for text in right {
        assert!(parse(text).is_ok(), "{text:?} should be right");
    }
    for text in wrong {
        assert!(parse(text).is_err(), "{text:?} should be wrong");
    }
}

#[test]
fn an_app_id_is_a_plain_word() {
    check(app_id, &["0123456789abcdef", "a_B-9"], &["", "a b", "a.b", "a/b", "ä"]);
}

#[test]
fn a_name_has_1_to_128_characters_and_no_control_characters() {
    let (longest, too_long) = ("ü".repeat(128), "ü".repeat(129));
    check(app_name, &["a", "Shop \"EU\" \\ 🛒", &longest], &["", "a\nb", "\u{7f}", &too_long]);
}

#[test]
fn a_shard_is_one_of_those_that_there_are() {
    check(
        shard,
        &["0/1", "2/3", "999/1000"],
        &["", "1", "a/b", "0/0", "3/3", "+0/3", "-1/3", "0/+3", "0/1001", "0/3/3", " 0/3"],
    );
}

#[test]
fn a_base_url_is_scheme_host_port_and_path() {
    check(
        base_url,
        &[
            "http://127.0.0.1:8080/v3",
            "https://example.org",
            "http://[::1]:8080/v3/",
            "https://[2001:db8::1]/",
        ],
        &[
            "",
            "example.org",
            "ftp://a",
            "http://",
            "http:///v3",
            "http://a:0/",
            "http://a:99999",
            "http://a:+80",
            "http://a:",
            "http://u:p@a/",
            "http://a/?x",
            "http://a/#x",
            "http://a b/",
            "http://[::1",
            "http://[a]:1",
            "http://::1/",
            "http://a:1:2",
            "HTTP//a",
        ],
    );
    assert_eq!(base_url("http://a/v3//"), Ok("http://a/v3".into()));
}

#[test]
fn a_listen_address_reads_and_shows_the_same() {
    for text in [":10180", "localhost:1", "127.0.0.1:0", "[::1]:65535", "[::]:10180"] {
        assert_eq!(listen_address(text).map(|address| address.to_string()), Ok(text.into()));
    }
    assert_eq!(listen_address("[::1]:1").map(|address| address.host), Ok(Some("::1".into())));
    check(
        listen_address,
        &[],
        &[
            "",
            "10180",
            "a",
            "a:",
            ":70000",
            ":+1",
            "::1:80",
            "[::1]",
            "[x]:1",
            "a:1:2",
            "a b:1",
            "http://a:1",
            "[::1]:2:3",
        ],
    );
}

#[test]
fn a_telemetry_path_hides_no_other_page() {
    check(
        telemetry_path,
        &["/metrics", "/a/b"],
        &["", "metrics", "/", "/config", "/-/ready", "/api/v1/status", "/a b", "/a?b"],
    );
}

#[test]
fn seconds_are_rounded_up_to_whole_ones() {
    assert_eq!(duration_s::<0>("0"), Ok(0));
    assert_eq!(duration_s::<0>("1ms"), Ok(1));
    assert_eq!(duration_s::<1>("1s1ms"), Ok(2));
    check(duration_s::<1>, &["1s", "1000ms"], &["0", "999ms", "1"]);
    check(duration_ms::<100>, &["100ms"], &["99ms"]);
}

#[test]
fn a_count_is_whole_and_above_zero() {
    check(count, &["1", "4294967295"], &["", "0", "-1", "+1", "1.0", "1e3", "lots", "4294967296"]);
}

#[test]
fn a_share_is_above_zero_and_at_most_one() {
    check(share, &["0.2", "1", "1e-3"], &["", "0", "1.1", "-1", "20%", "NaN", "inf"]);
}

#[test]
fn count_from_is_now_a_duration_or_a_time_with_a_zone() {
    assert_eq!(count_from("now"), Ok(CountFrom::Now));
    assert_eq!(count_from("30d"), Ok(CountFrom::Ago(30 * 86_400)));
    assert_eq!(count_from("1970-01-01T00:01:00Z"), Ok(CountFrom::At(Timestamp(60))));
    assert_eq!(count_from("1970-01-01T01:01:00.9+01:00"), Ok(CountFrom::At(Timestamp(60))));
    assert_eq!(count_from("1969-12-31T23:59:59.5Z"), Ok(CountFrom::At(Timestamp(-1))));
    check(
        count_from,
        &[],
        &[
            "",
            "Now",
            "yesterday",
            "2026-01-31",
            "2026-01-31T00:00:00",
            "1700000000",
            "2026-02-30T00:00:00Z",
        ],
    );
}

#[test]
fn failure_words_are_final_statuses_in_any_spelling_of_the_api() {
    assert_eq!(failure_word("cancelled"), Ok(FailureWord::Outcome(Outcome::Canceled)));
    for outcome in Outcome::ALL {
        assert_eq!(failure_word(outcome.label()), Ok(FailureWord::Outcome(outcome)));
    }
    check(failure_word, &["unconnected", "abandoned"], &["", "ongoing", "initiated", "failed"]);
}

#[test]
fn a_key_is_one_word_without_what_stands_round_it() {
    assert_eq!(api_key(" 0a1b\r\n"), Ok("0a1b"));
    assert!(api_key(" \n").is_err() && api_key("a b").is_err() && api_key("ä").is_err());
}
