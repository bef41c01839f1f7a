//! One field at a time, in every spelling that the API is known to use and in some that it is not.

use super::*;
use crate::api::decode::fields::media_ms;
use crate::call::{CallType, Mode, Outcome, WordField};

fn amount(amount: Amount, fields: &str) -> (u64, bool) {
    let (call, bad) = call(fields);
    (call.amounts.get(amount), bad)
}

#[test]
fn minutes_come_in_many_spellings() {
    let of = |value: &str| amount(Amount::AudioMs, &format!(r#""totalAudioMinutes":{value}"#));
    for (value, ms) in [
        ("0", 0),
        ("null", 0),
        ("2", 120_000),
        ("\"2\"", 120_000),
        ("\" 0.5 \"", 30_000),
        ("1.9", 114_000),
        ("0.31666666666666665", 19_000),
        ("0.0000083", 0),
        ("0.0000084", 1),
        ("1e2", 6_000_000),
        ("-0.0", 0),
        ("52704000", 3_162_240_000_000),
    ] {
        assert_eq!(of(value), (ms, false), "{value}");
    }
    for value in [
        "-1",
        "1e308",
        "1e400",
        "\"NaN\"",
        "\"inf\"",
        "\"\"",
        "\"2 min\"",
        "true",
        "[]",
        "{}",
        "52704001",
    ] {
        assert_eq!(of(value), (0, true), "{value}");
    }
}

#[test]
fn half_a_millisecond_rounds_away_from_zero() {
    assert_eq!(media_ms(0.5 / 60_000.0), Some(1));
    assert_eq!(media_ms(2.5 / 60_000.0), Some(3));
    assert_eq!(media_ms(f64::NAN), None);
}

#[test]
fn participants_are_whole_and_not_negative() {
    let of = |value: &str| amount(Amount::Participants, &format!(r#""totalParticipants":{value}"#));
    for (value, n) in
        [("null", 0), ("0", 0), ("2", 2), ("2.0", 2), ("\"3\"", 3), ("1000000", 1_000_000)]
    {
        assert_eq!(of(value), (n, false), "{value}");
    }
    for value in ["-1", "2.5", "1000001", "\"many\"", "false"] {
        assert_eq!(of(value), (0, true), "{value}");
    }
    assert_eq!(amount(Amount::Participants, r#""x":1"#), (0, false));
}

#[test]
fn a_time_that_is_none_costs_itself_alone() {
    let of = |value: &str| {
        let (call, bad) = call(&format!(r#""startedAt":1760000009,"endedAt":{value}"#));
        assert_eq!(call.started_at, Some(Timestamp(1_760_000_009)));
        (call.ended_at.map(|at| at.0), bad)
    };
    for (value, at) in [
        ("null", None),
        ("0", None),
        ("\"0\"", None),
        ("1760000129", Some(1_760_000_129)),
        ("\"1760000129\"", Some(1_760_000_129)),
        ("1760000129.9", Some(1_760_000_129)),
        ("253402300799", Some(253_402_300_799)),
    ] {
        assert_eq!(of(value), (at, false), "{value}");
    }
    for value in ["-1", "253402300800", "9e99", "\"soon\"", "\"1e999\"", "{}", "true"] {
        assert_eq!(of(value), (None, true), "{value}");
    }
}

#[test]
fn words_are_read_without_regard_to_case_and_new_ones_are_noted() {
    let of = |word: &str| {
        let (call, bad) =
            call(&format!(r#""status":{word},"type":{word},"mode":{word},"receiverType":{word}"#));
        let unknown = WordField::ALL.map(|field| call.unknown.contains(field));
        (call.status, call.kind.call_type, call.kind.mode, unknown, bad)
    };
    let none = (Status::Unknown, CallType::Other, Mode::Other);
    for word in ["null", "7", "{}", r#""\udfff""#] {
        let bad = word != "null";
        assert_eq!(of(word), (none.0, none.1, none.2, [false; 5], bad), "{word}");
    }
    let all = [true, true, true, true, false];
    assert_eq!(of("\"transferred\""), (none.0, none.1, none.2, all, false));
    let (call, _) =
        call(r#""status":"CANCELLED","type":"Video","mode":"MEET","receiverType":"Group""#);
    assert_eq!(call.status, Status::Final(Outcome::Canceled));
    assert_eq!((call.kind.is_documented(), call.unknown.bits()), (true, 0));
}

#[test]
fn a_truth_value_comes_in_many_spellings() {
    let of = |value: &str| amount(Amount::Recorded, &format!(r#""hasRecording":{value}"#));
    for value in ["true", "\"true\"", "\"TRUE\"", "1", "\"1\""] {
        assert_eq!(of(value), (1, false), "{value}");
    }
    for value in ["false", "\"false\"", "0", "\"0\"", "null"] {
        assert_eq!(of(value), (0, false), "{value}");
    }
    for value in ["\"yes\"", "2", "[]"] {
        assert_eq!(of(value), (0, true), "{value}");
    }
}

#[test]
fn recordings_and_transcriptions_speak_for_themselves() {
    let (call, bad) =
        call(r#""hasRecording":false,"recordings":[{}],"transcriptions":[{"tid":"t"}]"#);
    let amounts = call.amounts;
    assert_eq!((amounts.get(Amount::Recorded), amounts.get(Amount::Transcribed)), (1, 1));
    assert_eq!(
        (amounts.get(Amount::Recordings), amounts.get(Amount::RecordingMs), bad),
        (1, 0, false)
    );
}

#[test]
fn a_list_that_is_none_costs_itself_alone() {
    for (value, is_bad) in
        [("null", false), ("[]", false), ("{}", true), ("\"\"", true), ("3", true)]
    {
        let (call, bad) = call(&format!(
            r#""participants":{value},"recordings":{value},"transcriptions":{value},"totalAudioMinutes":1"#
        ));
        assert_eq!((call.amounts.get(Amount::AudioMs), bad), (60_000, is_bad), "{value}");
        assert!(call.lists_nobody());
    }
}

#[test]
fn a_bad_element_costs_itself_alone() {
    let (call, bad) = call(
        r#""participants":[7,null,{"uid":"a","isJoined":true,"leftAt":"gone"},[],{"uid":{},"isJoined":true},{"uid":"b","isJoined":true,"totalAudioMinutes":1}],
           "recordings":[null,{"duration":1},"x"],"transcriptions":[1,{}]"#,
    );
    assert!(bad);
    assert_eq!((call.people, call.people_present, call.entries), (2, 2, [0, 0, 0, 0, 0, 3]));
    assert_eq!(call.amounts.get(Amount::UserAudioMs), 60_000);
    assert_eq!(call.amounts.get(Amount::Recordings), 1);
    assert_eq!(call.amounts.get(Amount::Transcribed), 1);
}

#[test]
fn people_are_those_who_joined_each_once() {
    let of = |participants: &str| {
        let (call, bad) = call(&format!(r#""participants":[{participants}]"#));
        assert!(!bad, "{participants}");
        (call.people, call.people_present)
    };
    // One of two devices has left.
    assert_eq!(
        of(r#"{"uid":"a","isJoined":true,"leftAt":1760000010},{"uid":"a","isJoined":true}"#),
        (1, 1)
    );
    assert_eq!(of(r#"{"uid":"a","isJoined":true,"state":"ended"}"#), (1, 0));
    assert_eq!(of(r#"{"uid":"a","isJoined":true,"state":"ongoing","leftAt":0}"#), (1, 1));
    assert_eq!(of(r#"{"uid":"a","isJoined":false,"joinedAt":1760000010}"#), (0, 0));
    // Without `isJoined`, what only those have who joined says so.
    assert_eq!(of(r#"{"uid":"a","joinedAt":1760000010}"#), (1, 1));
    assert_eq!(of(r#"{"uid":"a","totalVideoMinutes":0.1}"#), (1, 1));
    assert_eq!(of(r#"{"uid":"a","totalVideoMinutes":0,"joinedAt":null}"#), (0, 0));
    // Nobody knows who they are.
    assert_eq!(of(r#"{"isJoined":true},{"uid":null,"isJoined":true}"#), (0, 0));
    assert_eq!(of(r#"{"uid":7,"isJoined":true},{"uid":"7","isJoined":true}"#), (1, 1));
}

#[test]
fn entries_stand_under_their_last_state() {
    let (call, bad) = call(
        r#""participants":[{"state":"ended"},{"state":"missed"},{"state":"rejected"},{"state":"Cancelled"},
            {"state":"busy"},{"state":"ongoing"},{},{"state":null},{"state":"asleep"}]"#,
    );
    assert_eq!((call.entries, bad), ([1, 1, 1, 1, 1, 4], false));
    assert_eq!(
        WordField::ALL.map(|field| call.unknown.contains(field)),
        [false, false, false, false, true]
    );
}

#[test]
fn user_time_is_rounded_for_each_and_then_summed() {
    let third = r#"{"totalAudioMinutes":0.00001,"totalVideoMinutes":0.000008}"#;
    let (call, _) = call(&format!(r#""participants":[{third},{third},{third}]"#));
    assert_eq!(call.amounts.get(Amount::UserAudioMs), 3);
    assert_eq!(call.amounts.get(Amount::UserVideoMs), 0);
}

#[test]
fn a_recording_is_as_long_as_its_times_say_else_its_duration() {
    let of = |times: &str, recording: &str| {
        let (call, _) = call(&format!(r#"{times}"recordings":[{recording}]"#));
        call.amounts.get(Amount::RecordingMs)
    };
    let two_minutes = r#""startedAt":1760000000,"endedAt":1760000120,"#;
    assert_eq!(of("", r#"{"startTime":1760000000,"endTime":1760000090,"duration":7}"#), 90_000);
    assert_eq!(of("", r#"{"startTime":"1760000000.5","endTime":"1760000002"}"#), 1500);
    assert_eq!(of("", r#"{"startTime":1760000090,"endTime":1760000000,"duration":2}"#), 120_000);
    // Minutes while they fit, with a minute to spare.
    assert_eq!(of(two_minutes, r#"{"duration":2}"#), 120_000);
    assert_eq!(of(two_minutes, r#"{"duration":3}"#), 180_000);
    // Seconds where minutes do not fit and seconds do.
    assert_eq!(of(two_minutes, r#"{"duration":"21.433"}"#), 21_433);
    assert_eq!(of(two_minutes, r#"{"duration":180}"#), 180_000);
    // Neither fits; the call's length is not known.
    assert_eq!(of(two_minutes, r#"{"duration":181}"#), 10_860_000);
    assert_eq!(of("", r#"{"duration":30}"#), 1_800_000);
    assert_eq!(of("", r#"{"duration":-1}"#), 0);
}

#[test]
fn a_field_that_stands_there_twice_or_is_no_unicode_costs_no_other() {
    let (call, bad) = call(
        r#""status":"ongoing","totalAudioMinutes":1,"status":"ended","\ud800":1,"name":"\udc00","mid":1e999"#,
    );
    assert_eq!(
        (call.status, call.amounts.get(Amount::AudioMs)),
        (Status::Final(Outcome::Ended), 60_000)
    );
    assert!(!bad);
}

#[test]
fn a_huge_field_costs_itself_and_a_huge_page_is_no_page() {
    let long = "x".repeat(3 << 20);
    let (kept, bad) = call(&format!(r#""metaData":"{long}","totalAudioMinutes":1"#));
    assert_eq!((kept.amounts.get(Amount::AudioMs), bad), (60_000, false));
    let row = format!("{{{SESSION_ID},\"metaData\":\"{}\"}}", "x".repeat(10 << 20));
    let page = rows(&[&row, &format!("{{{SESSION_ID}}}")]);
    assert_eq!((page.calls.len(), page.n_rows()), (1, 2), "a row of 10 MiB is no call");
    let rows = vec!["{}"; 1_000_000].join(",");
    let body = format!(r#"{{"data":[{rows}]}}"#);
    assert!(super::page(body.as_bytes(), NOW).is_err(), "a page of a million rows is no page");
}

#[test]
fn a_deep_nest_is_no_danger() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let (_, bad) = call(&format!(r#""metaData":{deep}"#));
    assert!(!bad);
    let (_, bad) = call(&format!(r#""participants":{deep}"#));
    assert!(bad);
}
