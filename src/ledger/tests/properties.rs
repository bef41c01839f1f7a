//! Properties of counting, against a naive recount.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::histogram::{
    ANSWER_BOUNDS_S, DURATION_BOUNDS_S, Histogram, PEOPLE_BOUNDS, native_bucket,
};
use super::super::{Counter, Entry, OpenCalls, Phase, Totals, post};
use super::{call, rules};
use crate::call::{Amount, Amounts, Call, Kind, Moment, Outcome, Status, Timestamp};

#[test]
fn native_buckets_hold_what_lies_up_to_their_bound() {
    for value in (0..5_000).chain([1 << 20, (1 << 20) + 1, 604_800, (1 << 40) - 1]) {
        let Some(bucket) = native_bucket(value) else {
            assert_eq!(value, 0);
            continue;
        };
        #[expect(clippy::cast_precision_loss, reason = "small enough to be exact")]
        let value = value as f64;
        let bound = |bucket: f64| (bucket / 8.0).exp2();
        assert!(value <= bound(bucket.into()) * 1.000_000_001, "{value} in {bucket}");
        assert!(value > bound(f64::from(bucket) - 1.0) * 0.999_999_999, "{value} in {bucket}");
    }
}

#[test]
fn a_bucket_holds_its_bound_and_nothing_beyond() {
    for bounds in [DURATION_BOUNDS_S, ANSWER_BOUNDS_S, PEOPLE_BOUNDS] {
        let histogram = Histogram::new(bounds);
        for (bucket, &bound) in bounds.iter().enumerate() {
            assert_eq!(histogram.bucket_of(bound), bucket);
            assert_eq!(histogram.bucket_of(bound + 1), bucket + 1);
        }
    }
}

#[test]
fn each_counter_has_a_place_of_its_own() {
    let by_word =
        Outcome::ALL.map(Counter::Calls).into_iter().chain(Outcome::ALL.map(Counter::Entries));
    let others = [
        Counter::Failed,
        Counter::Initiated,
        Counter::AudioMs,
        Counter::VideoMs,
        Counter::UserAudioMs,
        Counter::UserVideoMs,
        Counter::Participants,
        Counter::Recorded,
        Counter::Transcribed,
        Counter::Recordings,
        Counter::RecordingMs,
        Counter::WithoutParticipants,
        Counter::Unconnected,
    ];
    let places: Vec<_> = by_word.chain(others).map(Counter::index).collect();
    assert_eq!(places, (0..Counter::COUNT).collect::<Vec<_>>());
}

/// Adds `by` to one of all the sums of a total.
fn add(totals: &mut Totals, (kind, sum, by): (usize, usize, u64)) {
    let tally = totals.by_kind.entry(Kind::from_index(kind).unwrap()).or_default();
    let of_type = &mut totals.distributions[kind % 3];
    let more = match sum {
        0 => return of_type.duration_s.observe(by),
        1 => return of_type.answer_s.observe(by),
        2 => return of_type.people.observe(by),
        3 => &mut totals.corrections,
        4 => &mut totals.abandoned,
        5 => &mut totals.reconcile_differences,
        6..11 => &mut totals.unknown[sum - 6],
        _ => &mut tally.0[sum - 11],
    };
    *more += by;
}

proptest! {
    #[test]
    fn parts_that_are_merged_are_the_whole(
        additions in prop::collection::vec(
            (any::<bool>(), (0..Kind::COUNT, 0..11 + Counter::COUNT, 0_u64..5_000)),
            0..60,
        ),
    ) {
        let (mut parts, mut whole) = ([Totals::default(), Totals::default()], Totals::default());
        for (part, addition) in additions {
            add(&mut parts[usize::from(part)], addition);
            add(&mut whole, addition);
        }
        let [mut merged, more] = parts;
        merged.merge(&more);
        prop_assert_eq!(merged, whole);
    }
}

