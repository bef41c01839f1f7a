//! The command `doctor` before APIs of every sort.

use std::process::Output;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use super::fake::{Asked, FakeApi, Reply, call, call_with, now_s, one_page};
use crate::process::{Folder, binary};

/// Runs the command with these further arguments, and with a key in a file.
fn doctor(base_url: &str, arguments: &[&str]) -> Output {
    let folder = Folder::new();
    let text = format!(
        "poll: {{ timeout: 500ms, rate_limit: 1000000, rate_limit_share: 1 }}\n\
         state: {{ path: memory }}\n\
         apps:\n  - {{ name: x, app_id: hidden-app, base_url: '{base_url}', \
         api_key: hidden-key, on_behalf_of: hidden-user }}\n"
    );
    let config = format!("--config.file={}", folder.config("exporter.yaml", &text).display());
    binary(&["doctor", &config]).args(arguments).output().unwrap()
}

/// Checks the exit code, and that each of these lines is there, with any blanks.
#[track_caller]
fn check(answer: impl Fn(&Asked) -> Reply + Send + 'static, code: i32, lines: &[&str]) {
    let api = FakeApi::start(answer);
    says(&format!("http://{}/v3", api.address), code, lines);
}

#[track_caller]
fn says(base_url: &str, code: i32, lines: &[&str]) {
    let output = doctor(base_url, &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    let plain = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for line in lines {
        assert!(plain.contains(line), "no `{line}` in\n{text}");
    }
    assert_eq!(output.status.code(), Some(code), "{text}");
}

fn rows(ages_s: impl IntoIterator<Item = i64>) -> Vec<Value> {
    ages_s.into_iter().map(|ago_s| call(&format!("hidden-{ago_s}"), ago_s)).collect()
}

#[test]
fn a_wrong_key_is_told_from_a_plan_without_calls() {
    let denied = |code| move |_: &Asked| Reply::error(401, code);
    let key = ["FAIL access", "AUTH_ERR_APIKEY_NOT_FOUND", "check the key, the app id"];
    check(denied("AUTH_ERR_APIKEY_NOT_FOUND"), 1, &key);
    let plan = ["FAIL access", "calling is not part of the app's plan"];
    check(denied("ERR_PLAN_RESTRICTION"), 1, &plan);
}

#[test]
fn an_address_without_an_api_fails() {
    says("http://127.0.0.1:1/v3", 1, &["FAIL access", "connection refused"]);
    let html = |_: &Asked| Reply::text(502, "text/html", "<h1>Bad gateway</h1>");
    check(html, 1, &["FAIL access", "HTTP 502 with HTML, as of a gateway or proxy"]);
    let other = |_: &Asked| Reply::json(&json!({ "data": [{ "id": 7 }] }));
    check(other, 1, &["FAIL rows", "no row could be read as a call"]);
}

#[test]
fn an_api_that_hangs_is_left_after_the_timeout() {
    let hangs = |_: &Asked| -> Reply {
        std::thread::park_timeout(Duration::from_secs(5));
        Reply::text(200, "text/plain", "")
    };
    check(hangs, 1, &["FAIL access", "no answer within 500ms"]);
}

#[test]
fn a_rate_limit_that_is_used_up_stops_the_questions() {
    let at_once = |_: &Asked| Reply::error(429, "ERR_TOO_MANY_REQUESTS");
    check(at_once, 1, &["FAIL access", "-> try again in a few minutes"]);
    let list = one_page(rows(0..20));
    let filtered = move |asked: &Asked| match asked.number("page") {
        Some(1_000_000) => Reply::error(429, "ERR_TOO_MANY_REQUESTS"),
        _ => list(asked),
    };
    check(filtered, 0, &["ok access", "warn unfinished the API stopped the questions"]);
}

#[test]
fn an_app_without_calls_is_well() {
    check(one_page(Vec::new()), 0, &["ok access", "note paging the list is empty"]);
}

#[test]
fn the_order_of_the_list_is_named() {
    check(one_page(rows(0..20)), 0, &["ok order newest first by `initiatedAt`"]);
    check(one_page(rows((0..20).rev())), 0, &["ok order oldest first by `initiatedAt`"]);
    let mixed = (0..20).map(|idx| idx * 7919 % 5003);
    check(one_page(rows(mixed)), 0, &["warn order the list is in no order"]);
}

#[test]
fn paging_is_described() {
    let list = rows(0..250);
    let paged = move |first: usize, asked: &Asked| {
        let page = asked.number("page").unwrap().checked_sub(first);
        let rows = page.and_then(|page| list.chunks(50).nth(page)).unwrap_or_default();
        Reply::json(&json!({ "data": rows }))
    };
    let from_0 = paged.clone();
    let capped = "a page holds 50 rows, however many are asked for; past the end it is empty";
    let line = format!("ok paging pages are numbered from 0; {capped}");
    check(move |asked| from_0(0, asked), 0, &[&line]);
    let line = format!("ok paging pages are numbered from 1; {capped}");
    check(move |asked| paged(1, asked), 0, &[&line]);
}

#[test]
fn filters_that_do_nothing_are_told_from_those_that_work() {
    let ongoing = |idx| call_with(&format!("o{idx}"), idx, json!({ "status": "ongoing" }));
    let mut list = rows(0..10);
    list.extend((10..20).map(ongoing));
    let answer = move |asked: &Asked| {
        let keeps = |row: &&Value| !asked.has("status=ended") || row["status"] == "ended";
        if asked.has("hasRecording") {
            return Reply::error(400, "ERR_BAD_REQUEST");
        }
        let rows: Vec<&Value> = list.iter().filter(keeps).collect();
        one_page(rows.into_iter().cloned().collect())(asked)
    };
    let told = [
        "status=ended works",
        "status=ongoing is ignored",
        "hasRecording=true is refused",
        "startedAt is ignored",
    ];
    check(answer, 0, &told);
}

#[test]
fn a_clock_that_is_hours_off_is_noticed() {
    let list = one_page(rows(0..20));
    let answer = move |asked: &Asked| {
        let mut reply = list(asked);
        let ahead = UNIX_EPOCH + Duration::from_secs((now_s() + 3 * 3600).unsigned_abs());
        reply.headers += &format!("Date: {}\r\n", httpdate::fmt_http_date(ahead));
        reply
    };
    check(answer, 0, &["note clock the local clock is about 180 min behind the API's"]);
}

#[test]
fn new_words_and_fields_are_named() {
    let list =
        (0..20).map(|idx| call_with("s", idx, json!({ "status": "paused", "queueTime": 3 })));
    let told = ["warn words status: paused 20", "counts as `other`", "not documented: queueTime"];
    check(one_page(list.collect()), 0, &told);
}

#[test]
fn the_limit_and_its_header_are_named() {
    let list = one_page(rows(0..20));
    let answer = move |asked: &Asked| {
        let mut reply = list(asked);
        reply.headers += "X-RateLimit-Limit: 20000\r\nX-RateLimit-Remaining: 1000\r\n";
        reply
    };
    let told = ["warn rate limit 20000 requests a minute (X-RateLimit-Limit), 1000 left of them"];
    check(answer, 0, &told);
    check(one_page(rows(0..20)), 0, &["note rate limit the API states none"]);
}

#[test]
fn the_report_has_neither_keys_nor_ids() {
    let named = |idx| call_with("hidden-session", idx, json!({ "initiator": "hidden-user" }));
    let healthy = FakeApi::start(one_page((0..20).map(named).collect()));
    let denied = FakeApi::start(|_: &Asked| Reply::error(401, "AUTH_ERR_APIKEY_NOT_FOUND"));
    for (api, code) in [(healthy, 0), (denied, 1)] {
        let output = doctor(&format!("http://{}/hidden-app", api.address), &["--output=json"]);
        let text = String::from_utf8(output.stdout).unwrap();
        let report: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(report["apps"][0]["findings"][0]["subject"], "access");
        for secret in ["hidden", "ada", "127.0.0.1"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        assert_eq!(output.status.code(), Some(code), "{text}");
    }
}

#[test]
fn an_app_that_is_not_configured_is_named_with_those_that_are() {
    let output = doctor("http://127.0.0.1:1/v3", &["--app=y"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), text.trim()), (Some(1), "no app is named `y`; there are: x"));
}
