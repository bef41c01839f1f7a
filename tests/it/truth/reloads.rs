//! A configuration that is read again while the exporter polls: what stays goes on as if nothing had
//! happened.
#![expect(clippy::disallowed_methods, reason = "requests over time are bounded by real time")]

use std::thread;
use std::time::{Duration, Instant};

use super::stage::{Setting, Stage, app_label};
use crate::process::{Exporter, http, until};

const LIFECYCLE: [&str; 1] = ["--web.enable-lifecycle"];
const SOON: Duration = Duration::from_secs(30);
const OK: &str = "cometchat_config_last_reload_successful";
const OK_AT: &str = "cometchat_config_last_reload_success_timestamp_seconds";

/// Asks for a reload over HTTP: the status, and the text.
#[track_caller]
fn reload(exporter: &Exporter) -> (u16, String) {
    let answer = http::ask("POST", exporter.address, "/-/reload").unwrap();
    (answer.status, answer.body)
}

impl Stage<'_> {
    fn text(&self) -> String {
        std::fs::read_to_string(&self.config).unwrap()
    }

    fn write(&self, text: &str) {
        std::fs::write(&self.config, text).unwrap();
    }

    /// Writes the configuration and has it read.
    #[track_caller]
    fn reload(&self, exporter: &Exporter, text: &str) -> String {
        self.write(text);
        let (status, said) = reload(exporter);
        assert_eq!(status, 200, "{said}");
        said
    }

    /// The line of an app that the API refuses.
    fn locked_app(&self, name: &str) -> String {
        let url = &self.simulator.base_url;
        format!("  - {{ name: {name}, app_id: {name}, base_url: '{url}', api_key: wrong }}\n")
    }
}

fn one(exporter: &Exporter, name: &str) -> Option<f64> {
    exporter.scrape().get(name)
}

#[test]
fn truth_is_kept_over_reloads_while_polls_go_on() {
    let world = ["--seed=21", "--live-totals", "--per-page-max=20"];
    let stage = Stage::new(Setting { world: &world, ..Setting::default() });
    let exporter = stage.exporter_with(&LIFECYCLE);
    stage.wait_for_calls(&exporter, 20.0);
    let text = stage.text();
    assert_eq!(reload(&exporter), (200, "apps: 1 unchanged\n".into()));
    for n_calls in [40.0, 60.0, 80.0] {
        // Others come and go, and then every app gets a new task in the middle of its reading.
        let said = stage.reload(&exporter, &(text.clone() + &stage.locked_app("passing")));
        assert_eq!(said, "apps: 1 added (passing), 1 unchanged\n");
        assert_eq!(stage.reload(&exporter, &text), "apps: 1 removed (passing), 1 unchanged\n");
        let other = text.replace("per_page: 100", "per_page: 50");
        let said = stage.reload(&exporter, &other);
        assert_eq!(said, "apps: 1 with new settings (under test), 0 unchanged\n");
        stage.reload(&exporter, &text);
        stage.wait_for_calls(&exporter, n_calls);
    }
    assert_eq!(stage.simulator.rested_at(), None, "the world went on meanwhile");
    let rested = stage.compare_at_rest(&exporter);
    assert_eq!(rested.sum("cometchat_app_restarts_total", &[]), Some(0.0));
    exporter.program.ends_on("TERM");
}

#[test]
fn an_app_that_is_removed_and_added_again_keeps_its_counts() {
    let stage = Stage::new(Setting { world: &["--seed=22"], ..Setting::default() });
    let text = stage.text();
    let (head, _) = text.split_once("  - ").unwrap();
    let without = head.to_owned() + &stage.locked_app("other");
    // It is not watched while it is away.
    let exporter = Exporter::start_with(&stage.config, &LIFECYCLE);
    stage.wait_for_calls(&exporter, 40.0);
    let calls = "cometchat_calls_initiated_total";
    let requests = "cometchat_api_requests_total";
    let before = exporter.scrape();
    let said = stage.reload(&exporter, &without);
    assert_eq!(said, "apps: 1 added (other), 1 removed (under test), 0 unchanged\n");
    let without = exporter.scrape();
    let left: Vec<_> =
        without.values.keys().filter(|series| series.contains(app_label())).collect();
    assert!(left.is_empty(), "{left:?}");
    // Gone for longer than its last poll covers.
    until("a second", SOON, {
        let began = Instant::now();
        move || (began.elapsed() > Duration::from_secs(2)).then_some(())
    });
    stage.reload(&exporter, &text);
    let after = exporter.scrape();
    for name in [calls, requests] {
        let (before, after) = (before.sum(name, &[app_label()]), after.sum(name, &[app_label()]));
        assert!(after >= before && before > Some(0.0), "{name}: {before:?} -> {after:?}");
    }
    stage.watch.follow(exporter.address);
    stage.compare_at_rest(&exporter);
    exporter.program.ends_on("TERM");
}