/// A call's life: what a row may show of it, oldest first, values only rising.
fn life() -> impl Strategy<Value = Vec<Call>> {
    let amount = prop::array::uniform9(0_u64..1_000_000);
    let outcome = prop::sample::select(Outcome::ALL.to_vec());
    (80_i64..140, prop::collection::vec(amount, 1..5), outcome, 0_usize..Kind::COUNT).prop_map(
        |(initiated_at, growths, outcome, kind)| {
            let mut seen = call("s", initiated_at, "ongoing");
            seen.kind = Kind::from_index(kind).unwrap();
            let n_growths = growths.len();
            let rows = growths.into_iter().enumerate().map(|(n, growth)| {
                seen.amounts = Amounts(std::array::from_fn(|i| seen.amounts.0[i] + growth[i]));
                if n + 1 >= n_growths.div_ceil(2) {
                    seen.status = Status::Final(outcome);
                }
                seen.clone()
            });
            rows.collect()
        },
    )
}

proptest! {
    /// Every call is shown at last as it came to rest; before that in any order, any of its rows
    /// any number of times. Values rise, so only the newest counts.
    #[test]
    fn totals_depend_on_the_facts_not_on_the_reading(
        lives in prop::collection::vec(life(), 1..12),
        reading in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..5), 0..60),
    ) {
        let (mut known, mut totals) = (BTreeMap::new(), Totals::default());
        let last = (0..lives.len()).map(|idx| (idx, usize::MAX));
        let reading = reading.into_iter().map(|(idx, row)| (idx.index(lives.len()), row));
        // Rows of one call never go back in time, as the API would not show them so.
        let mut shown = vec![0; lives.len()];
        for (asked_at, (idx, row)) in (150_i64..).zip(reading.chain(last)) {
            shown[idx] = row.min(lives[idx].len() - 1).max(shown[idx]);
            let mut seen = lives[idx][shown[idx]].clone();
            seen.key.session_id = format!("s{idx}").into();
            let before = totals.clone();
            let (entry, posting) =
                post(&rules(), known.get(&seen.key), &seen, Timestamp(asked_at).start());
            totals.apply(&posting);
            known.insert(seen.key, entry);
            for (kind, tally) in &before.by_kind {
                for (old, new) in tally.0.iter().zip(totals.by_kind[kind].0) {
                    prop_assert!(*old <= new, "a counter fell");
                }
            }
        }
        let counted: Vec<&Call> = lives
            .iter()
            .map(|rows| &rows[rows.len() - 1])
            .filter(|call| call.key.initiated_at >= rules().epoch)
            .collect();
        for kind in (0..Kind::COUNT).filter_map(Kind::from_index) {
            let of_kind = || counted.iter().filter(move |call| call.kind == kind);
            let tally = totals.by_kind.get(&kind).cloned().unwrap_or_default();
            let sum = |amount| of_kind().map(|call| call.amounts.get(amount)).sum::<u64>();
            prop_assert_eq!(tally.get(Counter::Initiated), of_kind().count() as u64);
            prop_assert_eq!(tally.get(Counter::AudioMs), sum(Amount::AudioMs));
            prop_assert_eq!(tally.get(Counter::UserVideoMs), sum(Amount::UserVideoMs));
            prop_assert_eq!(tally.get(Counter::RecordingMs), sum(Amount::RecordingMs));
            for outcome in Outcome::ALL {
                let ended = of_kind().filter(|call| call.status == Status::Final(outcome)).count();
                prop_assert_eq!(tally.get(Counter::Calls(outcome)), ended as u64);
            }
        }
        prop_assert_eq!(totals.corrections, 0);
    }

    #[test]
    fn open_calls_are_exactly_those_that_were_added_and_not_taken_back(
        steps in prop::collection::vec((0_usize..6, 0_i64..5, any::<bool>()), 1..60),
    ) {
        let mut open = OpenCalls::default();
        let mut held: BTreeMap<usize, (Timestamp, Entry)> = BTreeMap::new();
        for (id, at, is_open) in steps {
            let status = if is_open { "ongoing" } else { "ended" };
            let mut seen = call("s", at, status);
            seen.people_present = 3;
            let (entry, _) = post(&rules(), None, &seen, Moment(0));
            if let Some((at, old)) = held.insert(id, (Timestamp(at), entry.clone())) {
                open.remove(at, &old);
            }
            open.add(Timestamp(at), &entry);
        }
        let still: Vec<_> =
            held.values().filter(|(_, entry)| entry.phase == Phase::Open).collect();
        prop_assert_eq!(open.count(), still.len() as u64);
        prop_assert_eq!(open.oldest(), still.iter().map(|(at, _)| *at).min());
        prop_assert_eq!(open.people.values().sum::<u64>(), 3 * still.len() as u64);
    }
}
