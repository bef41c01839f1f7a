//! An API that is away, an exporter that is stopped, a disk that is full: it is made up for.

use std::fs::File;
use std::io::Write;
use std::process::Command;
use std::time::Duration;

use super::proxy::{Proxy, Way};
use super::stage::{Setting, Stage, app_label};
use crate::process::{Exporter, exporter_args, until};

const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until a series of the app has a value.
#[track_caller]
fn wait_for(exporter: &Exporter, name: &str, is_right: impl Fn(f64) -> bool) {
    let series = format!("{name}{{{}}}", app_label());
    until(&series, PATIENCE, || exporter.scrape().get(&series).filter(|&value| is_right(value)));
}

/// Waits until so many simulated seconds have gone by.
#[track_caller]
fn wait_for_simulated(stage: &Stage<'_>, seconds: f64) {
    let began = stage.simulator.now();
    until("simulated time", PATIENCE, || (stage.simulator.now() >= began + seconds).then_some(()));
}

#[test]
fn ways_that_break_lose_and_double_nothing() {
    let world = ["--seed=51", "--per-page-max=20", "--live-totals", "--stop-after=10m"];
    let stage = Stage::new(Setting { world: &world, poll: "timeout: 500ms", ..Setting::default() });
    let proxy = Proxy::before(stage.simulator.address);
    stage.edit(&stage.simulator.address.to_string(), &proxy.address.to_string());
    let exporter = stage.exporter();
    stage.wait_for_calls(&exporter, 20.0);
    for way in [Way::Reset, Way::Silent, Way::Refused] {
        proxy.set(way);
        wait_for(&exporter, "cometchat_up", |up| up == 0.0);
        // Longer than the lookback and the settle time of this world.
        wait_for(&exporter, "cometchat_poll_lag_seconds", |lag| lag > 3.0);
        assert_eq!(stage.simulator.rested_at(), None, "the world goes on over {way:?}");
        proxy.set(Way::Open);
        wait_for(&exporter, "cometchat_up", |up| up == 1.0);
    }
    let rested = stage.compare_at_rest(&exporter);
    let errors = |code: &str| {
        let code = format!("code=\"{code}\"");
        rested.sum("cometchat_api_requests_total", &[app_label(), &code]).unwrap()
    };
    for code in ["body", "timeout", "connect"] {
        assert!(errors(code) >= 1.0, "{code}");
    }
    exporter.program.ends_on("TERM");
}

#[test]
fn an_exporter_that_was_down_reads_what_it_missed() {
    let world = ["--seed=52", "--per-page-max=20", "--stop-after=10m"];
    let stage = Stage::new(Setting { world: &world, ..Setting::default() });
    let first = stage.exporter();
    stage.wait_for_calls(&first, 20.0);
    first.program.ends_on("TERM");
    wait_for_simulated(&stage, 200.0);
    assert_eq!(stage.simulator.rested_at(), None, "the world goes on over the downtime");
    let second = stage.exporter();
    stage.compare_at_rest(&second);
    second.program.ends_on("TERM");
}

#[test]
fn an_exporter_that_is_stopped_goes_on_where_it_was() {
    let world = ["--seed=53", "--per-page-max=20", "--stop-after=10m"];
    let stage = Stage::new(Setting { world: &world, ..Setting::default() });
    let exporter = stage.exporter();
    for n_calls in [20.0, 60.0] {
        stage.wait_for_calls(&exporter, n_calls);
        exporter.program.signal("STOP");
        wait_for_simulated(&stage, 100.0);
        exporter.program.signal("CONT");
    }
    stage.compare_at_rest(&exporter);
    exporter.program.ends_on("TERM");
}

/// A command that starts an exporter with a small disk of its own for its state; `None` where the
/// system does not let a test mount one.
fn with_small_disk(stage: &Stage<'_>) -> Option<Command> {
    let unshare = ["--user", "--map-root-user", "--mount"];
    let can = Command::new("unshare").args(unshare).arg("true").status();
    if !can.is_ok_and(|status| status.success()) {
        return None;
    }
    let disk = stage.folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let mut command = Command::new("unshare");
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command.args(unshare).args([
        "sh",
        "-c",
        "mount -t tmpfs -o size=6m small \"$0\" && exec \"$@\"",
    ]);
    command.arg(disk).arg(env!("CARGO_BIN_EXE_cometchat-exporter"));
    command.args(exporter_args(&stage.config));
    Some(command)
}

#[test]
fn a_full_disk_pauses_the_counting_until_there_is_room() {
    let world = ["--seed=54", "--per-page-max=20", "--stop-after=10m"];
    let stage = Stage::new(Setting { world: &world, ..Setting::default() });
    let state = stage.folder.state().display().to_string();
    stage.edit(&state, &stage.folder.path().join("disk/state.redb").display().to_string());
    let Some(mut command) = with_small_disk(&stage) else {
        eprintln!("skipped: this system does not let a test mount a disk");
        return;
    };
    let exporter = Exporter::spawn(&mut command);
    stage.watch.follow(exporter.address);
    stage.wait_for_calls(&exporter, 20.0);
    // The disk as that process sees it.
    let disk = stage.folder.path().join("disk");
    let root = format!("/proc/{}/root", exporter.program.id());
    let filler = std::path::Path::new(&root).join(disk.strip_prefix("/").unwrap()).join("filler");
    let mut file = File::create(&filler).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    drop(file);
    let writable = |value: f64| {
        until("cometchat_state_writable", PATIENCE, || {
            (exporter.scrape().get("cometchat_state_writable") == Some(value)).then_some(())
        });
    };
    writable(0.0);
    let before = exporter.scrape();
    wait_for_simulated(&stage, 60.0);
    let after = exporter.scrape();
    let counted = |scrape: &crate::process::samples::Samples| {
        scrape.sum("cometchat_calls_initiated_total", &[app_label()])
    };
    assert_eq!(counted(&before), counted(&after), "nothing is counted that is not durable");
    wait_for(&exporter, "cometchat_poll_lag_seconds", |lag| lag > 2.0);
    assert_eq!(exporter.program.n_logged("make room in"), 1, "{}", exporter.program.log());
    assert_eq!(stage.simulator.rested_at(), None, "the world goes on over the full disk");
    std::fs::remove_file(filler).unwrap();
    writable(1.0);
    let rested = stage.compare_at_rest(&exporter);
    assert!(rested.sum("cometchat_state_commit_failures_total", &[]).unwrap() >= 1.0);
    exporter.program.ends_on("TERM");
}
