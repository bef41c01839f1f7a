//! Counting of the past: which part of a posting belongs to which moment, and its sum per sample.
//!
//! The exporter counts what it sees when it sees it. Who reads a year at once sees all of it now, so
//! the rows themselves have to say when: a call begins at `initiatedAt`, everything else of it
//! counts at `endedAt`, without one at `initiatedAt`.

use std::collections::BTreeMap;

use super::{Counter, Posting, Rules, Totals};
use crate::call::{Call, Moment, Status, Timestamp};

/// The times of a call that a posting is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    initiated_at: Timestamp,
    /// When the rest of it counts; `None` while it is open.
    over_at: Option<Timestamp>,
}

impl Times {
    /// The times of a call as it was seen.
    pub const fn of(seen: &Call) -> Self {
        let over_at = match (seen.ended_at, seen.status) {
            (Some(ended_at), _) => Some(ended_at),
            (None, Status::Final(_)) => Some(seen.key.initiated_at),
            (None, Status::Initiated | Status::Ongoing | Status::Unknown) => None,
        };
        Self { initiated_at: seen.key.initiated_at, over_at }
    }

    /// Those of a call that a look did not find.
    pub const fn unseen(initiated_at: Timestamp) -> Self {
        Self { initiated_at, over_at: None }
    }
}

/// Splits what was posted by a request that began at `asked_at` into what belongs to the beginning
/// of the call and what belongs to its end. What an open call has so far belongs to the request.
pub fn dated(
    rules: &Rules,
    posting: Posting,
    times: Times,
    asked_at: Moment,
) -> [(Timestamp, Posting); 2] {
    let seen_at = asked_at.floor();
    let initiated_at = times.initiated_at.min(seen_at);
    let is_final = posting.adds.iter().any(|(counter, _)| matches!(counter, Counter::Calls(_)));
    let over_at = if posting.abandoned > 0 {
        initiated_at.plus_s(rules.max_open_s)
    } else {
        times.over_at.unwrap_or(if is_final { initiated_at } else { seen_at })
    };
    // A clock that runs wrong may say anything.
    let over_at = over_at.max(initiated_at).min(seen_at);
    let (mut begins, mut rest) = (Posting::nothing(posting.kind), posting);
    let is_begin = |add: &(Counter, u64)| add.0 == Counter::Initiated;
    begins.adds = rest.adds.iter().copied().filter(is_begin).collect();
    rest.adds.retain(|add| !is_begin(add));
    [(initiated_at, begins), (over_at, rest)]
}

/// The times of the samples: from `from` on every `step_s` seconds, and at `to`.
///
/// A sample shows what happened before its time, so that the first one shows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timetable {
    /// The first sample, and the epoch.
    pub from: Timestamp,
    /// The last sample.
    pub to: Timestamp,
    /// Seconds between samples; the last two may be nearer to each other. At least 1.
    pub step_s: i64,
}

impl Timetable {
    /// How many samples there are.
    pub fn n_samples(self) -> usize {
        let steps = self.steps_up_to(self.to);
        usize::try_from(steps).map_or(usize::MAX, |steps| steps.saturating_add(1))
    }

    /// The time of a sample.
    pub fn at(self, idx: usize) -> Timestamp {
        let steps = i64::try_from(idx).unwrap_or(i64::MAX);
        self.from.plus_s(steps.saturating_mul(self.step_s)).min(self.to)
    }

    /// The first sample that shows what happened in this second; none if that is after the end.
    pub fn sample_of(self, second: Timestamp) -> Option<u32> {
        let over = second.max(self.from).plus_s(1);
        (over <= self.to).then(|| u32::try_from(self.steps_up_to(over)).unwrap_or(u32::MAX))
    }

    fn steps_up_to(self, at: Timestamp) -> i64 {
        let seconds = at.since_s(self.from).max(0);
        let step_s = self.step_s.max(1);
        seconds / step_s + i64::from(seconds % step_s > 0)
    }
}

/// What each sample shows more than the one before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steps(pub BTreeMap<u32, Totals>);

impl Steps {
    /// Adds what was posted, each part where it belongs. What belongs after the end is left out.
    pub fn add(&mut self, timetable: Timetable, dated: [(Timestamp, Posting); 2]) {
        for (second, posting) in dated {
            if posting.is_empty() {
                continue;
            }
            if let Some(sample) = timetable.sample_of(second) {
                self.0.entry(sample).or_default().apply(&posting);
            }
        }
    }

