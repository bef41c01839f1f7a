//! One row of the API as a call.

use serde_json::value::RawValue;

use super::fields::{Findings, fields};
use super::media::{self, Recordings};
use super::people::{self, People};
use crate::call::{
    Amount, Amounts, Call, CallKey, CallType, Kind, Mode, ReceiverType, Status, Timestamp,
    WordField,
};
use crate::sweep::Reason;

/// The largest row, in bytes.
const ROW_BYTES_MAX: usize = 4 << 20;
/// The longest session id, in bytes.
const SESSION_ID_BYTES_MAX: usize = 1024;
/// The first second of 2015: no call is older.
const INITIATED_MIN: Timestamp = Timestamp(1_420_070_400);
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

/// Returns the call, and whether a field of it was bad.
fn read(row: &RawValue, now: Timestamp) -> Result<(Call, bool), Reason> {
    if row.get().len() > ROW_BYTES_MAX {
        return Err(Reason::TooLarge);
    }
    let [
        session_id,
        initiated_at,
        started_at,
        ended_at,
        status,
        call_type,
        mode,
        receiver,
        audio,
        video,
        n_participants,
        participants,
        has_recording,
        recordings,
        has_transcription,
        transcriptions,
    ] = fields(
        row.get(),
        &[
            "sessionId",
            "initiatedAt",
            "startedAt",
            "endedAt",
            "status",
            "type",
            "mode",
            "receiverType",
            "totalAudioMinutes",
            "totalVideoMinutes",
            "totalParticipants",
            "participants",
            "hasRecording",
            "recordings",
            "hasTranscription",
            "transcriptions",
        ],
    )
    .ok_or(Reason::NotAnObject)?;

    let mut found = Findings::default();
    let session_id =
        found.text(session_id).filter(|id| !id.trim().is_empty()).ok_or(Reason::NoSessionId)?;
    if session_id.len() > SESSION_ID_BYTES_MAX {
        return Err(Reason::TooLarge);
    }
    let initiated_at = found
        .time(initiated_at)
        .filter(|at| (INITIATED_MIN..=now.plus_s(AHEAD_MAX_S)).contains(at))
        .ok_or(Reason::NoInitiatedAt)?;
    let (started_at, ended_at) = (found.time(started_at), found.time(ended_at));
    let own_length_s = match (started_at, ended_at) {
        (Some(start), Some(end)) => u64::try_from(end.since_s(start)).ok(),
        _ => None,
    };

    let People { people, present, entries, audio_ms, video_ms } =
        people::read(participants, &mut found);
    let recorded = media::recordings(recordings, own_length_s, &mut found);
    let n_transcriptions = media::transcriptions(transcriptions, &mut found);
    let mut amounts = Amounts::default();
    amounts.set(Amount::AudioMs, found.minutes_ms(audio));
    amounts.set(Amount::VideoMs, found.minutes_ms(video));
    amounts.set(Amount::Participants, found.count(n_participants));
    amounts.set(Amount::UserAudioMs, audio_ms);
    amounts.set(Amount::UserVideoMs, video_ms);
    let Recordings { count, length_ms } = recorded;
    amounts.set(Amount::Recordings, count);
    amounts.set(Amount::RecordingMs, length_ms);
    let has = found.flag(has_recording).unwrap_or_default() || count > 0;
    amounts.set(Amount::Recorded, has.into());
    let has = found.flag(has_transcription).unwrap_or_default() || n_transcriptions > 0;
    amounts.set(Amount::Transcribed, has.into());

    let call = Call {
        key: CallKey { initiated_at, session_id: session_id.into() },
        kind: Kind {
            call_type: found.word(call_type, WordField::Type, CallType::from_word, CallType::Other),
            mode: found.word(mode, WordField::Mode, Mode::from_word, Mode::Other),
            receiver: found.word(
                receiver,
                WordField::ReceiverType,
                ReceiverType::from_word,
                ReceiverType::Other,
            ),
        },
        status: found.word(status, WordField::Status, Status::from_word, Status::Unknown),
        started_at,
        ended_at,
        amounts,
        people,
        people_present: present,
        entries,
        unknown: found.unknown,
    };
    Ok((call, found.bad_field))
}
