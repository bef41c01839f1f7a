//! What was counted over time ends as what is served, whatever fits on a sheet.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use expect_test::expect;

use super::super::fixture::World;
use super::super::{Breakdown, Format, Lines, Past, PastApp, join, render_app};
use crate::call::Timestamp;
use crate::ledger::Totals;

const APPS: [&str; 2] = ["b\"ig", "small"];
const N_SAMPLES: usize = 4;

fn labels() -> Vec<(String, String)> {
    vec![("job".into(), "cometchat".into())]
}

/// Two apps: nothing, then half of it for the first one, then all of it for both.
fn written(breakdown: Breakdown, n_values_max: usize) -> String {
    let (end, half) = (World::small().totals, half());
    let apps = APPS.map(|name| PastApp { name, end: &end });
    let past = Past::new(&apps, breakdown, &labels());
    let mut text = Vec::new();
    for range in past.sheets(N_SAMPLES, n_values_max) {
        let mut sheet = past.sheet(range, N_SAMPLES);
        for app_idx in past.apps_on(&sheet) {
            if app_idx == 0 {
                past.note(&mut sheet, app_idx, 1..3, &half);
            }
            past.note(&mut sheet, app_idx, 3..N_SAMPLES, &end);
        }
        let at = |idx| Timestamp(1000 + 60 * i64::try_from(idx).unwrap());
        let write = &mut |bytes: &[u8]| -> Result<(), Infallible> {
            text.extend_from_slice(bytes);
            Ok(())
        };
        past.write(&sheet, at, write).unwrap();
    }
    text.extend_from_slice(Past::end());
    String::from_utf8(text).unwrap()
}

/// One of the two kinds of the small world.
fn half() -> Arc<Totals> {
    let mut totals = World::small().totals;
    let half = Arc::make_mut(&mut totals);
    half.by_kind.pop_first();
    half.abandoned = 1;
    totals
}

/// The values at a time by name and labels, without the label that was added.
fn at(text: &str, time: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let samples = lines.filter_map(|line| line.strip_suffix(time)?.trim_end().rsplit_once(' '));
    samples.map(|(series, value)| (without_job(series), value.to_owned())).collect()
}

fn without_job(series: &str) -> String {
    series.replace(",job=\"cometchat\"", "")
}

/// The counters and histograms of calls as an exporter serves them.
fn served(breakdown: Breakdown) -> BTreeMap<String, String> {
    let world = World::small();
    let apps = APPS.map(|name| {
        let view = super::super::AppView { examples: None, ..world.view(name) };
        render_app(&view, breakdown)
    });
    let text = join(apps.iter(), &Lines::default(), Format::OpenMetrics).to_vec();
    let text = String::from_utf8(text).unwrap();
    let (counted, _) = text.split_once("# HELP cometchat_calls_open").unwrap();
    let lines = counted.lines().filter(|line| !line.starts_with('#'));
    let samples = lines.map(|line| line.rsplit_once(' ').unwrap());
    samples.map(|(series, value)| (series.to_owned(), value.to_owned())).collect()
}

#[test]
fn the_last_samples_are_what_is_served() {
    let reduced = Breakdown { mode: false, ..Breakdown::default() };
    for breakdown in [Breakdown::default(), reduced] {
        let text = written(breakdown, usize::MAX);
        assert_eq!(at(&text, " 1180"), served(breakdown));
        let zeros = at(&text, " 1000");
        assert_eq!(zeros.len(), at(&text, " 1180").len(), "every series from the first sample on");
        assert!(zeros.values().all(|value| value == "0"));
    }
}

#[test]
fn any_size_of_a_sheet_writes_the_same() {
    let whole = written(Breakdown::default(), usize::MAX);
    for n_values_max in [0, 100, 1000] {
        assert_eq!(written(Breakdown::default(), n_values_max), whole, "{n_values_max}");
    }
}

#[test]
fn a_family_and_in_it_a_series_is_one_block_with_rising_times() {
    let text = written(Breakdown::default(), 100);
    let failed: Vec<&str> = text
        .lines()
        .skip_while(|line| !line.starts_with("# HELP cometchat_calls_abandoned"))
        .take(10)
        .collect();
    expect![[r##"
        # HELP cometchat_calls_abandoned Calls that still had no final `status` after the configured max_open and were given up. Polled in the background.
        # TYPE cometchat_calls_abandoned counter
        cometchat_calls_abandoned_total{cometchat_app="b\"ig",job="cometchat"} 0 1000
        cometchat_calls_abandoned_total{cometchat_app="b\"ig",job="cometchat"} 1 1060
        cometchat_calls_abandoned_total{cometchat_app="b\"ig",job="cometchat"} 1 1120
        cometchat_calls_abandoned_total{cometchat_app="b\"ig",job="cometchat"} 2 1180
        cometchat_calls_abandoned_total{cometchat_app="small",job="cometchat"} 0 1000
        cometchat_calls_abandoned_total{cometchat_app="small",job="cometchat"} 0 1060
        cometchat_calls_abandoned_total{cometchat_app="small",job="cometchat"} 0 1120
        cometchat_calls_abandoned_total{cometchat_app="small",job="cometchat"} 2 1180"##]]
    .assert_eq(&failed.join("\n"));
    let heads: Vec<&str> = text.lines().filter(|line| line.starts_with("# TYPE")).collect();
    let mut once = heads.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), heads.len(), "{heads:?}");
}
