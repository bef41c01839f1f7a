//! A simulated API, a configuration that reads it, and what Prometheus makes of the output.
#![expect(clippy::disallowed_methods, reason = "dates hang on the date of today")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::process::http::get;
use crate::process::{Folder, Program, binary};
use crate::prometheus::{Prometheus, tool};

/// Seconds since the Unix epoch.
pub(super) fn now_s() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}

/// As `--from` takes it.
pub(super) fn date(at: i64) -> String {
    jiff::Timestamp::from_second(at).unwrap().to_string()
}

pub(super) struct Stage {
    /// Kept for its end.
    pub(super) _world: Program,
    pub(super) api: String,
    pub(super) folder: Folder,
    pub(super) config: PathBuf,
}

impl Stage {
    /// `poll` are further settings of the polling.
    pub(super) fn new(world: &[&str], poll: &str, count_from: &str) -> Self {
        let world = [&["--rate-limit=10000000"], world].concat();
        Self::limited(&world, &format!("rate_limit: 10000000, {poll}"), count_from)
    }

    /// The same without a word about the limit of requests.
    pub(super) fn limited(world: &[&str], poll: &str, count_from: &str) -> Self {
        let fixed = ["simulate", "--web.listen-address=127.0.0.1:0"];
        let mut program = Program::start(&[&fixed[..], &["--app-id=sim"], world].concat());
        let api = program.says("truth:");
        let api = api.trim_start_matches("http://").trim_end_matches("/truth").to_owned();
        let folder = Folder::new();
        let key = folder.config("key", "simulated-key");
        let text = format!(
            "apps: [{{name: shop, app_id: sim, base_url: 'http://{api}/v3', api_key_file: {key}}}]\n\
             poll: {{interval: 1s, {poll}}}\n\
             count: {{from: {count_from}}}\nstate: {{path: {state}}}\n",
            key = key.display(),
            state = folder.state().display(),
        );
        let config = folder.config("exporter.yml", &text);
        Self { _world: program, api, folder, config }
    }

    /// The command, up to what is its own each time.
    pub(super) fn command(&self, output: &Path, flags: &[&str]) -> Command {
        let config = format!("--config.file={}", self.config.display());
        command_as("exporter", output, &[&[config.as_str()], flags].concat())
    }

    /// Runs the command to its end, and returns what it said.
    #[track_caller]
    pub(super) fn backfill(&self, output: &Path, flags: &[&str]) -> String {
        ended(&mut self.command(output, flags))
    }

    /// The recount of all calls since `from`.
    #[track_caller]
    pub(super) fn truth(&self, from: i64) -> Value {
        let answer = get(self.api.as_str(), &format!("/truth?from={from}&app=shop")).unwrap();
        serde_json::from_str(&answer.body).unwrap()
    }
}

/// The command, with labels as of a scrape of `instance`.
pub(super) fn command_as(instance: &str, output: &Path, flags: &[&str]) -> Command {
    let fixed = [
        "backfill".to_owned(),
        format!("--output={}", output.display()),
        "--label=job=cometchat".to_owned(),
        format!("--label=instance={instance}"),
    ];
    let flags = flags.iter().map(|flag| (*flag).to_owned());
    binary(&fixed.into_iter().chain(flags).collect::<Vec<_>>())
}

/// Expects that the command succeeds, and returns what it said.
#[track_caller]
pub(super) fn ended(command: &mut Command) -> String {
    let (code, said) = Program::spawn(command).ends();
    assert_eq!(code, Some(0), "{said}");
    said
}

/// Makes blocks of the output, in the folder where a Prometheus of this folder looks for them.
pub(super) fn make_blocks(promtool: &str, output: &Path, folder: &Folder) {
    let made = Command::new(tool(promtool, "promtool"))
        .args(["tsdb", "create-blocks-from", "--max-block-duration=768h", "openmetrics", "-q"])
        .args([output, &folder.path().join("data")])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// The same blocks for another Prometheus.
pub(super) fn copy_blocks(from: &Folder, to: &Folder) {
    let data = from.path().join("data");
    let copied = Command::new("cp").arg("-r").arg(data).arg(to.path()).status().unwrap();
    assert!(copied.success());
}

/// Series by name and sorted labels, without those of the scrape.
pub(super) type Values = BTreeMap<String, f64>;

/// The counters and histograms of the recount.
pub(super) fn rising(truth: &Value) -> Values {
    let gauges = ["cometchat_calls_open", "cometchat_participants_open"];
    let all = truth["series"].as_object().unwrap().iter();
    let rising = all.filter(|(series, _)| gauges.iter().all(|name| !series.starts_with(name)));
    rising.map(|(series, value)| (sorted(series), value.as_f64().unwrap())).collect()
}

/// `name{…}` with its labels in order.
fn sorted(series: &str) -> String {
    let (name, labels) = series.split_once('{').unwrap();
    // No value in the simulated world holds a comma.
    let mut labels: Vec<&str> = labels.trim_end_matches('}').split(',').collect();
    labels.sort_unstable();
    format!("{name}{{{}}}", labels.join(","))
}

/// What Prometheus says to `function(NAME[window])` of each name in `names`, by series.
#[track_caller]
pub(super) fn over(
    prometheus: &Prometheus,
    function: &str,
    names: &Values,
    (from, to): (i64, f64),
) -> Values {
    // The first sample lies within the window, whether its left end belongs to it (2.x) or not (3).
    #[expect(clippy::cast_precision_loss, reason = "seconds of this century")]
    let window_ms = (to - from as f64) * 1000.0 + 1.0;
    let mut names: Vec<&str> = names.keys().filter_map(|series| series.split('{').next()).collect();
    names.dedup();
    let mut values = Values::new();
    for name in names {
        let expression = format!("{function}({name}{{job=\"cometchat\"}}[{window_ms:.0}ms])");
        let data = prometheus.query(&expression, Some(to)).unwrap();
        for sample in data["result"].as_array().unwrap() {
            let labels = sample["metric"].as_object().unwrap().iter();
            let labels = labels.filter(|(label, _)| !["job", "instance"].contains(&label.as_str()));
            let labels: Vec<String> =
                labels.filter(|(label, _)| *label != "__name__").map(label_text).collect();
            let value = sample["value"][1].as_str().unwrap().parse().unwrap();
            let series = format!("{name}{{{}}}", labels.join(","));
            assert_eq!(values.insert(series, value), None, "{expression}: twice: {data}");
        }
    }
    values
}

/// Prometheus writes bounds of buckets as OpenMetrics does or as the text format does.
fn label_text((name, value): (&String, &Value)) -> String {
    let value = value.as_str().unwrap();
    let value = if name == "le" { value.trim_end_matches(".0") } else { value };
    format!("{name}=\"{value}\"")
}

/// Over all of the history, what Prometheus calls the increase of each series is the recount.
#[track_caller]
pub(super) fn check_increase(who: &str, prometheus: &Prometheus, truth: &Values, span: (i64, f64)) {
    let increases = over(prometheus, "increase", truth, span);
    let mut differences = String::new();
    for (series, should) in truth {
        let is = increases.get(series).copied().unwrap_or(f64::NAN);
        let is_right = (is - should).abs() <= should * 1e-6;
        if !is_right {
            differences += &format!("{is:>14} {should:>14}  {series}\n");
        }
    }
    assert!(differences.is_empty(), "{who}: increase() and truth differ\n{differences}");
    assert_eq!(increases.len(), truth.len(), "{who}");
}
