//! The filters of `GET /calls`.

use super::outline::Outline;
use super::row::Row;

/// Which rows a list shows; nothing set admits every row.
///
/// Words are compared as they stand: `cancelled` finds no `canceled` call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    /// `type`.
    pub(super) call_type: Option<String>,
    /// `mode`.
    pub(super) mode: Option<String>,
    /// `status`.
    pub(super) status: Option<String>,
    /// `receiverType`.
    pub(super) receiver_type: Option<String>,
    /// `participantsCount`: exactly so many.
    pub(super) participants_count: Option<u32>,
    /// `startedAt`: at or after it.
    pub(super) started_at: Option<i64>,
    /// `endedAt`: at or before it.
    pub(super) ended_at: Option<i64>,
    /// How these two are taken.
    pub(super) times: Times,
    /// `hasRecording`.
    pub(super) has_recording: Option<bool>,
    /// `uid` and `onBehalfOf`: each must be part of the call.
    pub(super) uids: Vec<String>,
}

/// How a filter takes a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Times {
    /// As the end of a range; rows without the field are dropped.
    #[default]
    Range,
    /// As the end of a range; rows without the field are kept.
    RangeOrNone,
    /// As this second alone.
    Exact,
}

impl Times {
    /// Whether a row passes whose field is `at`, where `in_range` tells whether it is in the range.
    fn admits(self, at: Option<i64>, wanted: i64, in_range: impl Fn(i64) -> bool) -> bool {
        match self {
            Self::Range => at.is_some_and(in_range),
            Self::RangeOrNone => at.is_none_or(in_range),
            Self::Exact => at == Some(wanted),
        }
    }
}

impl Filter {
    /// Whether a row passes as far as its outline tells: cheap, so that it comes first.
    pub(super) fn admits_outline(&self, outline: &Outline, at: i64) -> bool {
        is(&self.call_type, outline.call_type)
            && is(&self.mode, outline.mode)
            && is(&self.receiver_type, outline.receiver_type)
            && is(&self.status, outline.status(at))
    }

    /// Whether the outline is not enough.
    pub(super) fn needs_row(&self) -> bool {
        self.participants_count.is_some()
            || self.started_at.is_some()
            || self.ended_at.is_some()
            || self.has_recording.is_some()
            || !self.uids.is_empty()
    }

    /// Whether a row passes what its outline does not tell.
    pub(super) fn admits_row(&self, row: &Row) -> bool {
        self.participants_count.is_none_or(|n| row.total_participants == n)
            && self
                .started_at
                .is_none_or(|from| self.times.admits(row.started_at, from, |at| at >= from))
            && self
                .ended_at
                .is_none_or(|until| self.times.admits(row.ended_at, until, |at| at <= until))
            && self.has_recording.is_none_or(|wanted| row.has_recording == wanted)
            && self.uids.iter().all(|uid| is_part_of(row, uid))
    }
}

fn is(wanted: &Option<String>, word: &str) -> bool {
    wanted.as_deref().is_none_or(|wanted| wanted == word)
}

fn is_part_of(row: &Row, uid: &str) -> bool {
    let mut entries = row.participants.iter().flatten();
    row.initiator == uid
        || row.receiver_type == "user" && row.receiver == uid
        || entries.any(|entry| entry.uid == uid)
}
