//! The sums one by one: what a posting holds, and what the gauges are made of.

use super::super::recent::RecentTally;
use super::super::{Counter, Entry, OpenCalls, Phase, Posting, Recent, Totals, post};
use super::{call, rules};
use crate::call::{Amount, Call, Moment, Outcome, Status, Timestamp};

const AT: Moment = Moment(120_000);

fn first(seen: &Call) -> (Entry, Posting) {
    post(&rules(), None, seen, AT)
}

fn added(posting: &Posting, counter: Counter) -> u64 {
    let mut totals = Totals::default();
    totals.apply(posting);
    totals.sum(counter)
}

#[test]
fn an_entry_is_the_newest_sight_of_its_call() {
    let (entry, _) = first(&call("a", 110, "initiated"));
    let mut seen = call("a", 110, "ongoing");
    seen.amounts.set(Amount::AudioMs, 5);
    seen.people_present = 3;
    let (entry, posting) = post(&rules(), Some(&entry), &seen, AT);
    assert_eq!(
        (entry.status, entry.newest, entry.people_present),
        (Status::Ongoing, seen.amounts, 3)
    );
    assert!(!posting.is_empty());
    let (again, posting) = post(&rules(), Some(&entry), &seen, AT);
    assert_eq!((again, posting.is_empty()), (entry, true));
}

#[test]
fn each_value_that_falls_is_one_correction_and_flags_are_none() {
    for amount in Amount::ALL {
        let mut seen = call("a", 110, "ongoing");
        Amount::ALL.into_iter().for_each(|amount| seen.amounts.set(amount, 1));
        let (entry, _) = first(&seen);
        seen.amounts.set(amount, 0);
        let (entry, posting) = post(&rules(), Some(&entry), &seen, AT);
        let is_flag = matches!(amount, Amount::Recorded | Amount::Transcribed);
        assert_eq!(posting.corrections, u64::from(!is_flag), "{amount:?}");
        let (_, posting) = post(&rules(), Some(&entry), &seen, AT);
        assert_eq!(posting.corrections, 0, "{amount:?} again");
        // Another field of the same call is another correction.
        let other = if amount == Amount::AudioMs { Amount::VideoMs } else { Amount::AudioMs };
        seen.amounts.set(other, 0);
        let (_, posting) = post(&rules(), Some(&entry), &seen, AT);
        assert_eq!(posting.corrections, 1, "{amount:?} and {other:?}");
    }
}

#[test]
fn a_status_that_flips_and_a_value_that_falls_are_two_corrections() {
    for amount in [Amount::AudioMs, Amount::VideoMs] {
        let mut seen = call("a", 110, "ended");
        seen.amounts.set(amount, 1);
        let (entry, _) = first(&seen);
        let mut flipped = call("a", 110, "busy");
        flipped.amounts.set(amount, 0);
        let (_, posting) = post(&rules(), Some(&entry), &flipped, AT);
        assert_eq!(posting.corrections, 2, "{amount:?}");
    }
}

#[test]
fn a_call_that_lasted_and_lists_nobody_is_counted_as_such() {
    let lists_nobody = |started_at: Option<i64>, audio_ms, video_ms, entries| {
        let mut seen = call("a", 110, "ended");
        seen.started_at = started_at.map(Timestamp);
        seen.ended_at = Some(Timestamp(115));
        seen.amounts.set(Amount::AudioMs, audio_ms);
        seen.amounts.set(Amount::VideoMs, video_ms);
        seen.entries = [entries, 0, 0, 0, 0, 0];
        added(&first(&seen).1, Counter::WithoutParticipants)
    };
    assert_eq!(lists_nobody(Some(114), 0, 0, 0), 1);
    assert_eq!(lists_nobody(Some(114), 0, 0, 1), 0, "somebody is listed");
    assert_eq!(lists_nobody(Some(115), 0, 0, 0), 0, "it did not last");
    assert_eq!(lists_nobody(None, 0, 0, 0), 0, "nobody answered");
    assert_eq!([lists_nobody(None, 1, 0, 0), lists_nobody(None, 0, 1, 0)], [1, 1]);
}

#[test]
fn the_distributions_hold_each_observation_in_both_forms() {
    let mut totals = Totals::default();
    for _ in 0..2 {
        let mut seen = call("a", 110, "ended");
        seen.started_at = Some(Timestamp(110));
        seen.ended_at = Some(Timestamp(114));
        totals.apply(&first(&seen).1);
    }
    let of_type = &totals.distributions[call("a", 110, "ended").kind.call_type.index()];
    assert_eq!((of_type.duration_s.sum, of_type.duration_s.count()), (8, 2));
    assert_eq!(of_type.duration_s.native.values().sum::<u64>(), 2);
    assert_eq!((of_type.answer_s.native_zero, of_type.answer_s.count()), (2, 2));
    assert_eq!((of_type.people.sum, of_type.people.count()), (4, 2));
}

#[test]
fn the_recent_window_sums_calls_as_they_are_now() {
    let statuses = [Status::Initiated, Status::Ongoing, Status::Unknown];
    let places: Vec<_> = statuses
        .into_iter()
        .chain(Outcome::ALL.map(Status::Final))
        .map(RecentTally::slot)
        .collect();
    assert_eq!(places, [0, 1, 7, 2, 3, 4, 5, 6, 7]);
    let mut recent = Recent::default();
    for (status, n) in [("ended", 2), ("busy", 1), ("ongoing", 1)] {
        for _ in 0..n {
            let mut seen = call("a", 110, status);
            let amounts =
                [Amount::AudioMs, Amount::VideoMs, Amount::Participants, Amount::Recorded];
            amounts.into_iter().zip([10, 20, 30, 1]).for_each(|(it, n)| seen.amounts.set(it, n));
            recent.add(&first(&seen).0);
        }
    }
    let mut given_up = first(&call("a", 110, "ongoing")).0;
    given_up.phase = Phase::GivenUp;
    recent.add(&given_up);
    let expected = RecentTally {
        calls: [0, 1, 2, 0, 0, 0, 1, 0],
        audio_ms: 40,
        video_ms: 80,
        participants: 120,
        recorded: 4,
    };
    assert_eq!(recent.by_kind.into_values().collect::<Vec<_>>(), [expected]);
}

#[test]
fn open_calls_without_their_times_are_the_same_calls() {
    let mut open = OpenCalls::default();
    for (at, present) in [(130, 0), (110, 0), (120, 2)] {
        let seen = Call { people_present: present, ..call("a", at, "ongoing") };
        open.add(Timestamp(at), &first(&seen).0);
    }
    assert_eq!(open.people.values().sum::<u64>(), 2);
    let shown = open.without_times();
    assert_eq!((&shown.calls, &shown.people), (&open.calls, &open.people));
    assert_eq!((shown.count(), shown.oldest()), (3, Some(Timestamp(110))));
    let nobody = Call { people_present: 0, ..call("a", 140, "ongoing") };
    let mut empty = OpenCalls::default();
    empty.add(Timestamp(140), &first(&nobody).0);
    assert!(empty.people.is_empty(), "never 0: {empty:?}");
}

#[test]
fn a_call_may_leave_once_it_is_settled_or_given_up() {
    let until = AT;
    let phases = [Phase::Open, Phase::Settling { until }, Phase::Settled, Phase::GivenUp];
    assert_eq!(phases.map(Phase::is_done), [false, false, true, true]);
}
