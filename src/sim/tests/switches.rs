//! Each quirk and each fault, seen in the answers.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use hyper::header::{HeaderMap, RETRY_AFTER};
use hyper::{Request, StatusCode};
use serde_json::Value;

use super::*;
use crate::sim::answer::Api;
use crate::sim::reply::{Reply, What};
use crate::sim::{Fault, Order, PastEnd, Quirk, RateLimitHeaders};

/// The API of a world that lies an hour back, without a socket.
struct Asked(Api, String);

impl Asked {
    fn of(options: Options) -> Self {
        let key = options.api_key.clone();
        Self(Api::new(Arc::new(Mutex::new(World::new(options, NOON)))), key)
    }

    fn with(quirk: Quirk) -> Self {
        Self::of(Options { quirks: BTreeSet::from([quirk]), ..brief(3) })
    }

    fn reply_at(&self, target: &str, now: Moment) -> Reply {
        let request = Request::get(format!("http://sim{target}")).header("apikey", &self.1);
        let (head, ()) = request.body(()).unwrap().into_parts();
        self.0.answer(&head, now)
    }

    fn answer(&self, target: &str) -> (StatusCode, HeaderMap, String) {
        match self.reply_at(target, after_s(3600)).what {
            What::Whole(response) => {
                let (head, body) = response.into_parts();
                (head.status, head.headers, String::from_utf8_lossy(&body).into_owned())
            }
            What::Cut(_) | What::Closed | What::Nothing => panic!("no whole answer"),
        }
    }

    fn json(&self, target: &str) -> Value {
        serde_json::from_str(&self.answer(target).2).unwrap()
    }

    fn rows(&self, query: &str) -> Vec<Value> {
        let body = self.json(&format!("/v3/calls?perPage=100&{query}"));
        body["data"].as_array().unwrap().clone()
    }

    /// Of all pages.
    fn all_rows(&self) -> Vec<Value> {
        (1..4).flat_map(|page| self.rows(&format!("page={page}"))).collect()
    }
}

fn plain() -> Asked {
    Asked::of(brief(3))
}

fn has(rows: &[Value], name: &str) -> bool {
    rows.iter().any(|row| row.get(name).is_some())
}

#[test]
fn pages() {
    let rows = |asked: &Asked, query: &str| {
        asked.json(&format!("/v3/calls?{query}"))["data"].as_array().unwrap().clone()
    };
    let (first, second) = (rows(&plain(), "perPage=9&page=1"), rows(&plain(), "perPage=9&page=2"));
    let from_zero = Asked::with(Quirk::PageFromZero);
    assert_eq!(rows(&from_zero, "perPage=9&page=0"), first);
    assert_eq!(rows(&from_zero, "perPage=9&page=1"), second);
    assert_eq!(rows(&Asked::with(Quirk::PageIgnored), "perPage=9&page=2"), first);
    assert_eq!(rows(&Asked::with(Quirk::PerPageIgnored), "perPage=9").len(), 30);
    let rejecting = Asked::with(Quirk::PerPageRejected);
    assert_eq!(rejecting.answer("/v3/calls?perPage=100").0, 200);
    assert_eq!(rejecting.answer("/v3/calls?perPage=101").0, 400);
    let total = |asked: &Asked| {
        asked.json("/v3/calls?type=audio")["meta"]["pagination"]["total"].as_u64().unwrap()
    };
    assert!(total(&Asked::with(Quirk::TotalOfAll)) > total(&plain()));
    let n_last = plain().json("/v3/calls?perPage=9")["meta"]["pagination"]["total"].as_u64();
    let n_last = (n_last.unwrap() - 1) % 9 + 1;
    for (past_end, status, n_rows) in
        [(PastEnd::Empty, 200, 0), (PastEnd::LastPage, 200, n_last), (PastEnd::Error, 404, 0)]
    {
        let asked = Asked::of(Options { past_end, ..brief(3) });
        let (answered, _, body) = asked.answer("/v3/calls?perPage=9&page=99");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(answered, status);
        assert_eq!(
            body["data"].as_array().map_or(0, |rows| rows.len() as u64),
            n_rows,
            "{past_end:?}"
        );
    }
}

