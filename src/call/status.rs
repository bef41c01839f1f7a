//! How far a call has come, and how it ended.

/// The `status` of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Ringing.
    Initiated,
    /// Answered and going on.
    Ongoing,
    /// Over.
    Final(Outcome),
    /// A word that this version does not know, or none. It is read as open while the row has no
    /// `endedAt` and is younger than the settle time, and as [`Outcome::Other`] after that.
    Unknown,
}

impl Status {
    /// The open statuses, in the order of their index.
    pub const OPEN: [Self; 3] = [Self::Initiated, Self::Ongoing, Self::Unknown];

    /// Reads a word of the API, without regard to case. `cancelled` is `canceled`, `missed` is
    /// `unanswered` (API documentation: property table of calls, `status`; SDK call logs).
    pub fn from_word(word: &str) -> Self {
        match word.trim().to_ascii_lowercase().as_str() {
            "initiated" => Self::Initiated,
            "ongoing" => Self::Ongoing,
            "ended" => Self::Final(Outcome::Ended),
            "unanswered" | "missed" => Self::Final(Outcome::Unanswered),
            "rejected" => Self::Final(Outcome::Rejected),
            "canceled" | "cancelled" => Self::Final(Outcome::Canceled),
            "busy" => Self::Final(Outcome::Busy),
            _ => Self::Unknown,
        }
    }

    /// The value of the label `status`.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Initiated => "initiated",
            Self::Ongoing => "ongoing",
            Self::Final(outcome) => outcome.label(),
            Self::Unknown => "other",
        }
    }
}

/// A final status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Took place and is over.
    Ended,
    /// Nobody answered.
    Unanswered,
    /// The other side declined.
    Rejected,
    /// The caller gave up.
    Canceled,
    /// The other side was in another call.
    Busy,
    /// A word that this version does not know.
    Other,
}

impl Outcome {
    /// Every outcome, in the order of its index in the state file: append only.
    pub const ALL: [Self; 6] =
        [Self::Ended, Self::Unanswered, Self::Rejected, Self::Canceled, Self::Busy, Self::Other];

    /// The value of the labels `status` and `state`.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Unanswered => "unanswered",
            Self::Rejected => "rejected",
            Self::Canceled => "canceled",
            Self::Busy => "busy",
            Self::Other => "other",
        }
    }

    /// Position in [`Self::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}
