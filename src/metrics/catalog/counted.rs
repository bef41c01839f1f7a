//! Rows of what the ledger has counted: each call once, durable.

use super::FamilyType::{Counter, Histogram};
use super::Source::Counted;
use super::{APP, APP_KIND, APP_KIND_STATUS, Family, Label, row};
use crate::call::{Outcome, WordField};
use crate::ledger::{self, Counter as Count, Totals};
use crate::metrics::examples::Histograms;
use crate::metrics::samples::{Native, Samples, Spread, seconds, whole};
use crate::metrics::sums::{Sums, calls_by_outcome};

pub(super) const FAMILIES: &[Family] = &[
    row(
        Counter,
        "cometchat_calls_total",
        APP_KIND_STATUS,
        "Calls that reached a final status, each counted once under the first final `status` \
         that the Calls API showed. Polled in the background.",
        Counted(|sums, out| {
            for (&kind, tally) in sums.counted.iter().flatten() {
                for (outcome, n) in calls_by_outcome(tally) {
                    let example = sums.example(kind, outcome);
                    out.of_kind_like(kind, outcome.label(), whole(n), example);
                }
            }
        }),
    ),
    row(
        Counter,
        "cometchat_calls_failed_total",
        APP_KIND,
        "Calls whose final `status` is one of the configured failure_statuses. Polled in the \
         background.",
        Counted(|sums, out| by_kind(sums, out, Count::Failed)),
    ),
    row(
        Counter,
        "cometchat_calls_initiated_total",
        APP_KIND,
        "Calls seen at all, meetings too, whatever became of them, by `initiatedAt` from the \
         time in cometchat_count_from_timestamp_seconds on. Polled in the background.",
        Counted(|sums, out| by_kind(sums, out, Count::Initiated)),
    ),
    row(
        Counter,
        "cometchat_call_audio_seconds_total",
        APP_KIND,
        "Audio time by the calls' own `totalAudioMinutes`, in seconds, ongoing calls included as \
         far as the API reports them. Polled in the background.",
        Counted(|sums, out| by_kind_ms(sums, out, Count::AudioMs)),
    ),
    row(
        Counter,
        "cometchat_call_video_seconds_total",
        APP_KIND,
        "Video time by the calls' own `totalVideoMinutes`, in seconds, ongoing calls included as \
         far as the API reports them. Polled in the background.",
        Counted(|sums, out| by_kind_ms(sums, out, Count::VideoMs)),
    ),
    row(
        Counter,
        "cometchat_participant_audio_seconds_total",
        APP_KIND,
        "Audio time of users: `totalAudioMinutes` summed over `participants`, in seconds. User \
         time is the unit that CometChat bills in. Polled in the background.",
        Counted(|sums, out| by_kind_ms(sums, out, Count::UserAudioMs)),
    ),
    row(
        Counter,
        "cometchat_participant_video_seconds_total",
        APP_KIND,
        "Video time of users: `totalVideoMinutes` summed over `participants`, in seconds. User \
         time is the unit that CometChat bills in. Polled in the background.",
        Counted(|sums, out| by_kind_ms(sums, out, Count::UserVideoMs)),
    ),
    row(
        Counter,
        "cometchat_participants_total",
        APP_KIND,
        "Participants of calls by `totalParticipants`, which counts entries: a person on two \
         devices counts twice. Polled in the background.",
        Counted(|sums, out| by_kind(sums, out, Count::Participants)),
    ),
    row(
        Counter,
        "cometchat_participant_entries_total",
        &[Label::CometchatApp, Label::CallType, Label::Mode, Label::ReceiverType, Label::State],
        "Entries of `participants` by their last `state`, counted once, when the call reached \
         its final status; a missing or ongoing state counts as other. Polled in the background.",
        Counted(|sums, out| {
            for (&kind, tally) in sums.counted.iter().flatten() {
                // A missing state is usual, so that `other` stands at 0 from the start like the rest.
                for state in Outcome::ALL {
                    out.of_kind(kind, state.label(), whole(tally.get(Count::Entries(state))));
                }
            }
        }),
    ),
    row(
        Counter,
        "cometchat_calls_recorded_total",
        APP_KIND,
        "Calls with a recording, by `hasRecording` or an entry of `recordings`. Polled in the \
         background.",
        Counted(|sums, out| by_kind(sums, out, Count::Recorded)),
    ),
    row(
        Counter,
        "cometchat_calls_transcribed_total",
        APP_KIND,
        "Calls with a transcription, by `hasTranscription` or an entry of `transcriptions`. \
         Polled in the background.",
        Counted(|sums, out| by_kind(sums, out, Count::Transcribed)),
    ),
    row(
        Counter,
        "cometchat_recordings_total",
        APP_KIND,
        "Recordings of calls, by the entries of `recordings`. Polled in the background.",
        Counted(|sums, out| by_kind(sums, out, Count::Recordings)),
    ),
    row(
        Counter,
        "cometchat_recording_seconds_total",
        APP_KIND,
        "Length of recordings, by `startTime`, `endTime` and `duration` of the entries of \
         `recordings`, in seconds. Polled in the background.",
        Counted(|sums, out| by_kind_ms(sums, out, Count::RecordingMs)),
    ),
    row(
        Counter,
        "cometchat_calls_without_participants_total",
        APP_KIND,
        "Calls that lasted but whose `participants` list nobody, so that their user time is \
         unknown. Polled in the background.",
        Counted(|sums, out| by_kind(sums, out, Count::WithoutParticipants)),
    ),
    row(
        Counter,
        "cometchat_calls_unconnected_total",
        APP_KIND,
        "Calls with `status` ended that fewer than two people joined, by the distinct `uid`s of \
         `participants`. Polled in the background.",
        Counted(|sums, out| by_kind(sums, out, Count::Unconnected)),
    ),
    row(
        Histogram,
        "cometchat_call_duration_seconds",
        &[Label::CometchatApp, Label::CallType],
        "Length of calls, from `startedAt` to `endedAt`, in seconds; calls first seen ended with \
         both times present and in order. Polled in the background.",
        Counted(|sums, out| spread(sums, out, Histograms::Duration)),
    ),
    row(
        Histogram,
        "cometchat_call_answer_seconds",
        &[Label::CometchatApp, Label::CallType],
        "Time until calls were answered, from `initiatedAt` to `startedAt`, in seconds; calls of \
         mode call only, since meetings do not ring. Polled in the background.",
        Counted(|sums, out| spread(sums, out, Histograms::Answer)),
    ),
    row(
        Histogram,
        "cometchat_call_participants",
        &[Label::CometchatApp, Label::CallType],
        "People per call: distinct `uid`s of the entries of `participants` that joined, each \
         person once. Polled in the background.",
        Counted(|sums, out| spread(sums, out, Histograms::People)),
    ),
    row(
        Counter,
        "cometchat_unknown_values_total",
        &[Label::CometchatApp, Label::Field],
        "Calls in which this field of the API held a word that this version of the exporter does \
         not know, once per call and field. Polled in the background.",
        Counted(|sums, out| {
            for field in WordField::ALL {
                if let Some(totals) = sums.app.totals {
                    out.labelled(&[field.label()], whole(totals.unknown[field.index()]));
                }
            }
        }),
    ),
    row(
        Counter,
        "cometchat_corrections_total",
        APP,
        "Values that the API lowered or changed after they were counted, once per call and \
         field; the counters keep what was counted. Polled in the background.",
        Counted(|sums, out| total(sums, out, |totals| totals.corrections)),
    ),
    row(
        Counter,
        "cometchat_calls_abandoned_total",
        APP,
        "Calls that still had no final `status` after the configured max_open and were given up. \
         Polled in the background.",
        Counted(|sums, out| total(sums, out, |totals| totals.abandoned)),
    ),
    row(
        Counter,
        "cometchat_reconcile_differences_total",
        APP,
        "Calls and values that a later reading of the same page of the API had to add or change. \
         Polled in the background.",
        Counted(|sums, out| total(sums, out, |totals| totals.reconcile_differences)),
    ),
];

