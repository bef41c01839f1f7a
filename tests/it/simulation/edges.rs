//! The edges of the promise, one second on either side, and worlds at the end of what can happen.

use cometchat_exporter::call::{Amount, Call, CallKey, Outcome as Word, Status, Timestamp};

use super::driver::{Counted, Kills};
use super::random::Random;
use super::run::{BOUNDS, Outcome, Reading, play};
use super::world::{GetQuirk, Life, ListOrder, Mistake, PastEnd, Quirks, World, row, seen_late};

/// When the call begins that is looked at.
const AT_S: i64 = 200;
/// Until when calls begin.
pub(super) const LAST_S: i64 = 600;
pub(super) const QUIRKS: Quirks = Quirks {
    order: ListOrder::New,
    first_page: 1,
    page_0: PastEnd::LastPage,
    per_page_max: 100,
    caps_later: Vec::new(),
    past_end: PastEnd::Empty,
    get: GetQuirk::Newest,
    fail_percent: 0,
    disorder_s: 0,
    mistake: None,
};
pub(super) const READING: Reading = Reading {
    epoch: Timestamp(0),
    start_s: 0,
    window_s: 0,
    per_page: 10,
    limit: 600,
    n_at_once: 1,
    kills: Kills::Chance { percent: 0, until_ms: 0 },
    downtimes_ms: &[],
    rest_s: LAST_S + 900,
};

pub(super) fn key(at_s: i64, session_id: &str) -> CallKey {
    CallKey { initiated_at: Timestamp(at_s), session_id: session_id.into() }
}

fn open(key: &CallKey) -> Call {
    row(key, Status::Initiated, &mut Random::new(1))
}

pub(super) fn ended(key: &CallKey, ended_s: Option<i64>, audio_ms: u64) -> Call {
    let mut call = row(key, Status::Final(Word::Ended), &mut Random::new(1));
    call.ended_at = ended_s.map(Timestamp);
    call.amounts.set(Amount::AudioMs, audio_ms);
    call
}

/// A call each second, over after two, each with an amount of its own.
pub(super) fn others() -> Vec<Life> {
    let life = |at_s: i64| {
        let key = key(at_s, &format!("other-{at_s}"));
        let audio_ms = 1 << (at_s % 60);
        let rows = vec![
            (at_s * 1000, Some(open(&key))),
            (at_s * 1000 + 2_000, Some(ended(&key, Some(at_s + 2), audio_ms))),
        ];
        Life { key, rows, bound_ms: (at_s + 2 + BOUNDS.settle_s) * 1000 }
    };
    (0..LAST_S).map(life).collect()
}

/// The rows of one call among others: when, in seconds after its beginning, and what they show.
fn check(reading: Reading, rows: &[(i64, Call)]) -> Counted {
    let mut lives = others();
    let key = rows[0].1.key.clone();
    let begins_ms = key.initiated_at.0 * 1000;
    let rows = rows.iter().map(|(s, call)| (begins_ms + s * 1000, Some(call.clone()))).collect();
    lives.push(seen_late(key.clone(), rows, begins_ms, i64::MAX));
    let mut world = World::new(lives, QUIRKS, Random::new(1));
    let outcome = play(&mut world, &mut Random::new(1), reading);
    // What is beyond a bound is for the test to judge.
    let of_others = outcome.breaches.iter().filter(|breach| !breach.contains(&*key.session_id));
    assert_eq!(of_others.collect::<Vec<_>>(), Vec::<&String>::new());
    outcome.durable.audit.get(&key).cloned().unwrap_or_default()
}

#[test]
fn a_call_that_appears_within_the_lookback_is_counted_and_never_twice() {
    for late_s in [BOUNDS.lookback_s - 1, BOUNDS.lookback_s, BOUNDS.lookback_s + 1] {
        let key = key(AT_S, "late");
        let counted = check(READING, &[(late_s, ended(&key, Some(AT_S + 1), 77))]);
        assert!(counted.n_final <= 1);
        if late_s < BOUNDS.lookback_s {
            assert_eq!((counted.n_final, counted.audio_ms), (1, 77), "appeared after {late_s} s");
        }
    }
}

#[test]
fn a_call_that_ends_within_max_open_is_counted_and_else_given_up_or_counted() {
    for end_s in [BOUNDS.max_open_s - 1, BOUNDS.max_open_s, BOUNDS.max_open_s + 1] {
        let key = key(AT_S, "long");
        let rows = [(0, open(&key)), (end_s, ended(&key, Some(AT_S + end_s), 77))];
        let counted = check(READING, &rows);
        assert_eq!(counted.n_final + counted.n_abandoned, 1, "ended after {end_s} s");
        if end_s < BOUNDS.max_open_s {
            assert_eq!((counted.n_final, counted.audio_ms), (1, 77), "ended after {end_s} s");
        }
    }
}