    /// Adds what another reading found.
    pub fn merge(&mut self, sample: u32, more: &Totals) {
        self.0.entry(sample).or_default().merge(more);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::call::{Amount, Amounts, CallKey, Kind, Outcome, UnknownWords};
    use crate::ledger::{FailureStatuses, post};

    const ASKED_AT: Moment = Timestamp(1_000_000).start();

    fn rules() -> Rules {
        let failures = FailureStatuses::default();
        Rules { epoch: Timestamp(1000), settle_s: 50, max_open_s: 5000, failures }
    }

    fn call(initiated_at: i64, status: Status, ended_at: Option<i64>, video_ms: u64) -> Call {
        let mut amounts = Amounts::default();
        amounts.set(Amount::VideoMs, video_ms);
        Call {
            key: CallKey { initiated_at: Timestamp(initiated_at), session_id: "s".into() },
            kind: Kind::from_index(0).unwrap(),
            status,
            started_at: Some(Timestamp(initiated_at + 3)),
            ended_at: ended_at.map(Timestamp),
            amounts,
            people: 2,
            people_present: 0,
            entries: [2, 0, 0, 0, 0, 0],
            unknown: UnknownWords::default(),
        }
    }

    fn seen(call: &Call) -> [(Timestamp, Posting); 2] {
        dated(&rules(), post(&rules(), None, call, ASKED_AT).1, Times::of(call), ASKED_AT)
    }

    /// Seconds of the beginning and of the rest.
    fn seconds(call: &Call) -> [i64; 2] {
        seen(call).map(|(second, _)| second.0)
    }

    #[test]
    fn a_call_begins_at_its_beginning_and_counts_at_its_end() {
        let ended = call(2000, Status::Final(Outcome::Ended), Some(2600), 60_000);
        assert_eq!(seconds(&ended), [2000, 2600]);
        let [(_, begins), (_, rest)] = seen(&ended);
        assert_eq!(begins.adds, [(Counter::Initiated, 1)]);
        assert!(rest.observed.is_some() && !rest.adds.contains(&(Counter::Initiated, 1)));
        let rejected = call(2000, Status::Final(Outcome::Rejected), None, 0);
        assert_eq!(seconds(&rejected), [2000, 2000], "it has no end of its own");
    }

    #[test]
    fn times_that_cannot_be_are_moved_to_where_they_can() {
        let early = call(2000, Status::Final(Outcome::Ended), Some(100), 0);
        assert_eq!(seconds(&early), [2000, 2000]);
        let late = call(2000, Status::Final(Outcome::Ended), Some(9_999_999), 0);
        assert_eq!(seconds(&late), [2000, 1_000_000], "when it was seen at the latest");
    }

    #[test]
    fn what_an_open_call_has_belongs_to_now_and_one_given_up_to_its_bound() {
        let open = call(999_000, Status::Ongoing, None, 7);
        assert_eq!(seconds(&open), [999_000, 1_000_000]);
        let stuck = call(2000, Status::Ongoing, None, 7);
        assert_eq!(seconds(&stuck), [2000, 7000]);
        assert_eq!(seen(&stuck)[1].1.abandoned, 1);
    }

    #[test]
    fn a_sample_shows_what_was_over_at_its_time() {
        let table = Timetable { from: Timestamp(1000), to: Timestamp(1130), step_s: 60 };
        assert_eq!(table.n_samples(), 4);
        let times: Vec<i64> = (0..4).map(|idx| table.at(idx).0).collect();
        assert_eq!(times, [1000, 1060, 1120, 1130]);
        let samples: Vec<_> = [900, 1000, 1059, 1060, 1119, 1120, 1129, 1130]
            .map(|second| table.sample_of(Timestamp(second)))
            .into();
        let expected = [Some(1), Some(1), Some(1), Some(2), Some(2), Some(3), Some(3), None];
        assert_eq!(samples, expected);
        let whole = Timetable { to: Timestamp(1120), ..table };
        assert_eq!((whole.n_samples(), whole.at(2)), (3, Timestamp(1120)));
    }

    fn any_call() -> impl Strategy<Value = Call> {
        let status = prop::sample::select(vec![
            Status::Ongoing,
            Status::Unknown,
            Status::Final(Outcome::Ended),
            Status::Final(Outcome::Busy),
        ]);
        (1000_i64..9000, status, prop::option::of(500_i64..12_000), 0_u64..1000, 0_usize..36)
            .prop_map(|(initiated_at, status, ended_at, video_ms, kind)| Call {
                kind: Kind::from_index(kind).unwrap(),
                ..call(initiated_at, status, ended_at, video_ms)
            })
    }

    proptest! {
        /// Nothing is lost and nothing comes twice, wherever the reading was cut in pieces.
        #[test]
        fn the_steps_add_up_to_what_was_counted(
            calls in prop::collection::vec(any_call(), 0..40),
            step_s in 1_i64..700,
            cut in 0_usize..40,
        ) {
            let table = Timetable { from: Timestamp(1000), to: ASKED_AT.floor().plus_s(1), step_s };
            let (mut counted, mut whole) = (Totals::default(), Steps::default());
            let mut parts = [Steps::default(), Steps::default()];
            for (idx, call) in calls.iter().enumerate() {
                let (_, posting) = post(&rules(), None, call, ASKED_AT);
                counted.apply(&posting);
                let dated = dated(&rules(), posting, Times::of(call), ASKED_AT);
                whole.add(table, dated.clone());
                parts[usize::from(idx >= cut)].add(table, dated);
            }
            let mut merged = Steps::default();
            for (sample, more) in parts.iter().rev().flat_map(|part| &part.0) {
                merged.merge(*sample, more);
            }
            prop_assert_eq!(&merged, &whole);
            let mut sum = Totals::default();
            whole.0.values().for_each(|more| sum.merge(more));
            prop_assert_eq!(sum, counted);
            prop_assert!(whole.0.keys().all(|&sample| sample > 0), "the first sample shows nothing");
        }
    }
}
