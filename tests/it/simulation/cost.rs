//! What the reading costs: requests a minute by what they are for, as stated in the documentation.
#![expect(clippy::cast_precision_loss, reason = "counts of a day are small")]

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use cometchat_exporter::call::{Moment, Timestamp};
use cometchat_exporter::ledger::{FailureStatuses, Rules};
use cometchat_exporter::sweep::{
    Ask, BudgetOptions, Grid, LookKind, Options, Order, Progress, Purpose, ReadTime, Saved, Span,
    Sweep,
};

use super::check::breaches;
use super::day::days;
use super::driver::{Durable, Kills, Process};
use super::random::Random;
use super::world::{Bounds, ListOrder, World};

/// A long run of one app: what it asked, how far it was behind at worst, and what it counted.
struct Day {
    asked: Vec<(i64, Ask)>,
    durable: Durable,
    /// How old the newest read of the head was at worst, after the first minute.
    head_age_ms_max: i64,
    /// How far the unbroken reading from the epoch was behind at worst.
    lag_s_max: i64,
}

const INTERVAL_MS: i64 = 30_000;
const BOUNDS: Bounds = Bounds { lookback_s: 86_400, settle_s: 7_200, max_open_s: 7 * 86_400 };

/// What an app is read with.
#[derive(Clone, Copy)]
struct Means {
    /// Requests a minute.
    budget: u64,
    n_at_once: usize,
    lookback_s: i64,
    /// After how many effects each process dies.
    dies_after: Option<u64>,
}

const FREE_PLAN: Means =
    Means { budget: 100, n_at_once: 1, lookback_s: BOUNDS.lookback_s, dies_after: None };
const PAID_PLAN: Means = Means { budget: 800, n_at_once: 10, ..FREE_PLAN };

fn read(world: &mut World, until_ms: i64, means: Means) -> Day {
    let options = Options {
        rules: Rules {
            epoch: Timestamp(0),
            settle_s: BOUNDS.settle_s,
            max_open_s: BOUNDS.max_open_s,
            failures: FailureStatuses::default(),
        },
        grid: Grid { interval_ms: INTERVAL_MS, phase_ms: 0 },
        per_page: 100,
        lookback_s: means.lookback_s,
    };
    let progress = Progress {
        epoch: Timestamp(0),
        epoch_settled: true,
        floor: Timestamp(0),
        complete: true,
        read: ReadTime::new(means.lookback_s),
        order: Order::default(),
    };
    let saved = Saved { progress, totals: Arc::default() };
    let mut durable = Durable { calls: BTreeMap::new(), saved, audit: BTreeMap::new() };
    let mut asked = Vec::new();
    let (mut head_age_ms_max, mut lag_s_max) = (0, 0);
    let mut watch = |now: Moment, sweep: &Sweep| {
        let covered = sweep.progress().read.covered();
        if let Some(newest) = covered.newest()
            && now.0 > 60_000
        {
            head_age_ms_max = head_age_ms_max.max(now.since_ms(newest.to.start()));
        }
        let read_to = covered.around(Timestamp(0)).map_or(Timestamp(0), |span| span.to);
        lag_s_max = lag_s_max.max(now.floor().since_s(read_to));
    };
    let budget = BudgetOptions { limit_per_minute: means.budget, share_ppm: 1_000_000 };
    let (mut random, mut n_effects) = (Random::new(1), 0);
    loop {
        let dies_at = means.dies_after.map_or(0, |n_more| n_effects + n_more);
        let mut process = Process {
            world,
            durable: &mut durable,
            random: &mut random,
            kills: Kills::At([dies_at, 0]),
            n_effects: &mut n_effects,
            latency_ms: 400,
            n_at_once: means.n_at_once,
            asked: &mut asked,
            watch: &mut watch,
        };
        if process.run(options, budget, until_ms).is_ok() {
            break;
        }
    }
    Day { asked, durable, head_age_ms_max, lag_s_max }
}

/// Requests by purpose, a minute, and the most calls known by id.
struct Cost {
    by_purpose: BTreeMap<&'static str, f64>,
    n_known_max: usize,
}

