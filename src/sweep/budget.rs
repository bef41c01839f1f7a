//! How many requests the exporter lets itself make, of a limit that it shares with the user's own
//! production traffic.
//!
//! Apps that share one limit share one budget. Moments here are those of a local clock that never
//! jumps.

use super::{Quota, Refusal};
use crate::call::Moment;

/// One request in the unit of the bucket: with a share given in millionths, `limit * share` is a
/// whole number of these.
const REQUEST: i64 = 1_000_000;
const MINUTE_MS: i64 = 60_000;
/// Requests in the bucket after a start.
const REQUESTS_AT_START: i64 = 2;
/// From this budget on, requests a minute, several are made at once.
const LARGE_PER_MINUTE: i64 = 300;
/// The longest pause that the API is granted.
pub const PAUSE_MS_MAX: i64 = 15 * MINUTE_MS;

/// Settings of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetOptions {
    /// Requests a minute that the API allows the app, until a header says otherwise.
    pub limit_per_minute: u64,
    /// The share of them that the exporter uses, in millionths.
    pub share_ppm: u32,
}

/// A token bucket, with the pauses that the API asks for.
#[derive(Clone, Debug)]
pub struct Budget {
    options: BudgetOptions,
    limit: u64,
    remaining: Option<u64>,
    tokens: i64,
    filled_at: Moment,
    paused_until: Moment,
}

impl Budget {
    /// A bucket at the start of a process.
    pub fn new(options: BudgetOptions, now: Moment) -> Self {
        let mut budget = Self {
            options,
            limit: options.limit_per_minute,
            remaining: None,
            tokens: REQUESTS_AT_START * REQUEST,
            filled_at: now,
            paused_until: now,
        };
        budget.tokens = budget.tokens.min(budget.capacity());
        budget
    }

    /// Begins to fill up to the time of one request later; when, goes by `number`. Of many that begin
    /// together, each then fills at moments of its own.
    #[must_use]
    pub fn shifted(mut self, number: u64) -> Self {
        let request_ms = (MINUTE_MS * REQUEST / self.per_minute().max(1)).clamp(1, MINUTE_MS);
        let later_ms = number % request_ms.cast_unsigned();
        self.filled_at = self.filled_at.plus_ms(later_ms.cast_signed());
        self
    }

    /// Takes other settings. What is in the bucket stays there, and so do pauses; what a header said
    /// of the limit holds unless the limit itself was set anew.
    pub fn configure(&mut self, options: BudgetOptions, now: Moment) {
        self.fill(now);
        if options.limit_per_minute != self.options.limit_per_minute {
            self.limit = options.limit_per_minute;
        }
        self.options = options;
        self.tokens = self.tokens.min(self.capacity());
    }

    /// Takes one request out of the bucket, or tells for how many milliseconds to wait.
    ///
    /// # Errors
    /// The milliseconds until it is worth asking again; always more than 0.
    pub fn take(&mut self, now: Moment) -> Result<(), i64> {
        let pause_ms = self.paused_until.since_ms(now);
        if pause_ms > 0 {
            return Err(pause_ms);
        }
        self.fill(now);
        if self.tokens < REQUEST {
            let missing = i128::from(REQUEST - self.tokens) * i128::from(MINUTE_MS);
            let wait_ms = missing / i128::from(self.per_minute().max(1)) + 1;
            return Err(i64::try_from(wait_ms).unwrap_or(i64::MAX).min(PAUSE_MS_MAX));
        }
        self.tokens -= REQUEST;
        Ok(())
    }

    /// Whether only the head of the list is to be asked for, since less than a tenth of the limit
    /// is left for everybody.
    pub fn is_scarce(&self) -> bool {
        self.remaining.is_some_and(|left| left.saturating_mul(10) < self.limit)
    }

    /// Whether the budget is more than can be spent with one request after another.
    pub const fn is_large(&self) -> bool {
        self.milli_per_minute() >= LARGE_PER_MINUTE * 1_000
    }

    /// The budget in thousandths of a request a minute.
    pub const fn milli_per_minute(&self) -> i64 {
        self.per_minute() / 1_000
    }

