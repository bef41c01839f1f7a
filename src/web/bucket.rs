//! How often may be asked: a token bucket.

use std::time::Duration;

use super::policy::Rate;

/// A bucket that fills by one token in each interval, and holds `burst` of them at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    rate: Rate,
    /// The time, on a steady clock, at which it was or will be full.
    full_at: Duration,
}

impl Bucket {
    /// A full bucket.
    pub(super) const fn new(rate: Rate) -> Self {
        Self { rate, full_at: Duration::ZERO }
    }

    /// Its rate.
    pub(super) const fn rate(&self) -> Rate {
        self.rate
    }

    /// Takes a token, if there is one at `now` on the steady clock.
    pub(super) fn take(&mut self, now: Duration) -> bool {
        let full_at = self.full_at.max(now).saturating_add(self.rate.interval);
        let is_there = full_at - now <= self.rate.interval.saturating_mul(self.rate.burst);
        if is_there {
            self.full_at = full_at;
        }
        is_there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(rate: Rate, at_ms: &[u64]) -> Vec<bool> {
        let mut bucket = Bucket::new(rate);
        at_ms.iter().map(|ms| bucket.take(Duration::from_millis(*ms))).collect()
    }

    #[test]
    fn a_burst_is_possible_and_then_one_an_interval() {
        let rate = Rate { interval: Duration::from_secs(1), burst: 2 };
        let at_ms = [0, 0, 0, 999, 1000, 1000, 1999, 2000, 60_000, 60_000, 60_000];
        let expected = [true, true, false, false, true, false, false, true, true, true, false];
        assert_eq!(taken(rate, &at_ms), expected);
    }

    #[test]
    fn an_empty_burst_lets_nobody_through() {
        let rate = Rate { interval: Duration::from_secs(1), burst: 0 };
        assert_eq!(taken(rate, &[0, 1_000, 100_000]), [false; 3]);
    }
}
