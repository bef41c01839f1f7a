//! The real tools: Prometheus scrapes, promtool lints, the reference parser reads.

mod formats;
mod increase;

use std::env;
use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::process::http::get;
use crate::process::samples::Samples;
use crate::process::{Exporter, Folder, Program, until_ok};

/// The program that a variable names, or one of that name in `PATH`.
#[track_caller]
pub(crate) fn tool(variable: &str, name: &str) -> String {
    let program = env::var(variable).unwrap_or_else(|_| name.to_owned());
    let runs = Command::new(&program).arg("--version").output().is_ok();
    assert!(runs, "needs {name} (as {variable} or in PATH): run tests/run, which brings it");
    program
}

/// The Prometheus that a variable names; one of version 3 may be missing.
#[track_caller]
pub(crate) fn prometheus_of(variable: &str) -> Option<String> {
    match env::var(variable) {
        Ok(program) => Some(program),
        Err(_) if variable != "PROMETHEUS_3" => Some(tool(variable, "prometheus")),
        Err(_) => {
            eprintln!("left out: PROMETHEUS_3 is not set; tests/run brings it if it can");
            None
        }
    }
}

/// Runs a tool that takes an exposition from its standard input.
pub(crate) fn feed(command: &mut Command, exposition: &str) -> Output {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    child.stdin.take().unwrap().write_all(exposition.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// What the demo shows once it has read its calls, through the whole program.
pub(crate) fn demo_exposition() -> String {
    let mut demo = Program::start(&["demo", "--web.listen-address=127.0.0.1:0"]);
    let url = demo.says("Metrics:");
    let address = url.strip_prefix("http://").unwrap().strip_suffix("/metrics").unwrap();
    let exposition = until_ok("calls that are counted", || {
        let answer = get(address, "/metrics")?;
        assert_eq!(answer.status, 200);
        assert!(
            answer.head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"),
            "Prometheus 3 takes no other: {}",
            answer.head
        );
        if counted(&answer.body) > 0.0 { Ok(answer.body) } else { Err(answer.body) }
    });
    demo.ends_on("TERM");
    exposition
}

/// The finished calls in an exposition.
fn counted(exposition: &str) -> f64 {
    Samples::parse(exposition).sum("cometchat_calls_total", &[]).unwrap_or_default()
}

#[test]
fn promtool_and_the_reference_parser_have_nothing_to_say_about_the_demo() {
    let exposition = demo_exposition();
    for (variable, name) in [("PROMTOOL", "promtool"), ("PROMTOOL_NEWER", "promtool")] {
        let output =
            feed(Command::new(tool(variable, name)).args(["check", "metrics"]), &exposition);
        let said = [output.stdout, output.stderr].concat();
        assert_eq!(String::from_utf8_lossy(&said), "", "{variable}");
        assert!(output.status.success(), "{variable}");
    }
    check_strictly(&exposition, &[]);
}

/// The reference parser finds every family, and nothing wrong.
#[track_caller]
pub(crate) fn check_strictly(exposition: &str, arguments: &[&str]) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/strict_parse.py");
    let mut command = Command::new(tool("PYTHON", "python3"));
    let output = feed(command.arg(script).args(arguments), exposition);
    assert!(
        output.status.success(),
        "{}\nwithout prometheus_client: run tests/run, which brings it",
        String::from_utf8_lossy(&output.stderr)
    );
    let n_families = exposition.matches("# TYPE ").count();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), n_families.to_string());
}

#[test]
fn the_oldest_prometheus_sees_every_call_from_the_first() {
    check_scrapes(&tool("PROMETHEUS", "prometheus"));
}

#[test]
fn the_present_prometheus_sees_every_call_from_the_first() {
    let why = "needs a newer Prometheus as PROMETHEUS_NEWER: run tests/run, which brings it";
    check_scrapes(&env::var("PROMETHEUS_NEWER").expect(why));
}

#[test]
fn prometheus_3_sees_every_call_from_the_first() {
    if let Some(program) = prometheus_of("PROMETHEUS_3") {
        check_scrapes(&program);
    }
}