    /// Learns what an answer says of the limit. What is left of it is known from the newest answer
    /// alone: an API that tells it with refusals only would seem used up for ever.
    pub fn learn(&mut self, quota: Quota) {
        if let Some(limit) = quota.limit.filter(|&limit| limit > 0) {
            if limit < self.limit {
                // What was saved up under a limit that never was is not to be spent at once.
                let kept = i128::from(self.tokens) * i128::from(limit) / i128::from(self.limit);
                self.tokens = i64::try_from(kept).unwrap_or(0);
            }
            self.limit = limit;
        }
        self.remaining = quota.remaining;
    }

    /// Pauses for as long as a refusal asks to; false where it does not say for how long. The reset
    /// of the limit counts only where the limit was the reason.
    pub fn pause(&mut self, refusal: Refusal, quota: Quota, now: Moment) -> bool {
        let reset_in_ms = quota.reset_in_ms.filter(|_| refusal == Refusal::Later);
        let asked_ms = quota.retry_after_ms.or(reset_in_ms);
        if let Some(pause_ms) = asked_ms {
            let until = now.plus_ms(pause_ms.clamp(1, PAUSE_MS_MAX));
            self.paused_until = self.paused_until.max(until);
        }
        asked_ms.is_some()
    }

    const fn per_minute(&self) -> i64 {
        let product = self.limit.saturating_mul(self.options.share_ppm as u64);
        if product > i64::MAX as u64 { i64::MAX } else { product.cast_signed() }
    }

    /// A fifth of a minute's budget, and room for one request at least.
    fn capacity(&self) -> i64 {
        (self.per_minute() / 5).max(REQUEST)
    }

