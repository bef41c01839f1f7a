//! Thirty-five days of backfilled calls: what every dashboard, rule and alert makes of them.

use std::fs;

use super::recorded;
use super::stage::{Stage, command_as, copy_blocks, date, ended, make_blocks, now_s};
use crate::grafana::{SOURCES, check_queries, check_sources, spread};
use crate::process::Folder;
use crate::prometheus::prometheus_of;

const WORLD: [&str; 3] = ["--history=36d", "--stop-after=0s", "--calls-per-day=4000"];
const DAYS: i64 = 35;
const DAY_S: i64 = 86_400;
const RULES: [&str; 2] = ["cometchat.rules.yml", "cometchat.alerts.yml"];

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
    make("shop", DAYS, "--step=5m");
    make("clinic", 1, "--step=1m");
    spread(folder.path(), &[&end.to_string(), "without-calls"]);
    recorded::record(&folder, DAYS, end);
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
            // So that each is evaluated soon.
            let text = recorded::text(name).replace("interval: 1m", "interval: 1s");
            let path = folder.config(name, &text.replace("interval: 5m", "interval: 1s"));
            files += &format!("  - {}\n", path.display());
        }
        let config = format!("rule_files:\n{files}global: {{evaluation_interval: 1s}}\n");
        let prometheus = recorded::start(&program, &folder, &config);
        for source in SOURCES {
            check_queries(&prometheus, u64::try_from(end).unwrap(), "20m", source);
        }
        check_sources(&prometheus, u64::try_from(end).unwrap());
        recorded::check(variable, &prometheus, end);
    }
}