/// A Prometheus with a configuration of its own.
pub(crate) struct Prometheus {
    pub(crate) address: String,
    _program: Program,
}

impl Prometheus {
    pub(crate) fn start(program: &str, folder: &Folder, text: &str) -> Self {
        Self::start_with(program, folder, text, "exemplar-storage")
    }

    /// `features` stand behind `--enable-feature`.
    fn start_with(program: &str, folder: &Folder, text: &str, features: &str) -> Self {
        let config = folder.config("prometheus.yml", text);
        let mut program = Program::spawn(Command::new(program).env_clear().args([
            &format!("--config.file={}", config.display()),
            &format!("--storage.tsdb.path={}", folder.path().join("data").display()),
            &format!("--enable-feature={features}"),
            // Keeps a past that a test has put there.
            "--storage.tsdb.retention.time=100y",
            "--web.listen-address=127.0.0.1:0",
        ]));
        // Between the two stands the component, from version 3 on.
        let line = program.logs("msg=\"Listening on\"");
        let (_, address) = line.split_once("address=").unwrap();
        let address = address.split_whitespace().next().unwrap().to_owned();
        Self { address, _program: program }
    }

    /// The data of an answer of its API.
    pub(crate) fn api(&self, path: &str) -> Result<Value, String> {
        let answer = get(&self.address, path)?;
        let mut reply: Value = serde_json::from_str(&answer.body).map_err(|e| e.to_string())?;
        if reply["status"] == "success" { Ok(reply["data"].take()) } else { Err(answer.body) }
    }

    /// What Prometheus answers to an expression.
    pub(crate) fn result(&self, expression: &str) -> Result<Value, String> {
        self.query(expression, None)
    }

    pub(crate) fn query(&self, expression: &str, at: Option<f64>) -> Result<Value, String> {
        let escape = |char: char| format!("%{:02X}", u32::from(char));
        let query: String = expression.chars().map(escape).collect();
        let time = at.map(|at| format!("&time={at}")).unwrap_or_default();
        self.api(&format!("/api/v1/query?query={query}{time}"))
    }

    /// The value of an expression with at most one series; at a Unix time, if one is given.
    pub(crate) fn value(&self, expression: &str, at: Option<f64>) -> Result<f64, String> {
        let data = self.query(expression, at)?;
        let value = data["result"][0]["value"][1].as_str();
        value
            .ok_or(format!("no result of {expression}: {data}"))?
            .parse()
            .map_err(|_| data.to_string())
    }
}

/// The configuration to scrape a target each second.
pub(crate) fn scrapes(target: &str) -> String {
    scrapes_with(target, "")
}

/// The same, with `more` in the scrape configuration.
pub(crate) fn scrapes_with(target: &str, more: &str) -> String {
    format!(
        "scrape_configs: [{{job_name: cometchat, scrape_interval: 1s, scrape_timeout: 1s, \
         static_configs: [{{targets: ['{target}']}}]{more}}}]\n"
    )
}

/// An exporter that is scraped before its first call exists, then a small busy world until all of
/// its calls have ended: what Prometheus adds up must be every call, the first one too.
fn check_scrapes(program: &str) {
    let folder = Folder::new();
    let api = free_address();
    let exporter = start_exporter(&folder, &api);
    let target = exporter.address.to_string();
    let prometheus = Prometheus::start(program, &folder, &scrapes(&target));
    until_ok("a scrape that shows no call", || {
        let n_calls = prometheus.value("sum(cometchat_calls_total)", None)?;
        assert_eq!(n_calls, 0.0, "there is no call yet");
        Ok(())
    });
    let mut world = Program::start(&[
        "simulate",
        &format!("--web.listen-address={api}"),
        "--history=0s",
        "--steady",
        "--calls-per-day=200000",
        "--stop-after=15s",
        "--duration-scale=10",
        "--rate-limit=20000",
    ]);
    assert_eq!(world.says("base URL:"), format!("http://{api}/v3"));
    let n_calls = until_ok("the end of all calls", || rest(&api, &target));
    assert!(n_calls >= 10.0, "a world with {n_calls} calls shows little");
    until_ok("a scrape at rest", || {
        let seen = prometheus.value("sum(cometchat_calls_total)", None)?;
        if seen == n_calls { Ok(()) } else { Err(format!("{seen} of {n_calls}")) }
    });
    check_increase(&prometheus, n_calls);
    until_ok("20 scrapes", || {
        let n_scrapes = prometheus.value("sum_over_time(up[1h])", None)?;
        if n_scrapes >= 20.0 { Ok(()) } else { Err(n_scrapes.to_string()) }
    });
    check_targets(&prometheus);
    formats::check_exemplars(&prometheus);
    formats::check_strictly_in_each(&target);
    formats::check_native(program, &target);
    exporter.program.ends_on("TERM");
    world.ends_on("TERM");
}

