//! The sums of one app, from which every counter is rendered.

use std::collections::BTreeMap;

use super::histogram::{ANSWER_BOUNDS_S, DURATION_BOUNDS_S, Histogram, PEOPLE_BOUNDS};
use crate::call::{CallType, Kind, Outcome, WordField};

/// One counter of a breakdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counter {
    /// Calls that reached this final status.
    Calls(Outcome),
    /// Entries of `participants` by their last state, at the final status.
    Entries(Outcome),
    /// Calls whose final status is a failure.
    Failed,
    /// Calls seen at all.
    Initiated,
    /// Call audio, ms.
    AudioMs,
    /// Call video, ms.
    VideoMs,
    /// User audio, ms.
    UserAudioMs,
    /// User video, ms.
    UserVideoMs,
    /// Participants as the API counts them.
    Participants,
    /// Calls with a recording.
    Recorded,
    /// Calls with a transcription.
    Transcribed,
    /// Recordings.
    Recordings,
    /// Their length, ms.
    RecordingMs,
    /// Calls that lasted but list nobody.
    WithoutParticipants,
    /// Calls that ended with fewer than two people.
    Unconnected,
}

impl Counter {
    /// How many there are.
    pub const COUNT: usize = 2 * Outcome::ALL.len() + 13;

    /// Position in a [`Tally`].
    pub const fn index(self) -> usize {
        const FIRST: usize = 2 * Outcome::ALL.len();
        match self {
            Self::Calls(outcome) => outcome.index(),
            Self::Entries(state) => Outcome::ALL.len() + state.index(),
            Self::Failed => FIRST,
            Self::Initiated => FIRST + 1,
            Self::AudioMs => FIRST + 2,
            Self::VideoMs => FIRST + 3,
            Self::UserAudioMs => FIRST + 4,
            Self::UserVideoMs => FIRST + 5,
            Self::Participants => FIRST + 6,
            Self::Recorded => FIRST + 7,
            Self::Transcribed => FIRST + 8,
            Self::Recordings => FIRST + 9,
            Self::RecordingMs => FIRST + 10,
            Self::WithoutParticipants => FIRST + 11,
            Self::Unconnected => FIRST + 12,
        }
    }
}

/// The counters of one breakdown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally(pub [u64; Counter::COUNT]);

impl Default for Tally {
    fn default() -> Self {
        Self([0; Counter::COUNT])
    }
}

impl Tally {
    /// The value of one counter.
    pub const fn get(&self, counter: Counter) -> u64 {
        self.0[counter.index()]
    }

    /// Raises one counter. There is no way to lower one.
    pub fn add(&mut self, counter: Counter, by: u64) {
        let value = &mut self.0[counter.index()];
        *value = value.saturating_add(by);
    }
}

/// The histograms of one call type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distributions {
    /// Start to end, seconds.
    pub duration_s: Histogram,
    /// Ringing to answer, seconds.
    pub answer_s: Histogram,
    /// People per call.
    pub people: Histogram,
}

impl Default for Distributions {
    fn default() -> Self {
        Self {
            duration_s: Histogram::new(DURATION_BOUNDS_S),
            answer_s: Histogram::new(ANSWER_BOUNDS_S),
            people: Histogram::new(PEOPLE_BOUNDS),
        }
    }
}

/// Everything durable that one app has counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// By breakdown. What was never seen is not in the map.
    pub by_kind: BTreeMap<Kind, Tally>,
    /// By call type, in the order of [`CallType::ALL`].
    pub distributions: [Distributions; CallType::ALL.len()],
    /// Values that the API lowered or changed after they were counted.
    pub corrections: u64,
    /// Calls given up after `max_open`.
    pub abandoned: u64,
    /// What a re-read had to put right.
    pub reconcile_differences: u64,
    /// Calls with a word that this version does not know, in the order of [`WordField::ALL`].
    pub unknown: [u64; WordField::ALL.len()],
}

impl Totals {
    /// The sum of one counter over all breakdowns.
    pub fn sum(&self, counter: Counter) -> u64 {
        self.by_kind.values().map(|tally| tally.get(counter)).sum()
    }

    /// Adds other sums.
    pub fn merge(&mut self, more: &Self) {
        for (kind, tally) in &more.by_kind {
            add_each(&mut self.by_kind.entry(*kind).or_default().0, &tally.0);
        }
        for (own, more) in self.distributions.iter_mut().zip(&more.distributions) {
            own.duration_s.merge(&more.duration_s);
            own.answer_s.merge(&more.answer_s);
            own.people.merge(&more.people);
        }
        self.corrections = self.corrections.saturating_add(more.corrections);
        self.abandoned = self.abandoned.saturating_add(more.abandoned);
        self.reconcile_differences =
            self.reconcile_differences.saturating_add(more.reconcile_differences);
        add_each(&mut self.unknown, &more.unknown);
    }
}

/// Adds counts to counts.
pub(super) fn add_each(own: &mut [u64], more: &[u64]) {
    for (own, more) in own.iter_mut().zip(more) {
        *own = own.saturating_add(*more);
    }
}
