//! An API that was away: what it lists afterwards counts, and no alert takes it for calls of now.
#![expect(clippy::disallowed_methods, reason = "a test writes files as it likes")]

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::fake::{Asked, Reading, Reply, call_with, one_page};
use crate::process::{Folder, until_ok};
use crate::prometheus::{Prometheus, scrapes, tool};
use crate::rules::{alarm::write_hasty_rules, alerts};

/// The rules in a test's time: 3 seconds of lag are much, 5 calls are many, and the only guard left is
/// the lag.
fn write_rules(folder: &Folder) {
    write_hasty_rules(folder.path());
    let file = folder.path().join("cometchat.rules.yml");
    let rules = fs::read_to_string(&file).unwrap();
    for mark in ["vector(900)", "vector(20)", "< 45"] {
        assert!(rules.contains(mark), "no `{mark}`");
    }
    let rules = rules.replace("vector(900)", "vector(3)").replace("vector(20)", "vector(5)");
    fs::write(file, rules.replace("< 45", "< 0")).unwrap();
}

fn n_results(prometheus: &Prometheus, expression: &str) -> Result<usize, String> {
    Ok(prometheus.result(expression)?["result"].as_array().unwrap().len())
}

#[test]
fn calls_of_an_outage_count_late_and_alarm_nobody() {
    let (is_away, rows) = <(Arc<AtomicBool>, Arc<Mutex<Vec<Value>>>)>::default();
    let (away, listed) = (Arc::clone(&is_away), Arc::clone(&rows));
    let reading = Reading::of("/v3", move |asked: &Asked| {
        if away.load(Ordering::Relaxed) {
            return Reply::error(503, "ERR_EXCEPTION");
        }
        one_page(listed.lock().unwrap().clone())(asked)
    });
    let folder = Folder::new();
    write_rules(&folder);
    let config = scrapes(&reading.exporter.address.to_string())
        + "global: {evaluation_interval: 1s}\n\
           rule_files: [cometchat.rules.yml, cometchat.alerts.yml]\n";
    let prometheus = Prometheus::start(&tool("PROMETHEUS", "prometheus"), &folder, &config);
    until_ok("a scrape of an app without calls", || {
        match n_results(&prometheus, "sum(cometchat_calls_failed_total) == 0")? {
            1 => Ok(()),
            _ => Err("none yet".to_owned()),
        }
    });

    is_away.store(true, Ordering::Relaxed);
    until_ok("an app that is late", || {
        match n_results(&prometheus, "cometchat_app:cometchat_calls:late1h")? {
            1 => Ok(()),
            _ => Err("it is not late".to_owned()),
        }
    });
    let missed = |n| {
        call_with(&format!("missed-{n}"), 2, json!({ "status": "unanswered", "startedAt": null }))
    };
    rows.lock().unwrap().extend((0..9).map(missed));
    is_away.store(false, Ordering::Relaxed);

    let alerts = alerts();
    let alert = alerts.iter().find(|alert| alert["alert"] == "CometChatFailureRatioHigh").unwrap();
    let guarded = alert["expr"].as_str().unwrap();
    let (unguarded, _) = guarded.split_once("unless").unwrap();
    until_ok("what would alarm", || match n_results(&prometheus, unguarded)? {
        1 => Ok(()),
        _ => Err(format!("{:?}", prometheus.result("cometchat_calls_failed_total > 0"))),
    });
    assert_eq!(n_results(&prometheus, guarded), Ok(0), "calls of the outage");
    let fired = "ALERTS{alertname=~\"CometChat(Failure|Unconnected|Answer|NoCalls).*\"}";
    assert_eq!(n_results(&prometheus, &format!("last_over_time({fired}[10m])")), Ok(0));
}