#[test]
fn what_changes_within_settle_is_counted() {
    for change_s in [BOUNDS.settle_s - 1, BOUNDS.settle_s, BOUNDS.settle_s + 1] {
        let key = key(AT_S, "amended");
        let rows = [
            (0, open(&key)),
            (5, ended(&key, Some(AT_S + 5), 7)),
            (5 + change_s, ended(&key, Some(AT_S + 5), 77)),
        ];
        let counted = check(READING, &rows);
        assert_eq!(counted.n_final, 1);
        let must = if change_s < BOUNDS.settle_s { 77 } else { 7 };
        assert!((must..=77).contains(&counted.audio_ms), "{change_s} s: {counted:?}");
    }
}

#[test]
fn the_second_of_the_epoch_counts_and_the_one_before_does_not() {
    for (at_s, n) in [(AT_S - 1, 0), (AT_S, 1)] {
        let key = key(at_s, "first");
        let reading = Reading { epoch: Timestamp(AT_S), start_s: AT_S + 30, ..READING };
        let counted = check(reading, &[(0, ended(&key, Some(at_s), 77))]);
        assert_eq!((counted.n_seen, counted.n_final), (n, n), "{} s", at_s - AT_S);
    }
}

#[test]
fn after_a_downtime_longer_than_any_bound_nothing_is_missing() {
    for down_s in [BOUNDS.settle_s, BOUNDS.lookback_s, BOUNDS.max_open_s, 400] {
        // Dies while the head is read, and again at each of the effects that fill the gap.
        for again in 201..230 {
            let key = key(AT_S, "meanwhile");
            let rows = [(0, open(&key)), (3, ended(&key, Some(AT_S + 3), 77))];
            let downtimes_ms: &[i64] = match down_s {
                20 => &[21_000],
                60 => &[61_000],
                120 => &[121_000],
                _ => &[400_000],
            };
            let kills = Kills::At([200, again]);
            let counted = check(Reading { kills, downtimes_ms, ..READING }, &rows);
            assert_eq!((counted.n_final, counted.audio_ms), (1, 77), "down for {down_s} s");
        }
    }
}

/// A list that moves by about five rows, half a page, with each request, while rows vanish at both
/// of its ends.
fn restless(order: ListOrder) -> Outcome {
    let mut random = Random::new(1);
    let mut lives = Vec::new();
    for idx in 0..11_000 {
        let at_s = idx / 110;
        let key = key(at_s, &format!("s{idx}"));
        let audio_ms = u64::try_from(idx).unwrap() + 1;
        let mut rows = vec![(at_s * 1000 + idx % 110 * 9, Some(ended(&key, None, audio_ms)))];
        // The oldest ones for good, and one in a hundred as soon as it was shown.
        if idx < 300 || idx % 100 == 7 {
            rows.push((at_s * 1000 + 45_000 + random.below(30_000), None));
        }
        lives.push(Life { key, rows, bound_ms: i64::MAX });
    }
    let mut world = World::new(lives, Quirks { order, ..QUIRKS }, Random::new(1));
    let reading = Reading { limit: 60_000, rest_s: 600, ..READING };
    play(&mut world, &mut random, reading)
}

#[test]
fn a_list_that_never_stands_still_is_read_completely() {
    for order in [ListOrder::New, ListOrder::Old] {
        assert_eq!(restless(order).breaches, Vec::<String>::new(), "{order:?}");
    }
}

#[test]
fn answers_that_were_under_way_together_correct_nothing() {
    // Calls whose totals grow each second, on a list that moves while ten pages of it are asked for.
    let life = |idx: i64| {
        let at_s = idx / 8;
        let key = key(at_s, &format!("s{idx}"));
        let rows = (0..100).map(|s| {
            let mut call = open(&key);
            call.status = Status::Ongoing;
            call.amounts.set(Amount::AudioMs, u64::try_from(s).unwrap() * 1000 + 1);
            ((at_s + s) * 1000 + idx % 8 * 120, Some(call))
        });
        let end = ((at_s + 101) * 1000, Some(ended(&key, Some(at_s + 101), 101_000)));
        Life { rows: rows.chain([end]).collect(), key, bound_ms: i64::MAX }
    };
    let mut world = World::new((0..1_600).map(life).collect(), QUIRKS, Random::new(1));
    let reading = Reading { limit: 60_000, n_at_once: 10, rest_s: 900, ..READING };
    let outcome = play(&mut world, &mut Random::new(1), reading);
    assert_eq!(outcome.breaches, Vec::<String>::new());
    assert_eq!(outcome.durable.saved.totals.corrections, 0);
}

