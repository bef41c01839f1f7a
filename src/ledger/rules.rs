//! The settings that decide what counts and how long a call is watched.

use crate::call::{Outcome, Timestamp};

/// How long calls are watched and what counts as a failure. Times in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The counters count exactly the calls initiated at or after this second.
    pub epoch: Timestamp,
    /// How long a final call is looked at again.
    pub settle_s: i64,
    /// How long a call may stay open before it is given up.
    pub max_open_s: i64,
    /// What counts in `cometchat_calls_failed_total`.
    pub failures: FailureStatuses,
}

/// The set behind `count.failure_statuses`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureStatuses {
    /// By outcome, in the order of [`Outcome::ALL`].
    pub outcomes: [bool; Outcome::ALL.len()],
    /// Calls that ended with fewer than two people.
    pub unconnected: bool,
    /// Calls given up after `max_open`.
    pub abandoned: bool,
}

impl Default for FailureStatuses {
    /// `unanswered`, `rejected`, `canceled`, `busy`.
    fn default() -> Self {
        let outcomes =
            Outcome::ALL.map(|outcome| !matches!(outcome, Outcome::Ended | Outcome::Other));
        Self { outcomes, unconnected: false, abandoned: false }
    }
}
