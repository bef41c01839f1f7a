//! `increase()` over what an exporter goes through: what Prometheus adds up is the recount of the
//! world, series by series, whether the exporter was restarted, killed, or lost its state.
#![expect(clippy::disallowed_methods, reason = "a date in the past depends on the date of today")]

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::{Prometheus, free_address, tool};
use crate::process::http::get;
use crate::process::samples::name;
use crate::process::{Exporter, Folder, Program, binary, until_ok};

/// Calls last a fiftieth of their usual length.
const WORLD: [&str; 6] = [
    "simulate",
    "--steady",
    "--rate-limit=10000000",
    "--duration-scale=20",
    "--rate-limit-headers=absent",
    "--live-totals",
];
/// Twelve minutes of a busy app in eighteen seconds: long enough for an exporter that finds it late: its next try may be seconds away, each of them forty.
const BUSY: [&str; 4] =
    ["--history=0s", "--speed=40", "--stop-after=12m", "--calls-per-day=150000"];
/// Nothing that a world does is later than this, in simulated seconds.
const SETTLE_S: u32 = 60;
/// Longer than a test.
const WHOLE: &str = "10m";

/// Values by the name and the labels of their series.
type Series = BTreeMap<String, f64>;

/// A Prometheus and the places of what it scrapes: exporters that read one simulated API.
struct Scene {
    prometheus: Prometheus,
    folder: Folder,
    api: String,
}

impl Scene {
    fn new(targets: &[&str]) -> Self {
        let folder = Folder::new();
        let text = format!(
            "scrape_configs: [{{job_name: cometchat, scrape_interval: 250ms, \
             scrape_timeout: 250ms, static_configs: [{{targets: {targets:?}}}]}}]\n"
        );
        let prometheus = Prometheus::start(&tool("PROMETHEUS", "prometheus"), &folder, &text);
        Self { prometheus, folder, api: free_address() }
    }

    fn world(&self, flags: &[&str]) -> Program {
        let address = format!("--web.listen-address={}", self.api);
        let mut world = Program::start(&[&WORLD[..], &[address.as_str()], flags].concat());
        world.says("base URL:");
        world
    }

    /// Starts the exporter at `target`, over the state that one there has left.
    fn exporter(&self, target: &str, count_from: &str, rate_limit: u32) -> Exporter {
        let text = format!(
            "poll: {{interval: 2s, settle: {SETTLE_S}s, lookback: 60s, per_page: 20, \
             rate_limit: {rate_limit}, rate_limit_share: 1}}\n\
             recent: {{window: 30s}}\n\
             count: {{from: {count_from}}}\n\
             state: {{path: {}}}\n\
             apps: [{{app_id: simulated, base_url: 'http://{}/v3', api_key: simulated-key}}]\n",
            self.state(target).display(),
            self.api
        );
        let config = self.folder.config(&format!("{}.yml", file_name(target)), &text);
        let config = format!("--config.file={}", config.display());
        Exporter::spawn(&mut binary(&[config, format!("--web.listen-address={target}")]))
    }

    fn state(&self, target: &str) -> std::path::PathBuf {
        self.folder.path().join(file_name(target) + ".redb")
    }

    /// What Prometheus has of one exporter, or of the only one.
    fn value(&self, expression: &str) -> Result<f64, String> {
        self.prometheus.value(expression, None)
    }

    /// Waits until Prometheus shows that this is so; the expression is empty while it is not.
    #[track_caller]
    fn wait_for(&self, expression: &str) -> f64 {
        until_ok(expression, || self.value(expression))
    }

    /// The time of the first scrape after which neither the world nor what this exporter has
    /// counted of it can change.
    #[track_caller]
    fn rested(&self, target: &str) -> f64 {
        let rested_at = until_ok("the rest of the world", || {
            let truth = self.truth("from=0");
            truth["at_rest"]
                .as_bool()
                .filter(|is| *is)
                .ok_or(truth.to_string())
                .map(|_| truth["now"].as_f64().unwrap())
        });
        self.wait_for(&format!(
            "timestamp(cometchat_tracked_calls{{instance='{target}'}}) and on (instance) \
             cometchat_tracked_calls == 0 and on (instance) \
             cometchat_covered_until_timestamp_seconds >= {rested_at}"
        ))
    }

    fn truth(&self, query: &str) -> Value {
        let answer = get(&self.api, &format!("/truth?{query}&settle={SETTLE_S}")).unwrap();
        serde_json::from_str(&answer.body).expect(&answer.body)
    }

    /// The recount of the calls since the epoch of this exporter: its counters.
    #[track_caller]
    fn recount(&self, target: &str) -> Series {
        let epoch = format!("cometchat_count_from_timestamp_seconds{{instance='{target}'}}");
        let truth = self.truth(&format!("from={}", self.value(&epoch).unwrap()));
        let series = truth["series"].as_object().unwrap().iter();
        let counters = series.filter(|(series, _)| {
            ["_total", "_bucket", "_sum", "_count"].iter().any(|end| name(series).ends_with(end))
        });
        let counters: Series = counters
            .map(|(series, value)| (of_simulator(series), value.as_f64().unwrap()))
            .collect();
        let of_calls = |series: &str| series.starts_with("cometchat_calls_total{");
        let n_calls: f64 =
            counters.iter().filter(|(series, _)| of_calls(series)).map(|(_, value)| value).sum();
        assert!(n_calls >= 40.0, "{n_calls} calls prove little");
        counters
    }