#[test]
fn orders() {
    let starts = |row: &Value| row.get("startedAt").unwrap_or(&row["initiatedAt"]).as_i64();
    let of = |order| {
        let options = Options { order, duration_scale_permille: 1000, ..brief(3) };
        Asked::of(options).all_rows()
    };
    let started = of(Order::StartedFirst);
    assert!(started.is_sorted_by_key(|row| starts(row).map(|at| -at)));
    assert!(!of(Order::NewestFirst).is_sorted_by_key(|row| starts(row).map(|at| -at)));
    let changed = of(Order::ChangedFirst);
    let ended = changed.iter().filter(|row| !row["hasRecording"].as_bool().unwrap());
    let ended = ended.filter(|row| !row["hasTranscription"].as_bool().unwrap());
    assert!(ended.filter_map(|row| row["endedAt"].as_i64()).is_sorted_by_key(|at| -at));
}

#[test]
fn filters() {
    let all = plain().all_rows();
    let at = all.iter().find_map(|row| row["startedAt"].as_i64()).unwrap();
    let query = format!("startedAt={at}");
    let usual = plain().rows(&query);
    assert!(has(&usual, "startedAt") && usual.len() < 100);
    assert_eq!(Asked::with(Quirk::TimeFiltersIgnored).rows(&query).len(), 100);
    let exact = Asked::with(Quirk::TimeFiltersExact).rows(&query);
    assert!(!exact.is_empty() && exact.iter().all(|row| row["startedAt"] == at));
    let kept = Asked::with(Quirk::TimeFiltersKeep).rows(&query);
    assert!(kept.iter().any(|row| row.get("startedAt").is_none()));
    let recorded = |rows: &[Value]| rows.iter().any(|row| row["hasRecording"] == true);
    assert!(recorded(&plain().rows("hasRecording=false")));
    assert!(!recorded(&Asked::with(Quirk::UnrecordedFilter).rows("hasRecording=false")));
}

#[test]
fn get_call() {
    let id = plain().rows("mode=call")[0]["sessionId"].as_str().unwrap().to_owned();
    let data = |asked: &Asked| asked.json(&format!("/v3/calls/{id}"))["data"].clone();
    let call = data(&plain());
    assert_eq!(call["sessionId"], id);
    assert_eq!(data(&Asked::with(Quirk::GetCallArray)), serde_json::json!([call]));
    assert_eq!(data(&Asked::with(Quirk::GetCallEmpty)), serde_json::json!([]));
}

#[test]
fn rows_as_they_are_written() {
    let usual = plain().all_rows();
    let of = |quirk| Asked::with(quirk).all_rows();
    let objects = of(Quirk::PeopleAsObjects);
    assert_eq!(objects[0]["initiator"]["uid"], usual[0]["initiator"]);
    assert_eq!(objects[0]["data"]["entities"]["receiver"]["entity"], objects[0]["receiver"]);
    let absent = of(Quirk::PeopleAbsent);
    assert!(!has(&absent, "initiator") && !has(&absent, "receiver"));
    assert!(has(&usual, "mid") && !has(&of(Quirk::MidAbsent), "mid"));
    let unsaid = of(Quirk::TranscribedUnsaid);
    assert!(has(&unsaid, "transcriptions") && !has(&unsaid, "hasTranscription"));
    let hidden = of(Quirk::TranscriptionsHidden);
    assert!(!has(&hidden, "transcriptions"));
    assert!(hidden.iter().any(|row| row["hasTranscription"] == true));
    let odd = of(Quirk::RecordingsOdd);
    let recording = odd.iter().find_map(|row| row["recordings"].get(0)).unwrap();
    let time = |name: &str| recording[name].as_str().unwrap().parse::<i64>().unwrap();
    assert_eq!(recording["duration"].as_i64(), Some(time("endTime") - time("startTime")));
    let text = of(Quirk::NumbersAsText);
    assert_eq!(text[0]["initiatedAt"], usual[0]["initiatedAt"].to_string());
    let loud = of(Quirk::WordsInCapitals);
    assert!(loud.iter().any(|row| row["status"] == "ENDED" && row["type"] == "VIDEO"));
}