#[test]
fn a_bad_file_changes_nothing_and_is_told_with_every_fault() {
    let stage = Stage::new(Setting { world: &["--seed=23"], ..Setting::default() });
    let mut exporter = stage.exporter_with(&LIFECYCLE);
    let text = stage.text();
    let started_at = one(&exporter, OK_AT).unwrap();
    assert_eq!(one(&exporter, OK), Some(1.0));
    let bad = text.replace("interval: 1s", "interval: soon").replace("count:", "counts:");
    stage.write(&bad);
    let (status, said) = reload(&exporter);
    assert_eq!(status, 500);
    assert!(said.starts_with("the configuration before stays in force:\n"), "{said}");
    let faults: Vec<&str> = said.trim_end().lines().skip(1).collect();
    assert_eq!(faults.len(), 2, "{said}");
    assert!(faults[0].contains("poll.interval must be a duration"), "{said}");
    assert!(faults[1].contains("unknown key `counts`"), "{said}");
    assert!(!said.contains(&stage.simulator.key), "{said}");
    let line = exporter.program.logs("the configuration cannot be used (POST /-/reload), ");
    assert!(faults.iter().all(|fault| line.contains(fault)), "{line}\n{said}");
    assert_eq!((one(&exporter, OK), one(&exporter, OK_AT)), (Some(0.0), Some(started_at)));
    // A date that the state does not count from is refused as at the start.
    stage.wait_for_calls(&exporter, 20.0);
    stage.write(&text.replace("from: now", "from: 2026-01-31T00:00:00Z"));
    let (status, said) = reload(&exporter);
    assert!(status == 500 && said.contains("but count.from says 2026-01-31"), "{said}");
    // Neither a file that is gone.
    std::fs::remove_file(&stage.config).unwrap();
    let (status, said) = reload(&exporter);
    assert!(status == 500 && said.contains("cannot be read: no such file"), "{said}");
    stage.reload(&exporter, &text);
    assert_eq!(one(&exporter, OK), Some(1.0));
    assert!(one(&exporter, OK_AT).unwrap() > started_at);
    stage.compare_at_rest(&exporter);
    exporter.program.ends_on("TERM");
}

#[test]
fn what_a_reload_cannot_change_is_named_and_kept() {
    let stage = Stage::new(Setting { world: &["--seed=24"], ..Setting::default() });
    let mut exporter = stage.exporter_with(&LIFECYCLE);
    let text = stage.text();
    let state = stage.folder.state().display().to_string();
    let said = stage.reload(&exporter, &text.replace(&state, "elsewhere.redb"));
    let sentence = format!(
        "state.path is now elsewhere.redb, but the counts stay in {state}: restart the exporter to \
         change that"
    );
    assert_eq!(said, format!("apps: 1 unchanged\n{sentence}\n"));
    exporter.program.logs(&sentence);
    stage.compare_at_rest(&exporter);
    exporter.program.ends_on("TERM");
}

#[test]
fn since_when_counters_count_is_told_from_a_reload_on() {
    let stage = Stage::new(Setting { world: &["--seed=26"], ..Setting::default() });
    let exporter = stage.exporter_with(&LIFECYCLE);
    stage.wait_for_calls(&exporter, 20.0);
    let is_told = |name: &str| {
        let format = "application/openmetrics-text;version=1.0.0";
        let text = http::get_as(exporter.address, "/metrics", format).unwrap().body;
        text.contains(&format!("\n{name}_created"))
    };
    let counters = ["cometchat_calls", "cometchat_api_requests", "process_cpu_seconds"];
    assert_eq!(counters.map(is_told), [false; 3]);
    let text = stage.text();
    let said = stage.reload(&exporter, &(text.clone() + "metrics: { created: true }\n"));
    assert_eq!(said, "apps: 1 with new settings (under test), 0 unchanged\n");
    until("all counters tell it", SOON, || counters.iter().all(|name| is_told(name)).then_some(()));
    stage.reload(&exporter, &text);
    until("none tells it", SOON, || (!counters.iter().any(|name| is_told(name))).then_some(()));
    stage.compare_at_rest(&exporter);
    exporter.program.ends_on("TERM");
}

