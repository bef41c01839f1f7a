//! The recording rules over a history, as `promtool` evaluates them, and what each rule and alert
//! makes of it, part by part.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::stage::date;
use crate::grafana::ask;
use crate::process::{Folder, until_ok};
use crate::prometheus::{Prometheus, tool};

/// Parts that may be without a result in a month in which all is well, each with its reason.
const NOTHING: [(&str, &str); 3] = [
    ("absent(", "the exporter is scraped"),
    ("cometchat_app:cometchat_api_refusals:increase15m", "no key was refused"),
    ("cometchat_app:cometchat_calls:late1h", "no exporter was behind"),
];
const HOUR_S: i64 = 3600;

/// The text of a file of rules. The quota that stands there as an example is the one of `shop`.
pub(super) fn text(name: &str) -> String {
    let text = fs::read_to_string(format!("{}/prometheus/{name}", env!("CARGO_MANIFEST_DIR")));
    let text = text.unwrap();
    let Some((before, rest)) = text.split_once("      # - record: ") else { return text };
    let (example, after) = rest.split_once("\n\n").unwrap();
    let example = example.replace("      #   ", "        ").replace("production", "shop");
    format!("{before}      - record: {example}\n\n{after}")
}

/// Puts the recorded series of `days` before `end` beside the blocks in the folder.
pub(super) fn record(folder: &Folder, days: i64, end: i64) {
    let file: Value = serde_saphyr::from_str(&text("cometchat.rules.yml")).unwrap();
    let groups = file["groups"].as_array().unwrap();
    let rules = groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone());
    let mut left: Vec<Value> = rules.collect();
    // promtool sees what is in the blocks, so what stands on recorded series waits for these.
    while !left.is_empty() {
        let waiting: BTreeSet<String> = left.iter().map(name_of).collect();
        let (later, ready): (Vec<Value>, Vec<Value>) =
            left.into_iter().partition(|rule| names(&rule["expr"]).any(|it| waiting.contains(it)));
        assert!(!ready.is_empty(), "rules that stand on each other: {later:?}");
        let path = folder.config(
            "recorded.yml",
            &json!({ "groups": [{ "name": "all", "rules": ready }] }).to_string(),
        );
        let prometheus = start(&tool("PROMETHEUS_NEWER", "prometheus"), folder, "");
        // Whether an exporter was away is told by a sample a minute.
        for (from, interval) in [(end - days * 24 * HOUR_S, "5m"), (end - 2 * HOUR_S, "1m")] {
            let made = Command::new(tool("PROMTOOL_NEWER", "promtool"))
                .args(["tsdb", "create-blocks-from", "--max-block-duration=768h", "rules"])
                .args([format!("--start={}", date(from)), format!("--end={}", date(end))])
                .arg(format!("--eval-interval={interval}"))
                .arg(format!("--url=http://{}", prometheus.address))
                .arg(format!("--output-dir={}", folder.path().join("data").display()))
                .arg(&path)
                .output()
                .unwrap();
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        }
        left = later;
    }
}

/// A Prometheus that has read the blocks of the folder.
pub(super) fn start(program: &str, folder: &Folder, more: &str) -> Prometheus {
    let prometheus = Prometheus::start(program, folder, &format!("scrape_configs: []\n{more}"));
    until_ok("the blocks", || prometheus.api("/api/v1/status/tsdb").map(drop));
    prometheus
}

fn name_of(rule: &Value) -> String {
    rule["record"].as_str().unwrap().to_owned()
}

/// The recorded series that stand in an expression.
fn names(expression: &Value) -> impl Iterator<Item = &str> {
    let is_part = |char: char| char.is_ascii_alphanumeric() || "_:".contains(char);
    let words = expression.as_str().unwrap().split(move |char| !is_part(char));
    words.filter(|word| word.starts_with("cometchat") && word.contains(':'))
}

/// Every rule and alert is evaluated without an error or a remark, and each part of it has a result.
#[track_caller]
pub(super) fn check(variable: &str, prometheus: &Prometheus, end: i64) {
    let rules = until_ok("the evaluation of every rule", || {
        let data = prometheus.api("/api/v1/rules")?;
        let groups = data["groups"].as_array().unwrap().iter();
        let rules: Vec<Value> =
            groups.flat_map(|group| group["rules"].as_array().unwrap().clone()).collect();
        let n_done = rules.iter().filter(|rule| rule["health"] != "unknown").count();
        if n_done == rules.len() { Ok(rules) } else { Err(format!("{n_done} of {}", rules.len())) }
    });
    assert!(rules.len() > 50, "{variable}: {} rules", rules.len());
    let mut needless: BTreeSet<&str> = NOTHING.iter().map(|(part, _)| *part).collect();
    for rule in &rules {
        assert_eq!(rule["health"], "ok", "{variable}: {rule}");
        let name = rule["name"].as_str().unwrap();
        for part in parts(rule["query"].as_str().unwrap()) {
            let at = if part.contains("month") { in_the_month(end) } else { end };
            let answer = ask(prometheus, &part, u64::try_from(at).unwrap());
            let is_quiet = answer["warnings"].is_null() && answer["infos"].is_null();
            assert!(answer["status"] == "success" && is_quiet, "{variable}: {part}: {answer}");
            if answer["data"]["result"].as_array().unwrap().is_empty() {
                let excuse = NOTHING.iter().find(|(of, _)| part.contains(of) || name == *of);
                assert_ne!(excuse, None, "{variable}: {name}: no result of {part}");
                needless.retain(|of| Some(*of) != excuse.map(|(of, _)| *of));
            }
        }
    }
    assert!(needless.is_empty(), "{variable}: these have results: {needless:?}");
}

/// The end, or the evening before where a month has just begun: nothing is used up in it yet.
fn in_the_month(end: i64) -> i64 {
    let begun = [0, 1, 2].map(|hours| date(end - hours * HOUR_S));
    let is_new = begun.iter().any(|date| date.contains("-01T00:"));
    if is_new { end - 4 * HOUR_S } else { end }
}

/// What stands between the set operators of an expression and on either side of its comparisons.
fn parts(expression: &str) -> Vec<String> {
    let (mut parts, mut depth, mut is_quoted) = (vec![String::new()], 0, false);
    let mut rest = expression;
    while let Some(char) = rest.chars().next() {
        is_quoted ^= char == '"';
        depth += i32::from("([{".contains(char)) - i32::from(")]}".contains(char));
        let operators = [" and ", " or ", " unless ", " >= ", " > ", " == ", " < "];
        let operator = operators.iter().find(|word| rest.starts_with(**word));
        if let (0, false, Some(operator)) = (depth, is_quoted, operator) {
            rest = unmatched(&rest[operator.len()..]);
            parts.push(String::new());
        } else {
            parts.last_mut().unwrap().push(char);
            rest = &rest[char.len_utf8()..];
        }
    }
    parts
}

/// What follows the words that say how two sides are matched.
fn unmatched(text: &str) -> &str {
    let modifiers = ["on (", "group_left ("];
    match modifiers.iter().find(|word| text.starts_with(**word)) {
        Some(_) => unmatched(text.split_once(')').unwrap().1.trim_start()),
        None => text,
    }
}

#[test]
fn an_expression_falls_into_its_parts() {
    let text = "a:b:c{x=\"1 and 2\"} - (d > 0) > on () group_left () e:f:g and on (app) h == 0 \
                unless on (app) i[1h]";
    let wanted = ["a:b:c{x=\"1 and 2\"} - (d > 0)", "e:f:g", "h", "0", "i[1h]"];
    assert_eq!(parts(text), wanted);
}