/// An exporter that reads the simulated API at `api` with the key in the file `key` of the folder.
pub(crate) fn start_exporter(folder: &Folder, api: &str) -> Exporter {
    let key = folder.config("key", "simulated-key");
    let text = format!(
        "apps: [{{name: simulated, app_id: simulated, base_url: 'http://{api}/v3', \
         api_key_file: {}}}]\npoll: {{interval: 1s, rate_limit: 20000}}\nstate: {{path: memory}}\n\
         metrics: {{exemplars: true, created: true}}\n",
        key.display()
    );
    Exporter::start(&folder.config("exporter.yml", &text))
}

/// An address that nobody listens on.
pub(crate) fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// The number of calls, once the world is at rest and the exporter has counted all of them.
fn rest(api: &str, exporter: &str) -> Result<f64, String> {
    let truth = get(api, "/truth")?.body;
    let parsed: Value = serde_json::from_str(&truth).map_err(|error| error.to_string())?;
    if parsed["at_rest"] != true {
        return Err(truth);
    }
    let series = parsed["series"].as_object().unwrap().iter();
    let n_true: f64 = series
        .filter(|(name, _)| name.starts_with("cometchat_calls_total{"))
        .map(|(_, value)| value.as_f64().unwrap())
        .sum();
    let counted = counted(&get(exporter, "/metrics")?.body);
    if counted == n_true { Ok(n_true) } else { Err(format!("{counted} of {n_true}")) }
}

/// `increase()` guesses beyond the first and the last sample; it guesses nothing for a counter that
/// begins at 0, when it is asked for the very moment of a sample.
fn check_increase(prometheus: &Prometheus, n_calls: f64) {
    let at = until_ok("a scrape at rest", || {
        prometheus.value("max(timestamp(cometchat_calls_total))", None)
    });
    let increase = prometheus.value("sum(increase(cometchat_calls_total[10m]))", Some(at)).unwrap();
    assert!((increase - n_calls).abs() < 1e-6, "increase() shows {increase} of {n_calls} calls");
}

fn check_targets(prometheus: &Prometheus) {
    // On a busy machine a scrape may come too late; the next one does not.
    until_ok("a scrape that fails in nothing", || {
        let targets = prometheus.api("/api/v1/targets")?;
        let target = &targets["activeTargets"][0];
        let is_well = target["health"] == "up" && target["lastError"] == "";
        if is_well { Ok(()) } else { Err(targets.to_string()) }
    });
    // In OpenMetrics a family of counters has a name without `_total`.
    let known = prometheus.api("/api/v1/metadata?metric=cometchat_calls").unwrap();
    assert_eq!(known["cometchat_calls"][0]["type"], "counter", "{known}");
    let own = get(&prometheus.address, "/metrics").unwrap().body;
    let refused: Vec<_> = own
        .lines()
        .filter(|line| line.starts_with("prometheus_target_scrape") && line.contains("_total"))
        .filter(|line| ["exceeded", "sample_", "rejected"].iter().any(|word| line.contains(word)))
        .filter(|line| !line.ends_with(" 0"))
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
}
