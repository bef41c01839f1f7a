//! One row of the API as a call.

use serde_json::value::RawValue;

use super::fields::{Findings, fields};
use super::media;
use super::people::{self, People};
use crate::api::EARLIEST;
use crate::call::{
    Amount, Amounts, Call, CallKey, CallType, Kind, Mode, ReceiverType, Status, Timestamp,
    UnknownWords, WordField,
};
use crate::sweep::Reason;

/// The largest row, in bytes.
const ROW_BYTES_MAX: usize = 4 << 20;
/// The longest session id, in bytes.
const SESSION_ID_BYTES_MAX: usize = 1024;
/// How far ahead of the API's clock a call may have begun, in seconds.
const AHEAD_MAX_S: i64 = 24 * 60 * 60;

/// Reads a row. The call comes with the reason when nothing but a field was lost.
pub(super) fn call(row: &RawValue, now: Timestamp) -> (Option<Call>, Option<Reason>) {
    match read(row, now) {
        Ok((call, true)) => (Some(call), Some(Reason::BadField)),
        Ok((call, false)) => (Some(call), None),
        Err(reason) => (None, Some(reason)),
    }
}

/// A field as it stands in the row, `null` or not.
type Field<'a> = Option<&'a RawValue>;

/// The fields that are read: what makes a call itself, its times, its words, what grows.
const NAMES: [&str; 16] = [
    "sessionId",
    "initiatedAt",
    "startedAt",
    "endedAt",
    "status",
    "type",
    "mode",
    "receiverType",
    "participants",
    "totalAudioMinutes",
    "totalVideoMinutes",
    "totalParticipants",
    "hasRecording",
    "recordings",
    "hasTranscription",
    "transcriptions",
];

/// Returns the call, and whether a field of it was bad.
fn read(row: &RawValue, now: Timestamp) -> Result<(Call, bool), Reason> {
    if row.get().len() > ROW_BYTES_MAX {
        return Err(Reason::TooLarge);
    }
    let [session_id, initiated_at, started_at, ended_at, status, rest @ ..] =
        fields(row.get(), &NAMES).ok_or(Reason::NotAnObject)?;
    let [call_type, mode, receiver, participants, media @ ..] = rest;

    let mut found = Findings::default();
    let session_id =
        found.text(session_id).filter(|id| !id.trim().is_empty()).ok_or(Reason::NoSessionId)?;
    if session_id.len() > SESSION_ID_BYTES_MAX {
        return Err(Reason::TooLarge);
    }
    let initiated_at = found
        .time(initiated_at)
        .filter(|at| (EARLIEST..=now.plus_s(AHEAD_MAX_S)).contains(at))
        .ok_or(Reason::NoInitiatedAt)?;
    let (started_at, ended_at) = (found.time(started_at), found.time(ended_at));
    let people = people::read(participants, &mut found);
    let mut call = Call {
        key: CallKey { initiated_at, session_id: session_id.into() },
        kind: kind([call_type, mode, receiver], &mut found),
        status: found.word(status, WordField::Status, Status::from_word, Status::Unknown),
        started_at,
        ended_at,
        amounts: Amounts::default(),
        people: people.people,
        people_present: people.present,
        entries: people.entries,
        unknown: UnknownWords::default(),
    };
    call.amounts = amounts(media, call.duration_s(), &people, &mut found);
    call.unknown = found.unknown;
    Ok((call, found.bad_field))
}

fn kind([call_type, mode, receiver]: [Field<'_>; 3], found: &mut Findings) -> Kind {
    let (from_word, other) = (ReceiverType::from_word, ReceiverType::Other);
    Kind {
        call_type: found.word(call_type, WordField::Type, CallType::from_word, CallType::Other),
        mode: found.word(mode, WordField::Mode, Mode::from_word, Mode::Other),
        receiver: found.word(receiver, WordField::ReceiverType, from_word, other),
    }
}

fn amounts(
    media: [Field<'_>; 7],
    own_length_s: Option<u64>,
    people: &People,
    found: &mut Findings,
) -> Amounts {
    let [
        audio,
        video,
        n_participants,
        has_recording,
        recordings,
        has_transcription,
        transcriptions,
    ] = media;
    let recordings = media::recordings(recordings, own_length_s, found);
    let n_transcriptions = media::transcriptions(transcriptions, found);
    let is_recorded = found.flag(has_recording).unwrap_or_default() || recordings.count > 0;
    let is_transcribed = found.flag(has_transcription).unwrap_or_default() || n_transcriptions > 0;

    let mut amounts = Amounts::default();
    amounts.set(Amount::AudioMs, found.minutes_ms(audio));
    amounts.set(Amount::VideoMs, found.minutes_ms(video));
    amounts.set(Amount::Participants, found.count(n_participants));
    amounts.set(Amount::UserAudioMs, people.audio_ms);
    amounts.set(Amount::UserVideoMs, people.video_ms);
    amounts.set(Amount::Recordings, recordings.count);
    amounts.set(Amount::RecordingMs, recordings.length_ms);
    amounts.set(Amount::Recorded, is_recorded.into());
    amounts.set(Amount::Transcribed, is_transcribed.into());
    amounts
}
