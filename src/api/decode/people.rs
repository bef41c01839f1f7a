//! The entries of `participants`, and the people behind them.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::fields::Findings;
use crate::call::{Outcome, Status, WordField};

/// What `participants` says.
#[derive(Debug, Default)]
pub(super) struct People {
    /// Distinct `uid`s of entries that joined.
    pub(super) people: u32,
    /// Distinct `uid`s of entries that joined and have not left.
    pub(super) present: u32,
    /// Entries by their last state, in the order of [`Outcome::ALL`].
    pub(super) entries: [u32; Outcome::ALL.len()],
    /// Audio of all entries, ms.
    pub(super) audio_ms: u64,
    /// Video of all entries, ms.
    pub(super) video_ms: u64,
}

/// Reads `participants`.
pub(super) fn read(participants: Option<&RawValue>, found: &mut Findings) -> People {
    let mut all = People::default();
    let mut joined: Vec<(Cow<'_, str>, bool)> = Vec::new();
    let names = [
        "uid",
        "isJoined",
        "state",
        "joinedAt",
        "leftAt",
        "totalAudioMinutes",
        "totalVideoMinutes",
    ];
    for entry in found.objects(participants, &names) {
        let [uid, is_joined, state, joined_at, left_at, audio, video] = entry;
        let (audio_ms, video_ms) = (found.minutes_ms(audio), found.minutes_ms(video));
        all.audio_ms = all.audio_ms.saturating_add(audio_ms);
        all.video_ms = all.video_ms.saturating_add(video_ms);

        let state = found.word(state, WordField::State, Status::from_word, Status::Unknown);
        let outcome = match state {
            Status::Final(outcome) => Some(outcome),
            Status::Initiated | Status::Ongoing | Status::Unknown => None,
        };
        let n_entries = &mut all.entries[outcome.unwrap_or(Outcome::Other).index()];
        *n_entries = n_entries.saturating_add(1);

        let has_joined_at = found.time(joined_at).is_some();
        let has_left = found.time(left_at).is_some();
        let uid = found.id(uid);
        let is_joined =
            found.flag(is_joined).unwrap_or(has_joined_at || audio_ms > 0 || video_ms > 0);
        if let (true, Some(uid)) = (is_joined, uid) {
            joined.push((uid, !has_left && outcome.is_none()));
        }
    }
    joined.sort_unstable();
    for devices in joined.chunk_by(|(uid, _), (next_uid, _)| uid == next_uid) {
        all.people = all.people.saturating_add(1);
        let is_present = devices.iter().any(|&(_, is_present)| is_present);
        all.present = all.present.saturating_add(is_present.into());
    }
    all
}
