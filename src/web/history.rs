//! The last hour of one app, minute by minute, and what was counted since midnight: in memory, of
//! a fixed size, and gone with the process.

use std::collections::VecDeque;

use crate::metrics::Moment;

/// Minutes that are kept.
pub const MINUTES: usize = 60;
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// The labels of the outcomes, in the order of every list of them here.
pub const OUTCOMES: [&str; 6] = ["ended", "unanswered", "rejected", "canceled", "busy", "other"];

/// Counters of one app as they stand. They only rise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls by outcome, in the order of [`OUTCOMES`].
    pub calls: [u64; OUTCOMES.len()],
    /// Audio and video of the calls, milliseconds.
    pub media_ms: u64,
}

impl Counts {
    /// Calls of every outcome.
    pub fn all(&self) -> u64 {
        self.calls.iter().sum()
    }

    /// Adds those of another app.
    pub fn add(&mut self, other: &Self) {
        for (sum, n) in self.calls.iter_mut().zip(other.calls) {
            *sum = sum.saturating_add(n);
        }
        self.media_ms = self.media_ms.saturating_add(other.media_ms);
    }

    fn since(&self, earlier: &Self) -> Self {
        let mut rise = *self;
        for (rise, n) in rise.calls.iter_mut().zip(earlier.calls) {
            *rise = rise.saturating_sub(n);
        }
        rise.media_ms = self.media_ms.saturating_sub(earlier.media_ms);
        rise
    }
}

/// What happened within one minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Minute {
    /// Calls that were counted.
    pub calls: u32,
    /// Those of them that were answered and are over.
    pub ended: u32,
    /// Open calls, as last seen.
    pub open: u32,
    /// Requests to the API.
    pub requests: u32,
}

/// See the head of the file.
#[derive(Clone, Debug, Default)]
pub struct History {
    minutes: VecDeque<Minute>,
    /// The number of the newest minute.
    newest: i64,
    last: Option<Counts>,
    last_requests: u64,
    today: Counts,
    /// Since when `today` counts: midnight, or the first counts of this process.
    today_since: Option<Moment>,
}

impl History {
    /// Takes what stands now. `counts` is `None` while a first read is incomplete; what it brings
    /// is no news of today. A clock that is set back does not undo a minute.
    pub fn record(&mut self, now: Moment, counts: Option<Counts>, open: u64, requests: u64) {
        let number = now.0.div_euclid(MINUTE_MS);
        self.turn_to(number.max(self.newest));
        let rise = match (&counts, &self.last) {
            (Some(counts), Some(last)) => counts.since(last),
            _ => Counts::default(),
        };
        let midnight = Moment(now.0 - now.0.rem_euclid(DAY_MS));
        if counts.is_some() {
            let since = *self.today_since.get_or_insert(now);
            if since < midnight {
                // What came since the sight before is the new day's, but for a few seconds.
                (self.today, self.today_since) = (Counts::default(), Some(midnight));
            }
        }
        self.today.add(&rise);
        let clamp = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        if let Some(minute) = self.minutes.back_mut() {
            minute.calls = minute.calls.saturating_add(clamp(rise.all()));
            minute.ended = minute.ended.saturating_add(clamp(rise.calls[0]));
            minute.open = clamp(open);
            let asked = clamp(requests.saturating_sub(self.last_requests));
            minute.requests = minute.requests.saturating_add(asked);
        }
        self.last = counts.or(self.last);
        self.last_requests = requests;
    }

    fn turn_to(&mut self, number: i64) {
        let missing = match self.minutes.back() {
            None => 1,
            Some(_) => usize::try_from(number - self.newest).unwrap_or(0).min(MINUTES),
        };
        let open = self.minutes.back().map_or(0, |minute| minute.open);
        for _ in 0..missing {
            if self.minutes.len() == MINUTES {
                self.minutes.pop_front();
            }
            self.minutes.push_back(Minute { open, ..Minute::default() });
        }
        self.newest = number;
    }

    /// The minutes up to that of `now`, oldest first, at most [`MINUTES`]. None before the first
    /// record.
    pub fn minutes(&self, now: Moment) -> Vec<Minute> {
        let mut turned = self.clone();
        if !self.minutes.is_empty() {
            turned.turn_to(now.0.div_euclid(MINUTE_MS).max(self.newest));
        }
        turned.minutes.into()
    }

    /// What was counted since when: since 00:00 UTC, or since the start where that is later.
    pub const fn today(&self) -> Option<(Moment, &Counts)> {
        match self.today_since {
            Some(since) => Some((since, &self.today)),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIDNIGHT: Moment = Moment(1_760_054_400_000);

    fn counts(ended: u64, busy: u64) -> Option<Counts> {
        Some(Counts { calls: [ended, 0, 0, 0, busy, 0], media_ms: ended * 1000 })
    }

    #[test]
    fn rises_go_into_their_minute_and_old_minutes_leave() {
        let mut history = History::default();
        history.record(MIDNIGHT, counts(10, 1), 2, 5);
        history.record(MIDNIGHT.plus_ms(10_000), counts(12, 2), 3, 6);
        history.record(MIDNIGHT.plus_ms(3 * MINUTE_MS), counts(13, 2), 1, 8);
        let minute = |calls, ended, open, requests| Minute { calls, ended, open, requests };
        let quiet = minute(0, 0, 3, 0);
        let expected = [minute(3, 2, 3, 6), quiet, quiet, minute(1, 1, 1, 2)];
        assert_eq!(history.minutes(MIDNIGHT.plus_ms(3 * MINUTE_MS)), expected);
        let late = history.minutes(MIDNIGHT.plus_ms(62 * MINUTE_MS));
        assert_eq!((late.len(), late[0], late[1]), (60, expected[3], minute(0, 0, 1, 0)));
        assert_eq!(history.minutes(Moment(0)), expected, "a clock that was set back");
        history.record(Moment(i64::MAX), counts(13, 2), 1, 8);
        assert_eq!(history.minutes(Moment(i64::MAX)).len(), MINUTES);
    }

    #[test]
    fn a_day_begins_at_midnight_or_with_the_first_counts() {
        let mut history = History::default();
        let evening = MIDNIGHT.plus_ms(-3_600_000);
        history.record(evening, None, 0, 0);
        assert_eq!(history.today(), None);
        history.record(evening.plus_ms(1), counts(1000, 0), 0, 0);
        history.record(evening.plus_ms(2), counts(1003, 0), 0, 0);
        let of = |n| counts(n, 0).expect("counts");
        assert_eq!(history.today(), Some((evening.plus_ms(1), &of(3))));
        history.record(MIDNIGHT.plus_ms(5), counts(1004, 0), 0, 0);
        assert_eq!(history.today(), Some((MIDNIGHT, &of(1))));
    }
}
