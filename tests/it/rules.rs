//! The recording rules and alerts in `prometheus/`: promtool accepts them, their tests pass, every
//! metric in them exists, and every alert has its tests, its runbook and its way to a person.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use cometchat_exporter::metrics::catalog;
use serde_json::Value;

use crate::prometheus::tool;

pub(crate) mod alarm;
mod cases;
mod mixin;
mod runbooks;

const RULES: [&str; 2] = ["prometheus/cometchat.rules.yml", "prometheus/cometchat.alerts.yml"];

/// The text of a file of the repository.
fn text(path: &str) -> String {
    fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A YAML file of the repository.
fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&text(path)).unwrap()
}

/// Every alert, as it stands in the file.
pub(crate) fn alerts() -> Vec<Value> {
    let file = yaml(RULES[1]);
    let groups = file["groups"].as_array().unwrap();
    groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

/// What the rules record: the name, and the expression.
fn recorded() -> Vec<(String, String)> {
    let file = yaml(RULES[0]);
    let groups = file["groups"].as_array().unwrap();
    let rules = groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone());
    let text = |rule: &Value, key: &str| rule[key].as_str().unwrap().to_owned();
    rules.map(|rule| (text(&rule, "record"), text(&rule, "expr"))).collect()
}

/// The names of all recorded series.
pub(crate) fn recorded_names() -> BTreeSet<String> {
    recorded().into_iter().map(|(name, _)| name).collect()
}

/// The names of all alerts.
fn alert_names() -> BTreeSet<String> {
    alerts().iter().map(|alert| alert["alert"].as_str().unwrap().to_owned()).collect()
}

/// Runs a tool in the folder of the repository; it must have nothing to complain of.
#[track_caller]
fn run(variable: &str, name: &str, arguments: &[&str]) -> String {
    let output = Command::new(tool(variable, name))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{variable} {arguments:?}: {said}");
    said
}

#[test]
fn promtool_accepts_the_rules_and_their_tests_pass() {
    for variable in ["PROMTOOL", "PROMTOOL_NEWER"] {
        run(
            variable,
            "promtool",
            &["check", "rules", "--lint=all", "--lint-fatal", RULES[0], RULES[1]],
        );
        let files = ["exporter", "calls", "weeks", "records"]
            .map(|name| format!("prometheus/tests/{name}.yml"));
        let mut arguments = vec!["test", "rules"];
        arguments.extend(files.iter().map(String::as_str));
        run(variable, "promtool", &arguments);
    }
}

/// On its own, and with one promtool only: it takes a quarter of a minute.
#[test]
fn no_alert_on_calls_fires_when_three_days_are_read_at_once() {
    run("PROMTOOL_NEWER", "promtool", &["test", "rules", "prometheus/tests/downtime.yml"]);
}

#[test]
fn amtool_accepts_the_configuration_of_alertmanager() {
    let said = run("AMTOOL", "amtool", &["check-config", "prometheus/alertmanager.yml"]);
    assert!(said.contains("5 inhibit rules"), "{said}");
}

#[test]
fn every_metric_in_the_rules_exists() {
    let known: BTreeSet<&str> = catalog::families().map(|family| family.name).collect();
    let mut n_found = 0;
    for file in RULES {
        let text = text(file);
        for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
            let words =
                line.split(|char: char| !(char.is_ascii_alphanumeric() || "_:".contains(char)));
            // A recorded name holds colons, a group or a label does not end like a metric.
            for word in words.filter(|word| word.starts_with("cometchat_") && !word.contains(':')) {
                let is_name = line.contains("- name:") || word == "cometchat_app";
                let base = ["_bucket", "_sum", "_count"]
                    .iter()
                    .find_map(|end| word.strip_suffix(end).filter(|base| known.contains(base)));
                assert!(
                    is_name || known.contains(word) || base.is_some(),
                    "{file}: there is no metric `{word}`"
                );
                n_found += u32::from(!is_name);
            }
        }
    }
    assert!(n_found > 20, "only {n_found} metrics found: is the scan still right?");
}

/// By an alert, a panel or a page of the documentation, or by a recorded series that is.
#[test]
fn each_recorded_series_is_used() {
    let known = recorded_names();
    let names = |text: &str| -> Vec<String> {
        let words = text.split(|char: char| !(char.is_ascii_alphanumeric() || "_:".contains(char)));
        words.filter(|word| known.contains(*word)).map(str::to_owned).collect()
    };
    let places = [RULES[1], "grafana/calls.json", "grafana/usage.json", "grafana/fleet.json"];
    let mut left: Vec<String> = places.iter().flat_map(|path| names(&text(path))).collect();
    left.extend(names(&text("docs/runbooks.md")));
    let mut used = BTreeSet::new();
    while let Some(name) = left.pop() {
        if used.insert(name.clone()) {
            let stands_on = recorded().into_iter().filter(|(of, _)| *of == name);
            left.extend(stands_on.flat_map(|(_, expression)| names(&expression)));
        }
    }
    assert_eq!(known.difference(&used).collect::<Vec<_>>(), Vec::<&String>::new());
}
