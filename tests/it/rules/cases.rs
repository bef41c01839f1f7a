//! Every alert has a case in which it fires for one and not for others, and one in which it ends.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{alert_names, alerts, yaml};

const FILES: [&str; 3] = ["exporter", "calls", "weeks"];

/// Minutes, of a time as the tests write it.
fn minutes(time: &str) -> u32 {
    let mut n_minutes = 0;
    for part in time.split_inclusive(['d', 'h', 'm']) {
        let (number, unit) = part.split_at(part.len() - 1);
        let unit_minutes = match unit {
            "d" => 24 * 60,
            "h" => 60,
            _ => 1,
        };
        n_minutes += number.parse::<u32>().unwrap() * unit_minutes;
    }
    n_minutes
}

/// The worlds of the tests of promtool.
fn worlds() -> Vec<Value> {
    let file = |name: &str| yaml(&format!("prometheus/tests/{name}.yml"));
    FILES.map(file).iter().flat_map(|file| file["tests"].as_array().unwrap().clone()).collect()
}

/// When an alert fires, and when it does not, in minutes of a world.
#[derive(Default)]
struct Times {
    fires: Vec<u32>,
    is_silent: Vec<u32>,
}

#[test]
fn every_alert_fires_and_resolves_in_one_world() {
    let mut resolved = BTreeSet::new();
    for world in worlds() {
        let mut times = BTreeMap::<String, Times>::new();
        for case in world["alert_rule_test"].as_array().unwrap() {
            let times = times.entry(case["alertname"].as_str().unwrap().to_owned()).or_default();
            let at = minutes(case["eval_time"].as_str().unwrap());
            let is_silent = case["exp_alerts"].as_array().unwrap().is_empty();
            if is_silent { &mut times.is_silent } else { &mut times.fires }.push(at);
        }
        for (name, times) in times {
            if times.fires.iter().min() < times.is_silent.iter().max() && !times.fires.is_empty() {
                resolved.insert(name);
            }
        }
    }
    assert_eq!(resolved, alert_names(), "left: in the tests, right: all alerts");
}

/// What a case does not expect must not fire: so the others of its world are its silent cases.
#[test]
fn every_alert_fires_beside_others_that_must_stay_silent() {
    let mut with_others = BTreeSet::new();
    for world in worlds() {
        let series = world["input_series"].as_array().unwrap();
        for case in world["alert_rule_test"].as_array().unwrap() {
            let expected = case["exp_alerts"].as_array().unwrap();
            let key = match expected.first() {
                Some(alert) => {
                    let labels = ["cometchat_app", "instance", "job"];
                    *labels.iter().find(|it| alert["exp_labels"][it].is_string()).unwrap_or(&"job")
                }
                None => continue,
            };
            let named = |text: &str| {
                Some(text.split_once(&format!("{key}=\""))?.1.split('"').next()?.to_owned())
            };
            let all: BTreeSet<String> =
                series.iter().filter_map(|one| named(one["series"].as_str()?)).collect();
            if all.len() >= expected.len() + 3 {
                with_others.insert(case["alertname"].as_str().unwrap().to_owned());
            }
        }
    }
    let by_instance =
        ["CometChatConfigReloadFailed", "CometChatExporterDown", "CometChatStateNotWritable"];
    assert!(by_instance.iter().all(|name| with_others.contains(*name)));
    assert_eq!(with_others, alert_names(), "left: in the tests, right: all alerts");
}

#[test]
fn every_alert_says_how_bad_it_is_and_what_it_has_seen() {
    for alert in alerts() {
        let name = alert["alert"].as_str().unwrap();
        let severity = alert["labels"]["severity"].as_str();
        assert!(matches!(severity, Some("critical" | "warning")), "{name}: {severity:?}");
        let summary = alert["annotations"]["summary"].as_str().unwrap();
        assert!(summary.ends_with('.') && !summary.contains('$'), "{name}: {summary}");
        let description = alert["annotations"]["description"].as_str().unwrap();
        assert!(description.contains("{{ "), "{name}: nothing of what was seen: {description}");
    }
}

#[test]
fn times_are_read_as_promtool_reads_them() {
    assert_eq!(["59m", "7d4h", "1h30m"].map(minutes), [59, 10_320, 90]);
}
