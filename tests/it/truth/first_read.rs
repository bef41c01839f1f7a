//! A first start that counts from a time in the past.
#![expect(clippy::disallowed_methods, reason = "a date in the past hangs on the date of today")]

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::stage::{Setting, Stage, app_label};
use crate::process::samples::{Samples, name};
use crate::process::until;

/// Fifteen requests of twenty rows a second: half an hour of past calls takes some seconds.
const WORLD: [&str; 5] = [
    "--history=1h",
    "--calls-per-day=120000",
    "--per-page-max=20",
    "--rate-limit=900",
    "--stop-after=2m",
];

/// What of the app must not be seen before the read is complete.
fn counted(scrape: &Samples) -> BTreeSet<&str> {
    let of_app = scrape.values.keys().filter(|series| series.contains(app_label()));
    let counted = of_app.filter(|series| scrape.only_rises(series));
    let of_the_process = ["cometchat_api_", "cometchat_app_", "cometchat_pages_", "cometchat_records_"];
    counted
        .map(|series| name(series))
        .filter(|name| of_the_process.iter().all(|prefix| !name.starts_with(prefix)))
        .collect()
}

#[track_caller]
fn check(count_from: &str, seed: &str) {
    let world = [&WORLD[..], &[seed]].concat();
    let stage = Stage::new(Setting { world: &world, count_from, ..Setting::default() });
    let exporter = stage.exporter();
    let mut n_before = 0;
    let first = until("the first read", Duration::from_secs(60), || {
        let scrape = exporter.scrape();
        let one = |name: &str| scrape.get(&format!("{name}{{{}}}", app_label()));
        assert!(one("cometchat_up").is_some(), "cometchat_up is there from the first scrape");
        assert!(one("cometchat_poll_lag_seconds").is_some_and(|lag| lag >= 0.0));
        let counted = counted(&scrape);
        if counted.is_empty() {
            n_before += 1;
            assert!(one("cometchat_poll_lag_seconds") > Some(60.0), "the lag shows how far it is");
            return None;
        }
        assert!(counted.contains("cometchat_call_duration_seconds_bucket"), "{counted:?}");
        Some(scrape)
    });
    assert!(n_before >= 10, "only {n_before} scrapes before the read was complete");
    // The read takes seconds: most of the past is there in the very first scrape that shows any.
    let at_once = first.sum("cometchat_calls_initiated_total", &[app_label()]).unwrap();
    let rested = stage.compare_at_rest(&exporter);
    let at_rest = rested.sum("cometchat_calls_initiated_total", &[app_label()]).unwrap();
    assert!(at_once > at_rest / 2.0, "{at_once} of {at_rest} calls at once");
    exporter.program.ends_on("TERM");
}

#[test]
fn counting_from_a_duration_ago_shows_nothing_before_it_was_read() {
    check("30m", "--seed=10");
}

#[test]
fn counting_from_a_date_shows_nothing_before_it_was_read() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let at = jiff::Timestamp::from_second(i64::try_from(now).unwrap() - 2000).unwrap();
    check(&at.to_string(), "--seed=11");
}
