//! The recount, against sums made by hand.

use expect_test::{Expect, expect};

use super::super::row::{Minutes, Participant, RecordingEntry};
use super::super::tally::Tally;
use super::*;
use crate::sim::TruthQuery;

/// A video call of ada to bo: initiated at 1000, answered after 4 s, ended at 1129.
fn talk() -> Row {
    Row {
        session_id: "s".into(),
        mid: Some("m".into()),
        total_audio_minutes: Minutes(0.0),
        total_video_minutes: Minutes(125.0 / 60.0),
        total_duration: "00:02:05".into(),
        total_duration_in_minutes: Minutes(125.0 / 60.0),
        has_recording: true,
        has_transcription: false,
        initiated_at: 1000,
        started_at: Some(1004),
        ended_at: Some(1129),
        initiator: "ada".into(),
        receiver: "bo".into(),
        receiver_type: "user",
        mode: "call",
        call_type: "video",
        status: "ended",
        total_participants: 3,
        participants: Some(vec![
            seat("ada", Some("ended"), 1004, Some(1129), 125.0 / 60.0),
            seat("bo", Some("ended"), 1005, Some(1060), 55.0 / 60.0),
            // Half a millisecond more than a tenth of a second: rounded up, on its own.
            seat("bo", None, 1060, Some(1129), 0.100_5 / 60.0),
        ]),
        recordings: vec![RecordingEntry {
            rid: "r".into(),
            url: String::new(),
            start_time: 1010,
            end_time: 1120,
            duration: Minutes(99.0),
        }],
        transcriptions: Vec::new(),
    }
}

fn seat(
    uid: &str,
    state: Option<&'static str>,
    joined_at: i64,
    left_at: Option<i64>,
    video: f64,
) -> Participant {
    Participant {
        uid: uid.into(),
        is_joined: true,
        state,
        joined_at: Some(joined_at),
        left_at,
        total_audio_minutes: Minutes(0.0),
        total_video_minutes: Minutes(video),
        total_duration: Minutes(video),
        mid: None,
        device_id: None,
    }
}

/// Every series that is not 0, without buckets and common labels.
fn check(calls: &[(Row, bool)], expected: &Expect) {
    let mut tally = Tally::new("x");
    for (row, given_up) in calls {
        tally.add(row, *given_up);
    }
    let shown = |name: &str, value: f64| value != 0.0 && !name.contains("_bucket{");
    let series = tally.into_series().into_iter();
    let lines = series.filter(|(name, value)| shown(name, value.as_f64().unwrap()));
    let text: String = lines.map(|(name, value)| format!("{name} {value}\n")).collect();
    expected.assert_eq(&text.replace("cometchat_app=\"x\"", "A").replace("cometchat_", ""));
}

