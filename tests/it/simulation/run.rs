//! Many small worlds, with outages, downtimes and kills.

use std::collections::BTreeMap;
use std::sync::Arc;

use cometchat_exporter::call::{Moment, Timestamp};
use cometchat_exporter::ledger::{FailureStatuses, Rules};
use cometchat_exporter::sweep::{
    Ask, BudgetOptions, Grid, Options, Order, Progress, ReadTime, Saved,
};

use super::check::breaches;
use super::driver::{Durable, Killed, Kills, Process};
use super::random::Random;
use super::world::{Bounds, ListOrder, Quirks, World, small};

pub(super) const BOUNDS: Bounds = Bounds { lookback_s: 60, settle_s: 20, max_open_s: 120 };

/// What a run varies beside its seed.
#[derive(Clone, Copy)]
struct Scenario {
    n_calls_max: i64,
    rows_vanish: bool,
    /// The effect at which the process is killed; else kills are left to chance.
    kill_at: Option<u64>,
    /// How long the world rests before it is checked.
    rest_s: i64,
}

/// How a world is read.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    pub(super) epoch: Timestamp,
    /// When the first process starts.
    pub(super) start_s: i64,
    /// How long before the epoch calls are of interest, for the recent window.
    pub(super) window_s: i64,
    pub(super) per_page: u32,
    /// Requests a minute.
    pub(super) limit: u64,
    pub(super) n_at_once: usize,
    pub(super) kills: Kills,
    /// How long a killed process may stay away.
    pub(super) downtimes_ms: &'static [i64],
    /// When everything is to be counted.
    pub(super) rest_s: i64,
}

pub(super) struct Outcome {
    pub(super) breaches: Vec<String>,
    pub(super) durable: Durable,
    n_requests: usize,
    n_effects: u64,
}

fn run(seed: u64, scenario: Scenario) -> Outcome {
    let mut random = Random::new(seed.wrapping_mul(7).wrapping_add(1));
    let n_calls = random.between(scenario.n_calls_max / 9, scenario.n_calls_max);
    let mut world = small(seed, n_calls, BOUNDS, scenario.rows_vanish);
    let last_s = world.lives.iter().map(|life| life.key.initiated_at.0).max().unwrap();
    let start_s = random.pick(&[0, 0, last_s / 2, last_s, last_s + 200]);
    if start_s == 0 {
        // A list that is empty at the first question and gets its first row before the second, with a
        // mistake at the fourth, looks like one that begins at 1.
        world.quirks.mistake = None;
    }
    let kill_percent = random.pick(&[0, 0, 2, 10]);
    let reading = Reading {
        epoch: Timestamp(random.pick(&[0, start_s, start_s * 7 / 10])),
        start_s,
        window_s: random.pick(&[0, 0, 30]),
        per_page: u32::try_from(random.between(3, 10)).unwrap(),
        limit: random.pick(&[600, 600, 600, 150]),
        n_at_once: random.pick(&[1, 1, 10]),
        kills: match scenario.kill_at {
            Some(number) => Kills::At([number, 0]),
            None => Kills::Chance { percent: kill_percent, until_ms: (last_s + 300) * 1000 },
        },
        downtimes_ms: &[100, 1_000, 5_000, 30_000, 70_000, 150_000],
        rest_s: last_s.max(start_s) + scenario.rest_s,
    };
    play(&mut world, &mut random, reading)
}

/// Reads a world from start to rest, and checks what was counted.
pub(super) fn play(world: &mut World, random: &mut Random, reading: Reading) -> Outcome {
    let Reading { epoch, start_s, kills, limit, mut rest_s, .. } = reading;
    let options = Options {
        rules: Rules {
            epoch,
            settle_s: BOUNDS.settle_s,
            max_open_s: BOUNDS.max_open_s,
            failures: FailureStatuses::default(),
        },
        grid: Grid { interval_ms: 3_000, phase_ms: random.below(3_000) },
        per_page: reading.per_page,
        lookback_s: BOUNDS.lookback_s,
    };
    let budget = BudgetOptions { limit_per_minute: limit, share_ppm: 1_000_000 };
    world.faults_end_ms = (rest_s - 300) * 1000;
    world.advance(start_s * 1000);
    let progress = Progress {
        epoch,
        epoch_settled: true,
        floor: epoch.plus_s(-reading.window_s),
        complete: false,
        read: ReadTime::new(BOUNDS.lookback_s),
        order: known_order(&world.quirks),
    };
    let saved = Saved { progress, totals: Arc::default() };
    let mut durable = Durable { calls: BTreeMap::new(), saved, audit: BTreeMap::new() };
    let (mut asked, mut n_effects) = (Vec::new(), 0);
    while world.now_ms < rest_s * 1000 {
        let mut process = Process {
            world,
            durable: &mut durable,
            random,
            kills,
            n_effects: &mut n_effects,
            latency_ms: 50,
            n_at_once: reading.n_at_once,
            asked: &mut asked,
            watch: &mut |_, sweep| {
                let progress = sweep.progress();
                let is_read = progress.read.covered().around(epoch).is_some();
                assert!(is_read || !progress.complete, "complete before anything was read");
            },
        };
        if let Err(Killed) = process.run(options, budget, rest_s * 1000) {
            let down_ms = random.pick(reading.downtimes_ms);
            world.advance(world.now_ms + down_ms);
            // Time to come to rest again.
            rest_s = rest_s.max(world.now_ms / 1000 + 300);
        }
    }
    let mut breaches = breaches(world, &durable, epoch, BOUNDS);
    breaches.extend(at_rest(world, &durable, rest_s));
    if matches!(kills, Kills::Chance { percent: 0, .. }) {
        breaches.extend(over_budget(&asked, limit));
    }
    Outcome { breaches, durable, n_requests: asked.len(), n_effects }
}

