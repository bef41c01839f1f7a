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
/// Each histogram with its upper bounds, inclusive.
const HISTOGRAMS: [(&str, &[i64]); 3] = [
    (
        "call_duration_seconds",
        &[5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800],
    ),
    ("call_answer_seconds", &[1, 2, 3, 5, 8, 12, 18, 25, 35, 45, 60, 90]),
    ("call_participants", &[0, 1, 2, 3, 4, 6, 8, 12, 16, 25, 50]),
];
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

/// `type`, `mode` and `receiverType`.
type Kind = (&'static str, &'static str, &'static str);

/// The labels of a counter or gauge beside `cometchat_app`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Labels {
    None,
    Kind(Kind),
    /// And one more label with its value.
    Word(Kind, &'static str, &'static str),
}

impl Labels {
    fn has_other_type(self) -> bool {
        match self {
            Self::None => false,
            Self::Kind((call_type, _, _)) | Self::Word((call_type, _, _), _, _) => {
                call_type == "other"
            }
        }
    }
}

/// The sums.
pub(super) struct Tally {
    /// `cometchat_app="…"`, escaped.
    app: String,
    /// Counters and gauges in thousandths.
    sums: BTreeMap<(&'static str, Labels), i64>,
    /// How often each histogram saw each value, by name and `type`.
    observed: BTreeMap<(&'static str, &'static str), BTreeMap<i64, i64>>,
}

impl Tally {
    /// Every documented series at 0.
    pub(super) fn new(app: &str) -> Self {
        let escaped = app.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let app = format!("cometchat_app=\"{escaped}\"");
        let mut tally = Self { app, sums: BTreeMap::new(), observed: BTreeMap::new() };
        kinds().for_each(|kind| tally.begin(kind));
        tally.count("calls_abandoned_total", Labels::None, 0);
        tally
    }

    /// Every series of a kind at 0, where it has none yet.
    fn begin(&mut self, kind: Kind) {
        for name in PLAIN {
            self.count(name, Labels::Kind(kind), 0);
        }
        for word in FINAL {
            self.count("calls_total", Labels::Word(kind, "status", word), 0);
            self.count("participant_entries_total", Labels::Word(kind, "state", word), 0);
        }
        self.count("participant_entries_total", Labels::Word(kind, "state", "other"), 0);
        for word in OPEN {
            self.count("calls_open", Labels::Word(kind, "status", word), 0);
        }
    }

    /// Adds one call; `given_up` when it is still open after `max_open`.
    pub(super) fn add(&mut self, row: &Row, given_up: bool) {
        let kind = (
            known(row.call_type, &TYPES),
            known(row.mode, &MODES),
            known(row.receiver_type, &RECEIVERS),
        );
        self.begin(kind);
        let participants = row.participants.as_deref().unwrap_or_default();
        self.count("calls_initiated_total", Labels::Kind(kind), 1);
        self.add_media(row, Labels::Kind(kind));
        if FINAL.contains(&as_documented(row.status)) {
            self.add_final(row, kind);
        } else if given_up {
            self.count("calls_abandoned_total", Labels::None, 1);
        } else {
            let status = known(row.status, &OPEN);
            self.count("calls_open", Labels::Word(kind, "status", status), 1);
            let present = people(participants, |entry| entry.is_joined && entry.left_at.is_none());
            self.count("participants_open", Labels::Kind(kind), present);
        }
    }