#[test]
fn rows_that_say_something_else() {
    let usual = plain().all_rows();
    let of = |quirk| Asked::with(quirk).all_rows();
    let sum = |rows: &[Value], name: &str| -> f64 {
        rows.iter().filter_map(|row| row[name].as_f64()).sum()
    };
    let minutes = "totalDurationInMinutes";
    assert!(sum(&of(Quirk::MinutesByPerson), minutes) > sum(&usual, minutes));
    let n_all = sum(&of(Quirk::ParticipantsAll), "totalParticipants");
    assert!(n_all > sum(&usual, "totalParticipants"));
    let hidden = of(Quirk::RecordingsHidden);
    assert!(hidden.iter().any(|row| row["hasRecording"] == true) && !has(&hidden, "recordings"));
    let ends = |rows: &[Value], word: &str| rows.iter().any(|row| row["status"] == word);
    let cancelled = of(Quirk::RingEndsCancelled);
    assert!(ends(&usual, "unanswered") && !ends(&cancelled, "unanswered"));
    assert!(ends(&cancelled, "cancelled") && !ends(&usual, "cancelled"));
    let ids = |rows: &[Value]| -> BTreeSet<String> {
        rows.iter().map(|row| row["sessionId"].to_string()).collect()
    };
    let many = |quirks| {
        let options = Options { history_s: 7200, quirks, ..brief(3) };
        Asked::of(options).rows("mode=meet")
    };
    let (alone, shared) = (many(BTreeSet::new()), many(BTreeSet::from([Quirk::MeetingsShareIds])));
    assert_eq!(ids(&alone).len(), alone.len());
    assert!(ids(&shared).len() < shared.len());
    let key = |row: &Value| (row["sessionId"].to_string(), row["initiatedAt"].to_string());
    assert_eq!(shared.iter().map(key).collect::<BTreeSet<_>>().len(), shared.len());
}

#[test]
fn errors() {
    let of = |quirk| Asked::with(quirk).answer("/v3/calls?perPage=no");
    assert_eq!(
        (of(Quirk::ErrorsBare).0, of(Quirk::ErrorsBare).2.as_str()),
        (StatusCode::BAD_REQUEST, "")
    );
    let (status, _, page) = of(Quirk::ErrorsAsHtml);
    assert!(status == 400 && page.starts_with("<html>"), "{page}");
    let (status, _, body) = of(Quirk::ErrorsWith200);
    assert!(status == 200 && body.contains("ERR_BAD_REQUEST"), "{body}");
}

#[test]
fn headers_of_the_limit() {
    let refused = |headers: RateLimitHeaders, quirks: &[Quirk]| {
        let options = Options {
            rate_limit_headers: headers,
            faults: [(Fault::Throttled, 1000)].into(),
            quirks: quirks.iter().copied().collect(),
            ..brief(3)
        };
        let (status, headers, _) = Asked::of(options).answer("/v3/calls");
        assert_eq!(status, 429);
        headers
    };
    let has = |headers: RateLimitHeaders, admitted: Option<&str>, on_refusal: Option<&str>| {
        let options = Options { rate_limit_headers: headers, ..brief(3) };
        let answer = Asked::of(options).answer("/v3/calls").1;
        let refusal = refused(headers, &[]);
        for (map, expected) in [(answer, admitted), (refusal, on_refusal)] {
            let names = ["x-rate-limit", "x-ratelimit-limit"];
            let found = names.into_iter().find(|name| map.contains_key(*name));
            assert_eq!(found, expected, "{headers:?}");
        }
    };
    let (dashed, joined) = (Some("x-rate-limit"), Some("x-ratelimit-limit"));
    has(RateLimitHeaders::Dashed, dashed, dashed);
    has(RateLimitHeaders::DashedOnRefusal, None, dashed);
    has(RateLimitHeaders::Joined, joined, joined);
    has(RateLimitHeaders::JoinedOnRefusal, None, joined);
    has(RateLimitHeaders::Absent, None, None);
    let after = |quirks: &[Quirk]| refused(RateLimitHeaders::Dashed, quirks).remove(RETRY_AFTER);
    assert_eq!(after(&[]).unwrap(), "1");
    assert_eq!(after(&[Quirk::RetryAfterDate]).unwrap(), "Wed, 15 Oct 2025 13:00:01 GMT");
    assert_eq!(after(&[Quirk::RetryAfterAbsent]), None);
}

