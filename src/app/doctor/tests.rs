//! What is made of facts, without an API.

use expect_test::{Expect, expect};

use super::cost::cost;
use super::facts::{Answer, Facts, Filter, Refused, Stop};
use super::findings::{Means, Verdict, findings};
use super::{groups, shown_milli};
use crate::api::Survey;
use crate::call::{
    Amounts, Call, CallKey, Kind, Moment, Outcome, Status, Timestamp, UnknownWords, WordField,
};
use crate::config::Secret;
use crate::config::settings::{ApiRegion, AppSettings, KeySource};
use crate::sweep::{Order, Page, Quota, Refusal, Skew};

/// An app that names a budget group, or none.
fn app(app_id: &str, group: Option<&str>) -> AppSettings {
    AppSettings {
        name: app_id.to_owned(),
        app_id: app_id.to_owned(),
        api_region: ApiRegion::Us,
        base_url: String::new(),
        key: KeySource::Inline(Secret::new("key")),
        on_behalf_of: None,
        budget_group: group.map(str::to_owned),
    }
}

#[test]
fn apps_of_one_group_or_of_one_app_id_share_a_budget() {
    let apps = [
        app("a", None),
        app("b", Some("lobby")),
        app("a", None),
        app("c", Some("lobby")),
        app("a", Some("apart")),
    ];
    let places = groups(apps.iter().enumerate().collect()).into_iter();
    let places = places.map(|group| group.iter().map(|(idx, _)| *idx).collect::<Vec<_>>());
    assert_eq!(places.collect::<Vec<_>>(), [vec![0, 2], vec![1, 3], vec![4]]);
}

const NOW: i64 = 1_760_000_000;

const MEANS: Means =
    Means { rate_limit: 500, rate_limit_share: 0.2, interval_s: 30.0, read_back_s: 0 };

fn call(initiated_at: i64, status: Status) -> Call {
    Call {
        key: CallKey { initiated_at: Timestamp(initiated_at), session_id: "s".into() },
        kind: Kind::documented().next().expect("there are documented kinds"),
        status,
        started_at: Some(Timestamp(initiated_at + 5)),
        ended_at: Some(Timestamp(initiated_at + 60)),
        amounts: Amounts::default(),
        people: 2,
        people_present: 0,
        entries: [2, 0, 0, 0, 0, 0],
        unknown: UnknownWords::default(),
    }
}

/// Twenty calls, newest first, so many seconds apart, every other one ongoing.
fn page(apart_s: i64) -> Page {
    let status = |idx| if idx % 2 == 0 { Status::Final(Outcome::Ended) } else { Status::Ongoing };
    let calls = (0..20).map(|idx| call(NOW - idx * apart_s, status(idx)));
    Page { calls: calls.collect(), defects: Vec::new() }
}

fn refused(refusal: Refusal) -> Answer {
    Err(Refused { refusal, note: "GET it: no".to_owned() })
}

/// An API of which there is nothing to say.
fn healthy() -> Facts {
    let page = page(10);
    let mut order = Order::default();
    order.learn(&page.calls);
    let words =
        [("status", "ended"), ("type", "audio"), ("mode", "call"), ("receiverType", "user")];
    let fields = ["sessionId", "initiatedAt", "startedAt", "endedAt", "type", "mode", "status"];
    Facts {
        per_page: 20,
        first_page: Some(1),
        order,
        large: Some(Ok(page.clone())),
        past_end: Some(Ok(Page { calls: Vec::new(), defects: Vec::new() })),
        filters: Filter::ALL.map(|filter| (filter, Ok(page.clone()))).to_vec(),
        get: Some((
            page.calls[0].key.clone(),
            Ok(Page { calls: page.calls[..1].to_vec(), defects: Vec::new() }),
        )),
        survey: Survey {
            n_rows: 20,
            fields: fields.map(|name| (name.to_owned(), 20)).into(),
            words: words.map(|(field, word)| ((field, word.to_owned()), 20)).into(),
            limit_header: Some("X-Rate-Limit"),
        },
        quota: Quota { limit: Some(500), remaining: Some(400), ..Quota::default() },
        skew: Skew::default(),
        took_ms: vec![30, 10, 20],
        stopped: None,
        first: Ok(page),
    }
}