fn by_kind(sums: &Sums<'_>, out: &mut Samples<'_>, counter: Count) {
    for (&kind, tally) in sums.counted.iter().flatten() {
        out.of_kind(kind, None, whole(tally.get(counter)));
    }
}

fn by_kind_ms(sums: &Sums<'_>, out: &mut Samples<'_>, counter: Count) {
    for (&kind, tally) in sums.counted.iter().flatten() {
        out.of_kind(kind, None, seconds(tally.get(counter)));
    }
}

fn total(sums: &Sums<'_>, out: &mut Samples<'_>, pick: fn(&Totals) -> u64) {
    out.one(sums.app.totals.map(|totals| whole(pick(totals))));
}

/// A histogram per call type that is shown: the sum of those that share its label value.
fn spread(sums: &Sums<'_>, out: &mut Samples<'_>, which: Histograms) {
    for (call_type, parts) in sums.spread.iter().flatten() {
        let parts: Vec<_> = parts.iter().map(|part| which.of(part)).collect();
        let Some(first) = parts.first() else { continue };
        let bounds = first.bounds.iter().map(|&bound| whole(bound)).chain([f64::INFINITY]);
        let mut below = 0;
        let cumulative = bounds.enumerate().map(|(i, bound)| {
            below += parts.iter().map(|part| part.counts[i]).sum::<u64>();
            (bound, below)
        });
        let shown = sums.breakdown.call_type;
        let native = out.takes_native().then(|| native(&parts));
        let spread = Spread {
            cumulative: cumulative.collect(),
            sum: whole(parts.iter().map(|part| part.sum).sum()),
            examples: sums.examples(which, shown.then_some(*call_type), first.bounds.len() + 1),
            native,
        };
        out.spread(shown.then(|| call_type.label()), &spread);
    }
}

fn native(parts: &[&ledger::Histogram]) -> Native {
    let mut sum = Native::default();
    for part in parts {
        sum.zero += part.native_zero;
        for (&bucket, &n) in &part.native {
            *sum.counts.entry(bucket).or_default() += n;
        }
    }
    sum
}
