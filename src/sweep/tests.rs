//! Properties of the parts of the planner; `tests/it/simulation` drives the whole.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::call::{Moment, Timestamp};

fn span() -> impl Strategy<Value = Span> {
    (0_i64..60, 0_i64..12).prop_map(|(from, n)| Span::new(Timestamp(from), Timestamp(from + n)))
}

fn seconds(spans: impl IntoIterator<Item = Span>) -> BTreeSet<i64> {
    spans.into_iter().flat_map(|span| span.from.0..span.to.0).collect()
}

proptest! {
    #[test]
    fn spans_hold_the_seconds_that_were_added(added in prop::collection::vec(span(), 0..12)) {
        let set: Spans = added.iter().copied().collect();
        prop_assert_eq!(seconds(set.iter()), seconds(added));
        let list: Vec<Span> = set.iter().collect();
        for pair in list.windows(2) {
            prop_assert!(pair[0].to < pair[1].from, "{list:?} overlap or touch");
        }
        for at in -1..80 {
            prop_assert_eq!(set.contains(Timestamp(at)), seconds(set.iter()).contains(&at));
        }
    }

    #[test]
    fn gaps_are_what_is_missing(added in prop::collection::vec(span(), 0..8), within in span()) {
        let set: Spans = added.into_iter().collect();
        let missing: BTreeSet<i64> =
            seconds([within]).difference(&seconds(set.iter())).copied().collect();
        prop_assert_eq!(seconds(set.gaps(within)), missing);
    }

    /// What left the ledger under one lookback must never be counted anew under another.
    #[test]
    fn what_is_sealed_stays_sealed_under_another_lookback(
        reads in prop::collection::vec((span(), 0_i64..20_000), 0..10),
        old_lookback in 1_i64..10_000,
        new_lookback in 1_i64..10_000,
    ) {
        let mut old = ReadTime::new(old_lookback);
        for (span, asked_at) in reads {
            old.add(span, Timestamp(asked_at).start());
        }
        let new = old.under_lookback(new_lookback);
        let sealed = seconds(new.sealed().iter());
        prop_assert!(sealed.is_superset(&seconds(old.sealed().iter())));
        for pair in new.by_age.windows(2) {
            let (young, late) = (seconds(pair[0].1.iter()), seconds(pair[1].1.iter()));
            prop_assert!(young.is_superset(&late), "read late and not early: {new:?}");
        }
        prop_assert_eq!(new.lookback_s(), new_lookback);
    }

    #[test]
    fn due_times_lie_on_multiples_and_never_in_the_past(
        interval_s in 1_i64..90, phase in 0_i64..90_000, now in 0_i64..10_000_000, steps in 0_u32..6,
    ) {
        let interval_ms = interval_s * 1000;
        let grid = Grid { interval_ms, phase_ms: phase % interval_ms };
        let step_ms = interval_ms << steps;
        let due = grid.after(Moment(now), step_ms);
        prop_assert!(due.0 > now && due.0 <= now + step_ms);
        prop_assert_eq!((due.0 - grid.phase_ms).rem_euclid(step_ms), 0);
    }
}

#[test]
fn read_time_counts_only_what_had_reached_the_age() {
    let mut read = ReadTime::new(300);
    read.add(Span::new(Timestamp(0), Timestamp(1000)), Timestamp(1000).start());
    let shown: Vec<(i64, i64)> = read
        .by_age
        .iter()
        .map(|(age, spans)| (*age, spans.newest().map_or(0, |span| span.to.0)))
        .collect();
    assert_eq!(shown, [(0, 1000), (120, 880), (300, 700)]);
}
