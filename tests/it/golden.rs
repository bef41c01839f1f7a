//! Golden files of the whole program: a fixed day of calls in, `/metrics` and the log out.

mod doctor;
mod small_api;

use expect_test::{Expect, expect, expect_file};

use crate::process::http::get;
use crate::process::{self, Folder, until_ok};
use small_api::SmallApi;

/// A key that is found wherever it should not be.
const KEY: &str = "0123abcd4567ef890123abcd4567ef890123abcd";

/// Metrics that differ from run to run: what is not 0 stands as `*`.
const VARIABLE: [&str; 4] = [
    "cometchat_api_requests_total",
    "cometchat_api_request_duration_seconds_bucket",
    "cometchat_api_request_duration_seconds_count",
    "cometchat_api_budget_wait_seconds_total",
];

/// Metrics of which any value may be seen, 0 too.
const FREE: [&str; 10] = [
    "cometchat_api_clock_skew_seconds",
    "cometchat_api_request_duration_seconds_sum",
    "cometchat_config_last_reload_success_timestamp_seconds",
    "cometchat_covered_until_timestamp_seconds",
    "cometchat_exporter_build_info",
    "cometchat_last_success_timestamp_seconds",
    "cometchat_poll_duration_seconds",
    "cometchat_poll_lag_seconds",
    "cometchat_state_commit_duration_seconds",
    "cometchat_state_size_bytes",
];

/// An exporter of one app at an API, its state in a folder of its own.
struct Exporter {
    running: process::Exporter,
    folder: Folder,
}

impl Exporter {
    fn start(api: &SmallApi, log: &[&str]) -> Self {
        let folder = Folder::new();
        let key = folder.config("key", &format!("{KEY}\n"));
        let text = format!(
            "apps:\n  - name: small\n    app_id: 0123456789abcdef\n    api_key_file: {}\n    \
             base_url: http://{}/v3\ncount:\n  from: 2025-06-15T00:00:00Z\nstate:\n  path: {}\n",
            key.display(),
            api.address(),
            folder.state().display(),
        );
        let args = process::exporter_args(&folder.config("config.yaml", &text));
        let running = process::Exporter::spawn(process::binary(&args).args(log));
        Self { running, folder }
    }

    fn get(&self, path: &str) -> Result<String, String> {
        Ok(get(self.running.address, path)?.body)
    }

    /// `/metrics` once every call was read.
    fn metrics(&self) -> String {
        until_ok("the first poll", || {
            let text = self.get("/metrics")?;
            let is_read = text.contains("cometchat_up{cometchat_app=\"small\"} 1\n");
            if is_read { Ok(text) } else { Err(text) }
        })
    }

    /// Ends it, and returns its log with times, folders and ports masked.
    fn log(self) -> String {
        let folder = self.folder.path().display().to_string();
        let address = self.running.address.to_string();
        let output = self.running.program.ends_on("TERM");
        output.replace(&folder, "FOLDER").replace(&address, "ADDRESS")
    }
}

#[test]
fn a_small_day_reads_as_follows() {
    let api = SmallApi::new("200 OK", include_str!("../data/small-day.json"));
    let exporter = Exporter::start(&api, &[]);
    let shown: String = exporter.metrics().lines().map(masked).collect();
    expect_file!["../data/small-day.prom"].assert_eq(&shown);
}

/// A line without what differs from run to run.
fn masked(line: &str) -> String {
    let name = line.split(['{', ' ']).next().unwrap_or_default();
    let (series, value) = line.rsplit_once(' ').unwrap_or((line, ""));
    let is_free = FREE.contains(&name) || name.starts_with("process_");
    let series = if name.ends_with("_info") && is_free { name } else { series };
    if !line.starts_with('#') && (is_free || VARIABLE.contains(&name) && value != "0") {
        format!("{series} *\n")
    } else {
        format!("{line}\n")
    }
}

