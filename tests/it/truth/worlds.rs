//! One process, worlds of every sort.

use super::stage::{Setting, Stage, app_label};
use crate::process::samples::Samples;

/// Runs one exporter from the start of a world to its rest.
#[track_caller]
fn check(setting: Setting<'_>) -> Samples {
    let stage = Stage::new(setting);
    let exporter = stage.exporter();
    let rested = stage.compare_at_rest(&exporter);
    exporter.program.ends_on("TERM");
    rested
}

fn total(scrape: &Samples, name: &str) -> f64 {
    scrape.sum(name, &[app_label()]).unwrap()
}

#[test]
fn the_usual_world_is_counted_exactly() {
    let world = ["--seed=1", "--never-ending=30"];
    // Longer than any call that ends: whether one is given up just before is chance.
    let rested = check(Setting { world: &world, max_open_s: 600, ..Setting::default() });
    assert!(total(&rested, "cometchat_calls_abandoned_total") > 0.0, "some never end");
    assert!(total(&rested, "cometchat_calls_total") > 100.0);
}

#[test]
fn a_list_that_begins_with_the_oldest_is_counted_exactly() {
    check(Setting { world: &["--seed=2", "--order=oldest-first"], ..Setting::default() });
}

#[test]
fn pages_of_one_row_are_counted_exactly() {
    // One row tells no order, so that each poll has to walk the whole list.
    let world = ["--seed=3", "--calls-per-day=50000", "--history=30s"];
    check(Setting { world: &world, per_page: 1, ..Setting::default() });
}

#[test]
fn pages_that_are_cut_below_what_was_asked_for_are_counted_exactly() {
    check(Setting { world: &["--seed=4", "--per-page-max=7"], ..Setting::default() });
}

#[test]
fn odd_paging_and_headers_are_counted_exactly() {
    for quirk in [
        ["--seed=8", "--pagination=next-only", "--past-end=empty"],
        ["--seed=9", "--pagination=absent", "--past-end=last-page"],
        ["--seed=10", "--past-end=last-page", "--rate-limit-headers=joined"],
        ["--seed=11", "--rate-limit-headers=joined-on-refusal", "--pagination=absent"],
        ["--seed=12", "--rate-limit-headers=absent", "--past-end=last-page"],
    ] {
        eprintln!("{quirk:?}");
        check(Setting {
            world: &[&quirk[..], &["--per-page-max=7"]].concat(),
            ..Setting::default()
        });
    }
}

#[test]
fn totals_that_grow_while_a_call_goes_on_are_counted_exactly() {
    let world = ["--seed=5", "--live-totals", "--duration-scale=100"];
    check(Setting { world: &world, ..Setting::default() });
}

#[test]
fn recordings_that_come_late_are_counted_exactly() {
    let rested = check(Setting { world: &["--seed=6"], ..Setting::default() });
    assert!(total(&rested, "cometchat_recordings_total") > 0.0);
    assert!(total(&rested, "cometchat_calls_transcribed_total") > 0.0);
}

#[test]
fn an_app_is_exact_beside_one_whose_key_is_wrong() {
    let setting = Setting { world: &["--seed=7"], ..Setting::default() };
    let stage = Stage::with_other_apps(setting, |simulator| {
        format!(
            "  - {{ name: locked, app_id: b, base_url: '{}', api_key: wrong }}\n",
            simulator.base_url
        )
    });
    let exporter = stage.exporter();
    let rested = stage.compare_at_rest(&exporter);
    let locked = |name: &str, labels: &[&str]| {
        rested.sum(name, &[&["cometchat_app=\"locked\""], labels].concat()).unwrap()
    };
    assert_eq!(locked("cometchat_up", &[]), 0.0);
    assert_eq!(locked("cometchat_calls_initiated_total", &[]), 0.0);
    let unknown_key = ["error=\"AUTH_ERR_APIKEY_NOT_FOUND\""];
    assert!(locked("cometchat_api_errors_total", &unknown_key) >= 1.0);
    assert!(locked("cometchat_api_requests_total", &[]) <= 6.0, "no hammering with a bad key");
    assert_eq!(rested.get(&format!("cometchat_up{{{}}}", app_label())), Some(1.0));
    exporter.program.ends_on("TERM");
}