    /// Every series with its labels, as a number in its own unit.
    pub(super) fn into_series(self) -> BTreeMap<String, Number> {
        let mut series = BTreeMap::new();
        for ((name, labels), value) in &self.sums {
            let labels = match labels {
                Labels::None => String::new(),
                Labels::Kind(kind) => kind_labels(*kind),
                Labels::Word(kind, label, word) => {
                    format!("{},{label}=\"{word}\"", kind_labels(*kind))
                }
            };
            series.insert(format!("cometchat_{name}{{{}{labels}}}", self.app), thousandths(*value));
        }
        for (name, bounds) in HISTOGRAMS {
            // Another type has series once it was seen.
            let other = self.sums.keys().any(|(_, labels)| labels.has_other_type());
            for call_type in TYPES.into_iter().chain(other.then_some("other")) {
                let observed = self.observed.get(&(name, call_type)).cloned().unwrap_or_default();
                let labels = format!("{},call_type=\"{call_type}\"", self.app);
                let up_to = |bound| -> i64 { observed.range(..=bound).map(|(_, n)| n).sum() };
                for &bound in bounds {
                    let bucket = format!("cometchat_{name}_bucket{{{labels},le=\"{bound}\"}}");
                    series.insert(bucket, up_to(bound).into());
                }
                let count = up_to(i64::MAX);
                let sum: i64 = observed.iter().map(|(value, n)| value * n).sum();
                series.insert(
                    format!("cometchat_{name}_bucket{{{labels},le=\"+Inf\"}}"),
                    count.into(),
                );
                series.insert(format!("cometchat_{name}_count{{{labels}}}"), count.into());
                series.insert(format!("cometchat_{name}_sum{{{labels}}}"), sum.into());
            }
        }
        series
    }

    /// What counts for open calls too.
    fn add_media(&mut self, row: &Row, kind: Labels) {
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
    fn add_final(&mut self, row: &Row, kind: Kind) {
        let participants = row.participants.as_deref().unwrap_or_default();
        let n_people = people(participants, |entry| entry.is_joined);
        let status = as_documented(row.status);
        self.count("calls_total", Labels::Word(kind, "status", status), 1);
        if row.status != "ended" {
            self.count("calls_failed_total", Labels::Kind(kind), 1);
        } else if n_people < 2 {
            self.count("calls_unconnected_total", Labels::Kind(kind), 1);
        }
        for entry in participants {
            let state = known(entry.state.map_or("", as_documented), &FINAL);
            self.count("participant_entries_total", Labels::Word(kind, "state", state), 1);
        }
        let (Some(started_at), Some(ended_at)) = (row.started_at, row.ended_at) else { return };
        if participants.is_empty() && ended_at > started_at {
            self.count("calls_without_participants_total", Labels::Kind(kind), 1);
        }
        if row.status == "ended" && ended_at >= started_at {
            self.observe("call_duration_seconds", kind.0, ended_at - started_at);
            self.observe("call_participants", kind.0, n_people);
            if row.mode == "call" && started_at >= row.initiated_at {
                self.observe("call_answer_seconds", kind.0, started_at - row.initiated_at);
            }
        }
    }

    /// Raises a series by a whole number.
    fn count(&mut self, name: &'static str, labels: Labels, by: i64) {
        *self.sums.entry((name, labels)).or_default() += by * 1000;
    }

    /// Raises a series of seconds by minutes, rounded to whole milliseconds, half away from zero.
    fn add_ms(&mut self, name: &'static str, labels: Labels, minutes: Minutes) {
        #[expect(clippy::cast_possible_truncation, reason = "rounded, and far inside the range")]
        let ms = (minutes.0 * 60_000.0).round() as i64;
        *self.sums.entry((name, labels)).or_default() += ms;
    }

    fn observe(&mut self, name: &'static str, call_type: &'static str, value: i64) {
        *self.observed.entry((name, call_type)).or_default().entry(value).or_default() += 1;
    }
}

/// A word of the documents, else `other`.
fn known(word: &'static str, words: &[&'static str]) -> &'static str {
    if words.contains(&word) { word } else { "other" }
}

/// `canceled` has two spellings.
fn as_documented(status: &'static str) -> &'static str {
    if status == "cancelled" { "canceled" } else { status }
}

fn kind_labels((call_type, mode, receiver): Kind) -> String {
    format!(",call_type=\"{call_type}\",mode=\"{mode}\",receiver_type=\"{receiver}\"")
}

fn kinds() -> impl Iterator<Item = Kind> {
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
