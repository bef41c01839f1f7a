//! How many calls are known by id, by minute: enough to guess on which page a moment stands.

use std::collections::BTreeMap;

use super::Span;
use crate::call::Timestamp;

/// Known calls per minute of `initiatedAt`. The calls themselves stay in the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// By the hour: a map by the minute takes six times the memory, which counts with many apps.
    hours: BTreeMap<i64, Hour>,
    total: usize,
}

/// Calls in each minute of an hour; none has no call at all.
type Hour = Box<[u32; MINUTES]>;

const MINUTE_S: i64 = 60;
const MINUTES: usize = 60;

/// The hour of a moment, and the minute in it.
fn place(at: Timestamp) -> (i64, usize) {
    let minute = at.0.div_euclid(MINUTE_S);
    let hour = minute.div_euclid(MINUTES as i64);
    (hour, usize::try_from(minute.rem_euclid(MINUTES as i64)).unwrap_or_default())
}

impl Census {
    /// A call came to be known.
    pub fn add(&mut self, initiated_at: Timestamp) {
        let (hour, minute) = place(initiated_at);
        self.hours.entry(hour).or_insert_with(|| Box::new([0; _]))[minute] += 1;
        self.total += 1;
    }

    /// A call left the ledger.
    pub fn remove(&mut self, initiated_at: Timestamp) {
        let (hour, minute) = place(initiated_at);
        let Some(counts) = self.hours.get_mut(&hour) else { return };
        if counts[minute] > 0 {
            counts[minute] -= 1;
            self.total -= 1;
        }
        if counts.iter().all(|count| *count == 0) {
            self.hours.remove(&hour);
        }
    }

    /// How many calls are known.
    pub const fn total(&self) -> usize {
        self.total
    }

    /// About how many known calls were initiated within `span`: minutes at its ends count in
    /// proportion.
    pub fn count(&self, span: Span) -> usize {
        if span.is_empty() {
            return 0;
        }
        let (first, _) = place(span.from);
        let (last, _) = place(Timestamp(span.to.0.saturating_sub(1)));
        let seconds = minutes(self.hours.range(first..=last)).map(|(minute, count)| {
            let from = span.from.0.max(minute * MINUTE_S);
            let to = span.to.0.min((minute + 1) * MINUTE_S);
            i64::from(count) * (to - from).max(0)
        });
        usize::try_from(seconds.sum::<i64>() / MINUTE_S).unwrap_or(0)
    }

    /// Whether a call of an earlier minute than `at` is known.
    pub fn knows_before(&self, at: Timestamp) -> bool {
        let minute = at.0.div_euclid(MINUTE_S);
        minutes(self.hours.iter()).next().is_some_and(|(oldest, _)| oldest < minute)
    }

    /// Whether a call of a later minute than `at` is known.
    pub fn knows_after(&self, at: Timestamp) -> bool {
        let minute = at.0.div_euclid(MINUTE_S);
        minutes(self.hours.iter()).next_back().is_some_and(|(newest, _)| newest > minute)
    }
}

/// The minutes that have calls, and how many.
fn minutes<'a>(
    hours: impl DoubleEndedIterator<Item = (&'a i64, &'a Hour)>,
) -> impl DoubleEndedIterator<Item = (i64, u32)> {
    let of_hour = |(hour, counts): (&'a i64, &'a Hour)| {
        let first = hour * MINUTES as i64;
        let counts = counts.iter().enumerate();
        counts.map(move |(minute, count)| (first + minute as i64, *count))
    };
    hours.flat_map(of_hour).filter(|(_, count)| *count > 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Moments before the epoch too, and borders of hours.
        #[test]
        fn it_counts_as_a_list_of_the_calls_would(
            moments in prop::collection::vec(-10_000_i64..10_000, 0..60),
            n_left in 0_usize..60,
            (from, to) in (-12_000_i64..12_000, -12_000_i64..12_000),
        ) {
            let (left, stay) = moments.split_at(n_left.min(moments.len()));
            let mut census = Census::default();
            moments.iter().for_each(|at| census.add(Timestamp(*at)));
            left.iter().for_each(|at| census.remove(Timestamp(*at)));
            prop_assert_eq!(census.total(), stay.len());
            // Whole minutes, so that nothing counts in proportion.
            let (from, to) = (from.div_euclid(MINUTE_S), to.div_euclid(MINUTE_S));
            let within = |at: &&i64| (from..to).contains(&at.div_euclid(MINUTE_S));
            let span = Span::new(Timestamp(from * MINUTE_S), Timestamp(to * MINUTE_S));
            prop_assert_eq!(census.count(span), stay.iter().filter(within).count());
            let is_before = |at: &i64| at.div_euclid(MINUTE_S) < from;
            let is_after = |at: &i64| at.div_euclid(MINUTE_S) > from;
            prop_assert_eq!(census.knows_before(span.from), stay.iter().any(is_before));
            prop_assert_eq!(census.knows_after(span.from), stay.iter().any(is_after));
            left.iter().chain(stay).for_each(|at| census.remove(Timestamp(*at)));
            prop_assert_eq!(&census, &Census::default(), "nothing is kept of what left");
        }
    }
}
