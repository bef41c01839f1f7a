//! A simulated API, an exporter that reads it, and the comparison of the two at rest.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::watch::Watch;
use crate::process::samples::{Samples, name};
use crate::process::{Exporter, Folder, Program, http, until};

/// How long a world may take until it and its exporter have come to rest.
const REST: Duration = Duration::from_secs(75);

/// A simulated API.
pub(super) struct Simulator {
    /// Kept for its end.
    _program: Program,
    pub(super) address: SocketAddr,
    pub(super) base_url: String,
    pub(super) key: String,
}

impl Simulator {
    /// Starts the simulator with these flags.
    #[track_caller]
    pub(super) fn start(flags: &[&str]) -> Self {
        let mut args = vec!["simulate", "--web.listen-address=127.0.0.1:0"];
        args.extend(flags);
        let mut program = Program::start(&args);
        let truth = program.says("truth:");
        let address = truth.trim_start_matches("http://").trim_end_matches("/truth");
        let (base_url, key) = (program.says("base URL:"), program.says("API key:"));
        Self { address: address.parse().unwrap(), base_url, key, _program: program }
    }

    /// The recount, as JSON.
    #[track_caller]
    fn truth(&self, query: &str) -> Value {
        let answer = http::get(self.address, &format!("/truth?{query}")).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    /// The simulated time, in seconds.
    #[track_caller]
    pub(super) fn now(&self) -> f64 {
        self.truth("")["now"].as_f64().unwrap()
    }

    /// The time at which the world had come to rest, once it has.
    pub(super) fn rested_at(&self) -> Option<f64> {
        let truth = self.truth("");
        truth["at_rest"].as_bool().unwrap().then(|| truth["now"].as_f64().unwrap())
    }
}

/// What a scenario sets; the rest is the same in all of them.
#[derive(Clone, Copy)]
pub(super) struct Setting<'a> {
    /// Flags of the simulator beside the usual ones.
    pub(super) world: &'a [&'a str],
    /// Rows on a page.
    pub(super) per_page: u32,
    /// `count.from`.
    pub(super) count_from: &'a str,
    /// Of simulated seconds.
    pub(super) max_open_s: u32,
    /// Further keys of `poll`.
    pub(super) poll: &'a str,
    /// Of [`QUIET`], those that must have risen.
    pub(super) loud: &'a [&'a str],
}

impl Default for Setting<'_> {
    fn default() -> Self {
        Self {
            world: &[],
            per_page: 100,
            count_from: "now",
            max_open_s: 7200,
            poll: "timeout: 20s",
            loud: &[],
        }
    }
}

/// Forty simulated seconds in a real one; calls begin for the first four minutes of them, and last
/// a fiftieth of their usual length. The request budget bounds nothing.
const WORLD: [&str; 8] = [
    "--steady",
    "--speed=40",
    "--stop-after=4m",
    "--duration-scale=20",
    "--calls-per-day=150000",
    "--history=4m",
    "--rate-limit=10000000",
    "--app-id=sim",
];
const SETTLE_S: u32 = 60;
/// The app under test in every configuration.
const APP: &str = "under test";

/// Counters that stay at 0 where nothing is ever lowered, flipped, unknown or unreadable.
const QUIET: [&str; 3] = ["corrections_total", "unknown_values_total", "records_invalid_total"];

/// A simulated API and the configuration of an exporter that reads it.
pub(super) struct Stage<'a> {
    pub(super) simulator: Simulator,
    pub(super) folder: Folder,
    pub(super) config: PathBuf,
    pub(super) watch: Watch,
    setting: Setting<'a>,
}

impl<'a> Stage<'a> {
    #[track_caller]
    pub(super) fn new(setting: Setting<'a>) -> Self {
        Self::with_other_apps(setting, |_| String::new())
    }

    /// `others` gives further lines of the list of apps.
    #[track_caller]
    pub(super) fn with_other_apps(
        setting: Setting<'a>,
        others: impl Fn(&Simulator) -> String,
    ) -> Self {
        let simulator = Simulator::start(&merged(setting.world));
        let folder = Folder::new();
        let text = config(&simulator, &folder, setting) + &others(&simulator);
        let config = folder.config("exporter.yaml", &text);
        Self { simulator, folder, config, watch: Watch::start(), setting }
    }

    /// Starts the exporter; from now on it is watched.
    #[track_caller]
    pub(super) fn exporter(&self) -> Exporter {
        self.exporter_with(&[])
    }

    /// The same with further flags.
    #[track_caller]
    pub(super) fn exporter_with(&self, flags: &[&str]) -> Exporter {
        let exporter = Exporter::start_with(&self.config, flags);
        self.watch.follow(exporter.address);
        exporter
    }

    /// Waits until the exporter has counted anything at all of what it will count.
    #[track_caller]
    pub(super) fn wait_for_calls(&self, exporter: &Exporter, n_calls: f64) {
        until(&format!("{n_calls} calls"), REST, || {
            let counted = exporter.scrape().sum("cometchat_calls_initiated_total", &[app_label()]);
            counted.filter(|&counted| counted >= n_calls)
        });
    }

