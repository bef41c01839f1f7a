//! What lives in the world, and how it is listed.

use std::collections::{BTreeMap, BTreeSet};

use expect_test::expect;
use proptest::prelude::*;

use super::super::outline::Outline;
use super::*;
use crate::sim::Order;

#[test]
fn the_same_seed_makes_the_same_pages_and_another_seed_makes_others() {
    let pages = |seed| {
        let mut world = World::new(Options { seed, ..Options::default() }, NOON);
        [1, 7].map(|n| json(&page(&mut world, after_s(20), n, 30)))
    };
    assert_eq!(pages(1), pages(1));
    assert_ne!(pages(1), pages(2));
}

#[test]
fn what_is_shown_does_not_depend_on_what_was_asked_before() {
    let mut asked_once = World::new(brief(3), NOON);
    let expected = json(&all(&mut asked_once, after_s(30)));
    let mut asked_often = World::new(brief(3), NOON);
    for seconds in [-200, 3, 90, 4000, 17, 30] {
        all(&mut asked_often, after_s(seconds));
    }
    assert_eq!(json(&all(&mut asked_often, after_s(30))), expected);
}

#[test]
fn a_newcomer_sees_every_word_within_half_a_minute_by_day_and_by_night() {
    for start in [NOON, NOON.plus_s(-9 * 3600)] {
        let mut world = World::new(Options::default(), start);
        let mut words = BTreeSet::new();
        for second in (0..=30).step_by(5) {
            let now = start.plus_s(second).start();
            let pages = (1..).map(|n| page(&mut world, now, n, 100));
            let rows = pages.flatten().take_while(|row| row.initiated_at >= start.0 - 3600);
            words.extend(
                rows.flat_map(|row| [row.status, row.mode, row.call_type, row.receiver_type]),
            );
        }
        let expected = [
            "audio",
            "busy",
            "call",
            "canceled",
            "ended",
            "group",
            "initiated",
            "meet",
            "ongoing",
            "presenter",
            "rejected",
            "unanswered",
            "user",
            "video",
        ];
        assert_eq!(words.into_iter().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn two_thirds_of_ringing_calls_are_answered_and_last_about_six_minutes() {
    let mut world = World::new(Options::default(), NOON);
    world.reach(NOON.0);
    let mut ringing: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut n_talks, mut talked_s, mut longest_s) = (0, 0, 0);
    for outline in world.outlines(NOON.start(), Timestamp::MIN) {
        let row = Row::at(world.options(), &outline, i64::MAX / 4);
        if row.mode == "call" {
            *ringing.entry(row.status).or_default() += 1;
        }
        if let (Some(started_at), Some(ended_at)) = (row.started_at, row.ended_at) {
            n_talks += 1;
            talked_s += ended_at - started_at;
            longest_s = longest_s.max(ended_at - started_at);
        }
    }
    let answered = 1000 * ringing["ended"] / ringing.values().sum::<usize>();
    assert!((630..670).contains(&answered), "{answered} permille");
    assert!((330..400).contains(&(talked_s / n_talks)), "{} s", talked_s / n_talks);
    assert!(longest_s > 2 * 3600, "{longest_s} s");
}

#[test]
fn rows_are_as_the_api_documents_them() {
    let mut world = World::new(Options { history_s: 6 * 3600, ..Options::default() }, NOON);
    let mut seats_max = 0;
    let mut seen = BTreeSet::new();
    for row in all(&mut world, after_s(0)) {
        let seats = row.participants.as_deref().unwrap_or_default();
        let joined: Vec<_> = seats.iter().filter(|seat| seat.is_joined).collect();
        let people: BTreeSet<_> = joined.iter().map(|seat| &seat.uid).collect();
        let talked = matches!(row.status, "ongoing" | "ended");
        assert_eq!(row.started_at.is_some(), talked, "{row:?}");
        assert_eq!(row.mid.is_some(), talked, "{row:?}");
        assert_eq!(row.ended_at.is_some(), row.status == "ended", "{row:?}");
        assert_eq!(row.recordings.is_empty(), !row.has_recording);
        if row.mode != "call" {
            assert_eq!(row.started_at, Some(row.initiated_at), "meetings do not ring: {row:?}");
        }
        if row.receiver_type == "group" {
            assert!(!matches!(row.status, "rejected" | "busy"), "{row:?}");
        }
        if talked && !seats.is_empty() {
            assert_eq!(row.total_participants as usize, joined.len());
            assert_eq!(joined.iter().filter_map(|seat| seat.joined_at).min(), row.started_at);
        }
        if row.status == "ended" && !seats.is_empty() {
            assert_eq!(joined.iter().map(|seat| seat.left_at).max().unwrap(), row.ended_at);
            assert!(joined.iter().all(|seat| seat.left_at >= seat.joined_at));
        }
        seats_max = seats_max.max(joined.len());
        let traits = [
            (row.participants.is_none(), "no participants"),
            (talked && row.participants.is_some() && seats.is_empty(), "empty participants"),
            (row.status == "ended" && people.len() == 1, "one person"),
            (people.len() < joined.len(), "several devices"),
            (row.status == "ended" && joined.len() < seats.len(), "never joined"),
            (row.recordings.len() == 2, "two recordings"),
            (row.has_transcription, "transcription"),
            (row.status == "ongoing" && seats.iter().any(|seat| seat.left_at.is_some()), "left"),
        ];
        seen.extend(traits.into_iter().filter(|(holds, _)| *holds).map(|(_, name)| name));
    }
    assert_eq!(seen.len(), 8, "{seen:?}");
    assert!((12..=50).contains(&seats_max), "{seats_max}");
}

#[test]
fn an_ended_call_reads_like_the_example_of_the_documents() {
    let mut world = World::new(Options { history_s: 3 * 3600, ..Options::default() }, NOON);
    let rows = all(&mut world, after_s(0));
    let row = rows.iter().find(|row| {
        let n_seats = row.participants.iter().flatten().count();
        row.mode == "call" && row.recordings.len() == 2 && row.has_transcription && n_seats == 2
    });
    expect![[r#"
        {
          "sessionId": "v1.us.0123456789abcdef.1760526252f92762df7a6e2dc1c5bef4dc5b83f24e383ebaae",
          "mid": "f92762df-7a6e-4dc1-8f4d-c5b83f24ec5b",
          "totalAudioMinutes": 0,
          "totalVideoMinutes": 3.066666666666667,
          "totalDuration": "00:03:04",
          "totalDurationInMinutes": 3.066666666666667,
          "hasRecording": true,
          "hasTranscription": true,
          "initiatedAt": 1760526252,
          "startedAt": 1760526259,
          "endedAt": 1760526443,
          "initiator": "bo-1041",
          "receiver": "gus-774",
          "receiverType": "user",
          "mode": "call",
          "type": "video",
          "status": "ended",
          "totalParticipants": 2,
          "participants": [
            {
              "uid": "bo-1041",
              "isJoined": true,
              "state": "ended",
              "joinedAt": 1760526259,
              "leftAt": 1760526443,
              "totalAudioMinutes": 0,
              "totalVideoMinutes": 3.066666666666667,
              "totalDuration": 3.066666666666667,
              "mid": "f92762df-7a6e-4dc1-8f4d-c5b83f24ec5b",
              "deviceId": "f5ee4637@rtc-us.example/sim"
            },
            {
              "uid": "gus-774",
              "isJoined": true,
              "state": "ended",
              "joinedAt": 1760526262,
              "leftAt": 1760526439,
              "totalAudioMinutes": 0,
              "totalVideoMinutes": 2.95,
              "totalDuration": 2.95,
              "mid": "f92762df-7a6e-4dc1-8f4d-c5b83f24ec5b",
              "deviceId": "8b9bf943@rtc-us.example/sim"
            }
          ],
          "recordings": [
            {
              "rid": "476456aa4c07136e",
              "recording_url": "https://recordings.example/476456aa4c07136e.mp4",
              "startTime": 1760526259,
              "endTime": 1760526409,
              "duration": 2.5
            },
            {
              "rid": "cd4be70879ac7895",
              "recording_url": "https://recordings.example/cd4be70879ac7895.mp4",
              "startTime": 1760526410,
              "endTime": 1760526443,
              "duration": 0.55
            }
          ],
          "transcriptions": [
            {
              "roomName": "v1.us.0123456789abcdef.1760526252f92762df7a6e2dc1c5bef4dc5b83f24e383ebaae",
              "tid": "bd3716e0fc93b16f",
              "startTime": 1760526252,
              "endTime": 1760526443,
              "transcriptDate": "2025-10-15T11:07:23Z",
              "transcriptUrl": "https://transcripts.example/bd3716e0fc93b16f.json"
            }
          ]
        }"#]].assert_eq(&serde_json::to_string_pretty(row.unwrap()).unwrap());
}

#[test]
fn a_missed_call_has_neither_times_nor_a_meeting_id() {
    let mut world = World::new(brief(1), NOON);
    let rows = all(&mut world, after_s(0));
    let row = rows.iter().find(|row| row.status == "rejected");
    expect![[r#"
        {
          "sessionId": "v1.us.0123456789abcdef.1760529411b2bd9d28ded470993a51bda8e133657b04cc19cd",
          "totalAudioMinutes": 0,
          "totalVideoMinutes": 0,
          "totalDuration": "00:00:00",
          "totalDurationInMinutes": 0,
          "hasRecording": false,
          "hasTranscription": false,
          "initiatedAt": 1760529411,
          "initiator": "lea-443",
          "receiver": "ivo-3048",
          "receiverType": "user",
          "mode": "call",
          "type": "video",
          "status": "rejected",
          "totalParticipants": 0,
          "participants": [
            {
              "uid": "lea-443",
              "isJoined": false,
              "state": "rejected",
              "totalAudioMinutes": 0,
              "totalVideoMinutes": 0,
              "totalDuration": 0
            },
            {
              "uid": "ivo-3048",
              "isJoined": false,
              "state": "rejected",
              "totalAudioMinutes": 0,
              "totalVideoMinutes": 0,
              "totalDuration": 0
            }
          ]
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(row.unwrap()).unwrap());
}

#[test]
fn what_is_simulated_can_be_said_in_two_sentences() {
    expect!["A simulated app with about 20000 calls a day, busier by day than by night, and 0 hours of past calls, the last of them no later than 60 s after the start. Calls and meetings, audio and video, of 1 to 50 people: two in three of those that ring are answered, they last 6 minutes on average, and one in ten is recorded."].assert_eq(&brief(1).describe());
}

#[test]
fn every_row_is_found_by_its_session_id_and_no_two_share_one() {
    let mut world = World::new(brief(5), NOON);
    let rows = all(&mut world, after_s(100));
    let ids: BTreeSet<_> = rows.iter().map(|row| row.session_id.clone()).collect();
    assert_eq!(ids.len(), rows.len());
    assert!(ids.iter().any(|id| id.contains('/')), "some ids must be encoded in an address");
    for row in rows {
        assert_eq!(json(&world.find(after_s(100), &row.session_id)), json(&row));
    }
    assert!(world.find(after_s(100), "v1.us.x.1760529600ff").is_none());
    assert!(world.find(after_s(100), "ü").is_none());
}

#[test]
fn a_walk_over_all_pages_shows_each_row_once_and_in_order() {
    for order in [Order::NewestFirst, Order::OldestFirst] {
        let mut world = World::new(Options { order, ..brief(6) }, NOON);
        // In the middle of a second: some of its rows have not appeared yet.
        let now = after_s(60).plus_ms(300);
        let pages: Vec<_> = (1..40).map(|n| page(&mut world, now, n, 7)).collect();
        let walked: Vec<_> = pages.iter().flatten().map(|row| row.initiated_at).collect();
        let whole: Vec<_> = all(&mut world, now).iter().map(|row| row.initiated_at).collect();
        assert_eq!(walked, whole);
        assert!(pages.last().unwrap().is_empty(), "beyond the end there is nothing");
        let sorted = match order {
            Order::NewestFirst | Order::StartedFirst | Order::ChangedFirst => {
                walked.is_sorted_by(|a, b| a >= b)
            }
            Order::OldestFirst => walked.is_sorted(),
        };
        assert!(sorted && walked.len() > 50, "{walked:?}");
    }
}

#[test]
fn the_world_comes_to_rest_after_the_last_call_and_its_last_recording() {
    let mut world = World::new(brief(7), NOON);
    assert!(world.next_event_at(after_s(0)).is_some());
    let mut now = after_s(0);
    while let Some(next) = world.next_event_at(now) {
        assert!(next > now);
        now = next;
    }
    assert!(now > after_s(30) && now < after_s(3600), "{now:?}");
    assert_eq!(json(&all(&mut world, now)), json(&all(&mut world, now.plus_ms(86_400_000))));
    assert_ne!(json(&all(&mut world, now)), json(&all(&mut world, now.plus_ms(-1))));
}

#[test]
fn without_a_last_call_the_world_never_rests_and_without_calls_it_always_does() {
    let endless = |calls_per_day| Options { calls_per_day, history_s: 0, ..Options::default() };
    assert!(World::new(endless(50), NOON).next_event_at(after_s(5)).is_some());
    assert!(World::new(endless(0), NOON).next_event_at(after_s(5)).is_none());
}

#[test]
fn calls_that_never_end_do_not_keep_the_world_from_coming_to_rest() {
    let mut world = World::new(Options { never_ending_permille: 1000, ..brief(8) }, NOON);
    let rows = all(&mut world, after_s(86_400));
    let open: Vec<_> = rows.iter().filter(|row| row.status == "ongoing").collect();
    assert!(open.len() > 20);
    for row in open.iter().filter(|row| row.participants.as_ref().is_some_and(|p| !p.is_empty())) {
        let seats = row.participants.iter().flatten();
        assert_eq!(seats.filter(|seat| seat.is_joined && seat.left_at.is_none()).count(), 1);
    }
    assert!(world.next_event_at(after_s(86_400)).is_none());
}

#[test]
fn totals_of_ongoing_calls_can_be_held_back_and_recordings_can_come_with_the_end() {
    let options = Options {
        live_totals: false,
        late_recordings: false,
        history_s: 3600,
        ..Options::default()
    };
    let mut world = World::new(options, NOON);
    for row in all(&mut world, after_s(0)).iter().filter(|row| row.status == "ongoing") {
        assert_eq!((row.total_duration_in_minutes.0, row.total_participants), (0.0, 0));
        assert!(row.participants.iter().flatten().all(|seat| seat.total_duration.0 == 0.0));
    }
    let at_end = world
        .outlines(after_s(0), Timestamp::MIN)
        .filter_map(|outline| Some(Row::at(world.options(), &outline, outline.final_at()?)));
    assert!(at_end.filter(|row| row.has_recording).count() > 50);
}

/// Everything of a call that may only grow.
fn amounts(row: &Row) -> Vec<f64> {
    let seats = || row.participants.iter().flatten();
    let count = |n: usize| u32::try_from(n).map(f64::from).unwrap();
    vec![
        row.total_audio_minutes.0,
        row.total_video_minutes.0,
        f64::from(row.total_participants),
        seats().map(|seat| seat.total_audio_minutes.0).sum(),
        seats().map(|seat| seat.total_video_minutes.0).sum(),
        count(seats().filter(|seat| seat.is_joined).count()),
        count(row.recordings.len()),
        count(row.transcriptions.len()),
        match row.status {
            "initiated" => 0.0,
            "ongoing" => 1.0,
            _ => 2.0,
        },
    ]
}

proptest! {
    #[test]
    fn nothing_about_a_call_falls_and_it_never_opens_again(
        seed: u64, nth in 0_u32..100, live_totals: bool, steps in prop::collection::vec(0_i64..900, 12),
    ) {
        let options =
            Options { seed, live_totals, never_ending_permille: 100, ..Options::default() };
        let outline = Outline::of(&options, NOON.0, nth);
        let mut at = NOON.0;
        let mut before = amounts(&Row::at(&options, &outline, at));
        for step in steps {
            at += step;
            let now = amounts(&Row::at(&options, &outline, at));
            prop_assert!(before.iter().zip(&now).all(|(a, b)| a <= b), "{:?} {:?}", before, now);
            before = now;
        }
    }

    #[test]
    fn nothing_changes_before_the_next_event(seed: u64, second in -50_i64..200, live_totals: bool) {
        let mut world = World::new(Options { live_totals, history_s: 60, ..brief(seed) }, NOON);
        let now = after_s(second);
        if let Some(next) = world.next_event_at(now) {
            prop_assert_eq!(json(&all(&mut world, now)), json(&all(&mut world, next.plus_ms(-1))));
        }
    }
}