    fn fill(&mut self, now: Moment) {
        let elapsed_ms = now.since_ms(self.filled_at).max(0);
        let gained = i128::from(elapsed_ms) * i128::from(self.per_minute()) / i128::from(MINUTE_MS);
        let gained = i64::try_from(gained).unwrap_or(i64::MAX);
        // Less than the unit of the bucket is not lost: it goes on growing until it is one.
        if gained > 0 {
            self.tokens = self.tokens.saturating_add(gained).min(self.capacity());
            self.filled_at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(limit_per_minute: u64, share_ppm: u32) -> Budget {
        Budget::new(BudgetOptions { limit_per_minute, share_ppm }, Moment(0))
    }

    /// How many requests a hungry caller gets within `ms`.
    fn served(budget: &mut Budget, from: Moment, ms: i64) -> i64 {
        let (mut now, mut n) = (from, 0);
        while now < from.plus_ms(ms) {
            match budget.take(now) {
                Ok(()) => n += 1,
                Err(wait_ms) => now = now.plus_ms(wait_ms),
            }
        }
        n
    }

    #[test]
    fn a_minute_holds_the_share_of_the_limit() {
        let mut budget = budget(500, 200_000);
        let first = served(&mut budget, Moment(0), 60_000);
        assert!(
            (100..=102).contains(&first),
            "{first} requests, 100 of the rate and 2 at the start"
        );
        let second = served(&mut budget, Moment(60_000), 60_000);
        assert!((99..=101).contains(&second), "{second} requests");
    }

    #[test]
    fn an_empty_bucket_says_when_it_holds_a_request_again() {
        let mut budget = budget(60, 1_000_000);
        let taken = [0, 0, 0, 1_000].map(|ms| budget.take(Moment(ms)));
        assert_eq!(taken, [Ok(()), Ok(()), Err(1_001), Ok(())]);
    }

    #[test]
    fn many_that_begin_together_fill_at_moments_of_their_own() {
        // One request each 600 ms.
        let third_at = |number| {
            let mut budget = budget(500, 200_000).shifted(number);
            assert_eq!([budget.take(Moment(0)), budget.take(Moment(0))], [Ok(()); 2], "at once");
            (1..2_000).find(|ms| budget.clone().take(Moment(*ms)).is_ok())
        };
        assert_eq!([0, 1, 599, 600].map(third_at), [600, 601, 1_199, 600].map(Some));
    }

    #[test]
    fn a_large_budget_is_one_of_five_requests_a_second() {
        assert_eq!([1_499, 1_500].map(|limit| budget(limit, 200_000).is_large()), [false, true]);
    }

    #[test]
    fn a_budget_below_one_request_a_minute_is_kept() {
        let mut budget = budget(2, 100_000);
        assert_eq!(
            served(&mut budget, Moment(0), 600_000),
            2,
            "one at the start, one in 5 minutes"
        );
    }

    #[test]
    fn a_rest_fills_no_more_than_a_fifth_of_a_minute() {
        let mut budget = budget(500, 200_000);
        served(&mut budget, Moment(0), 60_000);
        assert!(budget.take(Moment(10_000_000)).is_ok());
        let mut n = 1;
        while budget.take(Moment(10_000_000)).is_ok() {
            n += 1;
        }
        assert_eq!(n, 20);
    }

    #[test]
    fn headers_change_the_limit_and_mark_it_scarce() {
        let mut budget = budget(500, 200_000);
        budget.learn(Quota { limit: Some(20_000), remaining: Some(1_999), ..Quota::default() });
        assert_eq!(budget.milli_per_minute(), 4_000_000);
        assert!(budget.is_scarce());
        budget.learn(Quota { remaining: Some(2_000), ..Quota::default() });
        assert!(!budget.is_scarce());
        budget.learn(Quota { remaining: Some(0), ..Quota::default() });
        assert!(budget.is_scarce());
        budget.learn(Quota::default());
        assert!(!budget.is_scarce(), "an answer that says nothing of it");
    }

    #[test]
    fn a_limit_that_turns_out_lower_takes_the_savings_with_it() {
        let mut budget = budget(1_000_000, 1_000_000);
        assert_eq!(budget.take(Moment(60_000)), Ok(()));
        budget.learn(Quota { limit: Some(500), ..Quota::default() });
        let n = served(&mut budget, Moment(60_000), 1_000);
        assert!((100..=110).contains(&n), "{n} requests at once of 500 a minute");
    }

    #[test]
    fn other_settings_leave_what_was_spent_spent() {
        let mut budget = budget(500, 200_000);
        served(&mut budget, Moment(0), 60_000);
        budget.learn(Quota { limit: Some(1_000), ..Quota::default() });
        let half = BudgetOptions { limit_per_minute: 500, share_ppm: 100_000 };
        budget.configure(half, Moment(60_000));
        assert_eq!(budget.milli_per_minute(), 100_000, "a tenth of the limit in the header");
        assert!(served(&mut budget, Moment(60_000), 600) <= 2, "no fresh bucket");
        let set = BudgetOptions { limit_per_minute: 50, share_ppm: 1_000_000 };
        budget.configure(set, Moment(120_000));
        assert_eq!(budget.milli_per_minute(), 50_000);
        assert!(served(&mut budget, Moment(120_000), 1) <= 10, "a fifth of a minute at most");
    }

    #[test]
    fn a_pause_that_the_api_asks_for_is_kept_up_to_fifteen_minutes() {
        let mut budget = budget(500, 200_000);
        let quota = Quota { retry_after_ms: Some(7_000), ..Quota::default() };
        assert!(budget.pause(Refusal::Later, quota, Moment(0)));
        assert_eq!(budget.take(Moment(0)), Err(7_000));
        let quota = Quota { retry_after_ms: Some(86_400_000), ..Quota::default() };
        assert!(budget.pause(Refusal::Later, quota, Moment(7_000)));
        assert_eq!(budget.take(Moment(7_000)), Err(900_000));
    }

    #[test]
    fn a_refusal_that_names_no_time_does_not_pause_the_budget() {
        let mut budget = budget(500, 200_000);
        assert!(!budget.pause(Refusal::Later, Quota::default(), Moment(0)));
        let quota = Quota { reset_in_ms: Some(40_000), ..Quota::default() };
        assert!(!budget.pause(Refusal::Unavailable, quota, Moment(0)), "not for the limit");
        assert_eq!(budget.take(Moment(0)), Ok(()));
    }
}