/// What is said of a subject when the facts are changed.
#[track_caller]
fn check(subject: &str, change: impl FnOnce(&mut Facts), expected: Expect) {
    let mut facts = healthy();
    change(&mut facts);
    let all = findings(&facts, MEANS);
    let said = all.iter().filter(|finding| finding.subject == subject).map(|finding| {
        let advice = finding.advice.as_deref().map(|advice| format!(" -> {advice}"));
        format!("{}: {}{}", finding.verdict.word(), finding.text, advice.unwrap_or_default())
    });
    expected.assert_eq(&said.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_healthy_api_warns_of_nothing() {
    let all = findings(&healthy(), MEANS);
    assert!(all.iter().all(|finding| finding.verdict < Verdict::Warn), "{all:?}");
}

#[test]
fn access() {
    check("access", |_| {}, expect!["ok: the API takes the key, and answers in 20 ms"]);
    check("access", |facts| facts.first = refused(Refusal::Denied), expect!["FAIL: GET it: no"]);
    check(
        "access",
        |facts| facts.first = refused(Refusal::Later),
        expect!["FAIL: GET it: no -> try again in a few minutes: the app's rate limit is used up"],
    );
    check(
        "access",
        |facts| {
            facts.first = refused(Refusal::Unavailable);
            facts.stopped = Some(Stop::Time);
        },
        expect![[""]],
    );
}

#[test]
fn paging() {
    let empty = || Page { calls: Vec::new(), defects: Vec::new() };
    check(
        "paging",
        |_| {},
        expect![
            "ok: pages are numbered from 1; a page holds 20 rows at most, however many are asked for; past the end it is empty"
        ],
    );
    check(
        "paging",
        |facts| facts.first = Ok(empty()),
        expect!["note: the list is empty: there are no calls yet"],
    );
    check(
        "paging",
        |facts| facts.first_page = None,
        expect![
            "ok: the number of the first page is unclear; a page holds 20 rows at most, however many are asked for; past the end it is empty"
        ],
    );
    let mut more = page(10);
    more.calls.extend(page(10).calls);
    check(
        "paging",
        |facts| facts.large = Some(Ok(more)),
        expect![
            "ok: pages are numbered from 1; a page can hold 40 rows or more; past the end it is empty"
        ],
    );
    check(
        "paging",
        |facts| facts.large = Some(refused(Refusal::Rejected)),
        expect![
            "ok: pages are numbered from 1; a page of 20 rows is given, ten times as many are refused; past the end it is empty"
        ],
    );
    check(
        "paging",
        |facts| facts.past_end = Some(Ok(page(10))),
        expect![
            "ok: pages are numbered from 1; a page holds 20 rows at most, however many are asked for; past the end it shows a page again"
        ],
    );
    check(
        "paging",
        |facts| facts.past_end = Some(refused(Refusal::NotFound)),
        expect![
            "ok: pages are numbered from 1; a page holds 20 rows at most, however many are asked for; past the end it answers 404"
        ],
    );
    check(
        "paging",
        |facts| facts.past_end = Some(refused(Refusal::Unavailable)),
        expect![
            "ok: pages are numbered from 1; a page holds 20 rows at most, however many are asked for; past the end it answers with an error"
        ],
    );
}

#[test]
fn order() {
    let learned = |ages: &'static [i64]| {
        move |facts: &mut Facts| {
            let calls: Vec<_> = ages.iter().map(|age| call(NOW - age, Status::Ongoing)).collect();
            facts.order = Order::default();
            facts.order.learn(&calls);
        }
    };
    check(
        "order",
        learned(&[0, 10, 20]),
        expect!["ok: newest first by `initiatedAt`, without exception"],
    );
    check(
        "order",
        learned(&[20, 10, 0]),
        expect!["ok: oldest first by `initiatedAt`, without exception"],
    );
    check(
        "order",
        learned(&[0, 3, 1, 900]),
        expect!["note: newest first, but for rows up to 120 s out of place; that is allowed for"],
    );
    check(
        "order",
        learned(&[0, 500, 100, 600, 0]),
        expect![
            "warn: the list is in no order of `initiatedAt` -> calls may be missed or found late: please report it, with --output=json"
        ],
    );
    check("order", learned(&[7]), expect!["note: too few calls to tell the order of the list"]);
}

#[test]
fn filters() {
    // The page has them all, so that an answer with all of them did not filter.
    check(
        "filters",
        |_| {},
        expect![
            "note: status=ended is ignored, status=ongoing is ignored, hasRecording=true is ignored, startedAt is ignored, endedAt is ignored. The exporter relies on none"
        ],
    );
    check(
        "filters",
        |facts| {
            let of = |keep: fn(&Call) -> bool| {
                let calls = page(10).calls.into_iter().filter(keep).collect();
                Ok(Page { calls, defects: Vec::new() })
            };
            facts.filters = vec![
                (Filter::Ended, of(|call| call.status != Status::Ongoing)),
                (Filter::Ongoing, of(|call| call.status == Status::Ongoing)),
                (Filter::HasRecording, of(|_| false)),
                (Filter::StartedAt, of(|call| call.key.initiated_at.0 >= NOW - 90)),
                (Filter::EndedAt, of(|call| call.key.initiated_at.0 <= NOW - 100)),
            ];
        },
        expect![
            "note: status=ended works, status=ongoing works, hasRecording=true shows nothing, startedAt works, endedAt works. The exporter relies on none"
        ],
    );
    check(
        "filters",
        |facts| {
            facts.filters = vec![
                (Filter::StartedAt, refused(Refusal::Rejected)),
                (Filter::EndedAt, refused(Refusal::Unavailable)),
            ];
        },
        expect![
            "note: startedAt is refused, endedAt was not answered. The exporter relies on none"
        ],
    );
}

#[test]
fn get_call() {
    let answer = |answer: Answer| move |facts: &mut Facts| facts.get.as_mut().unwrap().1 = answer;
    let of = |calls| Ok(Page { calls, defects: Vec::new() });
    check("Get Call", |_| {}, expect!["ok: answers with the call that was asked for"]);
    check(
        "Get Call",
        answer(of(Vec::new())),
        expect!["note: answers with no call; the list will do"],
    );
    check(
        "Get Call",
        answer(of(vec![call(5, Status::Ongoing)])),
        expect!["note: answers with another call of the same session id; the list will do"],
    );
    check(
        "Get Call",
        answer(refused(Refusal::NotFound)),
        expect!["note: does not answer; the list will do"],
    );
}

#[test]
fn rate_limit() {
    check(
        "rate limit",
        |_| {},
        expect![
            "ok: 500 requests a minute (X-Rate-Limit), 400 left of them; the exporter lets itself use 20 %: 100"
        ],
    );
    check(
        "rate limit",
        |facts| facts.quota.remaining = Some(49),
        expect![
            "warn: 500 requests a minute (X-Rate-Limit), 49 left of them; the exporter lets itself use 20 %: 100 -> the app uses its limit up by itself: ask CometChat for a higher one"
        ],
    );
    check(
        "rate limit",
        |facts| facts.quota = Quota::default(),
        expect![
            "note: the API states none; 500 requests a minute are assumed, of which the exporter uses 20 %: 100 -> set poll.rate_limit to the limit of the app's plan"
        ],
    );
}

#[test]
fn clock() {
    let ahead = |seconds: i64| {
        move |facts: &mut Facts| {
            let now = Moment((NOW + seconds) * 1000);
            facts.skew.learn(Timestamp(NOW), now, now);
        }
    };
    check("clock", |_| {}, expect!["note: the API sends no Date: the local clock is trusted"]);
    check("clock", ahead(1), expect!["ok: the local clock and the API's agree"]);
    check(
        "clock",
        ahead(45),
        expect!["note: the local clock is 44 s ahead of the API's; that is allowed for"],
    );
    check(
        "clock",
        ahead(-7200),
        expect!["note: the local clock is about 120 min behind the API's; that is allowed for"],
    );
}

#[test]
fn rows_and_words() {
    check(
        "rows",
        |_| {},
        expect![
            "ok: 20 rows seen; never seen of the documented fields: receiverType totalAudioMinutes totalVideoMinutes totalParticipants participants hasRecording recordings hasTranscription transcriptions; not documented: none"
        ],
    );
    check(
        "rows",
        |facts| {
            facts.survey.fields.insert("queueTime".to_owned(), 3);
            facts.first.as_mut().unwrap().calls.clear();
        },
        expect![
            "FAIL: 20 rows seen; never seen of the documented fields: receiverType totalAudioMinutes totalVideoMinutes totalParticipants participants hasRecording recordings hasTranscription transcriptions; not documented: queueTime; no row could be read as a call -> check base_url: this may be another API; else please report it, with --output=json"
        ],
    );
    check(
        "words",
        |_| {},
        expect!["ok: status: ended 20; type: audio 20; mode: call 20; receiverType: user 20"],
    );
    check(
        "words",
        |facts| {
            let call = &mut facts.first.as_mut().unwrap().calls[0];
            call.unknown.insert(WordField::Status);
        },
        expect![
            "warn: status: ended 20; type: audio 20; mode: call 20; receiverType: user 20 -> one of them is new to this version and counts as `other`: look for a newer version"
        ],
    );
}

#[test]
fn what_was_not_asked_is_named() {
    check(
        "unfinished",
        |facts| {
            facts.filters.truncate(2);
            facts.get = None;
            facts.stopped = Some(Stop::Time);
        },
        expect![
            "warn: there was no time to ask for hasRecording=true, startedAt, endedAt, Get Call -> give it more time with --time-limit, or raise poll.rate_limit_share"
        ],
    );
    check(
        "unfinished",
        |facts| {
            let refused = Refused { refusal: Refusal::Later, note: "429".to_owned() };
            facts.stopped = Some(Stop::Refused(refused));
        },
        expect!["warn: the API stopped the questions: 429 -> try again in a few minutes"],
    );
}

#[test]
fn what_the_reading_costs_by_calls_a_day_and_means() {
    let said = |apart_s: i64, means: Means| {
        let facts = Facts { first: Ok(page(apart_s)), ..healthy() };
        let lines = cost(&facts, means).into_iter();
        lines.map(|line| format!("{}: {}\n", line.verdict.word(), line.text)).collect::<String>()
    };
    let share = |rate_limit_share| Means { rate_limit_share, ..MEANS };
    let table = [
        said(4_000, MEANS),
        said(9, MEANS),
        said(1, MEANS),
        said(1, share(1.0)),
        said(1, share(0.02)),
        said(9, Means { interval_s: 5.0, ..MEANS }),
        said(9, Means { read_back_s: 30 * 86_400, ..MEANS }),
        said(1, Means { read_back_s: 86_400, ..MEANS }),
    ];
    expect![[r#"
        ok: about 23 calls a day need about 4 requests a minute, of 100; the numbers are about 30 s behind the API
        ok: about 10000 calls a day need about 4 requests a minute, of 100; the numbers are about 30 s behind the API
        ok: about 91000 calls a day need about 28 requests a minute, of 100; the numbers are about 30 s behind the API
        ok: about 91000 calls a day need about 28 requests a minute, of 500; the numbers are about 30 s behind the API
        warn: about 91000 calls a day need about 28 requests a minute, of 10; new calls show in time, changes come late
        ok: about 10000 calls a day need about 14 requests a minute, of 100; the numbers are about 5 s behind the API
        ok: about 10000 calls a day need about 4 requests a minute, of 100; the numbers are about 30 s behind the API
        note: count.from lies in the past: about 300000 calls, about 3 hours; until then the counters of the app are absent
        ok: about 91000 calls a day need about 28 requests a minute, of 100; the numbers are about 30 s behind the API
        note: count.from lies in the past: about 91000 calls, about 64 minutes; until then the counters of the app are absent
    "#]].assert_eq(&table.concat());
    let few = Page { calls: page(10).calls[..9].to_vec(), defects: Vec::new() };
    let facts = Facts { first: Ok(few), ..healthy() };
    assert_eq!(cost(&facts, MEANS)[0].text, "too few calls to tell what the reading costs");
}

#[test]
fn a_small_budget_is_shown_with_its_digits() {
    let shown = [60_000_u64, 50_000, 12_345, 2_500, 100, 1].map(shown_milli);
    assert_eq!(shown, ["60", "50", "12", "2.5", "0.1", "0.001"]);
}