#[test]
fn faults_of_answers() {
    let reply = |fault| {
        let faults = [(fault, 1000)].into();
        let asked = Asked::of(Options { faults, ..brief(3) });
        asked.reply_at("/v3/calls", after_s(3600))
    };
    let status = |fault| match reply(fault).what {
        What::Whole(response) => response.status().as_u16(),
        What::Cut(_) | What::Closed | What::Nothing => panic!("no whole answer"),
    };
    assert!([500, 502, 503].contains(&status(Fault::Error)));
    assert!([502, 504].contains(&status(Fault::Gateway)));
    assert_eq!(status(Fault::Throttled), 429);
    assert_eq!(status(Fault::Garbage), 200);
    assert!(matches!(reply(Fault::Truncated).what, What::Cut(_)));
    assert!(matches!(reply(Fault::Closed).what, What::Closed));
    assert!(matches!(reply(Fault::Hang).what, What::Nothing));
    let plain = Asked::of(Options { latency_ms: 20, ..brief(3) });
    assert_eq!(plain.reply_at("/v3/calls", after_s(3600)).after.as_millis(), 20);
    assert_eq!(reply(Fault::Slow).after.as_millis(), 3000);
    let garbage = Asked::of(Options { faults: [(Fault::Garbage, 1000)].into(), ..brief(3) });
    assert!(serde_json::from_str::<Value>(&garbage.answer("/v3/calls").2).is_err());
    let half = Asked::of(Options { faults: [(Fault::Error, 500)].into(), ..brief(3) });
    let n_failed = (0..1000).filter(|_| half.answer("/v3/calls?perPage=1").0 != 200).count();
    assert!((430..570).contains(&n_failed), "{n_failed} of 1000 at a share of 500");
}

#[test]
fn faults_of_rows_and_calls() {
    let of = |fault| Asked::of(Options { faults: [(fault, 500)].into(), ..brief(3) });
    let n_usual = plain().rows("").len();
    assert_eq!(n_usual, 100);
    let is_bad = |row: &&Value| row["sessionId"].is_null() || row["initiatedAt"].is_null();
    let n_bad = of(Fault::BadRow).rows("").iter().filter(is_bad).count();
    assert!((30..70).contains(&n_bad), "{n_bad}");
    let n_left = of(Fault::MissingRow).rows("").len();
    assert!((30..70).contains(&n_left), "{n_left}");
    let n_all = plain().all_rows().len();
    let n_left = of(Fault::Vanishing).all_rows().len();
    assert!((n_all * 3 / 10..n_all * 7 / 10).contains(&n_left), "{n_left} of {n_all}");
    let words = of(Fault::NewWords).all_rows();
    let knows = |name: &str, word: &str| words.iter().any(|row| row[name] == word);
    assert!(knows("type", "hologram") && knows("mode", "broadcast"));
    assert!(knows("receiverType", "channel"));
    let total = |rows: Vec<Value>| -> f64 {
        rows.iter().filter_map(|row| row["totalDurationInMinutes"].as_f64()).sum()
    };
    assert!(total(of(Fault::Raised).all_rows()) > total(plain().all_rows()));
    assert!(total(of(Fault::Lowered).all_rows()) < total(plain().all_rows()));
}

#[test]
fn a_late_row_is_in_its_place_within_half_a_minute() {
    let options = Options { faults: [(Fault::LateRow, 1000)].into(), ..brief(3) };
    let (mut late, mut usual) = (World::new(options, NOON), World::new(brief(3), NOON));
    let n_at = |world: &mut World, s| all(world, after_s(s)).len();
    assert!(n_at(&mut late, 0) < n_at(&mut usual, 0));
    let (late, usual) = (all(&mut late, after_s(91)), all(&mut usual, after_s(91)));
    let ids = |rows: &[Row]| rows.iter().map(|row| row.session_id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&late), ids(&usual));
}

#[test]
fn the_truth_keeps_what_was_lowered_or_has_vanished() {
    let truth = |faults: &[(Fault, u32)]| {
        let faults = faults.iter().copied().collect();
        let mut world = World::new(Options { faults, ..brief(3) }, NOON);
        world.truth(after_s(3600), &crate::sim::TruthQuery::default()).series
    };
    let usual = truth(&[]);
    assert_eq!(truth(&[(Fault::Lowered, 1000), (Fault::Vanishing, 1000)]), usual);
    assert_ne!(truth(&[(Fault::Raised, 1000)]), usual);
}