#[test]
fn sighup_reloads_where_requests_may_not() {
    let stage = Stage::new(Setting { world: &["--seed=25"], ..Setting::default() });
    let mut exporter = stage.exporter();
    for place in ["/-/reload", "/-/quit"] {
        let status = |method| http::ask(method, exporter.address, place).unwrap().status;
        assert_eq!([status("GET"), status("DELETE")], [405, 405], "{place}");
        assert_eq!([status("POST"), status("PUT")], [403, 403], "{place}");
    }
    let answer = http::ask("POST", exporter.address, "/-/quit").unwrap();
    assert!(answer.body.contains("--web.enable-lifecycle"), "{}", answer.body);
    stage.write(&(stage.text() + &stage.locked_app("other")));
    exporter.program.signal("HUP");
    let changes = exporter.program.logs("the configuration was read again (SIGHUP): ");
    assert_eq!(changes.trim_end_matches('"'), "apps: 1 added (other), 1 unchanged");
    stage.compare_at_rest(&exporter);
    exporter.program.ends_on("TERM");
}

#[test]
fn a_request_ends_it_where_that_is_allowed() {
    let stage = Stage::new(Setting { world: &["--seed=26"], ..Setting::default() });
    let exporter = Exporter::start_with(&stage.config, &LIFECYCLE);
    assert_eq!(http::get(exporter.address, "/-/quit").unwrap().status, 405);
    let answer = http::ask("POST", exporter.address, "/-/quit").unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "ending\n"));
    exporter.program.ends_soon("POST /-/quit");
}

#[test]
fn a_file_that_changes_is_read_by_itself_and_a_bad_one_is_told_once() {
    let stage = Stage::new(Setting { world: &["--seed=27"], ..Setting::default() });
    let flags = ["--config.auto-reload", "--config.auto-reload-interval=1s"];
    let mut exporter = stage.exporter_with(&flags);
    let text = stage.text();
    stage.write("nonsense: 1\n");
    exporter.program.logs("the configuration cannot be used (the file has changed), ");
    stage.write(&(text + &stage.locked_app("other")));
    exporter.program.logs("(the file has changed): apps: 1 added (other), 1 unchanged");
    let n_refused = exporter.program.n_logged("cannot be used");
    assert!(n_refused <= 2, "a half-written file at most: {}", exporter.program.log());
    stage.compare_at_rest(&exporter);
    assert_eq!(exporter.program.n_logged("read again"), 1, "{}", exporter.program.log());
    exporter.program.ends_on("TERM");
}

#[test]
fn reloads_at_once_are_done_one_after_the_other() {
    let stage = Stage::new(Setting { world: &["--seed=28"], ..Setting::default() });
    let exporter = stage.exporter_with(&LIFECYCLE);
    let apps: String = (0..9).map(|nth| stage.locked_app(&format!("a{nth}"))).collect();
    stage.write(&(stage.text() + &apps));
    let address = exporter.address;
    let askers: Vec<_> = (0..12)
        .map(|_| thread::spawn(move || http::ask("POST", address, "/-/reload").unwrap()))
        .collect();
    let mut said: Vec<String> = askers
        .into_iter()
        .map(|asker| asker.join().unwrap())
        .map(|answer| format!("{} {}", answer.status, answer.body))
        .collect();
    said.sort();
    let (first, rest) = said.split_last().unwrap();
    assert!(first.starts_with("200 apps: 9 added (a0, a1,"), "{first}");
    assert!(rest.iter().all(|said| said == "200 apps: 10 unchanged\n"), "{rest:?}");
    stage.compare_at_rest(&exporter);
    exporter.program.ends_on("TERM");
}