    /// A function of each family at a time. `{}` in the expression stands for the family.
    #[track_caller]
    fn evaluate(&self, expression: &str, at: f64, like: &Series) -> Series {
        let mut families: Vec<&str> = like.keys().map(|series| name(series)).collect();
        families.dedup();
        let mut values = Series::new();
        for family in families {
            let data = self.prometheus.query(&expression.replace("{}", family), Some(at)).unwrap();
            for element in data["result"].as_array().unwrap() {
                let value = element["value"][1].as_str().unwrap().parse().unwrap();
                let old = values.insert(series(family, &element["metric"]), value);
                assert_eq!(old, None, "{family}: more than one of {element}");
            }
        }
        values
    }
}

/// Where the files of an exporter are that serves at an address.
fn file_name(target: &str) -> String {
    target.replace([':', '.'], "-")
}

/// A series without what Prometheus adds to it.
fn series(family: &str, labels: &Value) -> String {
    let labels = labels.as_object().unwrap().iter();
    let labels = labels.filter(|(name, _)| !["__name__", "instance", "job"].contains(&&***name));
    written(family, labels.map(|(name, value)| (&**name, value.as_str().unwrap())))
}

/// A series of the simulator, written alike.
fn of_simulator(series: &str) -> String {
    let (family, labels) = series.trim_end_matches('}').split_once('{').unwrap();
    let pairs = labels.split(',').map(|label| label.split_once('=').unwrap());
    written(family, pairs.map(|(name, value)| (name, value.trim_matches('"'))))
}

fn written<'a>(family: &str, labels: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    // In OpenMetrics, and in all formats since Prometheus 3, the bound 5 is written 5.0.
    let bound = |value: &str| value.parse::<f64>().unwrap().to_string();
    let labels: BTreeMap<&str, String> = labels
        .map(|(name, value)| (name, if name == "le" { bound(value) } else { value.to_owned() }))
        .collect();
    format!("{family}{labels:?}")
}

/// The same series, with values that differ by no more than `tolerance`, as a part of each.
#[track_caller]
fn check(what: &str, is: &Series, should: &Series, tolerance: f64) {
    let mut differences = String::new();
    for series in is.keys().chain(should.keys()) {
        let (is, should) = (is.get(series), should.get(series));
        let is_near = is.zip(should).is_some_and(|(is, should)| {
            (is - should).abs() <= tolerance * should.abs() + 1e-9 * should.abs().max(1.0)
        });
        if !is_near {
            differences += &format!("{is:>18?} {should:>18?}  {series}\n");
        }
    }
    assert!(differences.is_empty(), "{what}: Prometheus has, and should have\n{differences}");
}

/// A date so many seconds ago.
fn ago(seconds: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    jiff::Timestamp::from_second(i64::try_from(now - seconds).unwrap()).unwrap().to_string()
}

const SEEN: &str = "sum(cometchat_calls_initiated_total)";

#[test]
fn increase_over_a_restart_and_kills_is_every_call_once() {
    let target = free_address();
    let scene = Scene::new(&[&target]);
    let start = || scene.exporter(&target, "now", 10_000_000);
    let mut exporter = start();
    scene.wait_for(&format!("{SEEN} == 0"));
    let world = scene.world(&BUSY);
    for nth in 1..=5 {
        scene.wait_for(&format!("{SEEN} >= {}", 40 * nth));
        if nth == 1 {
            exporter.program.ends_on("TERM");
        } else {
            exporter.program.dies();
        }
        exporter = start();
    }
    let at = scene.rested(&target);
    let truth = scene.recount(&target);
    // The first sample of each is 0 and the last is that of the moment: nothing is extrapolated.
    let increase = scene.evaluate(&format!("increase({{}}[{WHOLE}])"), at, &truth);
    check("increase", &increase, &truth, 0.0);
    let resets = scene.evaluate(&format!("resets({{}}[{WHOLE}]) > 0"), at, &truth);
    assert_eq!(resets, Series::new(), "a restart shows in no counter");
    exporter.program.ends_on("TERM");
    world.ends_on("TERM");
}

