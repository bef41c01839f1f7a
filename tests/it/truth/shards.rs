//! Exporters that share the apps of one configuration.
#![expect(clippy::disallowed_methods, reason = "a date in the past depends on the date of today")]

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::stage::{Setting, Stage};
use crate::process::samples::{Samples, name};
use crate::process::{Exporter, until};

const REST: Duration = Duration::from_secs(75);
const APPS: [&str; 7] = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta"];
const SHARDS: [&str; 3] = ["--shard=0/3", "--shard=1/3", "--shard=2/3"];

/// The series of apps, without those that tell of the shard itself.
fn of_apps(scrape: &Samples) -> BTreeMap<&str, &str> {
    let all = scrape.values.iter().filter(|(series, _)| series.contains("cometchat_app="));
    all.map(|(series, value)| (series.as_str(), value.as_str())).collect()
}

/// Waits until every app of the exporter is read up to `at` and has come to rest.
#[track_caller]
fn at_rest(exporter: &Exporter, at: f64) -> Samples {
    until("the rest of a shard", REST, || {
        let scrape = exporter.scrape();
        let of = |family: &str| -> Vec<f64> {
            let of_name = scrape.values.iter().filter(|(series, _)| name(series) == family);
            of_name.map(|(_, value)| value.parse().unwrap()).collect()
        };
        let covered = of("cometchat_covered_until_timestamp_seconds");
        let is_covered =
            covered.len() == of("cometchat_up").len() && covered.iter().all(|it| *it >= at);
        let is_done = of("cometchat_tracked_calls").iter().all(|n_calls| *n_calls == 0.0);
        (is_covered && is_done).then_some(scrape)
    })
}

#[test]
fn shards_together_show_what_one_exporter_shows() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let at = jiff::Timestamp::from_second(i64::try_from(now).unwrap() - 200).unwrap();
    let (count_from, world) = (at.to_string(), ["--seed=31", "--calls-per-day=40000"]);
    let setting = Setting { world: &world, count_from: &count_from, ..Setting::default() };
    let stage = Stage::with_other_apps(setting, |simulator| {
        let app = |id| {
            let (url, key) = (&simulator.base_url, &simulator.key);
            // Two share a limit, and so must share a shard.
            let group = if ["alpha", "gamma"].contains(&id) { ", budget_group: both" } else { "" };
            format!(
                "  - {{ name: {id}, app_id: {id}, base_url: '{url}', api_key: {key}{group} }}\n"
            )
        };
        APPS.map(app).concat()
    });
    stage.edit("interval: 1s", "interval: 20s");
    let start = |number: usize, flags: &[&str]| {
        let state = format!("state: {{ path: {}", stage.folder.state().display());
        let config = std::fs::read_to_string(&stage.config).unwrap();
        let own = config.replace(&state, &format!("{state}.{number}"));
        Exporter::start_with(&stage.folder.config(&format!("{number}.yaml"), &own), flags)
    };
    let whole = start(3, &[]);
    let shards: Vec<_> = SHARDS.iter().enumerate().map(|(n, flag)| start(n, &[flag])).collect();
    let at = until("the rest of the world", REST, || stage.simulator.rested_at());
    let whole_scrape = at_rest(&whole, at);
    let scrapes: Vec<_> = shards.iter().map(|shard| at_rest(shard, at)).collect();

    let mut together = BTreeMap::new();
    for (number, scrape) in scrapes.iter().enumerate() {
        let info = format!("cometchat_shard_info{{shard=\"{number}\",shards=\"3\"}}");
        assert_eq!((scrape.get(&info), scrape.get("cometchat_shards")), (Some(1.0), Some(3.0)));
        assert!(!of_apps(scrape).is_empty(), "shard {number} has no app, which proves little");
        for (series, value) in of_apps(scrape) {
            assert_eq!(together.insert(series, value), None, "{series} is shown by two shards");
        }
    }
    let one = of_apps(&whole_scrape);
    // Which codes and errors were met, and how often, is each process's own story.
    let is_counted = |series: &&str| {
        let own = ["_api_", "_records_invalid_", "_pages_truncated_", "_reconcile_differences_"];
        whole_scrape.only_rises(series) && own.iter().all(|part| !series.contains(part))
    };
    let names = |all: &BTreeMap<&str, &str>| -> Vec<String> {
        let own = |series: &&&str| !series.contains("cometchat_api_requests_total");
        all.keys().filter(own).map(|series| (*series).to_owned()).collect()
    };
    assert_eq!(names(&together), names(&one), "left: the shards together, right: one exporter");
    let counted = |all: &BTreeMap<&str, &str>| -> Vec<(String, String)> {
        let owned = |(series, value): (&&str, &&str)| ((*series).to_owned(), (*value).to_owned());
        all.iter().filter(|(series, _)| is_counted(series)).map(owned).collect()
    };
    assert_eq!(counted(&together), counted(&one), "left: the shards together, right: one exporter");
    let n_calls = whole_scrape.sum("cometchat_calls_initiated_total", &[]).unwrap();
    assert!(n_calls >= 300.0, "{n_calls} calls prove little");
    let has = |scrape: &Samples, app: &str| of_apps(scrape).keys().any(|it| it.contains(app));
    let is_whole = |scrape: &Samples| has(scrape, "\"alpha\"") == has(scrape, "\"gamma\"");
    assert!(scrapes.iter().all(is_whole), "apps of one budget are in one shard");
}
