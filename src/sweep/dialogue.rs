//! What the planner asks of the API and what it takes back, without a word of HTTP.

use crate::call::{Call, Timestamp};

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// `GET /calls`, one page.
    List {
        /// The page number as sent; whether the first page is 0 or 1 is found out.
        page: u32,
        /// Rows asked for; `None` leaves the parameter out, for an API that refuses it.
        per_page: Option<u32>,
    },
    /// `GET /calls/{sessionId}`.
    Get {
        /// As the API spelt it.
        session_id: Box<str>,
    },
}

/// What came back from a request that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A page of the list.
    List(Page),
    /// The answer of Get Call: usually one call, perhaps none, perhaps another one.
    Get(Page),
}

/// Rows, each read on its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The rows that are calls, in the order of the answer.
    pub calls: Vec<Call>,
    /// What was wrong with rows, at most one defect each.
    pub defects: Vec<Defect>,
}

impl Page {
    /// Rows in the answer, readable or not.
    pub fn n_rows(&self) -> usize {
        self.calls.len() + self.n_lost()
    }

    /// When its oldest call and its newest were initiated.
    pub fn ends(&self) -> Option<(Timestamp, Timestamp)> {
        let times = self.calls.iter().map(|call| call.key.initiated_at);
        times.clone().min().zip(times.max())
    }

    /// Rows that are no call because they could not be read.
    pub fn n_lost(&self) -> usize {
        self.defects.iter().filter(|defect| defect.is_no_call()).count()
    }
}

/// A row that could not be read, in whole or in part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defect {
    /// What was wrong.
    pub reason: Reason,
    /// A hash of the row's bytes, so that a row that is read again is not counted again.
    pub row_hash: u64,
}

impl Defect {
    /// Whether the row is no call at all: only then is something missing.
    pub fn is_no_call(self) -> bool {
        self.reason != Reason::BadField
    }
}

/// Why a row or a part of it could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The row is no JSON object.
    NotAnObject,
    /// No `sessionId`: the row is no call.
    NoSessionId,
    /// No `initiatedAt`, or one before 2015 or more than a day ahead: the row is no call.
    NoInitiatedAt,
    /// A field of the wrong type or out of range; the call counts, the field is 0.
    BadField,
    /// The row, or its `sessionId`, is larger than any call can be.
    TooLarge,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 5] =
        [Self::NotAnObject, Self::NoSessionId, Self::NoInitiatedAt, Self::BadField, Self::TooLarge];

    /// The value of the label `reason`.
    pub const fn label(self) -> &'static str {
        match self {
            Self::NotAnObject => "not_an_object",
            Self::NoSessionId => "no_session_id",
            Self::NoInitiatedAt => "no_initiated_at",
            Self::BadField => "bad_field",
            Self::TooLarge => "too_large",
        }
    }
}

/// Why no answer came, split by what is done next, not by which library said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// HTTP 404: past the end of the list, or no such call.
    NotFound,
    /// HTTP 429: pause for as long as the [`Quota`] says, else as the backoff does.
    Later,
    /// HTTP 401 or 403, or an error code that means the same: asking again cannot help until
    /// somebody acts.
    Denied,
    /// HTTP 400: the API does not take a parameter, perhaps the page size.
    Rejected,
    /// Timeout, no connection, 5xx, an unreadable body, anything else: ask again, later and later.
    Unavailable,
}

/// What an answer says about the rate limit. All of it may be missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// Requests a minute that the API allows the app.
    pub limit: Option<u64>,
    /// Requests left until the reset.
    pub remaining: Option<u64>,
    /// Milliseconds until the limit is full again.
    pub reset_in_ms: Option<i64>,
    /// Milliseconds of pause that `Retry-After` asks for.
    pub retry_after_ms: Option<i64>,
}
