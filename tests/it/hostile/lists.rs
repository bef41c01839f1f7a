//! Addresses and paging in every way the API might have them.
#![expect(clippy::disallowed_methods, reason = "its answers tell the time of the day")]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::fake::{Asked, Reading, Reply, call, check_sums, one_page, sum};
use crate::process::samples::Samples;

/// What comes past the last page.
#[derive(Clone, Copy)]
enum PastTheEnd {
    Nothing,
    NotFound,
    TheLastPageAgain,
}

/// How a list of 25 calls is shown, newest first.
#[derive(Clone, Copy)]
struct List {
    first_page: usize,
    /// Whether page 0 of a list that begins with 1 is the first page too.
    takes_page_0: bool,
    per_page_max: usize,
    past_the_end: PastTheEnd,
    has_meta: bool,
}

const LIST: List = List {
    first_page: 1,
    takes_page_0: true,
    per_page_max: 100,
    past_the_end: PastTheEnd::Nothing,
    has_meta: false,
};

const N_CALLS: u32 = 25;

impl List {
    fn answer(self, calls: &[Value], asked: &Asked) -> Reply {
        let per_page = asked.number("perPage").unwrap_or(30).min(self.per_page_max);
        let page = asked.number("page").unwrap_or(self.first_page);
        if page < self.first_page && !self.takes_page_0 {
            return Reply::error(400, "ERR_BAD_REQUEST");
        }
        let idx = page.saturating_sub(self.first_page);
        let pages: Vec<&[Value]> = calls.chunks(per_page).collect();
        let rows = match (pages.get(idx), self.past_the_end) {
            (Some(rows), _) => *rows,
            (None, PastTheEnd::Nothing) => &[],
            (None, PastTheEnd::TheLastPageAgain) => pages[pages.len() - 1],
            (None, PastTheEnd::NotFound) => return Reply::text(404, "text/plain", "no such page"),
        };
        let mut body = json!({ "data": rows });
        if self.has_meta {
            body["meta"] = json!({ "pagination": {
                "total": 0, "current_page": page.to_string(), "total_pages": page,
            } });
        }
        Reply::json(&body)
    }
}

#[track_caller]
fn check(list: List) -> Reading {
    let calls: Vec<Value> =
        (0..N_CALLS).map(|nth| call(&nth.to_string(), 70 + 8 * i64::from(nth))).collect();
    let reading = Reading::of("/v3", move |asked| list.answer(&calls, asked));
    let n = f64::from(N_CALLS);
    let expected: &[(&str, &[&str], f64)] = &[
        ("calls_total", &["status=\"ended\""], n),
        ("calls_initiated_total", &[], n),
        ("call_audio_seconds_total", &[], 60.0 * n),
        ("participants_total", &[], 2.0 * n),
        ("recent_calls", &[], n),
        ("up", &[], 1.0),
        ("records_invalid_total", &[], 0.0),
    ];
    check_sums(&reading.after_polls(), expected);
    reading
}

#[test]
fn a_list_without_meta_is_read_to_its_end() {
    check(LIST);
}

#[test]
fn a_meta_that_is_wrong_is_not_believed() {
    check(List { has_meta: true, ..LIST });
}

#[test]
fn a_list_whose_first_page_is_0_is_read_from_there() {
    check(List { first_page: 0, ..LIST });
}

#[test]
fn a_page_0_that_is_refused_is_not_asked_for_again() {
    let reading = check(List { takes_page_0: false, ..LIST });
    let pages = reading.api.pages();
    let n_refused = pages.iter().filter(|&&page| page == Some(0)).count();
    assert!(n_refused <= 2, "page 0 was asked for {n_refused} times: {pages:?}");
}

#[test]
fn pages_that_are_cut_are_followed() {
    check(List { per_page_max: 7, ..LIST });
}

#[test]
fn a_last_page_that_is_shown_again_is_the_end() {
    // 25 rows on pages of 5: the last page is full.
    check(List { per_page_max: 5, past_the_end: PastTheEnd::TheLastPageAgain, ..LIST });
}

#[test]
fn not_found_past_the_last_page_is_the_end() {
    check(List { per_page_max: 5, past_the_end: PastTheEnd::NotFound, ..LIST });
}

#[test]
fn not_found_past_the_last_page_is_the_end_from_page_0_too() {
    let past_the_end = PastTheEnd::NotFound;
    check(List { first_page: 0, per_page_max: 5, past_the_end, ..LIST });
}

#[test]
fn a_base_url_may_have_any_version_or_none() {
    for (base, path) in [("", "/calls"), ("/", "/calls"), ("/v3.0", "/v3.0/calls")] {
        // Made once: its times hang on the clock, so that a second one may be another call.
        let row = call("1", 100);
        let reading = Reading::of(base, move |asked| {
            match (asked.path.ends_with("/calls"), asked.number("page")) {
                (true, Some(0 | 1)) => Reply::json(&json!({ "data": [row] })),
                _ => Reply::json(&json!({ "data": [] })),
            }
        });
        let is_read = |scrape: &Samples| sum(scrape, "calls_total", &[]) == 1.0;
        reading.until("the call", is_read);
        assert!(reading.api.paths().iter().all(|asked| asked == path), "{:?}", reading.api.paths());
    }
}

#[test]
fn one_answer_with_a_clock_far_ahead_does_not_seal_the_future() {
    let (n_asked, later) = (AtomicU64::new(0), OnceLock::new());
    let reading = Reading::of("/v3", move |asked| {
        let n_asked = n_asked.fetch_add(1, Ordering::Relaxed);
        let mut rows = vec![call("1", 100)];
        if n_asked > 20 {
            rows.insert(0, later.get_or_init(|| call("2", 0)).clone());
        }
        let mut reply = one_page(rows)(asked);
        let now = SystemTime::now();
        let clock = if n_asked == 15 { now + Duration::from_secs(2 * 86_400) } else { now };
        reply.headers += &format!("Date: {}\r\n", httpdate::fmt_http_date(clock));
        reply
    });
    let is_read = |scrape: &Samples| sum(scrape, "calls_initiated_total", &[]) == 2.0;
    reading.until("a call after that answer", is_read);
}
