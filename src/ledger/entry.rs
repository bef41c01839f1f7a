//! What is known of one call between its first sight and the moment it can be forgotten.

use crate::call::{Amounts, Kind, Moment, Outcome, Status, Timestamp, UnknownWords};

/// What has been counted of a call, the newest sight of it, and what is still expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// How far the call has come.
    pub phase: Phase,
    /// When it is to be looked at next, on the API's clock; [`Moment::MAX`] once it is done.
    /// [`crate::sweep`] sets it.
    pub due: Moment,
    /// The breakdown under which it counts: that of its first sight, so that a word which changes
    /// later cannot split a call over two series.
    pub kind: Kind,
    /// The newest `status`.
    pub status: Status,
    /// False for a call from before the epoch, which is known for the gauges alone.
    pub counted: bool,
    /// The outcome under which it counted, and when that was first seen.
    pub first_final: Option<FirstFinal>,
    /// What the counters hold of it; never lowered.
    pub posted: Amounts,
    /// The newest values, which may be lower.
    pub newest: Amounts,
    /// People that have joined and not left, by the newest sight.
    pub people_present: u32,
    /// Fields for which a correction was counted: bit 0 the status, bit 1 + n the amount n.
    pub corrected: u16,
    /// Fields counted in `cometchat_unknown_values_total`.
    pub unknown: UnknownWords,
}

/// The first final status that was seen of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstFinal {
    /// The status it counts under, whatever comes later.
    pub outcome: Outcome,
    /// When the request that showed it began, on the API's clock.
    pub seen_at: Timestamp,
}

/// The life of a call in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Not final yet.
    Open,
    /// Final, and still expected to change.
    Settling {
        /// The end of its settle time, on the API's clock: the last look comes at or after it.
        until: Moment,
    },
    /// Final, and looked at after its settle time.
    Settled,
    /// Open beyond `max_open`: whatever is seen of it later adds nothing.
    GivenUp,
}

impl Phase {
    /// Whether nothing more is expected: the call may leave the ledger once its moment is sealed.
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Settled | Self::GivenUp)
    }
}

impl Entry {
    /// The status to show: once final, always final.
    pub fn shown_status(&self) -> Status {
        match (self.first_final, self.status) {
            (None, status) | (Some(_), status @ Status::Final(_)) => status,
            (Some(first), _) => Status::Final(first.outcome),
        }
    }
}