#[test]
fn an_answered_call_counts_everywhere_once() {
    check(
        &[(talk(), false)],
        &expect![[r#"
        call_answer_seconds_count{A,call_type="video"} 1
        call_answer_seconds_sum{A,call_type="video"} 4
        call_duration_seconds_count{A,call_type="video"} 1
        call_duration_seconds_sum{A,call_type="video"} 125
        call_participants_count{A,call_type="video"} 1
        call_participants_sum{A,call_type="video"} 2
        call_video_seconds_total{A,call_type="video",mode="call",receiver_type="user"} 125
        calls_initiated_total{A,call_type="video",mode="call",receiver_type="user"} 1
        calls_recorded_total{A,call_type="video",mode="call",receiver_type="user"} 1
        calls_total{A,call_type="video",mode="call",receiver_type="user",status="ended"} 1
        participant_entries_total{A,call_type="video",mode="call",receiver_type="user",state="ended"} 2
        participant_entries_total{A,call_type="video",mode="call",receiver_type="user",state="other"} 1
        participant_video_seconds_total{A,call_type="video",mode="call",receiver_type="user"} 180.101
        participants_total{A,call_type="video",mode="call",receiver_type="user"} 3
        recording_seconds_total{A,call_type="video",mode="call",receiver_type="user"} 110
        recordings_total{A,call_type="video",mode="call",receiver_type="user"} 1
    "#]],
    );
}

#[test]
fn buckets_are_cumulative_and_hold_their_upper_bound() {
    let mut tally = Tally::new("x");
    for started_at in [1003, 1005, 1200] {
        tally.add(&Row { started_at: Some(started_at), ended_at: Some(1200), ..talk() }, false);
    }
    let buckets: Vec<_> = [1, 2, 3, 5, 8, 90]
        .map(|le| format!("cometchat_app=\"x\",call_type=\"video\",le=\"{le}\""))
        .map(|labels| format!("cometchat_call_answer_seconds_bucket{{{labels}}}"))
        .into();
    let series = tally.into_series();
    let counts: Vec<_> = buckets.iter().map(|name| series[name].as_u64().unwrap()).collect();
    assert_eq!(counts, [0, 0, 1, 2, 2, 2]);
    let beyond =
        r#"cometchat_call_answer_seconds_bucket{cometchat_app="x",call_type="video",le="+Inf"}"#;
    assert_eq!(series[beyond].as_u64(), Some(3));
}

#[test]
fn a_call_that_lists_nobody_is_unconnected_and_its_user_time_unknown() {
    let nobody = Row { participants: None, recordings: Vec::new(), has_recording: false, ..talk() };
    check(
        &[(nobody, false)],
        &expect![[r#"
        call_answer_seconds_count{A,call_type="video"} 1
        call_answer_seconds_sum{A,call_type="video"} 4
        call_duration_seconds_count{A,call_type="video"} 1
        call_duration_seconds_sum{A,call_type="video"} 125
        call_participants_count{A,call_type="video"} 1
        call_video_seconds_total{A,call_type="video",mode="call",receiver_type="user"} 125
        calls_initiated_total{A,call_type="video",mode="call",receiver_type="user"} 1
        calls_total{A,call_type="video",mode="call",receiver_type="user",status="ended"} 1
        calls_unconnected_total{A,call_type="video",mode="call",receiver_type="user"} 1
        calls_without_participants_total{A,call_type="video",mode="call",receiver_type="user"} 1
        participants_total{A,call_type="video",mode="call",receiver_type="user"} 3
    "#]],
    );
}

#[test]
fn a_missed_call_is_a_failure_without_times() {
    let missed = Row {
        status: "busy",
        call_type: "audio",
        started_at: None,
        ended_at: None,
        total_video_minutes: Minutes(0.0),
        total_participants: 0,
        recordings: Vec::new(),
        has_recording: false,
        participants: Some(vec![Participant {
            is_joined: false,
            joined_at: None,
            left_at: None,
            ..seat("bo", Some("busy"), 0, None, 0.0)
        }]),
        ..talk()
    };
    check(
        &[(missed, false)],
        &expect![[r#"
        calls_failed_total{A,call_type="audio",mode="call",receiver_type="user"} 1
        calls_initiated_total{A,call_type="audio",mode="call",receiver_type="user"} 1
        calls_total{A,call_type="audio",mode="call",receiver_type="user",status="busy"} 1
        participant_entries_total{A,call_type="audio",mode="call",receiver_type="user",state="busy"} 1
    "#]],
    );
}

#[test]
fn an_open_call_counts_its_media_and_stands_in_the_gauges_until_it_is_given_up() {
    let open = Row {
        status: "ongoing",
        mode: "meet",
        receiver_type: "group",
        ended_at: None,
        participants: Some(vec![
            seat("ada", Some("ongoing"), 1004, None, 1.0),
            seat("ada", Some("ongoing"), 1004, None, 1.0),
            seat("bo", Some("ended"), 1004, Some(1010), 0.1),
        ]),
        recordings: Vec::new(),
        has_recording: false,
        ..talk()
    };
    check(
        &[(open.clone(), false), (open, true)],
        &expect![[r#"
        call_video_seconds_total{A,call_type="video",mode="meet",receiver_type="group"} 250
        calls_abandoned_total{A} 1
        calls_initiated_total{A,call_type="video",mode="meet",receiver_type="group"} 2
        calls_open{A,call_type="video",mode="meet",receiver_type="group",status="ongoing"} 1
        participant_video_seconds_total{A,call_type="video",mode="meet",receiver_type="group"} 252
        participants_open{A,call_type="video",mode="meet",receiver_type="group"} 1
        participants_total{A,call_type="video",mode="meet",receiver_type="group"} 6
    "#]],
    );
}

#[test]
fn zeros_stand_for_every_documented_combination() {
    let mut world = World::new(Options { calls_per_day: 0, ..Options::default() }, NOON);
    let app = Some("a\"b\\c\nd".to_owned());
    let truth = world.truth(after_s(0), &TruthQuery { app, ..TruthQuery::default() });
    assert!(truth.at_rest);
    let names = truth.series.keys().filter(|name| name.contains("calls_total"));
    assert_eq!(names.count(), 12 * 5);
    assert_eq!(truth.series.len(), 12 * (14 + 5 + 6 + 2) + 2 * (16 + 15 + 14) + 1);
    let name = r#"cometchat_calls_total{cometchat_app="a\"b\\c\nd",call_type="audio",mode="call",receiver_type="user",status="busy"}"#;
    assert_eq!(json(&truth.series[name]), "0");
}

#[test]
fn the_truth_is_that_of_the_rows_in_the_list() {
    let mut world = World::new(brief(11), NOON);
    let now = after_s(3600);
    let rows = all(&mut world, now);
    let from = NOON.0 - 100;
    let truth = world.truth(now, &TruthQuery { from: Some(from), ..TruthQuery::default() });
    assert!(truth.at_rest);
    let since: Vec<_> = rows.iter().filter(|row| row.initiated_at >= from).collect();
    assert!(since.len() < rows.len());
    assert_eq!(truth.calls, since.len());
    let sum = |name: &str| -> f64 {
        let series = truth.series.iter().filter(|(series, _)| series.starts_with(name));
        series.filter_map(|(_, value)| value.as_f64()).sum()
    };
    assert_eq!(sum("cometchat_calls_total{"), f64::from(u32::try_from(since.len()).unwrap()));
    let video_s: f64 = since.iter().map(|row| row.total_video_minutes.0 * 60.0).sum();
    assert!((sum("cometchat_call_video_seconds_total{") - video_s).abs() < 0.01);
}

#[test]
fn what_comes_after_max_open_and_after_settle_does_not_count() {
    let mut world = World::new(brief(12), NOON);
    let now = after_s(7200);
    let mut sum = |query: &TruthQuery, name: &str| -> f64 {
        let truth = world.truth(now, query);
        let series = truth.series.iter().filter(|(series, _)| series.starts_with(name));
        series.filter_map(|(_, value)| value.as_f64()).sum()
    };
    let all = TruthQuery::default();
    let settled_at_once = TruthQuery { settle_s: Some(0), ..TruthQuery::default() };
    let impatient = TruthQuery { max_open_s: 1, ..TruthQuery::default() };
    assert!(sum(&all, "cometchat_recordings_total{") > 0.0);
    assert_eq!(sum(&settled_at_once, "cometchat_recordings_total{"), 0.0);
    assert_eq!(
        sum(&settled_at_once, "cometchat_call_video_seconds_total{"),
        sum(&all, "cometchat_call_video_seconds_total{")
    );
    assert_eq!(sum(&all, "cometchat_calls_abandoned_total{"), 0.0);
    let given_up = sum(&impatient, "cometchat_calls_abandoned_total{");
    assert!(given_up > 0.0);
    assert_eq!(
        sum(&impatient, "cometchat_calls_total{") + given_up,
        sum(&all, "cometchat_calls_total{")
    );
    assert_eq!(sum(&impatient, "cometchat_calls_open{"), 0.0);
}
