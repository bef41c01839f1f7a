//! The dashboards in `grafana/`: they are what their source says, follow Grafana's conventions, show
//! every metric, and each of their queries has a result on the real Prometheus.
#![expect(clippy::disallowed_methods, reason = "a test writes files as it likes")]

mod types;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use cometchat_exporter::metrics::catalog;
use serde_json::Value;

use crate::process::http::get;
use crate::process::{Folder, until_ok};
use crate::prometheus::{Prometheus, demo_exposition, feed, prometheus_of, tool};
use crate::rules::recorded_names;

const NAMES: [&str; 4] = ["calls", "usage", "exporter", "fleet"];

/// Metrics without a panel, each with its reason.
const NOT_SHOWN: [(&str, &str); 5] = [
    ("cometchat_recent_window_seconds", "a setting that seldom changes"),
    ("cometchat_shard_info", "alerts tell when a shard is missing or there twice"),
    ("cometchat_shards", "likewise"),
    ("process_virtual_memory_bytes", "resident memory is what a machine lacks"),
    ("process_threads", "fixed by the number of cores"),
];

fn root(path: &str) -> String {
    format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))
}

fn dashboard(name: &str) -> Value {
    let text = fs::read_to_string(root(&format!("grafana/{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A panel that shows data, with its place for the message of a failure.
struct Panel {
    place: String,
    json: Value,
}

impl Panel {
    fn expressions(&self) -> impl Iterator<Item = &str> {
        array(&self.json["targets"]).iter().map(|target| target["expr"].as_str().unwrap())
    }
}

fn panels() -> Vec<Panel> {
    let mut found = Vec::new();
    for name in NAMES {
        for json in array(&dashboard(name)["panels"]) {
            if json["type"] != "row" {
                found.push(Panel {
                    place: format!("{name}: {}", json["title"]),
                    json: json.clone(),
                });
            }
        }
    }
    assert!(found.len() > 60, "only {} panels", found.len());
    found
}

#[test]
fn the_files_are_what_their_source_writes() {
    let output = Command::new(tool("PYTHON", "python3"))
        .args([&root("grafana/generate.py"), "--check"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn dashboards_have_their_variables_and_lead_to_each_other() {
    let mut uids = BTreeSet::new();
    for name in NAMES {
        let json = dashboard(name);
        assert_eq!(json["editable"], false, "{name}");
        assert_eq!(json["links"][0]["tags"], json["tags"], "{name}");
        assert!(uids.insert(json["uid"].as_str().unwrap().to_owned()), "{name}: uid used twice");
        let variables = array(&json["templating"]["list"]);
        let labels: Vec<_> = variables.iter().take(4).map(|one| one["label"].clone()).collect();
        assert_eq!(labels, ["Data source", "Job", "Instance", "App"], "{name}");
        for variable in variables.iter().filter(|one| one["type"] == "query") {
            assert_eq!(variable["multi"], true, "{name}: {variable}");
            assert_eq!(variable["allValue"], ".+", "{name}: {variable}");
            assert_eq!(variable["refresh"], 2, "{name}: {variable}");
            assert_eq!(variable["datasource"]["uid"], "${datasource}", "{name}: {variable}");
        }
        let text = json.to_string();
        for variable in variables {
            let variable = variable["name"].as_str().unwrap();
            assert!(
                text.contains(&format!("${variable}")) || text.contains(&format!("${{{variable}")),
                "{name}: nothing uses ${variable}"
            );
        }
    }
    for (from, _) in dashboard("fleet").to_string().match_indices("/d/") {
        let text = dashboard("fleet").to_string();
        let uid = text[from + 3..].split(['?', '"']).next().unwrap().to_owned();
        assert!(uids.contains(&uid), "fleet links to {uid}");
    }
}

#[test]
fn every_panel_has_a_title_a_description_a_unit_and_queries() {
    for panel in panels() {
        let Panel { place, json } = &panel;
        for text in [&json["title"], &json["description"], &json["fieldConfig"]["defaults"]["unit"]]
        {
            assert!(
                !text.as_str().unwrap_or_default().is_empty(),
                "{place}: no title, text or unit"
            );
        }
        let grid = &json["gridPos"];
        assert!(grid["x"].as_u64().unwrap() + grid["w"].as_u64().unwrap() <= 24, "{place}");
        assert_eq!(json["datasource"]["uid"], "${datasource}", "{place}");
        assert_ne!(panel.expressions().count(), 0, "{place}");
        for target in array(&json["targets"]) {
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{place}");
        }
    }
}

/// Two replicas count the same calls. So each counter of calls is first increased, then the highest of
/// the replicas is taken, and only then summed.
#[test]
fn queries_select_by_variables_and_count_replicas_once() {
    for panel in panels() {
        let place = &panel.place;
        for text in panel.expressions() {
            let selectors = text.matches('{').count();
            let wanted = r#"{job=~"$job", instance=~"$instance""#;
            let recorded = r#"{cometchat_app=~"$cometchat_app", recorded!~"$source""#;
            let n_recorded = text.matches(recorded).count();
            assert_eq!(text.matches(wanted).count() + n_recorded, selectors, "{place}: {text}");
            // One of two: what stands on recorded series has its like on metrics.
            assert_eq!(text.matches(r#", recorded=~"$source"}"#).count(), n_recorded, "{place}");
            for (at, _) in text.match_indices('[') {
                let window = &text[at + 1..];
                let known = [
                    "$__rate_interval]",
                    "$__rate_interval:5m]",
                    "$__range]",
                    "$__range:1h]",
                    "$__range:5m]",
                ];
                assert!(known.iter().any(|known| window.starts_with(known)), "{place}: {text}");
            }
            for (at, _) in text.match_indices('{') {
                let metric = text[..at].rsplit(['(', ' ']).next().unwrap();
                let before = &text[..at - metric.len()];
                let is_counter =
                    ["_total", "_bucket", "_sum", "_count"].iter().any(|end| metric.ends_with(end));
                if is_counter {
                    assert!(
                        before.ends_with("rate(") || before.ends_with("increase("),
                        "{place}: {metric} is a counter: {text}"
                    );
                }
                let of_calls = ["cometchat_call", "cometchat_participant", "cometchat_recording"];
                if is_counter && of_calls.iter().any(|start| metric.starts_with(start)) {
                    let function = before.rsplit_once(' ').unwrap().0;
                    assert!(
                        function.ends_with("max without (instance, pod)"),
                        "{place}: {metric} would count once for each replica: {text}"
                    );
                }
            }
        }
    }
}

#[test]
fn every_metric_is_shown_or_left_out_for_a_reason() {
    let mut shown = BTreeSet::new();
    for panel in panels() {
        for text in panel.expressions() {
            for (at, _) in text.match_indices('{') {
                shown.insert(text[..at].rsplit(['(', ' ']).next().unwrap().to_owned());
            }
        }
    }
    let mut known =
        BTreeSet::from(["scrape_duration_seconds", "scrape_samples_scraped"].map(str::to_owned));
    for family in catalog::families().map(|family| family.name) {
        let names = ["", "_bucket", "_sum", "_count"].map(|end| format!("{family}{end}"));
        let is_shown = names.iter().any(|name| shown.contains(name));
        let is_left_out = NOT_SHOWN.iter().any(|(name, _)| *name == family);
        assert_ne!(is_shown, is_left_out, "{family}: show it, or give a reason, not both");
        known.extend(names);
    }
    known.extend(recorded_names());
    let unknown: Vec<_> = shown.difference(&known).collect();
    assert!(unknown.is_empty(), "there is no such metric: {unknown:?}");
}

/// The demo, spread over two months by `tests/tools/history.py`; returns the moment of its end.
fn make_history(folder: &Path) -> u64 {
    let end = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    spread(folder, &[&end.to_string()]);
    end
}

/// Makes blocks of what `tests/tools/history.py` makes of the demo.
pub(crate) fn spread(folder: &Path, arguments: &[&str]) {
    let mut script = Command::new(tool("PYTHON", "python3"));
    let output = feed_to_file(
        script.arg(root("tests/tools/history.py")).args(arguments),
        &folder.join("history.om"),
    );
    assert!(output, "tests/tools/history.py failed");
    let made = Command::new(tool("PROMTOOL", "promtool"))
        .args(["tsdb", "create-blocks-from", "--max-block-duration=768h", "openmetrics", "-q"])
        .args([folder.join("history.om"), folder.join("data")])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

fn feed_to_file(command: &mut Command, file: &Path) -> bool {
    let output = feed(command, &demo_exposition());
    fs::write(file, &output.stdout).unwrap();
    output.status.success()
}

/// What Grafana puts in for its variables. `window` stands for `$__rate_interval` where a panel sets
/// none: four times the time between samples.
fn filled_in(expression: &str, interval: &Value, window: &str, source: &str) -> String {
    let window = interval.as_str().unwrap_or(window);
    let pairs = [
        ("$__rate_interval", window),
        ("$__range_s", "2160000"),
        ("$__range", "25d"),
        ("$job", ".+"),
        ("$instance", ".+"),
        ("$cometchat_app", ".+"),
        ("$source", source),
        ("$quota", "10000"),
        ("$audio_price", "0.001"),
        ("$video_price", "0.004"),
    ];
    let filled =
        pairs.iter().fold(expression.to_owned(), |text, (name, value)| text.replace(name, value));
    assert!(!filled.contains('$'), "an unknown variable in {filled}");
    filled
}

/// The whole answer to an instant query.
pub(crate) fn ask(prometheus: &Prometheus, expression: &str, at: u64) -> Value {
    let escape = |char: char| format!("%{:02X}", u32::from(char));
    let query: String = expression.chars().map(escape).collect();
    let path = format!("/api/v1/query?query={query}&time={at}");
    serde_json::from_str(&get(prometheus.address.as_str(), &path).unwrap().body).unwrap()
}

/// The values of the variable `source`: by which the dashboards read metrics, or recorded series.
pub(crate) const SOURCES: [&str; 2] = [".*", ".+"];

/// Every query of every dashboard has a result at `end`, without an error and without a remark.
#[track_caller]
pub(crate) fn check_queries(prometheus: &Prometheus, end: u64, window: &str, source: &str) {
    until_ok("its readiness", || {
        let answer = get(prometheus.address.as_str(), "/-/ready")?;
        if answer.status == 200 { Ok(()) } else { Err(answer.body) }
    });
    let check = |place: &str, expression: &str, may_be_empty: bool| {
        let answer = ask(prometheus, expression, end);
        let is_quiet = answer["warnings"].is_null() && answer["infos"].is_null();
        assert!(answer["status"] == "success" && is_quiet, "{place}: {expression}: {answer}");
        let is_empty = array(&answer["data"]["result"]).is_empty();
        assert!(may_be_empty || !is_empty, "{place}: no result of {expression}");
    };
    for panel in panels() {
        for expression in panel.expressions() {
            check(
                &panel.place,
                &filled_in(expression, &panel.json["interval"], window, source),
                false,
            );
        }
    }
    for name in NAMES {
        let json = dashboard(name);
        for annotation in array(&json["annotations"]["list"]) {
            let expression = annotation["expr"].as_str().unwrap();
            check(name, &filled_in(expression, &Value::Null, window, source), true);
        }
        for definition in
            array(&json["templating"]["list"]).iter().filter_map(|one| one["definition"].as_str())
        {
            let inner =
                definition.strip_prefix("label_values(").unwrap().strip_suffix(')').unwrap();
            let (metric, label) = inner.rsplit_once(", ").unwrap();
            let expression = format!("count by ({label}) ({metric})");
            check(name, &filled_in(&expression, &Value::Null, window, source), false);
        }
    }
}

/// What a panel says in one figure is the same from recorded series, but for their edges.
#[track_caller]
pub(crate) fn check_sources(prometheus: &Prometheus, end: u64) {
    let mut n_compared = 0;
    for panel in panels().iter().filter(|panel| panel.json["type"] == "stat") {
        for expression in panel.expressions().filter(|text| text.contains("$source")) {
            let [metrics, recorded] = SOURCES.map(|source| {
                let answer =
                    ask(prometheus, &filled_in(expression, &Value::Null, "20m", source), end);
                let value = answer["data"]["result"][0]["value"][1].as_str().unwrap();
                value.parse::<f64>().unwrap()
            });
            let is_near = (metrics - recorded).abs() <= 0.02 * metrics.abs();
            assert!(is_near, "{}: {metrics}, and recorded {recorded}", panel.place);
            n_compared += 1;
        }
    }
    assert!(n_compared > 10, "only {n_compared} figures");
}

#[test]
fn every_query_has_a_result_on_the_oldest_and_the_present_prometheus() {
    let folder = Folder::new();
    let end = make_history(folder.path());
    for variable in ["PROMETHEUS", "PROMETHEUS_NEWER", "PROMETHEUS_3"] {
        if let Some(program) = prometheus_of(variable) {
            let prometheus = Prometheus::start(&program, &folder, "scrape_configs: []\n");
            check_queries(&prometheus, end, "5m", SOURCES[0]);
        }
    }
}
