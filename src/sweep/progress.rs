//! What is durable of the reading itself: since when it counts, and what was read how late.

use super::{Order, Span, Spans};
use crate::call::{Moment, Timestamp};

/// The durable state of one app beside its ledger and totals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The counters count exactly the calls initiated at or after this second.
    pub epoch: Timestamp,
    /// Whether the epoch has been set by the API's clock. Until an answer has told that clock, the
    /// epoch of a start "now" is the local one.
    pub epoch_settled: bool,
    /// Reading goes back to here: the epoch, or the recent window before the first start.
    pub floor: Timestamp,
    /// Whether the list was once read without a gap from the epoch to its head. Until then the
    /// counters of an epoch in the past stay absent.
    pub complete: bool,
    /// What was read, per age.
    pub read: ReadTime,
    /// The order of the list, as far as it was learned.
    pub order: Order,
}

impl Progress {
    /// Up to when every call since the epoch has been seen; the epoch before the first read.
    pub fn covered_until(&self) -> Timestamp {
        let from_epoch = self.read.covered().around(self.epoch);
        from_epoch.map_or(self.epoch, |span| span.to)
    }
}

/// Per age of the list, the spans of `initiatedAt` that were read completely at that age or later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadTime {
    /// `(age in seconds, what was read)`, ages rising; the first is 0, the last the lookback.
    pub by_age: Vec<(i64, Spans)>,
}

impl ReadTime {
    /// The ages at which each moment is read again, in seconds; those above the lookback fall away.
    const AGES_S: [i64; 6] = [0, 120, 360, 900, 2100, 4200];

    /// Nothing read yet.
    pub fn new(lookback_s: i64) -> Self {
        let ages = Self::AGES_S.into_iter().filter(|&age| age < lookback_s).chain([lookback_s]);
        Self { by_age: ages.map(|age| (age, Spans::default())).collect() }
    }

    /// The same read time under another lookback.
    ///
    /// What was read at an age was also read at every lesser one. What is sealed stays sealed,
    /// since its calls may have left the ledger and must not be counted a second time. No more than
    /// that: only time that a page seals takes its calls out of the ledger.
    #[must_use]
    pub fn under_lookback(&self, lookback_s: i64) -> Self {
        let mut new = Self::new(lookback_s);
        for (age, spans) in &mut new.by_age {
            let is_late = |old: i64| old >= *age && *age < lookback_s;
            let late = self.by_age.iter().filter(|(old, _)| is_late(*old)).map(|(_, spans)| spans);
            *spans = late.chain([self.sealed()]).flat_map(Spans::iter).collect();
        }
        new
    }

    /// The greatest age, seconds.
    pub fn lookback_s(&self) -> i64 {
        self.by_age[self.by_age.len() - 1].0
    }

    /// What was read at all.
    pub fn covered(&self) -> &Spans {
        &self.by_age[0].1
    }

    /// What was read at the age of the lookback: a row not known there was counted and forgotten,
    /// or came too late.
    pub fn sealed(&self) -> &Spans {
        &self.by_age[self.by_age.len() - 1].1
    }

    /// Adds a span that was read by a request which began at `asked_at` (the API's clock): to each
    /// age the part that had reached it.
    pub fn add(&mut self, span: Span, asked_at: Moment) {
        for (age, spans) in &mut self.by_age {
            let old_enough = asked_at.floor().plus_s(-*age);
            spans.add(Span::new(span.from, span.to.min(old_enough)));
        }
    }
}
