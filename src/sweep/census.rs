//! How many calls are known by id, by minute: enough to guess on which page a moment stands.

use std::collections::BTreeMap;

use super::Span;
use crate::call::Timestamp;

/// Known calls per minute of `initiatedAt`. The calls themselves stay in the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    by_minute: BTreeMap<i64, u32>,
    total: usize,
}

const MINUTE_S: i64 = 60;

impl Census {
    /// A call came to be known.
    pub fn add(&mut self, initiated_at: Timestamp) {
        *self.by_minute.entry(initiated_at.0.div_euclid(MINUTE_S)).or_default() += 1;
        self.total += 1;
    }

    /// A call left the ledger.
    pub fn remove(&mut self, initiated_at: Timestamp) {
        let minute = initiated_at.0.div_euclid(MINUTE_S);
        if let Some(count) = self.by_minute.get_mut(&minute) {
            *count -= 1;
            self.total -= 1;
            if *count == 0 {
                self.by_minute.remove(&minute);
            }
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
        let first = span.from.0.div_euclid(MINUTE_S);
        let last = span.to.0.saturating_sub(1).div_euclid(MINUTE_S);
        let seconds = self.by_minute.range(first..=last).map(|(&minute, &count)| {
            let from = span.from.0.max(minute * MINUTE_S);
            let to = span.to.0.min((minute + 1) * MINUTE_S);
            i64::from(count) * (to - from)
        });
        usize::try_from(seconds.sum::<i64>() / MINUTE_S).unwrap_or(0)
    }

    /// Whether a call of an earlier minute than `at` is known.
    pub fn knows_before(&self, at: Timestamp) -> bool {
        let minute = at.0.div_euclid(MINUTE_S);
        self.by_minute.keys().next().is_some_and(|&oldest| oldest < minute)
    }

    /// Whether a call of a later minute than `at` is known.
    pub fn knows_after(&self, at: Timestamp) -> bool {
        let minute = at.0.div_euclid(MINUTE_S);
        self.by_minute.keys().next_back().is_some_and(|&newest| newest > minute)
    }
}
