//! The words of the domain: what one row of `GET /calls` says, as plain values.
//!
//! No clock, no floats, no serde: the wire format is [`crate::api`]'s business. Times are the API's.

pub mod amounts;
pub mod kind;
pub mod status;
pub mod time;

#[cfg(test)]
mod tests;

pub use amounts::{Amount, Amounts};
pub use kind::{CallType, Kind, Mode, ReceiverType};
pub use status::{Outcome, Status};
pub use time::{Moment, Timestamp};

/// What makes a call itself: `sessionId` plus `initiatedAt`.
///
/// A session id can be used again for a later meeting, so it is not enough; `mid` may come late or
/// never and is no part of it. Ordered by time first: neighbours in the list are neighbours here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallKey {
    /// `initiatedAt`: when ringing began. The one time that every row carries.
    pub initiated_at: Timestamp,
    /// `sessionId`, as the API spells it.
    pub session_id: Box<str>,
}

/// One row of the API as seen in one response: an observation.
///
/// Field errors are already settled here: a field that could not be read is 0 or absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Which call this is.
    pub key: CallKey,
    /// `type`, `mode` and `receiverType`.
    pub kind: Kind,
    /// `status`.
    pub status: Status,
    /// `startedAt`: when the call was answered; absent when it never was.
    pub started_at: Option<Timestamp>,
    /// `endedAt`; absent (or 0, or null) while it goes on and when it was never answered.
    pub ended_at: Option<Timestamp>,
    /// Everything about the call that can grow.
    pub amounts: Amounts,
    /// Distinct `uid`s of entries that joined.
    pub people: u32,
    /// Distinct `uid`s of entries that joined and have not left.
    pub people_present: u32,
    /// Entries of `participants` by their last `state`, in the order of [`Outcome::ALL`];
    /// a missing or `ongoing` state stands under `other`.
    pub entries: [u32; Outcome::ALL.len()],
    /// Fields that hold a word this version does not know.
    pub unknown: UnknownWords,
}

impl Call {
    /// Seconds from start to end where both are present and in order.
    pub fn duration_s(&self) -> Option<u64> {
        u64::try_from(self.ended_at?.since_s(self.started_at?)).ok()
    }

    /// Seconds from ringing to answer. Only calls of mode `call` ring.
    pub fn answer_s(&self) -> Option<u64> {
        if self.kind.mode != Mode::Call {
            return None;
        }
        u64::try_from(self.started_at?.since_s(self.key.initiated_at)).ok()
    }

    /// Whether `participants` lists nobody at all.
    pub fn lists_nobody(&self) -> bool {
        self.entries.iter().all(|&n| n == 0)
    }
}

/// A field with a closed vocabulary, of which the API may one day know more words than we do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WordField {
    /// The call's `status`.
    Status,
    /// The call's `type`.
    Type,
    /// The call's `mode`.
    Mode,
    /// The call's `receiverType`.
    ReceiverType,
    /// A participant's `state`.
    State,
}

impl WordField {
    /// Every such field, in the order of its index in the state file: append only.
    pub const ALL: [Self; 5] =
        [Self::Status, Self::Type, Self::Mode, Self::ReceiverType, Self::State];

    /// The value of the label `field`.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Type => "type",
            Self::Mode => "mode",
            Self::ReceiverType => "receiver_type",
            Self::State => "state",
        }
    }

    /// Position in [`Self::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// The set of fields of one call that hold an unknown word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnknownWords(u8);

impl UnknownWords {
    /// The set with the given bits, as it was stored.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// The set as bits, for storing.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Adds `field`.
    pub fn insert(&mut self, field: WordField) {
        self.0 |= 1 << field.index();
    }

    /// Whether `field` is in the set.
    pub const fn contains(self, field: WordField) -> bool {
        self.0 & (1 << field.index()) != 0
    }

    /// Both sets together.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in this set and not in `other`.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}
