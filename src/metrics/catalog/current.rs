//! Rows of what is true right now: open calls and the recent window.

use super::FamilyType::Gauge;
use super::Source::{App, Process};
use super::{APP, APP_KIND, APP_KIND_STATUS, Family, row};
use crate::ledger::recent::RecentTally;
use crate::metrics::samples::{Samples, seconds, signed_seconds, whole};
use crate::metrics::sums::{Sums, open_by_status, recent_by_status};

pub(super) const FAMILIES: &[Family] = &[
    row(
        Gauge,
        "cometchat_calls_open",
        APP_KIND_STATUS,
        "Calls that are ringing or going on, by `status`, as of the newest look at each. Polled \
         in the background.",
        App(|sums, out| {
            for (&kind, open) in &sums.open {
                for (label, n) in open_by_status(open) {
                    out.of_kind(kind, label, whole(n));
                }
            }
        }),
    ),
    row(
        Gauge,
        "cometchat_participants_open",
        APP_KIND,
        "People in open calls: distinct `uid`s of `participants` that joined and have not left, \
         as of the newest look at each call. Polled in the background.",
        App(|sums, out| {
            for (&kind, &n) in &sums.people_open {
                out.of_kind(kind, None, whole(n));
            }
        }),
    ),
    row(
        Gauge,
        "cometchat_oldest_open_call_timestamp_seconds",
        APP,
        "`initiatedAt` of the oldest open call, as a Unix time; absent while none is open. \
         Polled in the background.",
        App(|sums, out| {
            out.one(sums.app.open.oldest().map(|oldest| signed_seconds(oldest.start().0)));
        }),
    ),
    row(
        Gauge,
        "cometchat_recent_calls",
        APP_KIND_STATUS,
        "Calls with `initiatedAt` in the recent window, by `status`, open ones too; absent while \
         the poll lag exceeds the window. Polled in the background.",
        App(|sums, out| {
            for (&kind, tally) in sums.recent.iter().flatten() {
                for (label, n) in recent_by_status(tally) {
                    out.of_kind(kind, label, whole(n));
                }
            }
        }),
    ),
    row(
        Gauge,
        "cometchat_recent_audio_seconds",
        APP_KIND,
        "Audio time of the calls of the recent window by their `totalAudioMinutes` as they are \
         now, in seconds. Polled in the background.",
        App(|sums, out| recent(sums, out, |tally| seconds(tally.audio_ms))),
    ),
    row(
        Gauge,
        "cometchat_recent_video_seconds",
        APP_KIND,
        "Video time of the calls of the recent window by their `totalVideoMinutes` as they are \
         now, in seconds. Polled in the background.",
        App(|sums, out| recent(sums, out, |tally| seconds(tally.video_ms))),
    ),
    row(
        Gauge,
        "cometchat_recent_participants",
        APP_KIND,
        "Participants of the calls of the recent window by `totalParticipants`, which counts \
         each device. Polled in the background.",
        App(|sums, out| recent(sums, out, |tally| whole(tally.participants))),
    ),
    row(
        Gauge,
        "cometchat_recent_recorded_calls",
        APP_KIND,
        "Calls of the recent window with a recording, by `hasRecording` or an entry of \
         `recordings`. Polled in the background.",
        App(|sums, out| recent(sums, out, |tally| whole(tally.recorded))),
    ),
    row(
        Gauge,
        "cometchat_recent_window_seconds",
        &[],
        "Length of the recent window, in seconds, as configured.",
        Process(|process, out| out.one(whole(process.recent_window_s))),
    ),
];

fn recent(sums: &Sums<'_>, out: &mut Samples<'_>, pick: fn(&RecentTally) -> f64) {
    for (&kind, tally) in sums.recent.iter().flatten() {
        out.of_kind(kind, None, pick(tally));
    }
}
