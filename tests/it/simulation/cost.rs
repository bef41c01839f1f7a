//! What the reading costs: requests a minute by what they are for, as stated in the documentation.
#![expect(clippy::cast_precision_loss, reason = "counts of a day are small")]

use std::collections::BTreeMap;

use cometchat_exporter::call::Timestamp;
use cometchat_exporter::ledger::{FailureStatuses, Rules, Totals};
use cometchat_exporter::sweep::{
    BudgetOptions, Grid, LookKind, Options, Order, Progress, Purpose, ReadTime, Saved,
};

use super::day::days;
use super::driver::{Durable, Kills, Process};
use super::random::Random;

const DAY_MS: i64 = 86_400_000;

/// Requests by purpose in the last of the days, and the most calls known by id.
struct Cost {
    by_purpose: BTreeMap<&'static str, usize>,
    n_known_max: usize,
}

fn cost(per_day: f64, n_days: i64, budget: u64, n_at_once: usize) -> Cost {
    let mut world = days(1, per_day, n_days as f64);
    let lookback_s = 86_400;
    let options = Options {
        rules: Rules {
            epoch: Timestamp(0),
            settle_s: 7_200,
            max_open_s: 7 * 86_400,
            failures: FailureStatuses::default(),
        },
        grid: Grid { interval_ms: 30_000, phase_ms: 0 },
        per_page: 100,
        lookback_s,
    };
    let progress = Progress {
        epoch: Timestamp(0),
        epoch_settled: true,
        floor: Timestamp(0),
        complete: true,
        read: ReadTime::new(lookback_s),
        order: Order::default(),
    };
    let saved = Saved { progress, totals: Totals::default() };
    let mut durable = Durable { calls: BTreeMap::new(), saved, audit: BTreeMap::new() };
    let mut asked = Vec::new();
    let mut process = Process {
        world: &mut world,
        durable: &mut durable,
        random: &mut Random::new(1),
        kills: Kills::Chance { percent: 0, until_ms: 0 },
        n_effects: &mut 0,
        latency_ms: 400,
        n_at_once,
        asked: &mut asked,
    };
    let budget = BudgetOptions { limit_per_minute: budget, share_ppm: 1_000_000 };
    assert!(process.run(options, budget, n_days * DAY_MS).is_ok(), "nothing kills it");
    let mut by_purpose = BTreeMap::new();
    for (_, ask) in asked.iter().filter(|(at, _)| *at >= (n_days - 1) * DAY_MS) {
        let purpose = match ask.purpose {
            Purpose::FirstPage | Purpose::Head { .. } => "head",
            Purpose::Gap { .. } => "gaps",
            Purpose::Look { kind: LookKind::Open, .. } => "open",
            Purpose::Look { kind: LookKind::Settling, .. } => "settling",
            Purpose::Get(_) => "get",
            Purpose::Again { .. } => "again",
        };
        *by_purpose.entry(purpose).or_default() += 1;
    }
    Cost { by_purpose, n_known_max: durable.calls.len() }
}

/// Fails when a change makes the reading a tenth more expensive than what the documentation says.
fn assert_at_most(cost: &Cost, requests_a_minute: f64, n_known: usize) {
    let total = cost.by_purpose.values().sum::<usize>() as f64 / 1440.0;
    let shown: Vec<String> = cost
        .by_purpose
        .iter()
        .map(|(purpose, n)| format!("{purpose} {:.2}", *n as f64 / 1440.0))
        .collect();
    let shown = format!("{} = {total:.2} a minute, {} known", shown.join(" + "), cost.n_known_max);
    eprintln!("{shown}");
    assert!(total <= requests_a_minute * 1.1, "{shown}; at most {requests_a_minute} + 10 %");
    assert!(cost.n_known_max <= n_known * 11 / 10, "{shown}");
}

#[test]
fn a_quiet_app_costs_two_requests_a_minute() {
    assert_at_most(&cost(1.0, 2, 100, 1), 4.0, 2);
}

#[test]
fn ten_thousand_calls_a_day_cost_little() {
    assert_at_most(&cost(10_000.0, 2, 100, 1), 3.7, 10_200);
}

#[test]
fn a_hundred_thousand_calls_a_day_fit_the_free_plan() {
    assert_at_most(&cost(100_000.0, 2, 100, 1), 33.0, 101_000);
}

#[test]
fn a_million_calls_a_day_fit_the_paid_plan() {
    assert_at_most(&cost(1_000_000.0, 2, 800, 10), 540.0, 1_010_000);
}
