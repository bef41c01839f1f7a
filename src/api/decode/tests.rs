//! Pages and rows: what is read, and what is lost with what.

use expect_test::expect;

use super::*;
use crate::call::{Amount, Call, Status};
use crate::sweep::Reason;

mod properties;
mod spellings;

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
fn bytes_that_are_no_utf_8_cost_no_other_field() {
    let mut bytes =
        format!(r#"{{"data":[{{{SESSION_ID},"name":"?","totalAudioMinutes":1}}]}}"#).into_bytes();
    let idx = bytes.iter().position(|&byte| byte == b'?').expect("a mark");
    bytes[idx] = 0xff;
    let page = page(&bytes, NOW).expect("a page");
    assert_eq!(page.calls[0].amounts.get(Amount::AudioMs), 60_000);
}

#[test]
fn the_same_row_has_the_same_hash() {
    let page = rows(&["7", "8", "7"]);
    let hashes: Vec<_> = page.defects.iter().map(|defect| defect.row_hash).collect();
    assert_eq!(hashes[0], hashes[2]);
    assert_ne!(hashes[0], hashes[1]);
}
