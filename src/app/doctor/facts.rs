//! What was seen of an API: plain data, nothing judged.

use crate::api::Survey;
use crate::call::{Call, CallKey, Timestamp};
use crate::sweep::{Order, Page, Quota, Refusal, Skew};

/// An answer, or why there was none, in words for people.
pub(super) type Answer = Result<Page, Refused>;

/// Why the questions ended before their time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The API said that it is enough, or that the key is wrong.
    Refused(Refused),
    /// The time was up.
    Time,
}

/// Why a question was not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) refusal: Refusal,
    /// What happened, where, and what to do.
    pub(super) note: String,
}

/// Filters of the list that are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    /// `status=ended`.
    Ended,
    /// `status=ongoing`.
    Ongoing,
    /// `hasRecording=true`.
    HasRecording,
    /// `startedAt`, with the start of a call in the middle of the page.
    StartedAt,
    /// `endedAt`, with the end of a call in the middle of the page.
    EndedAt,
}

impl Filter {
    pub(super) const ALL: [Self; 5] =
        [Self::Ended, Self::Ongoing, Self::HasRecording, Self::StartedAt, Self::EndedAt];

    /// The parameter of the request.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ended | Self::Ongoing => "status",
            Self::HasRecording => "hasRecording",
            Self::StartedAt => "startedAt",
            Self::EndedAt => "endedAt",
        }
    }
}

/// Everything that was seen of one app.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    /// Rows asked for in a page.
    pub(super) per_page: u32,
    /// The page that was asked for first; the others are only asked for when it came.
    pub(super) first: Answer,
    /// The number of the first page, if the list showed it.
    pub(super) first_page: Option<u32>,
    pub(super) order: Order,
    /// A page for which ten times as many rows were asked.
    pub(super) large: Option<Answer>,
    /// A page far past the end.
    pub(super) past_end: Option<Answer>,
    pub(super) filters: Vec<(Filter, Answer)>,
    /// The call that Get Call was asked for, and the answer.
    pub(super) get: Option<(CallKey, Answer)>,
    /// What the answer with the most rows held.
    pub(super) survey: Survey,
    pub(super) quota: Quota,
    pub(super) skew: Skew,
    /// Milliseconds from question to answer, of each of them.
    pub(super) took_ms: Vec<u64>,
    /// Why not everything was asked.
    pub(super) stopped: Option<Stop>,
}

impl Facts {
    /// The calls on the page that was asked for first.
    pub(super) fn calls(&self) -> &[Call] {
        self.first.as_ref().map_or(&[], |page| &page.calls)
    }

    /// The time in the middle of those that the calls on that page have.
    pub(super) fn middle(&self, of: impl Fn(&Call) -> Option<Timestamp>) -> Option<Timestamp> {
        let mut times: Vec<Timestamp> = self.calls().iter().filter_map(of).collect();
        times.sort_unstable();
        times.get(times.len() / 2).copied()
    }
}