#[test]
fn the_log_of_a_start_in_logfmt() {
    check_log(
        "--log.format=logfmt",
        "ts=",
        expect![[r#"
            ts=TIME level=info message="starting cometchat-exporter 0.1.0"
            ts=TIME level=info message="CA certificates: those of this machine"
            ts=TIME level=info message="listening on ADDRESS"
            ts=TIME level=info message="app `small`: counting calls since 2025-06-15T00:00:00Z" app.name=small
            ts=TIME level=info message="app `small` is read: 15 calls known" app.name=small
            ts=TIME level=info message="SIGTERM: finishing commits under way"
            ts=TIME level=info message=ended
        "#]],
    );
}

#[test]
fn the_log_of_a_start_in_json() {
    check_log(
        "--log.format=json",
        "\"timestamp\":\"",
        expect![[r#"
            {"timestamp":"TIME","level":"INFO","message":"starting cometchat-exporter 0.1.0"}
            {"timestamp":"TIME","level":"INFO","message":"CA certificates: those of this machine"}
            {"timestamp":"TIME","level":"INFO","message":"listening on ADDRESS"}
            {"timestamp":"TIME","level":"INFO","message":"app `small`: counting calls since 2025-06-15T00:00:00Z","app.name":"small"}
            {"timestamp":"TIME","level":"INFO","message":"app `small` is read: 15 calls known","app.name":"small"}
            {"timestamp":"TIME","level":"INFO","message":"SIGTERM: finishing commits under way"}
            {"timestamp":"TIME","level":"INFO","message":"ended"}
        "#]],
    );
}

#[track_caller]
fn check_log(format: &str, before_time: &str, expected: Expect) {
    let api = SmallApi::new("200 OK", include_str!("../data/small-day.json"));
    let exporter = Exporter::start(&api, &[format]);
    exporter.metrics();
    let line = |line: &str| {
        let (before, rest) = line.split_once(before_time).unwrap();
        let after = rest.trim_start_matches(|char| !" \",".contains(char));
        let line = format!("{before}{before_time}TIME{after}");
        let Some((before, rest)) = line.split_once("CA certificates: ") else { return line + "\n" };
        let (_, after) = rest.split_once('"').unwrap();
        format!("{before}CA certificates: those of this machine\"{after}\n")
    };
    let log: String = exporter.log().lines().map(line).collect();
    expected.assert_eq(&log);
}

#[test]
fn the_key_is_shown_nowhere_even_when_the_api_repeats_it() {
    let body = format!(r#"{{"error":{{"code":"AUTH_ERR_APIKEY_NOT_FOUND","message":"{KEY}"}}}}"#);
    for format in ["--log.format=logfmt", "--log.format=json"] {
        let api = SmallApi::new("401 Unauthorized", &body);
        let exporter = Exporter::start(&api, &[format, "--log.level=trace"]);
        let metrics = until_ok("a refusal that is counted", || {
            let text = exporter.get("/metrics")?;
            if text.contains("code=\"401\"} 1\n") { Ok(text) } else { Err(text) }
        });
        let page = exporter.get("/").unwrap();
        assert!(page.contains("401"), "the page tells of the trouble: {page}");
        let log = exporter.log();
        assert!(log.contains("401"), "so does the log: {log}");
        for shown in [metrics, page, log] {
            assert!(!shown.contains(KEY), "{shown}");
        }
    }
}

#[test]
fn the_key_is_in_no_line_at_the_level_trace() {
    let api = SmallApi::new("200 OK", include_str!("../data/small-day.json"));
    let exporter = Exporter::start(&api, &["--log.level=trace"]);
    exporter.metrics();
    assert_eq!(api.key_seen(), Some(KEY.to_owned()), "the API got it");
    let log = exporter.log();
    assert!(log.contains("level=debug"), "not at the level trace: {log}");
    assert!(!log.contains(KEY), "{log}");
}
