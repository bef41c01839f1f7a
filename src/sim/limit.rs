//! The rate limit: so many requests in each minute of the API's clock.

use crate::call::{Moment, Timestamp};

/// A fixed window of one minute.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Window {
    minute: i64,
    n_requests: u32,
}

/// Where a request stands within the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// Whether it is processed.
    pub(super) admitted: bool,
    /// Requests left in this minute.
    pub(super) remaining: u32,
    /// When the next minute begins.
    pub(super) reset_at: Timestamp,
}

impl Window {
    /// Takes one request.
    pub(super) fn take(&mut self, limit: u32, now: Moment) -> Standing {
        let minute = now.0.div_euclid(60_000);
        if minute != self.minute {
            *self = Self { minute, n_requests: 0 };
        }
        let admitted = self.n_requests < limit;
        self.n_requests += u32::from(admitted);
        Standing {
            admitted,
            remaining: limit - self.n_requests,
            reset_at: Timestamp((minute + 1) * 60),
        }
    }
}
