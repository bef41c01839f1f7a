//! Exemplars: which call was counted last in each place.

use std::collections::BTreeMap;

use super::Moment;
use crate::call::{CallKey, CallType, Kind, Outcome};
use crate::ledger::{Counter, Distributions, Histogram, Posting};

/// How long the label of an exemplar may be, its name and value together, by OpenMetrics.
const LABEL_CHARS_MAX: usize = 128;

/// A call that was counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Its `sessionId`.
    pub session_id: Box<str>,
    /// What a histogram observed of it.
    pub value: u64,
    /// When the request began that showed it, on the API's clock.
    pub seen_at: Moment,
}

/// The newest example of each counter of calls and of each bucket. They are kept in memory only:
/// after a restart there are none until the next call is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examples {
    pub(super) calls: BTreeMap<(Kind, Outcome), Example>,
    pub(super) observed: BTreeMap<(Histograms, CallType, usize), Example>,
}

/// Which of the [`Distributions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Histograms {
    Duration,
    Answer,
    People,
}

impl Histograms {
    pub(super) const fn of(self, of_type: &Distributions) -> &Histogram {
        match self {
            Self::Duration => &of_type.duration_s,
            Self::Answer => &of_type.answer_s,
            Self::People => &of_type.people,
        }
    }
}

impl Example {
    /// The name of the label.
    pub(super) const LABEL: &str = "session_id";
}

impl Examples {
    /// Notes a call that was counted; one whose id is too long for an exemplar is left out.
    pub fn note(&mut self, key: &CallKey, posting: &Posting, seen_at: Moment) {
        if Example::LABEL.len() + key.session_id.chars().count() > LABEL_CHARS_MAX {
            return;
        }
        let example = |value| Example { session_id: key.session_id.clone(), value, seen_at };
        for &(counter, _) in &posting.adds {
            if let Counter::Calls(outcome) = counter {
                self.calls.insert((posting.kind, outcome), example(1));
            }
        }
        let Some(observed) = posting.observed else { return };
        let values = [
            (Histograms::Duration, Some(observed.duration_s)),
            (Histograms::Answer, observed.answer_s),
            (Histograms::People, Some(observed.people)),
        ];
        let empty = Distributions::default();
        for (which, value) in values {
            let Some(value) = value else { continue };
            let bucket = which.of(&empty).bucket_of(value);
            let place = (which, posting.kind.call_type, bucket);
            self.observed.insert(place, example(value));
        }
    }
}