/// What it costs from one hour to another.
fn cost(per_day: f64, means: Means, hours: Range<i64>) -> Cost {
    let [from_ms, to_ms] = [hours.start, hours.end].map(|hour| hour * 3_600_000);
    let mut world = days(1, per_day, hours.end as f64 / 24.0);
    let day = read(&mut world, to_ms, means);
    let lag_s_max = 2 * INTERVAL_MS / 1000;
    assert!(day.lag_s_max <= lag_s_max, "behind by {} s at worst", day.lag_s_max);
    let mut by_purpose = BTreeMap::new();
    for (_, ask) in day.asked.iter().filter(|(at, _)| *at >= from_ms) {
        let purpose = match ask.purpose {
            Purpose::FirstPage | Purpose::Head { .. } => "head",
            Purpose::Gap { .. } => "gaps",
            Purpose::Look { kind: LookKind::Open, .. } => "open",
            Purpose::Look { kind: LookKind::Settling, .. } => "settling",
            Purpose::Get(_) => "get",
            Purpose::Again { .. } => "again",
        };
        *by_purpose.entry(purpose).or_default() += 60_000.0 / (to_ms - from_ms) as f64;
    }
    Cost { by_purpose, n_known_max: day.durable.calls.len() }
}

/// Fails when a change makes the reading a tenth more expensive than what the documentation says.
fn assert_at_most(cost: &Cost, requests_a_minute: f64, n_known: usize) {
    let total: f64 = cost.by_purpose.values().sum();
    let shown: Vec<String> = cost
        .by_purpose
        .iter()
        .map(|(purpose, a_minute)| format!("{purpose} {a_minute:.2}"))
        .collect();
    let shown = format!("{} = {total:.2} a minute, {} known", shown.join(" + "), cost.n_known_max);
    eprintln!("{shown}");
    assert!(total <= requests_a_minute * 1.1, "{shown}; at most {requests_a_minute} + 10 %");
    assert!(cost.n_known_max <= n_known * 11 / 10, "{shown}");
}

#[test]
fn a_quiet_app_costs_two_requests_a_minute() {
    assert_at_most(&cost(1.0, FREE_PLAN, 24..48), 4.0, 2);
}

#[test]
fn ten_thousand_calls_a_day_cost_little() {
    assert_at_most(&cost(10_000.0, FREE_PLAN, 24..48), 3.74, 10_200);
}

#[test]
fn a_hundred_thousand_calls_a_day_fit_the_free_plan() {
    assert_at_most(&cost(100_000.0, FREE_PLAN, 24..48), 31.1, 101_000);
}

/// The busiest hour of a day, to keep it short; the whole second day is asked for by `--long`.
#[test]
fn a_million_calls_a_day_fit_the_paid_plan() {
    let short = Means { lookback_s: 4 * 3_600, ..PAID_PLAN };
    assert_at_most(&cost(1_000_000.0, short, 11..12), 642.0, 286_000);
    if std::env::var_os("SIMULATION_WORLDS").is_some() {
        assert_at_most(&cost(1_000_000.0, PAID_PLAN, 24..48), 362.0, 1_010_000);
    }
}

#[test]
fn a_budget_of_a_third_costs_freshness_and_no_truth() {
    let mut world = days(2, 100_000.0, 1.0);
    let third = Means { budget: 11, ..FREE_PLAN };
    let day = read(&mut world, 60 * 3_600_000, third);
    eprintln!("head {} ms old, lag {} s at worst", day.head_age_ms_max, day.lag_s_max);
    assert!(day.head_age_ms_max <= 2 * INTERVAL_MS, "head {} ms old", day.head_age_ms_max);
    assert!(day.lag_s_max <= 5 * INTERVAL_MS / 1000, "lag {} s", day.lag_s_max);
    assert_eq!(breaches(&world, &day.durable, Timestamp(0), BOUNDS), Vec::<String>::new());
}

#[test]
fn a_budget_that_the_polls_would_use_up_reads_the_past_all_the_same() {
    let mut world = days(1, 5_000.0, 1.0);
    world.advance(86_400_000);
    // The head alone is due as often.
    let scant = Means { budget: 2, ..FREE_PLAN };
    let day = read(&mut world, 2 * 86_400_000, scant);
    assert_eq!(breaches(&world, &day.durable, Timestamp(0), BOUNDS), Vec::<String>::new());
}