#[test]
fn increase_never_shows_the_past_as_new_not_even_when_the_state_is_lost() {
    let target = free_address();
    let scene = Scene::new(&[&target]);
    let world =
        scene.world(&["--history=15m", "--speed=10", "--stop-after=6m", "--calls-per-day=80000"]);
    let from = ago(800);
    let start = || scene.exporter(&target, &from, 1_400);
    let exporter = start();
    let at_once = scene.wait_for(SEEN);
    let began = scene.value("min(timestamp(cometchat_calls_initiated_total))").unwrap();
    assert!(at_once > 300.0, "the past, in one: {at_once}");
    scene.wait_for(&format!("{SEEN} >= {}", at_once + 15.0));
    exporter.program.dies();
    std::fs::remove_file(scene.state(&target)).unwrap();
    let exporter = start();
    let at = scene.rested(&target);
    let truth = scene.recount(&target);
    check("the value", &scene.evaluate("{}", at, &truth), &truth, 0.0);
    // Both starts have read the past before they showed a counter.
    let times = format!("count_over_time({{}}[{WHOLE}])");
    let n_scrapes = scene.value(&times.replace("{}", "cometchat_up")).unwrap();
    let n_shown = scene.value(&times.replace("{}", "cometchat_calls_total")).unwrap();
    assert!(n_scrapes - n_shown >= 8.0, "{n_shown} of {n_scrapes} scrapes show counters");
    assert!(scene.value(SEEN).unwrap() > at_once + 10.0, "calls that are new");
    // From the first sample of all to the last, and a millisecond of extrapolation, since the
    // newer Prometheus leave a sample at the very beginning out.
    let first = scene.evaluate("{}", began, &truth);
    let window_ms = ((at - began) * 1000.0).round() + 1.0;
    let increase = scene.evaluate(&format!("increase({{}}[{window_ms}ms])"), at, &truth);
    let should = truth.iter().map(|(series, last)| (series.clone(), last - first[series]));
    check("increase", &increase, &should.collect(), 0.0005);
    let resets = scene.evaluate(&format!("resets({{}}[{WHOLE}]) > 0"), at, &truth);
    assert_eq!(resets, Series::new(), "a counter that came back lower");
    exporter.program.ends_on("TERM");
    world.ends_on("TERM");
}

#[test]
fn increase_goes_on_from_0_where_a_lost_state_counts_from_now() {
    let target = free_address();
    let scene = Scene::new(&[&target]);
    let start = || scene.exporter(&target, "now", 10_000_000);
    let exporter = start();
    scene.wait_for(&format!("{SEEN} == 0"));
    let world =
        scene.world(&["--history=0s", "--speed=10", "--stop-after=6m", "--calls-per-day=80000"]);
    scene.wait_for(&format!("{SEEN} > 50"));
    exporter.program.dies();
    std::fs::remove_file(scene.state(&target)).unwrap();
    // No call until Prometheus has seen the 0: a reset that is over between two scrapes, with
    // more counted than before, is one that nobody can see.
    world.signal("STOP");
    let exporter = start();
    scene.wait_for(&format!("{SEEN} == 0"));
    let reset_at = scene.value("max(timestamp(cometchat_calls_total))").unwrap();
    world.signal("CONT");
    let at = scene.rested(&target);
    let truth = scene.recount(&target);
    let first = format!("max_over_time({{}}[{WHOLE}])");
    let first = scene.evaluate(&first, reset_at, &truth);
    let should = truth.iter().map(|(series, last)| (series.clone(), last + first[series]));
    let increase = scene.evaluate(&format!("increase({{}}[{WHOLE}])"), at, &truth);
    check("increase", &increase, &should.collect(), 0.0);
    exporter.program.ends_on("TERM");
    world.ends_on("TERM");
}

#[test]
fn the_larger_increase_of_two_replicas_is_every_call_once() {
    let (one, other) = (free_address(), free_address());
    let scene = Scene::new(&[&one, &other]);
    let from = ago(0);
    let start = |target| scene.exporter(target, &from, 10_000_000);
    let (steady, killed) = (start(&one), start(&other));
    scene.wait_for("count(sum by (instance) (cometchat_calls_total) == 0) == 2");
    let world = scene.world(&BUSY);
    let seen_by = |target: &str, n_calls: u32| {
        let series = format!("cometchat_calls_initiated_total{{instance='{target}'}}");
        scene.wait_for(&format!("sum({series}) >= {n_calls}"));
    };
    seen_by(&other, 60);
    killed.program.dies();
    // Down for as long as the other one takes for a hundred calls.
    seen_by(&one, 160);
    let back = start(&other);
    let (of_one, of_other) = (scene.rested(&one), scene.rested(&other));
    let truth = scene.recount(&one);
    // Each at the moment of a scrape of its own, so that nothing is extrapolated.
    let pinned = format!(
        "max without (instance) (increase({{}}{{instance='{one}'}}[{WHOLE}] @ {of_one:.3}) \
         or increase({{}}{{instance='{other}'}}[{WHOLE}] @ {of_other:.3}))"
    );
    check("pinned", &scene.evaluate(&pinned, of_other, &truth), &truth, 0.0);
    // The query of the docs, with what it extrapolates up to the moment: less than a scrape.
    let plain = format!("max without (instance) (increase({{}}[{WHOLE}]))");
    check("plain", &scene.evaluate(&plain, of_other, &truth), &truth, 0.03);
    for replica in [steady, back] {
        replica.program.ends_on("TERM");
    }
    world.ends_on("TERM");
}
