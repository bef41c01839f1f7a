//! Stories of counting: sights of calls in, totals out.

mod properties;
mod sums;

use std::collections::BTreeMap;

use expect_test::{Expect, expect};

use super::*;
use crate::call::{
    Amount, Amounts, Call, CallKey, CallType, Kind, Mode, Outcome, ReceiverType, Status, Timestamp,
    UnknownWords, WordField,
};

const KIND: Kind =
    Kind { call_type: CallType::Video, mode: Mode::Call, receiver: ReceiverType::User };

fn rules() -> Rules {
    Rules {
        epoch: Timestamp(100),
        settle_s: 50,
        max_open_s: 1000,
        failures: FailureStatuses::default(),
    }
}

fn call(id: &str, initiated_at: i64, status: &str) -> Call {
    Call {
        key: CallKey { initiated_at: Timestamp(initiated_at), session_id: id.into() },
        kind: KIND,
        status: Status::from_word(status),
        started_at: None,
        ended_at: None,
        amounts: Amounts::default(),
        people: 2,
        people_present: 0,
        entries: [2, 0, 0, 0, 0, 0],
        unknown: UnknownWords::default(),
    }
}

/// Plays a story, one sight a line: `asked_at id initiated_at status key=value…`. A line that
/// starts with `-` is a look that did not find the call.
fn check(story: &str, expected: Expect) {
    check_under(rules(), story, expected);
}

fn check_under(rules: Rules, story: &str, expected: Expect) {
    let (mut known, mut totals) = (BTreeMap::new(), Totals::default());
    for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |text: &str| text.parse::<i64>().unwrap();
        let (is_absent, words) = match words[0] {
            "-" => (true, &words[1..]),
            _ => (false, &words[..]),
        };
        let asked_at = Timestamp(number(words[0])).start();
        let mut seen = call(words[1], number(words[2]), words.get(3).unwrap_or(&""));
        for word in words.iter().skip(4) {
            let (key, value) = word.split_once('=').unwrap();
            let amount = u64::try_from(number(value)).unwrap();
            match key {
                "video" => seen.amounts.set(Amount::VideoMs, amount),
                "recs" => seen.amounts.set(Amount::Recordings, amount),
                "recorded" => seen.amounts.set(Amount::Recorded, amount),
                "started" => seen.started_at = Some(Timestamp(number(value))),
                "ended" => seen.ended_at = Some(Timestamp(number(value))),
                "people" => seen.people = u32::try_from(amount).unwrap(),
                "entries" => seen.entries = [u32::try_from(amount).unwrap(), 0, 0, 0, 0, 0],
                "odd" => seen.unknown.insert(WordField::Status),
                _ => unreachable!("{key}"),
            }
        }
        let prior = known.get(&seen.key);
        let (entry, posting) = if is_absent {
            absent(&rules, prior.unwrap(), seen.key.initiated_at, asked_at)
        } else {
            post(&rules, prior, &seen, asked_at)
        };
        totals.apply(&posting);
        known.insert(seen.key, entry);
    }
    let mut text = String::new();
    let by_name: Vec<(String, u64)> = Outcome::ALL
        .iter()
        .map(|&outcome| (outcome.label().to_string(), totals.sum(Counter::Calls(outcome))))
        .chain([
            ("initiated".into(), totals.sum(Counter::Initiated)),
            ("failed".into(), totals.sum(Counter::Failed)),
            ("video_ms".into(), totals.sum(Counter::VideoMs)),
            ("recordings".into(), totals.sum(Counter::Recordings)),
            ("recorded".into(), totals.sum(Counter::Recorded)),
            ("unconnected".into(), totals.sum(Counter::Unconnected)),
            ("nobody".into(), totals.sum(Counter::WithoutParticipants)),
            ("abandoned".into(), totals.abandoned),
            ("corrections".into(), totals.corrections),
            ("unknown".into(), totals.unknown.iter().sum()),
            ("durations".into(), totals.distributions[1].duration_s.count()),
            ("answers".into(), totals.distributions[1].answer_s.count()),
        ])
        .collect();
    for (name, value) in by_name.into_iter().filter(|(_, value)| *value > 0) {
        text.push_str(&format!("{name}={value} "));
    }
    for (key, entry) in &known {
        let phase = match entry.phase {
            Phase::Settling { until } => format!("settling until {}", until.floor().0),
            Phase::Open | Phase::Settled | Phase::GivenUp => {
                format!("{:?}", entry.phase).to_lowercase()
            }
        };
        text.push_str(&format!("| {} {phase} ", key.session_id));
    }
    expected.assert_eq(text.trim());
}

#[test]
fn a_call_read_twice_is_counted_once() {
    check(
        "200 s1 150 ended video=60 started=160 ended=190
         201 s1 150 ended video=60 started=160 ended=190",
        expect!["ended=1 initiated=1 video_ms=60 durations=1 answers=1 | s1 settling until 240"],
    );
}

#[test]
fn a_call_that_grows_while_it_goes_on_counts_each_growth_once() {
    check(
        "110 s1 105 initiated
         120 s1 105 ongoing video=10
         130 s1 105 ongoing video=25
         140 s1 105 ended video=30 started=108 ended=138",
        expect!["ended=1 initiated=1 video_ms=30 durations=1 answers=1 | s1 settling until 190"],
    );
}

