//! Processes that end in the middle and start again on the same state file.
#![expect(clippy::disallowed_methods, reason = "the moments of the kills are real ones")]

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, RandomState};
use std::time::{Duration, Instant};

use super::stage::{Setting, Stage};
use crate::process::until;

#[test]
fn a_restart_in_the_middle_loses_and_doubles_nothing() {
    let stage = Stage::new(Setting { world: &["--seed=8", "--live-totals"], ..Setting::default() });
    let first = stage.exporter();
    stage.wait_for_calls(&first, 100.0);
    assert_eq!(stage.simulator.rested_at(), None, "the world goes on over the restart");
    first.program.ends_on("TERM");
    let second = stage.exporter();
    stage.compare_at_rest(&second);
    second.program.ends_on("INT");
}

#[test]
fn a_hundred_kills_at_any_moment_lose_and_double_nothing() {
    // COMETCHAT_KILLS=SEED repeats the moments, though not what the process does in them.
    let seed = std::env::var("COMETCHAT_KILLS").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| RandomState::new().hash_one(0));
    eprintln!("COMETCHAT_KILLS={seed}");
    let hash = BuildHasherDefault::<DefaultHasher>::default();
    // Small pages, so that a poll is many commits.
    let world = ["--seed=9", "--live-totals", "--per-page-max=5", "--stop-after=12m"];
    let stage = Stage::new(Setting { world: &world, ..Setting::default() });
    for nth in 0..100 {
        let exporter = stage.exporter();
        let moment = Duration::from_millis(5 + hash.hash_one((seed, nth)) % 250);
        let began = Instant::now();
        until("the moment of the kill", moment * 2, || (began.elapsed() >= moment).then_some(()));
        exporter.program.dies();
    }
    let last = stage.exporter();
    stage.compare_at_rest(&last);
    last.program.ends_on("TERM");
}
