//! How far the API's clock is ahead of the local one, from the `Date` header of its answers.

use crate::call::{Moment, Timestamp};

/// The API's clock relative to the local one.
///
/// A `Date` names the second in which the answer was made, and that lay between the start of the
/// request and the end of the answer: each answer bounds the truth from both sides. The estimate
/// moves only when it lies outside of these bounds, so that clocks which agree never jitter. It moves
/// far only when two answers agree: one from a machine whose clock is wrong would otherwise make the
/// future count as read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skew {
    ahead_ms: i64,
    is_known: bool,
    /// What the newest answers say that are not believed yet, and how many they are.
    doubted: Option<(i64, u32)>,
}

/// Two answers agree within this.
const FAR_MS: i64 = 60_000;
/// Of answers that never agree, the one after so many is believed.
const DOUBTS_MAX: u32 = 5;

impl Skew {
    /// Learns from an answer with this `Date`, asked for and received at these local times.
    pub fn learn(&mut self, date: Timestamp, asked_at: Moment, received_at: Moment) {
        *self = Self {
            ahead_ms: self.told_by(date, asked_at, received_at),
            is_known: true,
            doubted: None,
        };
    }

    /// The same where the answer is to be believed; false where it is to be left alone, since its
    /// clock is far from what was known and from what the answer before it said.
    pub fn believes(&mut self, date: Timestamp, asked_at: Moment, received_at: Moment) -> bool {
        let ahead_ms = self.told_by(date, asked_at, received_at);
        let is_near = |other: i64| ahead_ms.saturating_sub(other).saturating_abs() <= FAR_MS;
        let (said_ms, n_doubts) = self.doubted.unwrap_or((self.ahead_ms, 0));
        let is_believed = is_near(self.ahead_ms) || is_near(said_ms) || n_doubts >= DOUBTS_MAX;
        if is_believed {
            self.learn(date, asked_at, received_at);
        } else {
            self.doubted = Some((ahead_ms, n_doubts + 1));
        }
        is_believed
    }

    /// The estimate after an answer.
    fn told_by(self, date: Timestamp, asked_at: Moment, received_at: Moment) -> i64 {
        let least = date.start().since_ms(received_at.max(asked_at));
        let most = date.plus_s(1).start().since_ms(asked_at.min(received_at)) - 1;
        self.ahead_ms.clamp(least, most.max(least))
    }

    /// Milliseconds that the API's clock is ahead; 0 until an answer has told.
    pub const fn ahead_ms(self) -> i64 {
        self.ahead_ms
    }

    /// Milliseconds that the local clock is ahead, once an answer has told.
    pub fn local_ahead_ms(self) -> Option<i64> {
        self.is_known.then_some(-self.ahead_ms)
    }

    /// The time on the API's clock at this local time.
    pub const fn api_time(self, local: Moment) -> Moment {
        local.plus_ms(self.ahead_ms)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_estimate_is_never_off_by_more_than_a_second_and_the_delay(
            ahead_ms in -21_600_000_i64..21_600_000,
            answers in prop::collection::vec((0_i64..60_000, 0_i64..900, 0_i64..900), 1..20),
        ) {
            let (mut skew, mut local) = (Skew::default(), 1_760_000_000_000);
            for (pause, there, back) in answers {
                local += pause;
                let (asked_at, made_at) = (Moment(local), Moment(local + there));
                local += there + back;
                skew.learn(made_at.plus_ms(ahead_ms).floor(), asked_at, Moment(local));
                let error = skew.ahead_ms() - ahead_ms;
                prop_assert!(error.abs() <= 1000 + there + back, "off by {error} ms");
            }
        }
    }

    #[test]
    fn clocks_that_agree_never_jitter() {
        let mut skew = Skew::default();
        for asked_ms in (0..100_000).step_by(377) {
            let made_at = Moment(asked_ms + 200);
            skew.learn(made_at.floor(), Moment(asked_ms), Moment(asked_ms + 450));
            assert_eq!(skew.ahead_ms(), 0);
        }
        assert_eq!(skew.local_ahead_ms(), Some(0));
    }

    #[test]
    fn a_clock_that_leaps_is_believed_when_the_next_answer_agrees() {
        let mut skew = Skew::default();
        let mut learn = |local_s: i64, date_s: i64| {
            let at = Timestamp(local_s).start();
            (skew.believes(Timestamp(date_s), at, at), skew.ahead_ms() / 1000)
        };
        assert_eq!(learn(1000, 1000), (true, 0));
        assert_eq!(learn(1010, 87_410), (false, 0), "one answer from tomorrow");
        assert_eq!(learn(1020, 1020), (true, 0));
        assert_eq!(learn(1030, 87_430), (false, 0), "tomorrow again, and then for good");
        assert_eq!(learn(1040, 87_440), (true, 86_400));
        assert_eq!(learn(1050, 87_450), (true, 86_400));
        let never_agree = (0..20).find(|n| learn(2000, 1_000_000 * (n + 1)).0);
        assert_eq!(never_agree, Some(5), "it does not wait for ever");
    }
}
