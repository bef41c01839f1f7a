//! Any durable value, for property tests.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::AppId;
use crate::call::{
    Amounts, CallKey, CallType, Kind, Moment, Outcome, Status, Timestamp, UnknownWords,
};
use crate::ledger::{Distributions, Entry, FirstFinal, Histogram, Phase, Tally, Totals};
use crate::sweep::{Changes, Order, Progress, ReadTime, Saved, Span, Spans};

/// Mostly small numbers, and the ends of the range.
pub(crate) fn number() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 0..300_u64, any::<u64>(), Just(u64::MAX)]
}

pub(crate) fn timestamp() -> impl Strategy<Value = Timestamp> {
    prop_oneof![1_700_000_000..1_800_000_000_i64, any::<i64>(), Just(i64::MIN), Just(i64::MAX)]
        .prop_map(Timestamp)
}

pub(crate) fn moment() -> impl Strategy<Value = Moment> {
    prop_oneof![Just(Moment::MAX), timestamp().prop_map(Timestamp::start)]
}

pub(crate) fn kind() -> impl Strategy<Value = Kind> {
    (0..Kind::COUNT).prop_map(|index| Kind::from_index(index).unwrap())
}

pub(crate) fn outcome() -> impl Strategy<Value = Outcome> {
    select(&Outcome::ALL[..])
}

pub(crate) fn status() -> impl Strategy<Value = Status> {
    prop_oneof![select(&Status::OPEN[..]), outcome().prop_map(Status::Final)]
}

pub(crate) fn phase() -> impl Strategy<Value = Phase> {
    prop_oneof![
        Just(Phase::Open),
        moment().prop_map(|until| Phase::Settling { until }),
        Just(Phase::Settled),
        Just(Phase::GivenUp),
    ]
}

fn array<const N: usize>() -> impl Strategy<Value = [u64; N]> {
    vec(number(), N).prop_map(|values| values.try_into().unwrap())
}

fn first_final() -> impl Strategy<Value = FirstFinal> {
    (outcome(), timestamp()).prop_map(|(outcome, seen_at)| FirstFinal { outcome, seen_at })
}

pub(crate) fn entry() -> impl Strategy<Value = Entry> {
    let life = (phase(), moment(), kind(), status(), any::<bool>(), option::of(first_final()));
    let amounts = (array(), array(), any::<u32>(), any::<u16>(), any::<u8>());
    (life, amounts).prop_map(
        |(
            (phase, due, kind, status, counted, first_final),
            (posted, newest, people_present, corrected, unknown),
        )| Entry {
            phase,
            due,
            kind,
            status,
            counted,
            first_final,
            posted: Amounts(posted),
            newest: Amounts(newest),
            people_present,
            corrected,
            unknown: UnknownWords::from_bits(unknown),
        },
    )
}

pub(crate) fn spans() -> impl Strategy<Value = Spans> {
    vec((timestamp(), 0..1_000_000_i64), 0..5).prop_map(|spans| {
        spans.into_iter().map(|(from, length_s)| Span::new(from, from.plus_s(length_s))).collect()
    })
}

fn read_time() -> impl Strategy<Value = ReadTime> {
    (1..1_000_000_i64).prop_map(ReadTime::new).prop_flat_map(|blank| {
        vec(spans(), blank.by_age.len()).prop_map(move |spans| ReadTime {
            by_age: blank.by_age.iter().map(|&(age, _)| age).zip(spans).collect(),
        })
    })
}

pub(crate) fn progress() -> impl Strategy<Value = Progress> {
    let order = (any::<i64>(), 0..100_i64);
    (timestamp(), any::<bool>(), timestamp(), any::<bool>(), read_time(), order).prop_map(
        |(epoch, epoch_settled, floor, complete, read, order)| Progress {
            epoch,
            epoch_settled,
            floor,
            complete,
            read,
            order: Order { against_newest_first_s: order.0, against_oldest_first_s: order.1 },
        },
    )
}

fn histogram(blank: Histogram) -> impl Strategy<Value = Histogram> {
    let counts = vec(number(), blank.counts.len());
    let native = btree_map(any::<u16>(), number(), 0..8);
    (counts, number(), number(), native).prop_map(move |(counts, sum, native_zero, native)| {
        Histogram { bounds: blank.bounds, counts, sum, native_zero, native }
    })
}

fn distributions() -> impl Strategy<Value = Distributions> {
    let blank = Distributions::default();
    (histogram(blank.duration_s), histogram(blank.answer_s), histogram(blank.people))
        .prop_map(|(duration_s, answer_s, people)| Distributions { duration_s, answer_s, people })
}

pub(crate) fn totals() -> impl Strategy<Value = Totals> {
    let by_kind = btree_map(kind(), array().prop_map(Tally), 0..4);
    let by_type = vec(distributions(), CallType::ALL.len());
    (by_kind, by_type, number(), number(), number(), array()).prop_map(
        |(by_kind, by_type, corrections, abandoned, reconcile_differences, unknown)| Totals {
            by_kind,
            distributions: by_type.try_into().unwrap(),
            corrections,
            abandoned,
            reconcile_differences,
            unknown,
        },
    )
}

pub(crate) fn saved() -> impl Strategy<Value = Saved> {
    (progress(), totals()).prop_map(|(progress, totals)| Saved { progress, totals: totals.into() })
}

/// One of few apps, so that they meet again.
pub(crate) fn app_id() -> impl Strategy<Value = AppId> {
    let user = prop_oneof![Just(None), Just(Some("")), Just(Some("ada"))];
    (select(&["", "a", "a\n", "b"][..]), user).prop_map(|(app_id, user)| AppId {
        app_id: app_id.into(),
        on_behalf_of: user.map(Into::into),
    })
}

/// One of few calls, so that they meet again.
pub(crate) fn call_key() -> impl Strategy<Value = CallKey> {
    let initiated_at = prop_oneof![(-2..3_i64).prop_map(Timestamp), timestamp()];
    (initiated_at, select(&["", "a", "ab", "b", "\u{1F4DE}"][..]))
        .prop_map(|(initiated_at, id)| CallKey { initiated_at, session_id: id.into() })
}

pub(crate) fn changes() -> impl Strategy<Value = Changes> {
    (vec((call_key(), option::weighted(0.7, entry())), 0..6), saved())
        .prop_map(|(calls, saved)| Changes { calls, saved })
}
