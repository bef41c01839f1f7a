//! The naive recount: one loop over rows, one map from series to numbers. It knows the exporter's
//! contract of metrics and nothing of how the exporter counts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Number;

use super::row::{Minutes, Participant, Row};
use super::truth::thousandths;

const TYPES: [&str; 2] = ["audio", "video"];
const MODES: [&str; 3] = ["call", "meet", "presenter"];
const RECEIVERS: [&str; 2] = ["user", "group"];
const FINAL: [&str; 5] = ["ended", "unanswered", "rejected", "canceled", "busy"];
const OPEN: [&str; 2] = ["initiated", "ongoing"];
const DURATION_LE: [i64; 13] = [5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800];
const ANSWER_LE: [i64; 12] = [1, 2, 3, 5, 8, 12, 18, 25, 35, 45, 60, 90];
const PEOPLE_LE: [i64; 11] = [0, 1, 2, 3, 4, 6, 8, 12, 16, 25, 50];
/// Counters and gauges with the breakdown labels alone.
const PLAIN: [&str; 14] = [
    "calls_failed_total",
    "calls_initiated_total",
    "call_audio_seconds_total",
    "call_video_seconds_total",
    "participant_audio_seconds_total",
    "participant_video_seconds_total",
    "participants_total",
    "calls_recorded_total",
    "calls_transcribed_total",
    "recordings_total",
    "recording_seconds_total",
    "calls_without_participants_total",
    "calls_unconnected_total",
    "participants_open",
];

/// Every series with its value in thousandths.
pub(super) struct Tally {
    /// `cometchat_app="…"`, escaped.
    app: String,
    series: BTreeMap<String, i64>,
}

impl Tally {
    /// Every documented series at 0.
    pub(super) fn new(app: &str) -> Self {
        let escaped = app.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let app = format!("cometchat_app=\"{escaped}\"");
        let mut tally = Self { app, series: BTreeMap::new() };
        for (call_type, mode, receiver) in kinds() {
            let kind = tally.kind(call_type, mode, receiver);
            for name in PLAIN {
                tally.count(name, &kind, 0);
            }
            for status in FINAL {
                tally.count("calls_total", &format!("{kind},status=\"{status}\""), 0);
                tally.count("participant_entries_total", &format!("{kind},state=\"{status}\""), 0);
            }
            for status in OPEN {
                tally.count("calls_open", &format!("{kind},status=\"{status}\""), 0);
            }
        }
        for call_type in TYPES {
            tally.histogram("call_duration_seconds", call_type, &DURATION_LE, None);
            tally.histogram("call_answer_seconds", call_type, &ANSWER_LE, None);
            tally.histogram("call_participants", call_type, &PEOPLE_LE, None);
        }
        let app = tally.app.clone();
        tally.count("calls_abandoned_total", &app, 0);
        tally
    }

    /// Adds one call; `given_up` when it is still open after `max_open`.
    pub(super) fn add(&mut self, row: &Row, given_up: bool) {
        let kind = self.kind(row.call_type, row.mode, row.receiver_type);
        let participants = row.participants.as_deref().unwrap_or_default();
        self.count("calls_initiated_total", &kind, 1);
        self.add_media(row, &kind);
        if FINAL.contains(&row.status) {
            self.add_final(row, &kind);
        } else if given_up {
            let app = self.app.clone();
            self.count("calls_abandoned_total", &app, 1);
        } else {
            self.count("calls_open", &format!("{kind},status=\"{}\"", row.status), 1);
            let present = people(participants, |entry| entry.is_joined && entry.left_at.is_none());
            self.count("participants_open", &kind, present);
        }
    }

    /// Every series as a number in its own unit.
    pub(super) fn into_series(self) -> BTreeMap<String, Number> {
        self.series.into_iter().map(|(name, value)| (name, thousandths(value))).collect()
    }

