//! A first start that counts from a time in the past.
#![expect(clippy::disallowed_methods, reason = "a date in the past depends on the date of today")]

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::stage::{Setting, Stage, app_label};
use crate::process::samples::{Samples, name};
use crate::process::{Exporter, until};

/// Fifteen requests of twenty rows a second: half an hour of past calls takes some seconds.
const WORLD: [&str; 4] =
    ["--history=1h", "--calls-per-day=90000", "--per-page-max=20", "--rate-limit=900"];

/// Families of an app that count since the start of the process, whatever was read.
const OF_THE_PROCESS: [&str; 4] =
    ["cometchat_api_", "cometchat_app_", "cometchat_pages_", "cometchat_records_"];

/// The counters and histograms that must not be seen before the read is complete.
fn counted(scrape: &Samples) -> BTreeSet<&str> {
    let of_app = scrape.values.keys().filter(|series| series.contains(app_label()));
    let counted = of_app.filter(|series| scrape.only_rises(series)).map(|series| name(series));
    counted.filter(|name| OF_THE_PROCESS.iter().all(|prefix| !name.starts_with(prefix))).collect()
}

/// Waits for the end of the first read, and returns the first scrape that shows what it counted.
#[track_caller]
fn first_counted(exporter: &Exporter) -> Samples {
    let mut n_far_behind = 0;
    let first = until("the first read", Duration::from_secs(60), || {
        let scrape = exporter.scrape();
        let one = |name: &str| scrape.get(&format!("{name}{{{}}}", app_label()));
        assert!(one("cometchat_up").is_some(), "cometchat_up is there from the first scrape");
        let lag_s = one("cometchat_poll_lag_seconds").unwrap();
        let is_shown = !counted(&scrape).is_empty();
        assert!(!is_shown || lag_s < 600.0, "counted while {lag_s} s are missing");
        n_far_behind += u32::from(lag_s > 1200.0);
        is_shown.then_some(scrape)
    });
    assert!(n_far_behind >= 10, "only {n_far_behind} scrapes before the read was complete");
    first
}

fn n_calls(scrape: &Samples) -> f64 {
    scrape.sum("cometchat_calls_initiated_total", &[app_label()]).unwrap()
}

#[test]
fn what_a_duration_ago_began_appears_at_its_full_value() {
    // No call begins after the start, so that the first value is the last.
    let world = [&WORLD[..], &["--seed=10", "--stop-after=0s"]].concat();
    let stage = Stage::new(Setting { world: &world, count_from: "30m", ..Setting::default() });
    let exporter = stage.exporter();
    let first = first_counted(&exporter);
    let shown = counted(&first).len();
    let rested = stage.compare_at_rest(&exporter);
    assert_eq!(n_calls(&first), n_calls(&rested));
    assert_eq!(shown, counted(&rested).len(), "all families appear at once");
    exporter.program.ends_on("TERM");
}

#[test]
fn what_began_at_a_date_appears_with_what_came_meanwhile() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let at = jiff::Timestamp::from_second(i64::try_from(now).unwrap() - 2000).unwrap();
    let world = [&WORLD[..], &["--seed=11", "--stop-after=5m"]].concat();
    let count_from = at.to_string();
    let setting = Setting { world: &world, count_from: &count_from, ..Setting::default() };
    let stage = Stage::new(setting);
    let exporter = stage.exporter();
    let first = first_counted(&exporter);
    let rested = stage.compare_at_rest(&exporter);
    assert!(n_calls(&first) > n_calls(&rested) / 2.0, "most of them at once");
    let from = format!("cometchat_count_from_timestamp_seconds{{{}}}", app_label());
    assert_eq!(rested.values.get(&from).unwrap(), &at.as_second().to_string());
    exporter.program.ends_on("TERM");
}
