//! Pages whose size changes while the list is read: neither a short page nor a long one is taken for
//! what it is not.

use cometchat_exporter::call::Timestamp;

use super::edges::{LAST_S, QUIRKS, READING, ended, key, others};
use super::random::Random;
use super::run::{BOUNDS, Reading, play};
use super::world::{Life, ListOrder, PastEnd, Quirks, World};

/// When the first process starts where all calls are past, and older than the lookback.
const PAST_S: i64 = LAST_S + 2 * BOUNDS.lookback_s;

/// A call each second, and now and then more of one second than a page holds.
fn busy() -> Vec<Life> {
    let crowd = |idx: i64| {
        let at_s = 17 + idx / 25 * 30;
        let key = key(at_s, &format!("crowd-{idx}"));
        let audio_ms = u64::try_from(idx).unwrap() + 1;
        let rows = vec![(at_s * 1000, Some(ended(&key, Some(at_s), audio_ms)))];
        Life { key, rows, bound_ms: (at_s + BOUNDS.settle_s) * 1000 }
    };
    others().into_iter().chain((0..450).map(crowd)).collect()
}

/// Reads them behind a list that changes the size of its pages, in either order.
fn breaches(reading: &Reading, cap: usize, caps_later: &[(i64, usize)]) -> Vec<String> {
    let mut breaches = Vec::new();
    for order in [ListOrder::New, ListOrder::Old] {
        for past_end in [PastEnd::Empty, PastEnd::NotFound, PastEnd::LastPage] {
            let caps_later = caps_later.to_vec();
            let quirks = Quirks { order, per_page_max: cap, caps_later, past_end, ..QUIRKS };
            let mut world = World::new(busy(), quirks.clone(), Random::new(1));
            let found = play(&mut world, &mut Random::new(1), *reading).breaches;
            let ends = found.first().zip(found.last());
            let n = found.len();
            breaches
                .extend(ends.map(|ends| format!("{n} in {quirks:?}, first and last: {ends:?}")));
        }
    }
    breaches
}

#[test]
fn pages_that_become_shorter_are_not_the_end_of_the_list() {
    for cap in [3, 6, 9] {
        let caps_later = [(LAST_S * 500, cap)];
        assert_eq!(breaches(&READING, 100, &caps_later), Vec::<String>::new(), "{cap} rows");
    }
}

#[test]
fn pages_that_become_longer_skip_nothing() {
    assert_eq!(breaches(&READING, 3, &[(LAST_S * 500, 10)]), Vec::<String>::new());
}

#[test]
fn pages_that_become_longer_while_the_past_is_read_skip_nothing() {
    let reading = Reading { start_s: PAST_S, rest_s: PAST_S + 900, ..READING };
    for after_ms in (1_000..15_000).step_by(307) {
        let caps_later = [(PAST_S * 1000 + after_ms, 10)];
        let found = breaches(&reading, 5, &caps_later);
        assert_eq!(found, Vec::<String>::new(), "after {after_ms} ms");
    }
}

#[test]
fn a_short_page_while_the_past_is_read_does_not_end_it() {
    let reading = Reading { start_s: PAST_S, rest_s: PAST_S + 900, ..READING };
    for after_ms in (1_000..8_000).step_by(61) {
        // In one answer at most, and for good.
        for until_ms in [15, 1_000_000] {
            let at_ms = PAST_S * 1000 + after_ms;
            let caps_later = [(at_ms, 7), (at_ms + until_ms, 100)];
            let found = breaches(&reading, 100, &caps_later);
            assert_eq!(found, Vec::<String>::new(), "after {after_ms} ms");
        }
    }
}

#[test]
fn a_short_page_after_a_long_outage_does_not_hide_what_came_meanwhile() {
    let from_ms = 300_000;
    let until_ms = from_ms + 200_000;
    for order in [ListOrder::New, ListOrder::Old] {
        // Nothing before the outage: no call is known that would stand beyond the page.
        let mut lives = busy();
        lives.retain(|life| life.key.initiated_at >= Timestamp(from_ms / 1000));
        let caps_later = vec![(until_ms, 4)];
        let quirks = Quirks { order, caps_later, ..QUIRKS };
        let mut world = World::new(lives, quirks, Random::new(1));
        world.outages = vec![(from_ms + 20_000, until_ms)];
        let outcome = play(&mut world, &mut Random::new(1), READING);
        assert_eq!(outcome.breaches, Vec::<String>::new(), "{order:?}");
    }
}

#[test]
fn pages_that_become_shorter_while_nobody_calls_are_not_the_end_of_what_comes_later() {
    let from_s = LAST_S + 600;
    for order in [ListOrder::New, ListOrder::Old] {
        // All calls before have left the ledger when the pages change.
        let late = (from_s..from_s + 300).step_by(5).map(|at_s| {
            let key = key(at_s, "late");
            let rows = vec![(at_s * 1000, Some(ended(&key, Some(at_s), 7)))];
            Life { key, rows, bound_ms: (at_s + BOUNDS.settle_s) * 1000 }
        });
        let caps_later = vec![((from_s - 100) * 1000, 7)];
        let quirks = Quirks { order, per_page_max: 10, caps_later, ..QUIRKS };
        let mut world =
            World::new(others().into_iter().chain(late).collect(), quirks, Random::new(1));
        let reading = Reading { rest_s: from_s + 900, ..READING };
        let outcome = play(&mut world, &mut Random::new(1), reading);
        assert_eq!(outcome.breaches, Vec::<String>::new(), "{order:?}");
    }
}
