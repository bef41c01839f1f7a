//! Thirty-five days of backfilled calls: what every dashboard, rule and alert makes of them.

use std::fs;

use serde_json::Value;

use super::stage::{Stage, command_as, copy_blocks, date, ended, make_blocks, now_s};
use crate::grafana::{ask, check_queries, spread};
use crate::process::{Folder, until_ok};
use crate::prometheus::{Prometheus, prometheus_of};

const WORLD: [&str; 3] = ["--history=36d", "--stop-after=0s", "--calls-per-day=1200"];
const DAY_S: i64 = 86_400;
const RULES: [&str; 2] = ["cometchat.rules.yml", "cometchat.alerts.yml"];

/// A rule that has a result in trouble alone.
const IN_TROUBLE: &str = "cometchat_app:cometchat_api_refusals:increase15m";

/// What exporters tell of themselves is spread over the newest hours by `tests/tools/history.py`.
fn make_history(end: i64) -> Folder {
    let stage = Stage::new(&WORLD, "rate_limit_share: 1", "now");
    let (folder, to) = (Folder::new(), format!("--to={}", date(end)));
    let make = |name: &str, days: i64, step: &str| {
        let config = fs::read_to_string(&stage.config).unwrap();
        let config =
            stage.folder.config("app.yml", &config.replace("name: shop", &format!("name: {name}")));
        let output = stage.folder.path().join("history.om");
        let from = format!("--from={}", date(end - days * DAY_S));
        let config = format!("--config.file={}", config.display());
        let flags = [config.as_str(), &from, &to, step];
        ended(&mut command_as("10.0.0.1:10180", &output, &flags));
        make_blocks("PROMTOOL_NEWER", &output, &folder);
    };
    // The longest history that a panel asks for, and one that is as fine as scrapes are.
    make("shop", 35, "--step=5m");
    make("clinic", 1, "--step=1m");
    spread(folder.path(), &[&end.to_string(), "without-calls"]);
    folder
}

#[test]
fn every_panel_rule_and_alert_reads_a_backfilled_month() {
    let end = now_s();
    let blocks = make_history(end);
    for variable in ["PROMETHEUS", "PROMETHEUS_NEWER", "PROMETHEUS_3"] {
        let Some(program) = prometheus_of(variable) else { continue };
        let folder = Folder::new();
        copy_blocks(&blocks, &folder);
        let mut files = String::new();
        for name in RULES {
            let text =
                fs::read_to_string(format!("{}/prometheus/{name}", env!("CARGO_MANIFEST_DIR")));
            // What stands on each other is evaluated within seconds.
            let text = text
                .unwrap()
                .replace("interval: 1m", "interval: 1s")
                .replace("interval: 5m", "interval: 1s");
            let path = folder.config(name, &text);
            files += &format!("  - {}\n", path.display());
        }
        let config = format!(
            "scrape_configs: []\nrule_files:\n{files}global: {{evaluation_interval: 1s}}\n"
        );
        let prometheus = Prometheus::start(&program, &folder, &config);
        let at = u64::try_from(end).unwrap();
        check_queries(&prometheus, at, "20m");
        check_rules(variable, &prometheus, at);
    }
}

/// Every rule is evaluated without an error or a remark, and what is recorded of metrics has a value.
/// Rules that stand on recorded series need those of weeks; the tests of `prometheus/` have them.
#[track_caller]
fn check_rules(variable: &str, prometheus: &Prometheus, end: u64) {
    let rules = until_ok("the evaluation of every rule", || {
        let rules = rules(prometheus)?;
        let is_done = |rule: &&Value| rule["health"] != "unknown";
        let n_done = rules.iter().filter(is_done).count();
        if n_done == rules.len() { Ok(rules) } else { Err(format!("{n_done} of {}", rules.len())) }
    });
    assert!(rules.len() > 50, "{variable}: {} rules", rules.len());
    let mut n_valued = 0;
    for rule in &rules {
        assert_eq!(rule["health"], "ok", "{variable}: {rule}");
        let query = rule["query"].as_str().unwrap();
        let answer = ask(prometheus, query, end);
        let is_quiet = answer["warnings"].is_null() && answer["infos"].is_null();
        assert!(answer["status"] == "success" && is_quiet, "{variable}: {rule}: {answer}");
        if rule["type"] == "recording" && !query.contains(':') && rule["name"] != IN_TROUBLE {
            let is_empty = answer["data"]["result"].as_array().unwrap().is_empty();
            assert!(!is_empty, "{variable}: no result of {rule}");
            n_valued += 1;
        }
    }
    assert!(n_valued >= 20, "{variable}: only {n_valued} rules stand on metrics");
}

fn rules(prometheus: &Prometheus) -> Result<Vec<Value>, String> {
    let data = prometheus.api("/api/v1/rules")?;
    let groups = data["groups"].as_array().unwrap();
    Ok(groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect())
}