/// A page of three rows may show no disorder, or only disorder, which is no order: where there is some, an
/// earlier process has learned it.
fn known_order(quirks: &Quirks) -> Order {
    // A page that showed ten minutes is more than enough to know the direction.
    let (more, less) = (600, quirks.disorder_s);
    match (less, quirks.order) {
        (0, _) => Order::default(),
        (_, ListOrder::New) => Order { against_oldest_first_s: more, against_newest_first_s: less },
        (_, ListOrder::Old) => Order { against_oldest_first_s: less, against_newest_first_s: more },
    }
}

fn at_rest(world: &World, durable: &Durable, rest_s: i64) -> Vec<String> {
    let progress = &durable.saved.progress;
    let mut wrong = Vec::new();
    let covered = progress.read.covered();
    if covered.len() != 1 || covered.newest().unwrap().to.0 < rest_s - 60 {
        wrong.push(format!("not covered at rest: {covered:?} of {rest_s}"));
    }
    for pair in progress.read.by_age.windows(2) {
        for span in pair[1].1.iter() {
            if !pair[0].1.gaps(span).is_empty() {
                wrong.push(format!("read at {} s and not at {} s: {span:?}", pair[1].0, pair[0].0));
            }
        }
    }
    let old = durable
        .calls
        .iter()
        .filter(|(key, _)| key.initiated_at.0 < rest_s - BOUNDS.lookback_s * 3 / 2 - 60);
    for (key, entry) in old.take(3) {
        wrong.push(format!("still known at rest: {key:?} {entry:?}"));
    }
    let open = durable.calls.values().any(|entry| entry.due < Moment(world.now_ms - 60_000));
    if open {
        wrong.push("a look is overdue at rest".into());
    }
    wrong
}

fn over_budget(asked: &[(i64, Ask)], limit: u64) -> Vec<String> {
    let most = usize::try_from(limit).unwrap() * 12 / 10 + 2;
    let times: Vec<i64> = asked.iter().map(|(at, _)| *at).collect();
    let busiest = times
        .iter()
        .enumerate()
        .map(|(idx, at)| (times.partition_point(|later| *later <= at + 60_000) - idx, *at));
    let over = busiest.filter(|(n, _)| *n > most).take(1);
    over.map(|(n, at)| format!("{n} requests in the minute after {at} ms")).collect()
}

/// Runs worlds from a seed on; `SIMULATION_SEED` and `SIMULATION_WORLDS` repeat or prolong a run.
fn many(n_worlds: u64, rows_vanish: bool) {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let first = number("SIMULATION_SEED").unwrap_or(0);
    let n_worlds = number("SIMULATION_WORLDS").unwrap_or(n_worlds);
    let (mut bad, mut n_requests) = (Vec::new(), 0);
    for seed in first..first + n_worlds {
        let scenario = Scenario { n_calls_max: 90, rows_vanish, kill_at: None, rest_s: 900 };
        let outcome = run(seed, scenario);
        n_requests += outcome.n_requests;
        if !outcome.breaches.is_empty() {
            bad.push(format!("seed {seed}: {}", outcome.breaches.join("; ")));
        }
    }
    assert!(
        bad.is_empty(),
        "{} of {n_worlds} worlds broke the promise ({n_requests} requests)\n{}",
        bad.len(),
        bad[..bad.len().min(5)].join("\n")
    );
}

#[test]
fn every_call_is_counted_once() {
    many(1_700, false);
}

#[test]
fn a_row_that_vanishes_hides_one_neighbour_at_most() {
    many(300, true);
}

/// Small worlds of which every single effect is a moment to die.
#[test]
fn a_kill_at_any_effect_loses_and_doubles_nothing() {
    let scenario = Scenario { n_calls_max: 12, rows_vanish: false, kill_at: None, rest_s: 420 };
    for seed in 0..20 {
        // A number that is never reached: the run that counts the effects.
        let whole = run(seed, Scenario { kill_at: Some(0), ..scenario });
        assert_eq!(whole.breaches, Vec::<String>::new(), "world {seed}, not killed");
        for number in 1..=whole.n_effects {
            let outcome = run(seed, Scenario { kill_at: Some(number), ..scenario });
            let breaches = outcome.breaches.join("; ");
            assert!(breaches.is_empty(), "world {seed}, killed at effect {number}: {breaches}");
        }
    }
}
