//! The command `doctor` before APIs of every sort.

use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use super::fake::{Asked, FakeApi, Reply, call, call_with, now_s, one_page};
use crate::process::{Exporter, Folder, binary, until_ok};

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
fn a_fault_that_passes_is_no_trait_of_the_api() {
    let list = one_page(rows(0..20));
    let has_failed = AtomicBool::new(false);
    let every_other = move |asked: &Asked| {
        if has_failed.fetch_xor(true, Ordering::Relaxed) {
            list(asked)
        } else {
            Reply::error(502, "ERR_INTERNAL_SERVER_ERROR")
        }
    };
    check(every_other, 0, &["ok access", "ok paging", "past the end it is empty"]);
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
    let capped =
        "a page holds 50 rows at most, however many are asked for; past the end it is empty";
    let line = format!("ok paging pages are numbered from 0; {capped}");
    check(move |asked| from_0(0, asked), 0, &[&line]);
    let line = format!("ok paging pages are numbered from 1; {capped}");
    check(move |asked| paged(1, asked), 0, &[&line]);
}

#[test]
fn pages_that_are_all_the_first_one_are_told() {
    let list = rows(0..250);
    let answer = move |asked: &Asked| {
        let n_rows = asked.number("perPage").unwrap_or(30).min(list.len());
        Reply::json(&json!({ "data": list[..n_rows] }))
    };
    check(answer, 0, &["warn paging every page shows the same calls"]);
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
        "endedAt is ignored",
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

/// Runs the command on this file.
fn doctor_on(text: &str, arguments: &[&str]) -> Output {
    let folder = Folder::new();
    let config = format!("--config.file={}", folder.config("exporter.yaml", text).display());
    binary(&["doctor", &config]).args(arguments).output().unwrap()
}

#[test]
fn it_says_first_how_often_and_how_long_it_asks() {
    let api = FakeApi::start(one_page(rows(0..20)));
    let output = doctor(&format!("http://{}/v3", api.address), &["--output=json"]);
    let said = String::from_utf8(output.stderr).unwrap();
    let expected = "Asking the API of 1 app, each about 15 times, by half of the budget (500000 \
                    requests a minute, until it states a limit): about 5s, at most 2m.\n";
    assert_eq!(said, expected);
    assert_eq!(api.paths().len(), 15);
    assert!(serde_json::from_slice::<Value>(&output.stdout).is_ok(), "it stands apart");
}

#[test]
fn what_there_was_no_time_for_is_named_and_no_failure() {
    let api = FakeApi::start(one_page(rows(0..20)));
    // One request at the start, and another one after ten minutes.
    let text = format!(
        "poll: {{ rate_limit: 1, rate_limit_share: 0.2 }}\nstate: {{ path: memory }}\n\
         apps: [{{ name: x, app_id: x, base_url: 'http://{}/v3', api_key: k }},\n  \
         {{ name: y, app_id: x, on_behalf_of: ada, base_url: 'http://{0}/v3', api_key: k }}]\n",
        api.address
    );
    let output = doctor_on(&text, &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    let first = "warn  unfinished  there was no time to ask for the first page, larger pages, the \
                 end of the list, status=ended, status=ongoing, hasRecording=true, startedAt, \
                 endedAt, Get Call\n";
    assert!(text.contains(first), "{text}");
    let second = "warn  unfinished  there was no time to ask anything\n";
    assert!(text.contains(second), "the budget is shared: {text}");
    assert!(!text.contains("FAIL"), "{text}");
    assert_eq!(api.paths().len(), 1);
}

#[test]
fn apps_are_asked_side_by_side() {
    // Each answers its first question when both have been asked.
    let both = Arc::new(Barrier::new(2));
    let apis: Vec<FakeApi> = (0..2)
        .map(|_| {
            let (both, list) = (Arc::clone(&both), one_page(rows(0..20)));
            let is_first = AtomicBool::new(true);
            FakeApi::start(move |asked: &Asked| {
                if is_first.swap(false, Ordering::Relaxed) {
                    both.wait();
                }
                list(asked)
            })
        })
        .collect();
    let app = |(name, api): (&str, &FakeApi)| {
        format!(
            "  - {{ name: {name}, app_id: {name}, base_url: 'http://{}', api_key: k }}\n",
            api.address
        )
    };
    let apps: String = ["x", "y"].into_iter().zip(&apis).map(app).collect();
    let text = format!("poll: {{ rate_limit: 1000000 }}\nstate: {{ path: memory }}\napps:\n{apps}");
    let output = doctor_on(&text, &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.find("app `x`").unwrap() < text.find("app `y`").unwrap(), "{text}");
}

#[test]
fn a_running_exporter_is_examined_and_not_disturbed() {
    let (folder, api) = (Folder::new(), FakeApi::start(one_page(rows(0..20))));
    let text = format!(
        "poll: {{ interval: 1s, rate_limit: 1000000 }}\ncount: {{ from: 5m }}\n\
         state: {{ path: {} }}\napps: [{{ app_id: x, base_url: 'http://{}', api_key: k }}]\n",
        folder.state().display(),
        api.address
    );
    let config = folder.config("exporter.yaml", &text);
    let exporter = Exporter::start(&config);
    until_ok("calls", || {
        let counted = exporter.scrape().sum("cometchat_calls_total", &[]);
        if counted == Some(20.0) { Ok(()) } else { Err(format!("{counted:?}")) }
    });
    let config = format!("--config.file={}", config.display());
    let output = binary(&["doctor", &config]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("  ok    state       "), "{text}");
    let held = format!(
        ", 20 calls known by id; in use by process {} (cometchat-exporter)\n",
        exporter.program.id()
    );
    assert!(text.contains(&held), "{text}");
    assert!(text.contains("  ok    counting    calls since 2"), "{text}");
    assert_eq!(exporter.scrape().get("cometchat_state_writable"), Some(1.0));
    exporter.program.ends_on("TERM");
}

#[test]
fn a_state_that_cannot_be_used_fails_in_plain_words() {
    let folder = Folder::new();
    let config = |state: &std::path::Path| {
        let text = format!(
            "state: {{ path: {} }}\napps: [{{ app_id: x, base_url: 'http://127.0.0.1:1', api_key: k }}]\n",
            state.display()
        );
        String::from_utf8(doctor_on(&text, &[]).stdout).unwrap()
    };
    let foreign = folder.config("foreign", "not a database");
    let text = config(&foreign);
    assert!(text.contains("FAIL  state       ") && text.contains("is no state file"), "{text}");
    let text = config(folder.path());
    assert!(text.contains("is a folder") && text.contains("add the name of a file"), "{text}");
    let text = config(&folder.path().join("none/state"));
    assert!(text.contains("there is no such folder"), "{text}");
    let text = config(&folder.path().join("state"));
    assert!(text.contains("ok    state       ") && text.contains("will be created"), "{text}");
}

#[test]
fn an_app_that_is_not_configured_is_named_with_those_that_are() {
    let output = doctor("http://127.0.0.1:1/v3", &["--app=y"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), text.trim()), (Some(1), "no app is named `y`; there are: x"));
}
