//! One call as the API shows it at a given second: the wire format of a row.

use serde::{Serialize, Serializer};

use super::attachments::{Attachments, Change, Recording};
use super::cast::{Cast, Device, Listed};
use super::date;
use super::outline::{Fate, Outline};
use super::{Options, Quirk};

/// A row of `GET /calls`. What a call does not have is left out, never null.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    pub(super) session_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mid: Option<String>,
    pub(super) total_audio_minutes: Minutes,
    pub(super) total_video_minutes: Minutes,
    pub(super) total_duration: String,
    pub(super) total_duration_in_minutes: Minutes,
    pub(super) has_recording: bool,
    pub(super) has_transcription: bool,
    pub(super) initiated_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) started_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ended_at: Option<i64>,
    pub(super) initiator: String,
    pub(super) receiver: String,
    pub(super) receiver_type: &'static str,
    pub(super) mode: &'static str,
    #[serde(rename = "type")]
    pub(super) call_type: &'static str,
    pub(super) status: &'static str,
    pub(super) total_participants: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) participants: Option<Vec<Participant>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) recordings: Vec<RecordingEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) transcriptions: Vec<TranscriptionEntry>,
}

/// An entry of `participants`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Participant {
    pub(super) uid: String,
    pub(super) is_joined: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) joined_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) left_at: Option<i64>,
    pub(super) total_audio_minutes: Minutes,
    pub(super) total_video_minutes: Minutes,
    /// Minutes here; the call's field of the same name is a timer.
    pub(super) total_duration: Minutes,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) device_id: Option<String>,
}

/// An entry of `recordings`; the one object whose address is spelt in snake case.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RecordingEntry {
    pub(super) rid: String,
    #[serde(rename = "recording_url")]
    pub(super) url: String,
    pub(super) start_time: i64,
    pub(super) end_time: i64,
    pub(super) duration: Minutes,
}

/// An entry of `transcriptions`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TranscriptionEntry {
    pub(super) room_name: String,
    pub(super) tid: String,
    pub(super) start_time: i64,
    pub(super) end_time: i64,
    pub(super) transcript_date: String,
    pub(super) transcript_url: String,
}

/// Minutes at full double precision; written as an integer when whole, as the API does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Minutes(pub(super) f64);

impl Minutes {
    fn of_seconds(seconds: i64) -> Self {
        Self(f64::from(u32::try_from(seconds).unwrap_or_default()) / 60.0)
    }
}

