use expect_test::expect;
use proptest::prelude::*;

use super::*;
use crate::call::{Amount, Call, CallType, Mode, Outcome, Status, WordField};
use crate::sweep::Reason;

const NOW: Timestamp = Timestamp(1_760_003_600);
const SESSION_ID: &str = r#""sessionId":"s","initiatedAt":1760000000"#;

fn read(json: &str) -> Page {
    page(json.as_bytes(), NOW).expect("a page")
}

fn rows(rows: &[&str]) -> Page {
    read(&format!(r#"{{"data":[{}]}}"#, rows.join(",")))
}

/// The call made of the fields given, besides what makes it a call, and whether a field was bad.
fn call(fields: &str) -> (Call, bool) {
    let page = rows(&[&format!("{{{SESSION_ID},{fields}}}")]);
    let reasons: Vec<_> = page.defects.iter().map(|defect| defect.reason).collect();
    assert!(matches!(reasons[..], [] | [Reason::BadField]), "{reasons:?}");
    let mut calls = page.calls;
    (calls.pop().expect("a call"), !reasons.is_empty())
}

fn reason(row: &str) -> Option<Reason> {
    let page = rows(&[row]);
    assert_eq!(page.n_rows(), 1);
    page.defects.first().map(|defect| defect.reason)
}

fn amount(amount: Amount, fields: &str) -> (u64, bool) {
    let (call, bad) = call(fields);
    (call.amounts.get(amount), bad)
}

#[test]
fn an_answered_call_is_read_field_by_field() {
    let page = read(include_str!("../../../tests/data/page-answered.json"));
    assert_eq!(page.defects, []);
    let [call] = &page.calls[..] else { unreachable!("one row") };
    assert_eq!(call.duration_s(), Some(120));
    assert_eq!(call.answer_s(), Some(9));
    assert_eq!(call.amounts.get(Amount::VideoMs), 120_000);
    assert_eq!(call.amounts.get(Amount::UserVideoMs), 234_000);
    expect![[r#"
        Call {
            key: CallKey {
                initiated_at: Timestamp(
                    1760000000,
                ),
                session_id: "v1.us.0123456789abcdef.17600000000f1e2d3c4b5a69788796a5b4c3d2e1f001122334",
            },
            kind: Kind {
                call_type: Video,
                mode: Call,
                receiver: User,
            },
            status: Final(
                Ended,
            ),
            started_at: Some(
                Timestamp(
                    1760000009,
                ),
            ),
            ended_at: Some(
                Timestamp(
                    1760000129,
                ),
            ),
            amounts: Amounts(
                [
                    0,
                    120000,
                    2,
                    0,
                    234000,
                    0,
                    0,
                    0,
                    0,
                ],
            ),
            people: 2,
            people_present: 0,
            entries: [
                2,
                0,
                0,
                0,
                0,
                0,
            ],
            unknown: UnknownWords(
                0,
            ),
        }
    "#]]
    .assert_debug_eq(call);
}

#[test]
fn a_rejected_call_as_an_object_is_read_field_by_field() {
    let page = read(include_str!("../../../tests/data/call-rejected.json"));
    assert_eq!(page.defects, []);
    let [call] = &page.calls[..] else { unreachable!("one row") };
    assert_eq!((call.duration_s(), call.answer_s()), (None, None));
    expect![[r#"
        Call {
            key: CallKey {
                initiated_at: Timestamp(
                    1760000500,
                ),
                session_id: "v1.eu.0123456789abcdef.1760000500aa",
            },
            kind: Kind {
                call_type: Audio,
                mode: Call,
                receiver: User,
            },
            status: Final(
                Rejected,
            ),
            started_at: None,
            ended_at: None,
            amounts: Amounts(
                [
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                ],
            ),
            people: 0,
            people_present: 0,
            entries: [
                0,
                0,
                1,
                0,
                0,
                1,
            ],
            unknown: UnknownWords(
                0,
            ),
        }
    "#]]
    .assert_debug_eq(call);
}

#[test]
fn a_call_in_other_spellings_is_the_same_call() {
    let page = read(include_str!("../../../tests/data/call-ongoing-in-array.json"));
    assert_eq!(page.defects, []);
    let [call] = &page.calls[..] else { unreachable!("one row") };
    assert_eq!(call.key.initiated_at, Timestamp(1_760_000_600));
    assert_eq!(call.started_at, Some(Timestamp(1_760_000_600)));
    assert_eq!((call.status, call.ended_at), (Status::Ongoing, None));
    assert_eq!((call.people, call.people_present), (2, 1));
    assert_eq!(call.entries, [1, 1, 0, 0, 0, 2]);
    // Audio, video, participants; the users' audio and video; no list of recordings; both flags.
    assert_eq!(call.amounts.0, [0, 270_000, 3, 30_000, 300_000, 0, 0, 1, 1]);
    assert_eq!(call.unknown.bits(), 0);
}

#[test]
fn an_answer_without_calls_is_an_empty_page() {
    let none = include_str!("../../../tests/data/call-none.json");
    for body in [none, r#"{"data":{}}"#, r#"{"data":{ }}"#, r#"{"data":null,"error":null}"#] {
        assert_eq!(page(body.as_bytes(), NOW), Ok(Page::default()), "{body}");
    }
}

#[test]
fn an_error_in_a_good_answer_is_an_error() {
    for (body, label) in [
        (include_str!("../../../tests/data/error-unknown-key.json"), "AUTH_ERR_APIKEY_NOT_FOUND"),
        (include_str!("../../../tests/data/error-bad-request.json"), "ERR_BAD_REQUEST"),
        (include_str!("../../../tests/data/error-unknown-call.json"), "ERR_CALL_SESSION_NOT_FOUND"),
        (r#"{"data":[],"error":{"code":"ERR_EXCEPTION"}}"#, "ERR_EXCEPTION"),
        (r#"{"error":{"code":"ERR_OF_NEXT_YEAR"}}"#, "other"),
        (r#"{"error":{"code":"\ud800"}}"#, "other"),
        (r#"{"error":{"message":"no"}}"#, "other"),
        (r#"{"error":"no","data":7}"#, "other"),
    ] {
        let code = error_code(body.as_bytes()).map(ErrorCode::label);
        assert_eq!(code, Some(label), "{body}");
        let refused = match page(body.as_bytes(), NOW) {
            Err(Unreadable::Refused(code)) => Some(code.label()),
            _ => None,
        };
        assert_eq!(refused, Some(label), "{body}");
    }
}

#[test]
fn an_error_beside_calls_does_not_cost_the_calls() {
    let page = read(&format!(r#"{{"error":{{"code":"ERR_X"}},"data":[{{{SESSION_ID}}}]}}"#));
    assert_eq!(page.calls.len(), 1);
}

#[test]
fn what_is_no_page_is_said_to_be_none() {
    for body in [
        "",
        "null",
        "[]",
        "[[],null]",
        "<html>",
        r#"{"data":["#,
        r#"{"data":[]} x"#,
        r#"{"data":[]"#,
    ] {
        assert_eq!(page(body.as_bytes(), NOW), Err(Unreadable::NotJson), "{body}");
        assert_eq!(error_code(body.as_bytes()), None, "{body}");
    }
    for body in ["{}", r#"{"meta":{}}"#, r#"{"data":7}"#, r#"{"data":"[]"}"#] {
        assert_eq!(page(body.as_bytes(), NOW), Err(Unreadable::NoData), "{body}");
    }
    let control = format!(r#"{{"data":[{{{SESSION_ID},"name":"{}"}}]}}"#, '\u{1}');
    assert_eq!(page(control.as_bytes(), NOW), Err(Unreadable::NotJson));
    let many = format!(r#"{{"data":[{}1]}}"#, "1,".repeat(ROWS_MAX));
    assert_eq!(page(many.as_bytes(), NOW), Err(Unreadable::TooManyRows(ROWS_MAX + 1)));
}

#[test]
fn a_row_that_is_no_call_costs_itself_alone() {
    let page = read(include_str!("../../../tests/data/page-bad-rows.json"));
    let ids: Vec<_> = page.calls.iter().map(|call| &*call.key.session_id).collect();
    assert_eq!(ids, ["good", "half"]);
    let reasons: Vec<_> = page.defects.iter().map(|defect| defect.reason).collect();
    use Reason::{BadField, NoInitiatedAt, NoSessionId, NotAnObject};
    assert_eq!(reasons, [NotAnObject, NoSessionId, NoInitiatedAt, BadField]);
    assert_eq!((page.n_rows(), page.n_lost()), (5, 3));
}

#[test]
fn a_row_without_its_key_is_no_call() {
    for row in ["null", "[]", "\"x\"", "1e999", "true"] {
        assert_eq!(reason(row), Some(Reason::NotAnObject), "{row}");
    }
    for id in ["null", "\"\"", "\" \"", "{}", "7", r#""\ud800""#] {
        let row = format!(r#"{{"sessionId":{id},"initiatedAt":1760000000}}"#);
        assert_eq!(reason(&row), Some(Reason::NoSessionId), "{row}");
    }
    for at in ["null", "0", "-1", "1e308", "1e400", "\"NaN\"", "\"\"", "[]", "true", "1420070399"] {
        let row = format!(r#"{{"sessionId":"s","initiatedAt":{at}}}"#);
        assert_eq!(reason(&row), Some(Reason::NoInitiatedAt), "{row}");
    }
    assert_eq!(reason("{}"), Some(Reason::NoSessionId));
}

#[test]
fn a_call_from_before_2015_or_from_the_day_after_tomorrow_is_none() {
    let at = |second: i64| reason(&format!(r#"{{"sessionId":"s","initiatedAt":{second}}}"#));
    assert_eq!(at(1_420_070_400), None);
    assert_eq!(at(NOW.0 + 86_400), None);
    assert_eq!(at(NOW.0 + 86_401), Some(Reason::NoInitiatedAt));
}

#[test]
fn what_is_larger_than_any_call_is_none() {
    let row = |id: &str, more: &str| {
        reason(&format!(r#"{{"sessionId":"{id}","initiatedAt":1760000000,"x":"{more}"}}"#))
    };
    assert_eq!(row(&"s".repeat(1024), ""), None);
    assert_eq!(row(&"s".repeat(1025), ""), Some(Reason::TooLarge));
    assert_eq!(row("s", &"x".repeat(4 << 20)), Some(Reason::TooLarge));
}

#[test]
fn a_session_id_may_be_any_text() {
    for (json, text) in [(r"\u00e9/?..", "é/?.."), ("\u{1F600}", "\u{1F600}"), (r#"\"\\"#, "\"\\")]
    {
        let page = rows(&[&format!(r#"{{"sessionId":"{json}","initiatedAt":1760000000}}"#)]);
        assert_eq!(&*page.calls[0].key.session_id, text);
    }
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
    assert_eq!(super::fields::media_ms(0.5 / 60_000.0), Some(1));
    assert_eq!(super::fields::media_ms(2.5 / 60_000.0), Some(3));
    assert_eq!(super::fields::media_ms(f64::NAN), None);
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
        r#""participants":[7,null,{"uid":"a","isJoined":true,"leftAt":"gone"},[],{"uid":"b","isJoined":true,"totalAudioMinutes":1}],
           "recordings":[null,{"duration":1},"x"],"transcriptions":[1,{}]"#,
    );
    assert!(bad);
    assert_eq!((call.people, call.people_present, call.entries), (2, 2, [0, 0, 0, 0, 0, 2]));
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
fn bytes_that_are_no_utf_8_cost_no_other_field() {
    let mut bytes =
        format!(r#"{{"data":[{{{SESSION_ID},"name":"?","totalAudioMinutes":1}}]}}"#).into_bytes();
    let idx = bytes.iter().position(|&byte| byte == b'?').expect("a mark");
    bytes[idx] = 0xff;
    let page = page(&bytes, NOW).expect("a page");
    assert_eq!(page.calls[0].amounts.get(Amount::AudioMs), 60_000);
}

#[test]
fn a_deep_nest_is_no_danger() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let (_, bad) = call(&format!(r#""metaData":{deep}"#));
    assert!(!bad);
    let (_, bad) = call(&format!(r#""participants":{deep}"#));
    assert!(bad);
}

#[test]
fn the_same_row_has_the_same_hash() {
    let page = rows(&["7", "8", "7"]);
    let hashes: Vec<_> = page.defects.iter().map(|defect| defect.row_hash).collect();
    assert_eq!(hashes[0], hashes[2]);
    assert_ne!(hashes[0], hashes[1]);
}

/// JSON of every shape, with the names and words that matter among it.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        prop::sample::select(
            &[
                "null",
                "true",
                "0",
                "-1",
                "1e308",
                "1e400",
                "1760000000",
                "\"1760000001\"",
                "\"NaN\"",
                "\"\"",
                r#""\ud800""#,
                r#""\u0000""#,
                "\"ended\"",
                "253402300800",
                "9223372036854775808",
            ][..]
        )
        .prop_map(str::to_owned),
        any::<f64>()
            .prop_filter_map("JSON knows no infinity", |x| x.is_finite().then(|| x.to_string())),
        any::<String>().prop_map(|text| serde_json::to_string(&text).expect("a text is JSON")),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        let name = prop::sample::select(
            &[
                "data",
                "error",
                "code",
                "sessionId",
                "initiatedAt",
                "startedAt",
                "endedAt",
                "status",
                "participants",
                "recordings",
                "transcriptions",
                "uid",
                "isJoined",
                "joinedAt",
                "leftAt",
                "totalAudioMinutes",
                "totalParticipants",
                "hasRecording",
                "duration",
                "startTime",
                "endTime",
            ][..],
        );
        let field = (name, inner.clone()).prop_map(|(name, value)| format!("\"{name}\":{value}"));
        prop_oneof![
            prop::collection::vec(inner, 0..8).prop_map(|all| format!("[{}]", all.join(","))),
            prop::collection::vec(field, 0..12).prop_map(|all| format!("{{{}}}", all.join(","))),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        let _ = (page(&bytes, NOW), error_code(&bytes));
    }

    #[test]
    fn no_json_panics_and_every_row_is_accounted_for(data in json(), now: i64) {
        let body = format!(r#"{{"data":[{data}]}}"#);
        let page = page(body.as_bytes(), Timestamp(now)).expect("a page");
        prop_assert_eq!(page.n_rows(), 1);
        let _ = (super::page(data.as_bytes(), NOW), error_code(data.as_bytes()));
    }

    #[test]
    fn no_field_ever_costs_a_call(
        fields in prop::collection::vec((prop::sample::select(&[
            "startedAt", "endedAt", "status", "type", "mode", "receiverType", "totalAudioMinutes",
            "totalVideoMinutes", "totalParticipants", "participants", "hasRecording", "recordings",
            "hasTranscription", "transcriptions", "initiator", "metaData",
        ][..]), json()), 0..16),
    ) {
        let fields: String = fields.iter().map(|(name, value)| format!(r#","{name}":{value}"#)).collect();
        let page = rows(&[&format!("{{{SESSION_ID}{fields}}}")]);
        prop_assert_eq!(page.calls.len(), 1);
    }

    #[test]
    fn a_row_never_changes_its_neighbours(before in json(), between in json(), after in json()) {
        let good = |id: &str| format!(
            r#"{{"sessionId":"{id}","initiatedAt":1760000000,"status":"ended","totalAudioMinutes":1.5}}"#
        );
        let (one, two) = (good("one!"), good("two!"));
        let alone = rows(&[&one, &two]);
        let among = rows(&[&before, &one, &between, &two, &after]);
        let found: Vec<_> =
            among.calls.into_iter().filter(|call| call.key.session_id.ends_with('!')).collect();
        prop_assert_eq!(found, alone.calls);
    }
}