    /// What counts for open calls too.
    fn add_media(&mut self, row: &Row, kind: &str) {
        self.add_ms("call_audio_seconds_total", kind, row.total_audio_minutes);
        self.add_ms("call_video_seconds_total", kind, row.total_video_minutes);
        for entry in row.participants.iter().flatten() {
            self.add_ms("participant_audio_seconds_total", kind, entry.total_audio_minutes);
            self.add_ms("participant_video_seconds_total", kind, entry.total_video_minutes);
        }
        self.count("participants_total", kind, i64::from(row.total_participants));
        self.count("calls_recorded_total", kind, i64::from(row.has_recording));
        self.count("calls_transcribed_total", kind, i64::from(row.has_transcription));
        for recording in &row.recordings {
            self.count("recordings_total", kind, 1);
            let length_s = recording.end_time - recording.start_time;
            self.count("recording_seconds_total", kind, length_s);
        }
    }

    /// What counts once, at the final status.
    fn add_final(&mut self, row: &Row, kind: &str) {
        let participants = row.participants.as_deref().unwrap_or_default();
        let n_people = people(participants, |entry| entry.is_joined);
        self.count("calls_total", &format!("{kind},status=\"{}\"", row.status), 1);
        if row.status != "ended" {
            self.count("calls_failed_total", kind, 1);
        } else if n_people < 2 {
            self.count("calls_unconnected_total", kind, 1);
        }
        for entry in participants {
            let state = entry.state.filter(|state| FINAL.contains(state)).unwrap_or("other");
            self.count("participant_entries_total", &format!("{kind},state=\"{state}\""), 1);
        }
        let (Some(started_at), Some(ended_at)) = (row.started_at, row.ended_at) else { return };
        if participants.is_empty() && ended_at > started_at {
            self.count("calls_without_participants_total", kind, 1);
        }
        if row.status == "ended" && ended_at >= started_at {
            let of = row.call_type;
            self.histogram("call_duration_seconds", of, &DURATION_LE, Some(ended_at - started_at));
            self.histogram("call_participants", of, &PEOPLE_LE, Some(n_people));
            if row.mode == "call" && started_at >= row.initiated_at {
                let rang_s = started_at - row.initiated_at;
                self.histogram("call_answer_seconds", of, &ANSWER_LE, Some(rang_s));
            }
        }
    }

    /// Raises a series by a whole number.
    fn count(&mut self, name: &str, labels: &str, by: i64) {
        *self.series.entry(format!("cometchat_{name}{{{labels}}}")).or_default() += by * 1000;
    }

    /// Raises a series of seconds by minutes, rounded to whole milliseconds, half away from zero.
    fn add_ms(&mut self, name: &str, labels: &str, minutes: Minutes) {
        #[expect(clippy::cast_possible_truncation, reason = "rounded, and far inside the range")]
        let ms = (minutes.0 * 60_000.0).round() as i64;
        *self.series.entry(format!("cometchat_{name}{{{labels}}}")).or_default() += ms;
    }

    /// Observes a value, or shows the empty histogram.
    fn histogram(&mut self, name: &str, call_type: &str, le: &[i64], value: Option<i64>) {
        let labels = format!("{},call_type=\"{call_type}\"", self.app);
        for bound in le {
            let inside = value.is_some_and(|value| value <= *bound);
            let labels = format!("{labels},le=\"{bound}\"");
            self.count(&format!("{name}_bucket"), &labels, i64::from(inside));
        }
        let seen = i64::from(value.is_some());
        self.count(&format!("{name}_bucket"), &format!("{labels},le=\"+Inf\""), seen);
        self.count(&format!("{name}_count"), &labels, seen);
        self.count(&format!("{name}_sum"), &labels, value.unwrap_or_default());
    }

    fn kind(&self, call_type: &str, mode: &str, receiver: &str) -> String {
        let app = &self.app;
        format!("{app},call_type=\"{call_type}\",mode=\"{mode}\",receiver_type=\"{receiver}\"")
    }
}

fn kinds() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    TYPES.into_iter().flat_map(|call_type| {
        MODES.into_iter().flat_map(move |mode| {
            RECEIVERS.into_iter().map(move |receiver| (call_type, mode, receiver))
        })
    })
}

/// Distinct `uid`s of the entries that count.
fn people(participants: &[Participant], counts: impl Fn(&Participant) -> bool) -> i64 {
    let uids: BTreeSet<_> =
        participants.iter().filter(|&entry| counts(entry)).map(|entry| &entry.uid).collect();
    i64::try_from(uids.len()).unwrap_or(i64::MAX)
}
