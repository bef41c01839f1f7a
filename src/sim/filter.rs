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
    /// `startedAt`: at or after it; rows without the field are dropped.
    pub(super) started_at: Option<i64>,
    /// `endedAt`: at or before it; rows without the field are dropped.
    pub(super) ended_at: Option<i64>,
    /// `hasRecording=true`; `false` does not filter.
    pub(super) has_recording: bool,
    /// `uid` and `onBehalfOf`: each must be part of the call.
    pub(super) uids: Vec<String>,
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
            || self.has_recording
            || !self.uids.is_empty()
    }

    /// Whether a row passes what its outline does not tell.
    pub(super) fn admits_row(&self, row: &Row) -> bool {
        self.participants_count.is_none_or(|n| row.total_participants == n)
            && self.started_at.is_none_or(|from| row.started_at.is_some_and(|at| at >= from))
            && self.ended_at.is_none_or(|until| row.ended_at.is_some_and(|at| at <= until))
            && (!self.has_recording || row.has_recording)
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
