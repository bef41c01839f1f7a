//! Pauses of one app after requests that were not answered.
//!
//! Moments here are those of a local clock that never jumps.

use super::Refusal;
use crate::call::Moment;

/// Shortest and longest pause after an answer that did not come.
const UNANSWERED_MS: (i64, i64) = (1_000, 30_000);
/// Shortest and longest pause after a refused key.
const DENIED_MS: (i64, i64) = (10_000, 60_000);

/// How long to wait, by the number of failures in a row.
#[derive(Clone, Debug)]
pub struct Backoff {
    paused_until: Moment,
    n_failures: u32,
    is_denied: bool,
    random: u64,
}

impl Backoff {
    /// No failure yet. The seed is that of the jitter.
    pub const fn new(seed: u64) -> Self {
        Self { paused_until: Moment::MIN, n_failures: 0, is_denied: false, random: seed }
    }

    /// For how many milliseconds to wait; 0 when there is no pause.
    pub fn wait_ms(&self, now: Moment) -> i64 {
        self.paused_until.since_ms(now).max(0)
    }

    /// An answer came.
    pub const fn answered(&mut self) {
        self.n_failures = 0;
        self.is_denied = false;
    }

    /// No usable answer came. A refused key waits longer and without jitter, since only an operator
    /// can mend it.
    pub fn refused(&mut self, refusal: Refusal, now: Moment) {
        let is_denied = refusal == Refusal::Denied;
        if is_denied != self.is_denied {
            (self.n_failures, self.is_denied) = (0, is_denied);
        }
        self.n_failures += 1;
        let pause_ms = if is_denied {
            doubling(DENIED_MS, self.n_failures)
        } else {
            self.jitter(doubling(UNANSWERED_MS, self.n_failures))
        };
        self.paused_until = now.plus_ms(pause_ms);
    }

    /// There is another key now: a pause for the refused one ends.
    pub const fn key_changed(&mut self, now: Moment) {
        if self.is_denied {
            self.answered();
            self.paused_until = now;
        }
    }

    /// Full jitter: anything from 1 ms to all of it, so that many apps do not return as one.
    fn jitter(&mut self, up_to_ms: i64) -> i64 {
        // SplitMix64.
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        1 + (z >> 1).cast_signed() % up_to_ms.max(1)
    }
}

fn doubling((shortest_ms, longest_ms): (i64, i64), n: u32) -> i64 {
    let factor = 1_i64.checked_shl(n.saturating_sub(1).min(30)).unwrap_or(i64::MAX);
    shortest_ms.saturating_mul(factor).min(longest_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_in_a_row_wait_longer_up_to_a_cap() {
        for (refusal, longest_ms) in [(Refusal::Unavailable, 30_000), (Refusal::Denied, 60_000)] {
            let (mut backoff, mut now, mut most_ms) = (Backoff::new(1), Moment(0), 0);
            for _ in 0..40 {
                backoff.refused(refusal, now);
                let wait_ms = backoff.wait_ms(now);
                assert!((1..=longest_ms).contains(&wait_ms), "{refusal:?}: {wait_ms}");
                most_ms = most_ms.max(wait_ms);
                now = now.plus_ms(wait_ms);
            }
            assert!(most_ms > longest_ms / 2, "{refusal:?} never waited long: {most_ms}");
        }
    }

    #[test]
    fn a_refused_key_waits_ten_seconds_doubling_to_a_minute() {
        let mut backoff = Backoff::new(1);
        let waits = [(); 5].map(|()| {
            backoff.refused(Refusal::Denied, Moment(0));
            backoff.wait_ms(Moment(0))
        });
        assert_eq!(waits, [10_000, 20_000, 40_000, 60_000, 60_000]);
    }

    #[test]
    fn a_new_key_ends_the_pause_of_a_refused_one_only() {
        let mut backoff = Backoff::new(1);
        backoff.refused(Refusal::Denied, Moment(0));
        backoff.key_changed(Moment(5));
        assert_eq!(backoff.wait_ms(Moment(5)), 0);
        backoff.refused(Refusal::Unavailable, Moment(5));
        backoff.key_changed(Moment(5));
        assert!(backoff.wait_ms(Moment(5)) > 0);
    }

    #[test]
    fn an_answer_starts_the_count_anew() {
        let mut backoff = Backoff::new(1);
        (0..9).for_each(|_| backoff.refused(Refusal::Unavailable, Moment(0)));
        backoff.answered();
        backoff.refused(Refusal::Unavailable, Moment(0));
        assert!(backoff.wait_ms(Moment(0)) <= 1_000);
    }
}
