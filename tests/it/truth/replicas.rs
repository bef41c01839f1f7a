//! Two exporters that count from the same date.
#![expect(clippy::disallowed_methods, reason = "a date in the past depends on the date of today")]

use std::time::{SystemTime, UNIX_EPOCH};

use super::stage::{Setting, Stage, app_label};
use crate::process::Exporter;
use crate::process::samples::Samples;

/// What was counted, without what each process says of itself and of its own requests.
fn counted(scrape: &Samples) -> Vec<(&str, &str)> {
    let own = ["_api_", "_records_invalid_", "_pages_truncated_", "_reconcile_differences_"];
    let of_app = scrape.values.iter().filter(|(series, _)| {
        series.contains(app_label())
            && scrape.only_rises(series)
            && own.iter().all(|part| !series.contains(part))
    });
    of_app.map(|(series, value)| (series.as_str(), value.as_str())).collect()
}

#[test]
fn two_replicas_agree_to_the_last_digit() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let at = jiff::Timestamp::from_second(i64::try_from(now).unwrap() - 300).unwrap();
    let world = ["--seed=12", "--live-totals", "--per-page-max=20"];
    let count_from = at.to_string();
    let setting = Setting { world: &world, count_from: &count_from, ..Setting::default() };
    let stage = Stage::new(setting);
    let first = stage.exporter();
    stage.wait_for_calls(&first, 100.0);
    // The second one starts late, is killed, and reads another way through the same list.
    let other =
        stage.folder.config("replica.yaml", &stage.config_with("per_page: 100", "per_page: 7"));
    let second = Exporter::start(&other);
    stage.wait_for_calls(&second, 200.0);
    second.program.dies();
    let second = Exporter::start(&other);
    stage.wait_for_rest(&second);
    let of_second = second.scrape();
    let of_first = stage.compare_at_rest(&first);
    assert_eq!(counted(&of_first), counted(&of_second));
    for replica in [first, second] {
        replica.program.ends_on("TERM");
    }
}
