//! Backfill, then an exporter, then one that lost its state: for Prometheus it is one history.

use std::fs;

use super::stage::{
    Stage, Values, check_increase, copy_blocks, date, make_blocks, now_s, over, rising,
};
use crate::process::{Exporter, Folder, until_ok};
use crate::prometheus::{Prometheus, prometheus_of};

/// Three hours of past calls; others begin for twenty seconds more. A recording is there with the end of
/// its call: one that came later would be seen minutes later only.
const WORLD: [&str; 6] = [
    "--steady",
    "--history=3h",
    "--stop-after=20s",
    "--calls-per-day=110000",
    "--duration-scale=3",
    "--late-recordings=false",
];

#[test]
fn history_the_present_and_a_refill_are_one_without_a_step() {
    let from = now_s() - 2 * 3600;
    let stage = Stage::new(&WORLD, "rate_limit_share: 1, max_open: 1h", &date(from));
    let output = stage.folder.path().join("history.om");
    let said = stage.backfill(&output, &["--step=1m"]);
    assert!(said.contains(&date(from)), "--from is count.from where it is not given: {said}");
    let blocks = Folder::new();
    make_blocks("PROMTOOL", &output, &blocks);
    let end_of_history = now_s();

    let exporter = Exporter::start(&stage.config);
    let target = exporter.address.to_string();
    let variables = ["PROMETHEUS", "PROMETHEUS_NEWER", "PROMETHEUS_3"];
    let servers: Vec<Server> = variables
        .into_iter()
        .filter_map(|variable| {
            Some(Server::start(variable, &prometheus_of(variable)?, &blocks, &target))
        })
        .collect();
    for server in &servers {
        // The history itself is seen for five minutes more.
        let newest = "max(timestamp(cometchat_calls_total{job=\"cometchat\"}))";
        server.sees("a scrape of the exporter", &format!("{newest} > {end_of_history}"));
    }
    // The state is lost; calls go on meanwhile.
    exporter.program.dies();
    fs::remove_file(stage.folder.state()).unwrap();
    let address = format!("--web.listen-address={target}");
    let config = format!("--config.file={}", stage.config.display());
    let exporter = Exporter::spawn(&mut crate::process::binary(&[config, address]));

    let truth = until_ok("the rest of the world", || {
        let truth = stage.truth(from);
        if truth["at_rest"] == true { Ok(truth) } else { Err(truth["next_event_at"].to_string()) }
    });
    let truth = rising(&truth);
    let n_calls: f64 = named(&truth, "cometchat_calls_total{").sum();
    assert!(n_calls > 5000.0, "{n_calls} calls show little");
    for server in &servers {
        server.check(from, &truth, n_calls);
    }
    exporter.program.ends_on("TERM");
}

fn named<'a>(values: &'a Values, name: &'a str) -> impl Iterator<Item = f64> {
    values.iter().filter(move |(series, _)| series.starts_with(name)).map(|(_, value)| *value)
}

/// A Prometheus with the history, which scrapes the exporter.
struct Server {
    variable: &'static str,
    prometheus: Prometheus,
    /// Kept for its end.
    _folder: Folder,
}

impl Server {
    fn start(variable: &'static str, program: &str, blocks: &Folder, target: &str) -> Self {
        let folder = Folder::new();
        copy_blocks(blocks, &folder);
        let text = format!(
            "scrape_configs: [{{job_name: cometchat, scrape_interval: 1s, scrape_timeout: 1s, \
             static_configs: [{{targets: ['{target}'], labels: {{instance: exporter}}}}]}}]\n"
        );
        let prometheus = Prometheus::start(program, &folder, &text);
        Self { variable, prometheus, _folder: folder }
    }

    #[track_caller]
    fn sees(&self, what: &str, expression: &str) {
        until_ok(what, || self.prometheus.value(expression, None));
    }

    /// Over all of it, increases are what the recount says, and nothing ever fell.
    #[track_caller]
    fn check(&self, from: i64, truth: &Values, n_calls: f64) {
        let variable = self.variable;
        until_ok("a scrape at rest", || {
            let seen =
                self.prometheus.value("sum(cometchat_calls_total{job=\"cometchat\"})", None)?;
            if seen == n_calls { Ok(()) } else { Err(format!("{seen} of {n_calls}")) }
        });
        let at = self.prometheus.value("max(timestamp(cometchat_calls_total))", None).unwrap();
        check_increase(variable, &self.prometheus, truth, (from, at));
        let resets = over(&self.prometheus, "resets", truth, (from, at));
        assert_eq!(resets.values().sum::<f64>(), 0.0, "{variable}: {resets:?}");
    }
}
