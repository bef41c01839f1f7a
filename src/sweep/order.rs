//! In which order the list comes: learned inside single pages, since between two pages rows shift.

use crate::call::Call;

/// The greatest disorder seen inside single pages, in seconds, against each of the two orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// How far a row was newer than one listed before it.
    pub against_newest_first_s: i64,
    /// How far a row was older than one listed before it.
    pub against_oldest_first_s: i64,
}

impl Order {
    /// Disorder to assume as soon as any is seen, and before that of time that is read but once: one
    /// page shows only a part of it.
    pub(super) const SLACK_S_MIN: i64 = 120;
    /// By how much one sense must outweigh the other before it counts as an order.
    const CLEAR: i64 = 4;

    /// Learns from one page.
    pub fn learn(&mut self, calls: &[Call]) {
        let Some(first) = calls.first() else { return };
        let (mut oldest, mut newest) = (first.key.initiated_at, first.key.initiated_at);
        for call in calls {
            let at = call.key.initiated_at;
            self.against_newest_first_s = self.against_newest_first_s.max(at.since_s(oldest));
            self.against_oldest_first_s = self.against_oldest_first_s.max(newest.since_s(at));
            oldest = oldest.min(at);
            newest = newest.max(at);
        }
    }

    /// Whether a direction is known. Until then only a walk over the whole list covers anything.
    pub fn is_known(self) -> bool {
        let (less, more) = self.sorted();
        more > 0 && more >= less.saturating_mul(Self::CLEAR)
    }

    /// The direction that fits better.
    pub const fn is_newest_first(self) -> bool {
        self.against_newest_first_s <= self.against_oldest_first_s
    }

    /// How many seconds a row may lie beyond the ends of a page on which it does not stand.
    pub fn slack_s(self) -> i64 {
        match self.sorted() {
            (0, _) => 0,
            (disorder, _) => disorder.max(Self::SLACK_S_MIN),
        }
    }

    fn sorted(self) -> (i64, i64) {
        let (a, b) = (self.against_newest_first_s, self.against_oldest_first_s);
        (a.min(b), a.max(b))
    }
}