#[test]
fn calls_with_an_unknown_word_count_as_other_once_they_are_over() {
    for ended_s in [Some(AT_S + 5), None] {
        let key = key(AT_S, "strange");
        let mut strange = ended(&key, ended_s, 77);
        strange.status = Status::Unknown;
        let counted = check(READING, &[(0, open(&key)), (5, strange)]);
        assert_eq!((counted.n_seen, counted.n_final, counted.audio_ms), (1, 1, 77));
    }
}

#[test]
fn a_word_that_all_calls_have_from_one_moment_on_loses_and_doubles_nothing() {
    let mut lives = others();
    for life in &mut lives {
        for (at_ms, call) in &mut life.rows {
            if *at_ms >= AT_S * 1000
                && let Some(call) = call
            {
                call.status = Status::Unknown;
            }
        }
    }
    let n_calls = lives.len() as u64;
    let audio_ms: u64 = (0..LAST_S).map(|at_s| 1 << (at_s % 60)).sum();
    let mut world = World::new(lives, QUIRKS, Random::new(1));
    let outcome = play(&mut world, &mut Random::new(1), READING);
    let audit = outcome.durable.audit.values();
    let counted = audit.fold((0, 0), |(n, ms), call| (n + call.n_final, ms + call.audio_ms));
    assert_eq!(counted, (n_calls, audio_ms));
}

/// A start over a past that is older than the lookback, and one answer of the first ones is a mistake.
#[test]
fn one_mistake_at_the_start_does_not_hide_the_past() {
    let start_s = LAST_S + 2 * BOUNDS.lookback_s;
    let reading = Reading { start_s, rest_s: start_s + 900, ..READING };
    for page_0 in [PastEnd::LastPage, PastEnd::Empty, PastEnd::NotFound] {
        for order in [ListOrder::New, ListOrder::Old] {
            for mistake in [Mistake::Empty, Mistake::NotFound] {
                for number in 1..=8 {
                    let mistake = Some((number, mistake));
                    let quirks = Quirks { page_0, order, mistake, ..QUIRKS };
                    let mut world = World::new(others(), quirks, Random::new(1));
                    let outcome = play(&mut world, &mut Random::new(1), reading);
                    let breaches = outcome.breaches.join("; ");
                    assert!(
                        breaches.is_empty(),
                        "{order:?}, page 0 {page_0:?}, {mistake:?}: {breaches}"
                    );
                }
            }
        }
    }
}

/// A list that is empty when page 0 is asked for, and an outage before page 1 is.
#[test]
fn an_outage_between_the_first_two_questions_hides_no_call() {
    let key = key(30, "first");
    let rows = vec![(30_000, Some(ended(&key, Some(30), 77)))];
    let lives = vec![Life { key, rows, bound_ms: 50_000 }];
    let mut world = World::new(lives, Quirks { first_page: 0, ..QUIRKS }, Random::new(1));
    world.outages = vec![(10, 30_000 + (BOUNDS.lookback_s + 40) * 1000)];
    let outcome = play(&mut world, &mut Random::new(1), READING);
    assert_eq!(outcome.breaches, Vec::<String>::new());
}

/// Calls that go on beyond the lookback, which are looked at by Get Call if that works.
#[test]
fn a_get_call_that_is_refused_holds_up_no_look() {
    let mut lives = others();
    for (at_s, took_s, name) in [(AT_S, 100, "long"), (AT_S + 80, 30, "later")] {
        let (key, end_s) = (key(at_s, name), at_s + took_s);
        let last = ended(&key, Some(end_s), 77);
        let rows = vec![(at_s * 1000, Some(open(&key))), (end_s * 1000, Some(last))];
        lives.push(Life { key, rows, bound_ms: (end_s + BOUNDS.settle_s) * 1000 });
    }
    let quirks = Quirks { get: GetQuirk::Refused, ..QUIRKS };
    let outcome =
        play(&mut World::new(lives, quirks, Random::new(1)), &mut Random::new(1), READING);
    assert_eq!(outcome.breaches, Vec::<String>::new());
}