#[test]
fn fifty_apps_more_stall_nobody() {
    let stage = Stage::new(Setting { world: &["--seed=29"], ..Setting::default() });
    let exporter = stage.exporter_with(&LIFECYCLE);
    stage.wait_for_calls(&exporter, 20.0);
    let apps: String = (0..50).map(|nth| stage.locked_app(&format!("a{nth}"))).collect();
    stage.reload(&exporter, &(stage.text() + &apps));
    let label = ["error=\"AUTH_ERR_APIKEY_NOT_FOUND\""];
    until("an answer for each", SOON, || {
        let refused = exporter.scrape().sum("cometchat_api_errors_total", &label)?;
        (refused >= 50.0).then_some(())
    });
    stage.compare_at_rest(&exporter);
    exporter.program.ends_on("TERM");
}

#[test]
fn apps_that_a_reload_adds_share_the_budget_of_their_limit() {
    let world = ["--seed=30", "--speed=1", "--stop-after=0s", "--rate-limit=60"];
    let stage = Stage::new(Setting { world: &world, ..Setting::default() });
    let text = stage.text();
    let exporter = Exporter::start_with(&stage.config, &LIFECYCLE);
    let n_asked = || exporter.scrape().sum("cometchat_api_requests_total", &[]).unwrap();
    until("the first request", SOON, || (n_asked() >= 1.0).then_some(()));
    let began = Instant::now();
    let user = |nth| {
        let line = text.lines().last().unwrap();
        line.replace("under test", &format!("user {nth}"))
            .replace("app_id:", &format!("on_behalf_of: u{nth}, app_id:"))
            + "\n"
    };
    stage.reload(&exporter, &(text.clone() + &(0..30).map(user).collect::<String>()));
    // One a second, and what was in the bucket.
    let (n_asked, elapsed) = until("a few requests", SOON, || {
        let n_asked = n_asked();
        (n_asked >= 6.0).then(|| (n_asked, began.elapsed().as_secs_f64()))
    });
    assert!(n_asked <= 4.0 + elapsed, "{n_asked} requests in {elapsed} s");
    exporter.program.ends_on("TERM");
}

#[test]
fn truth_is_kept_over_a_reload_with_a_shorter_lookback() {
    let stage = Stage::new(Setting { world: &["--seed=32"], ..Setting::default() });
    let text = stage.text();
    stage.write(&text.replace("lookback: 60s", "lookback: 600s"));
    let exporter = stage.exporter_with(&LIFECYCLE);
    until("calls that are settled and not sealed", SOON, || {
        let known =
            exporter.scrape().get(&format!("cometchat_tracked_calls{{{}}}", app_label()))?;
        let rested = stage.simulator.rested_at().is_some();
        (known > 100.0 && rested).then_some(())
    });
    stage.reload(&exporter, &text);
    stage.compare_at_rest(&exporter);
    exporter.program.ends_on("TERM");
}

#[test]
fn apps_of_one_budget_group_never_exceed_one_share() {
    let world = ["--seed=31", "--speed=1", "--stop-after=0s", "--rate-limit=60"];
    let stage = Stage::new(Setting { world: &world, ..Setting::default() });
    let (head, line) =
        stage.text().split_once("  - ").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let user = |nth: u32| {
        let app_id = format!("budget_group: ours, on_behalf_of: u{nth}, app_id: other{nth}");
        let line = line.replace("under test", &format!("app {nth}"));
        format!("  - {}\n", line.trim_end().replace("app_id: sim", &app_id))
    };
    stage.write(&(head + &(0..4).map(user).collect::<String>()));
    let exporter = Exporter::start_with(&stage.config, &LIFECYCLE);
    let began = Instant::now();
    let of = |nth: u32| {
        let label = format!("cometchat_app=\"app {nth}\"");
        exporter.scrape().sum("cometchat_api_requests_total", &[&label]).unwrap()
    };
    let n_asked = || (0..4).map(of).sum::<f64>();
    // One a second for all of them, and what was in the bucket.
    let (n_asked, elapsed) = until("a few requests", SOON, || {
        let n_asked = n_asked();
        (n_asked >= 8.0).then(|| (n_asked, began.elapsed().as_secs_f64()))
    });
    assert!(n_asked <= 4.0 + elapsed, "{n_asked} requests in {elapsed} s");
    assert!((0..4).filter(|&nth| of(nth) > 0.0).count() >= 2, "more than one has asked");
    exporter.program.ends_on("TERM");
}