    /// Changes the configuration of the exporter that is to be started.
    #[track_caller]
    pub(super) fn edit(&self, old: &str, new: &str) {
        let text = std::fs::read_to_string(&self.config).unwrap();
        assert!(text.contains(old), "{text}");
        self.folder.config("exporter.yaml", &text.replace(old, new));
    }

    /// The configuration with another state file and something else replaced.
    pub(super) fn config_with(&self, old: &str, new: &str) -> String {
        let text = std::fs::read_to_string(&self.config).unwrap();
        let state = self.folder.state().display().to_string();
        assert!(text.contains(old) && text.contains(&state), "{text}");
        text.replace(old, new).replace(&state, &format!("{state}.other"))
    }

    /// Waits until nothing can change any more, neither in the world nor in what was counted of it.
    #[track_caller]
    pub(super) fn wait_for_rest(&self, exporter: &Exporter) -> Samples {
        let at = until("the rest of the world", REST, || self.simulator.rested_at());
        // A call leaves the ledger once it is final, settled and older than the lookback.
        until("the rest of the exporter", REST, || {
            let scrape = exporter.scrape();
            let one = |name: &str| scrape.get(&format!("{name}{{{}}}", app_label()));
            let is_covered = one("cometchat_covered_until_timestamp_seconds")? >= at;
            let is_done = one("cometchat_tracked_calls")? == 0.0;
            (is_covered && is_done).then_some(scrape)
        })
    }

    /// Waits for rest and compares what was counted with the world. Returns the last scrape.
    #[track_caller]
    pub(super) fn compare_at_rest(self, exporter: &Exporter) -> Samples {
        let rested = self.wait_for_rest(exporter);
        let truth = self.truth(&rested);
        let n_calls = truth["calls"].as_u64().unwrap();
        assert!(n_calls >= 40, "a world of {n_calls} calls proves little");
        compare(&rested, &truth);
        for quiet in QUIET {
            let sum = rested.sum(&format!("cometchat_{quiet}"), &[app_label()]);
            let is_loud = sum.is_some_and(|sum| sum > 0.0);
            assert_eq!(is_loud, self.setting.loud.contains(&quiet), "cometchat_{quiet} {sum:?}");
        }
        self.watch.stop();
        rested
    }

    #[track_caller]
    fn truth(&self, scrape: &Samples) -> Value {
        let from =
            scrape.get(&format!("cometchat_count_from_timestamp_seconds{{{}}}", app_label()));
        self.simulator.truth(&format!(
            "from={}&max_open={}&settle={SETTLE_S}&app={}",
            from.unwrap(),
            self.setting.max_open_s,
            APP.replace(' ', "%20"),
        ))
    }
}

/// The usual flags, each replaced by that of the scenario if it has one.
fn merged<'a>(flags: &[&'a str]) -> Vec<&'a str> {
    let key = |flag: &'a str| flag.split('=').next();
    let usual = WORLD.into_iter().filter(|old| flags.iter().all(|new| key(new) != key(old)));
    usual.chain(flags.iter().copied()).collect()
}

/// The label of the app under test.
pub(super) const fn app_label() -> &'static str {
    "cometchat_app=\"under test\""
}

fn config(simulator: &Simulator, folder: &Folder, setting: Setting<'_>) -> String {
    let Setting { per_page, count_from, max_open_s, poll, .. } = setting;
    format!(
        "poll: {{ interval: 1s, per_page: {per_page}, settle: {SETTLE_S}s, lookback: 60s, \
         max_open: {max_open_s}s, rate_limit: 10000000, rate_limit_share: 1, {poll} }}\n\
         count: {{ from: {count_from} }}\n\
         recent: {{ window: 30s }}\n\
         state: {{ path: {state} }}\n\
         apps:\n  - {{ name: {APP}, app_id: sim, base_url: '{url}', api_key: {key} }}\n",
        state = folder.state().display(),
        url = simulator.base_url,
        key = simulator.key,
    )
}

/// Every series of the truth, and no other of the same families, with the same digits.
#[track_caller]
fn compare(scrape: &Samples, truth: &Value) {
    let truth: BTreeMap<&str, String> = truth["series"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(series, value)| (series.as_str(), value.to_string()))
        .collect();
    let families: BTreeSet<&str> = truth.keys().map(|series| name(series)).collect();
    let served = |series: &str| series.contains(app_label()) && families.contains(name(series));
    let served: BTreeMap<&str, &String> = scrape
        .values
        .iter()
        .filter(|(series, _)| served(series))
        .map(|(series, value)| (series.as_str(), value))
        .collect();
    let all: BTreeSet<&str> = truth.keys().chain(served.keys()).copied().collect();
    let mut differences = String::new();
    for series in &all {
        let (is, should) = (served.get(series).copied(), truth.get(series));
        if is != should {
            let word = |value: Option<&String>| value.map_or("absent", String::as_str).to_owned();
            differences += &format!("{:>14} {:>14}  {series}\n", word(is), word(should));
        }
    }
    assert!(
        differences.is_empty(),
        "of {} series differ:\n{:>14} {:>14}\n{differences}",
        all.len(),
        "/metrics",
        "/truth"
    );
}