#[test]
fn a_value_that_falls_stays_counted_and_is_one_correction() {
    check(
        "200 s1 150 ended video=60
         210 s1 150 ended video=40
         211 s1 150 ended video=30
         220 s1 150 ended video=61",
        expect!["ended=1 initiated=1 video_ms=61 corrections=1 | s1 settled"],
    );
}

#[test]
fn a_final_status_that_flips_keeps_the_first_one() {
    check(
        "160 s1 150 rejected
         170 s1 150 ended people=1
         171 s1 150 canceled",
        expect!["rejected=1 initiated=1 failed=1 corrections=1 | s1 settling until 200"],
    );
}

#[test]
fn a_final_call_never_opens_again() {
    check(
        "160 s1 150 ended
         170 s1 150 ongoing
         1151 s1 150 ongoing",
        expect!["ended=1 initiated=1 corrections=1 | s1 settled"],
    );
}

#[test]
fn a_recording_that_arrives_late_is_added() {
    check(
        "200 s1 150 ended ended=190
         230 s1 150 ended ended=190 recorded=1 recs=1
         245 s1 150 ended ended=190 recorded=1 recs=2",
        expect!["ended=1 initiated=1 recordings=2 recorded=1 | s1 settled"],
    );
}

#[test]
fn the_settle_time_counts_from_the_end_or_from_the_first_sight_of_a_call_known_open() {
    check(
        "300 end 150 ended ended=290
         300 ring 290 rejected
         160 open 150 ongoing
         300 open 150 ended ended=290
         300 old 150 ended ended=200
         300 wrong 150 ended ended=9999999",
        expect![
            "ended=4 rejected=1 initiated=5 failed=1 | end settling until 340 \
             | old settled | open settling until 350 | wrong settling until 350 \
             | ring settling until 340"
        ],
    );
}

#[test]
fn a_call_open_too_long_is_given_up_and_adds_nothing_later() {
    check(
        "160 s1 150 ongoing video=5
         1150 s1 150 ongoing video=9
         1160 s1 150 ended video=99 recs=3",
        expect!["initiated=1 video_ms=9 abandoned=1 | s1 givenup"],
    );
}

#[test]
fn a_call_that_is_nowhere_to_be_found_is_given_up_only_after_max_open() {
    check(
        "160 s1 150 ongoing
         - 1149 s1 150
         160 s2 150 ongoing
         - 1150 s2 150",
        expect!["initiated=2 abandoned=1 | s1 open | s2 givenup"],
    );
}

#[test]
fn a_settling_call_that_is_not_found_at_its_last_look_is_done() {
    check(
        "160 s1 150 rejected
         - 199 s1 150
         160 s2 150 rejected
         - 200 s2 150",
        expect!["rejected=2 initiated=2 failed=2 | s1 settling until 200 | s2 settled"],
    );
}

#[test]
fn an_unknown_word_is_open_while_young_and_without_an_end() {
    check(
        "160 young 150 parked odd=1
         160 ended 150 parked odd=1 ended=155
         160 old 150 parked odd=1
         200 old 150 parked odd=1
         160 known 150 parked odd=1
         170 known 150 ended ended=165",
        expect![
            "ended=1 other=2 initiated=4 unknown=4 | ended settling until 205 \
             | known settling until 220 | old settling until 250 | young open"
        ],
    );
}

#[test]
fn a_call_from_before_the_epoch_is_known_and_not_counted() {
    check(
        "110 s1 99 ongoing video=5
         120 s1 99 ended video=9
         110 s2 100 ended",
        expect!["ended=1 initiated=1 | s1 settled | s2 settling until 150"],
    );
}

#[test]
fn an_ended_call_with_fewer_than_two_people_is_unconnected() {
    check(
        "200 s1 150 ended people=1
         200 s2 150 ended people=2
         200 s3 150 rejected people=0
         200 s4 150 ended people=0 entries=0 started=160 ended=170",
        expect![
            "ended=3 rejected=1 initiated=4 failed=1 unconnected=2 nobody=1 durations=1 answers=1 \
             | s1 settled | s2 settled | s3 settled | s4 settling until 220"
        ],
    );
}

#[test]
fn histograms_take_only_calls_with_both_times_in_order() {
    check(
        "200 s1 150 ended started=160
         200 s2 150 ended started=180 ended=170
         200 s3 150 ended started=140 ended=170
         200 s4 150 ended started=160 ended=160",
        expect![
            "ended=4 initiated=4 durations=2 answers=1 | s1 settled | s2 settling until 220 \
             | s3 settling until 220 | s4 settling until 210"
        ],
    );
}

#[test]
fn failures_are_what_the_user_says() {
    let failures = FailureStatuses {
        outcomes: [false, true, false, false, false, false],
        unconnected: true,
        abandoned: true,
    };
    check_under(
        Rules { failures, ..rules() },
        "200 s1 150 ended people=1
         200 s2 150 unanswered people=1
         200 s3 150 rejected
         1150 s4 150 ongoing",
        expect![
            "ended=1 unanswered=1 rejected=1 initiated=4 failed=3 unconnected=1 abandoned=1 \
             | s1 settled | s2 settled | s3 settled | s4 givenup"
        ],
    );
}