impl Serialize for Minutes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[expect(clippy::cast_possible_truncation, reason = "only used where it loses nothing")]
        let whole = self.0 as u32;
        if f64::from(whole) == self.0 {
            serializer.serialize_u32(whole)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

impl Row {
    /// The call as it is shown at second `at`, no earlier than its `initiatedAt`.
    pub(super) fn at(options: &Options, outline: &Outline, at: i64) -> Self {
        let left = Attachments::of(options, outline);
        let mut row = Self::uncorrected(options, outline, &left, at);
        match left.corrected {
            Some((corrected_at, change)) if corrected_at <= at => row.correct(change),
            Some(_) | None => {}
        }
        row
    }

    /// The same without what was lowered: a counter keeps what it counted.
    pub(super) fn at_most(options: &Options, outline: &Outline, at: i64) -> Self {
        let left = Attachments::of(options, outline);
        match left.corrected {
            Some((_, Change::Lowered)) => Self::uncorrected(options, outline, &left, at),
            Some((_, Change::Raised)) | None => Self::at(options, outline, at),
        }
    }

    fn uncorrected(options: &Options, outline: &Outline, left: &Attachments, at: i64) -> Self {
        let cast = Cast::of(outline);
        let status = outline.status(at);
        let (started_at, talked_s) = match outline.fate {
            Fate::Talk { started_at, last_at, .. } if at >= started_at => {
                (Some(started_at), at.min(last_at) - started_at)
            }
            Fate::Talk { .. } | Fate::Missed { .. } => (None, 0),
        };
        let shows_totals = status != "ongoing" || options.live_totals;
        let talked_s = if shows_totals { talked_s } else { 0 };
        let mid = started_at.map(|_| uuid(outline.key));
        let joined = cast.devices.iter().filter(|device| has_joined(device, at)).count();
        let participants: Vec<_> = cast
            .devices
            .iter()
            .filter(|it| it.stay.is_none() || outline.mode == "call" || has_joined(it, at))
            .map(|device| participant(outline, device, status, mid.as_deref(), at, shows_totals))
            .collect();
        let mut recordings: Vec<_> =
            left.recordings.iter().filter(|r| r.appears_at <= at).map(recording).collect();
        let transcriptions: Vec<_> = left
            .transcribed_at
            .filter(|&appears_at| appears_at <= at)
            .map(|_| transcription(options, outline))
            .into_iter()
            .collect();
        let minutes = if options.has(Quirk::MinutesByPerson) {
            Minutes(participants.iter().map(|entry| entry.total_duration.0).sum())
        } else {
            Minutes::of_seconds(talked_s)
        };
        let (audio, video) = by_type(outline.call_type, minutes);
        let has_recording = !recordings.is_empty();
        if options.has(Quirk::RecordingsHidden) {
            recordings.clear();
        }
        let n_shown = if options.has(Quirk::ParticipantsAll) { participants.len() } else { joined };
        Self {
            session_id: session_id(options, outline),
            mid,
            total_audio_minutes: audio,
            total_video_minutes: video,
            total_duration: date::clock(talked_s),
            total_duration_in_minutes: minutes,
            has_recording,
            has_transcription: !transcriptions.is_empty(),
            initiated_at: outline.initiated_at,
            started_at,
            ended_at: started_at.and(outline.final_at()).filter(|&ended_at| ended_at <= at),
            initiator: cast.initiator,
            receiver: cast.receiver,
            receiver_type: outline.receiver_type,
            mode: outline.mode,
            call_type: outline.call_type,
            status,
            total_participants: if shows_totals {
                u32::try_from(n_shown).unwrap_or(u32::MAX)
            } else {
                0
            },
            participants: match cast.listed {
                Listed::Everybody => Some(participants),
                Listed::Empty => Some(Vec::new()),
                Listed::Missing => None,
            },
            recordings,
            transcriptions,
        }
    }

    fn correct(&mut self, change: Change) {
        let factor = match change {
            Change::Raised => 2.0,
            Change::Lowered => 0.5,
        };
        let totals = [
            &mut self.total_audio_minutes,
            &mut self.total_video_minutes,
            &mut self.total_duration_in_minutes,
        ];
        let people = self.participants.iter_mut().flatten().flat_map(|entry| {
            [
                &mut entry.total_audio_minutes,
                &mut entry.total_video_minutes,
                &mut entry.total_duration,
            ]
        });
        for minutes in totals.into_iter().chain(people) {
            minutes.0 *= factor;
        }
    }
}

/// `sessionId`. It ends in a part that begins with `initiatedAt`: see [`initiated_at_of`].
pub(super) fn session_id(options: &Options, outline: &Outline) -> String {
    let Outline { key, initiated_at, nth, .. } = outline;
    // A meeting may have an id that its host made up, which must be encoded in an address.
    if outline.mode == "meet" && key % 4 == 0 {
        if options.has(Quirk::MeetingsShareIds) {
            // Two of one second never have the same name.
            return format!("stand-up/team {} {nth}", key % 40);
        }
        return format!("stand-up/team {}.{initiated_at:010}{key:016x}", key % 97);
    }
    let tail = key.rotate_left(17);
    format!(
        "v1.us.{}.{initiated_at:010}{key:016x}{tail:016x}{:08x}",
        options.app_id,
        tail % 0xffff_fffb
    )
}

/// The `initiatedAt` that a session id of this world holds.
pub(super) fn initiated_at_of(session_id: &str) -> Option<i64> {
    session_id.rsplit('.').next()?.get(..10)?.parse().ok()
}

fn has_joined(device: &Device, at: i64) -> bool {
    device.stay.is_some_and(|stay| stay.from <= at)
}

/// Minutes as audio and video: the whole of a call counts under its type.
fn by_type(call_type: &str, minutes: Minutes) -> (Minutes, Minutes) {
    if call_type == "audio" { (minutes, Minutes(0.0)) } else { (Minutes(0.0), minutes) }
}

fn participant(
    outline: &Outline,
    device: &Device,
    status: &'static str,
    mid: Option<&str>,
    at: i64,
    shows_totals: bool,
) -> Participant {
    let open = matches!(status, "initiated" | "connecting" | "ongoing");
    let stay = device.stay.filter(|stay| stay.from <= at);
    let left_at = stay.filter(|stay| stay.leaves && stay.until <= at).map(|stay| stay.until);
    let state = match stay {
        None if open => None,
        None => device.refusal,
        Some(_) if left_at.is_some() => Some("ended"),
        Some(_) => Some("ongoing"),
    };
    let stayed_s = match stay {
        Some(stay) if shows_totals => at.min(stay.until) - stay.from,
        Some(_) | None => 0,
    };
    let minutes = Minutes::of_seconds(stayed_s);
    let (audio, video) = by_type(outline.call_type, minutes);
    Participant {
        uid: device.uid.clone(),
        is_joined: stay.is_some(),
        state,
        joined_at: stay.map(|stay| stay.from),
        left_at,
        total_audio_minutes: audio,
        total_video_minutes: video,
        total_duration: minutes,
        mid: stay.and(mid).map(str::to_owned),
        device_id: stay.map(|_| format!("{:08x}@rtc-us.example/sim", device.id >> 32)),
    }
}

fn recording(recording: &Recording) -> RecordingEntry {
    let rid = format!("{:016x}", recording.rid);
    RecordingEntry {
        url: format!("https://recordings.example/{rid}.mp4"),
        rid,
        start_time: recording.from,
        end_time: recording.until,
        duration: Minutes::of_seconds(recording.until - recording.from),
    }
}

fn transcription(options: &Options, outline: &Outline) -> TranscriptionEntry {
    let tid = format!("{:016x}", outline.key.rotate_left(31));
    TranscriptionEntry {
        room_name: session_id(options, outline),
        start_time: outline.initiated_at,
        end_time: outline.last_at(),
        transcript_date: date::iso_8601(outline.last_at()),
        transcript_url: format!("https://transcripts.example/{tid}.json"),
        tid,
    }
}

fn uuid(key: u64) -> String {
    let (high, low) = (key, key.rotate_left(29));
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0xfff,
        low & 0xffff_ffff_ffff
    )
}