/// A list that is oldest first, whose last page spans less time than rows may be out of place: a poll
/// takes more requests than the budget has until the next one is due.
#[test]
fn polls_that_never_end_leave_some_of_the_budget_for_all_else() {
    let mut world = days(2, 100_000.0, 8.0 / 24.0);
    world.quirks.order = ListOrder::Old;
    world.quirks.disorder_s = 3;
    world.advance(6 * 3_600_000);
    let day = read(&mut world, 8 * 3_600_000, Means { budget: 8, ..FREE_PLAN });
    let n_of =
        |is: fn(&Purpose) -> bool| day.asked.iter().filter(|(_, ask)| is(&ask.purpose)).count();
    let (n_looks, n_polls) = (n_of(Purpose::is_look), n_of(Purpose::is_poll));
    let n_others = day.asked.len() - n_looks - n_polls;
    assert!(n_looks.min(n_others) > 50, "{n_polls} of polls, {n_looks} looks, {n_others} others");
}

/// The polls of a busy app read gaps of their own, and must not take the place of the past.
#[test]
fn a_first_read_beside_a_busy_head_asks_for_each_page_once() {
    let mut world = days(1, 300_000.0, 0.6);
    let start = Timestamp(12 * 3_600);
    world.advance(start.0 * 1000);
    let means = Means { lookback_s: 3_600, ..FREE_PLAN };
    let day = read(&mut world, (start.0 + 3_600) * 1000, means);
    let covered = day.durable.saved.progress.read.covered();
    let unread = covered.gaps(Span::new(Timestamp(0), start));
    assert!(unread.is_empty(), "{unread:?} is still unread after an hour");
    let n_calls = world.lives.iter().filter(|life| life.key.initiated_at < start).count();
    let is_gap = |ask: &Ask| matches!(ask.purpose, Purpose::Gap { .. });
    let (n_pages, n_gaps) =
        (n_calls / 100, day.asked.iter().filter(|(_, ask)| is_gap(ask)).count());
    assert!(n_gaps <= n_pages * 11 / 10, "{n_gaps} requests for {n_pages} pages");
}

/// Pages of four rows, and so many calls that the looks alone want more than the budget.
#[test]
fn looks_that_want_the_whole_budget_leave_some_for_the_past() {
    let mut world = days(1, 150_000.0, 0.5);
    world.quirks.per_page_max = 4;
    let start = Timestamp(6 * 3_600);
    world.advance(start.0 * 1000);
    let means = Means { budget: 200, lookback_s: 3_600, ..FREE_PLAN };
    let day = read(&mut world, 12 * 3_600_000, means);
    let covered = day.durable.saved.progress.read.covered();
    assert_eq!(covered.len(), 1, "{covered:?}");
    let read_back_s = covered.newest().map_or(0, |span| start.since_s(span.from));
    assert!(read_back_s > 3_600, "{read_back_s} s of the past are read after six hours");
    let n_looks = day.asked.iter().filter(|(_, ask)| ask.purpose.is_look()).count();
    let n_asked = day.asked.len();
    assert!(n_looks > n_asked / 4, "{n_looks} looks of {n_asked} requests");
}

#[test]
fn a_first_read_on_a_large_budget_asks_for_each_page_once() {
    let mut world = days(1, 40_000.0, 1.0);
    world.advance(86_400_000);
    let n_pages = 400;
    let day = read(&mut world, 86_400_000 + 5 * 60_000, PAID_PLAN);
    let covered = day.durable.saved.progress.read.covered();
    assert_eq!(covered.len(), 1, "read completely");
    let n_asked = day.asked.len();
    assert!(n_asked <= n_pages * 11 / 10, "{n_asked} requests for {n_pages} pages");
}

/// What the search for its place after each start leaves read on its way is gone over, not searched round.
#[test]
fn a_first_read_by_processes_that_die_asks_for_half_as_many_pages_again_at_most() {
    let mut world = days(1, 40_000.0, 5.0);
    world.advance(5 * 86_400_000);
    let mortal = Means { budget: 4_000, dies_after: Some(1_500), ..PAID_PLAN };
    let day = read(&mut world, 5 * 86_400_000 + 8 * 60_000, mortal);
    let covered = day.durable.saved.progress.read.covered();
    assert_eq!(covered.len(), 1, "read completely");
    let (n_asked, n_pages) = (day.asked.len(), 2_000);
    assert!(n_asked <= n_pages * 3 / 2, "{n_asked} requests for {n_pages} pages");
}
