//! Rows in every spelling, and bad ones among good ones.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::fake::{Reading, Reply, call, call_with, check_sums, now_s, one_page};

#[test]
fn words_count_in_any_case_and_unknown_ones_as_other() {
    let status = |id: &str, word: Value| call_with(id, 100, json!({ "status": word }));
    let rows = vec![
        status("1", json!("ENDED")),
        status("2", json!("Cancelled")),
        status("3", json!("canceled")),
        status("4", json!("Missed")),
        status("5", json!("unAnswered")),
        status("6", json!("REJECTED")),
        status("7", json!(" busy ")),
        status("8", json!("teleported")),
        // Not final by any word, and it has no end, yet it is older than the settle time.
        call_with("9", 100, json!({ "status": "fading", "endedAt": null })),
        status("10", json!("Ongoing")),
        call_with("11", 100, json!({ "type": "hologram", "mode": "Meet", "receiverType": "USER" })),
        call_with(
            "12",
            100,
            json!({ "type": "VIDEO", "mode": "broadcast", "receiverType": "bot" }),
        ),
        status("13", Value::Null),
    ];
    let reading = Reading::of("/v3", one_page(rows));
    check_sums(
        &reading.after_polls(),
        &[
            ("calls_initiated_total", &[], 13.0),
            ("calls_total", &[], 12.0),
            ("calls_total", &["status=\"ended\""], 3.0),
            ("calls_total", &["status=\"canceled\""], 2.0),
            ("calls_total", &["status=\"unanswered\""], 2.0),
            ("calls_total", &["status=\"rejected\""], 1.0),
            ("calls_total", &["status=\"busy\""], 1.0),
            ("calls_total", &["status=\"other\""], 3.0),
            ("calls_open", &["status=\"ongoing\""], 1.0),
            ("calls_total", &["call_type=\"other\"", "mode=\"meet\""], 1.0),
            ("calls_total", &["mode=\"other\"", "receiver_type=\"other\""], 1.0),
            ("unknown_values_total", &["field=\"status\""], 2.0),
            ("unknown_values_total", &["field=\"type\""], 1.0),
            ("unknown_values_total", &["field=\"mode\""], 1.0),
            ("unknown_values_total", &["field=\"receiver_type\""], 1.0),
            ("records_invalid_total", &[], 0.0),
            ("corrections_total", &[], 0.0),
        ],
    );
}

#[test]
fn numbers_count_as_text_and_null_as_missing() {
    let at = now_s() - 100;
    let as_text = json!({
        "sessionId": "text", "initiatedAt": at.to_string(), "startedAt": format!("{}", at + 10),
        "endedAt": format!("{}.0", at + 70), "status": "ended", "type": "video", "mode": "call",
        "receiverType": "user", "totalAudioMinutes": "0", "totalVideoMinutes": " 1.5 ",
        "totalParticipants": "3", "hasRecording": "true", "hasTranscription": "True",
        "participants": [
            { "uid": "ada", "isJoined": "true", "totalVideoMinutes": "0.25", "state": "ended" },
            { "uid": 7, "isJoined": 1, "totalVideoMinutes": 0.5, "leftAt": null },
        ],
        "recordings": [{ "startTime": format!("{}.5", at + 10), "endTime": format!("{}", at + 40) }],
    });
    let nulls = json!({
        "sessionId": "nulls", "initiatedAt": at, "startedAt": null, "endedAt": 0,
        "status": "rejected", "type": "audio", "mode": "call", "receiverType": "user",
        "totalAudioMinutes": null, "totalVideoMinutes": null, "totalParticipants": null,
        "hasRecording": null, "participants": null, "recordings": null, "transcriptions": null,
        "metaData": [], "tags": {}, "data": null, "initiator": { "uid": "ada" },
    });
    let bare = json!({ "sessionId": "bare", "initiatedAt": format!("{at}.75"), "status": "busy" });
    let reading = Reading::of("/v3", one_page(vec![as_text, nulls, bare]));
    check_sums(
        &reading.after_polls(),
        &[
            ("calls_total", &[], 3.0),
            ("call_video_seconds_total", &[], 90.0),
            ("participant_video_seconds_total", &[], 45.0),
            ("participants_total", &[], 3.0),
            ("participant_entries_total", &["state=\"ended\""], 1.0),
            ("participant_entries_total", &["state=\"other\""], 1.0),
            ("calls_recorded_total", &[], 1.0),
            ("recordings_total", &[], 1.0),
            ("recording_seconds_total", &[], 29.5),
            ("calls_transcribed_total", &[], 1.0),
            ("call_duration_seconds_sum", &[], 60.0),
            ("call_answer_seconds_sum", &[], 10.0),
            ("call_participants_sum", &[], 2.0),
            ("calls_total", &["status=\"busy\"", "call_type=\"other\""], 1.0),
            ("records_invalid_total", &[], 0.0),
            ("unknown_values_total", &[], 0.0),
        ],
    );
}

#[test]
fn calls_without_lists_count_all_the_same() {
    let lists = |id: &str, participants: Value| {
        call_with(id, 100, json!({ "participants": participants, "hasRecording": true }))
    };
    let mut missing = lists("1", json!([]));
    missing.as_object_mut().unwrap().remove("participants");
    let rows = vec![
        missing,
        lists("2", json!([])),
        lists("3", Value::Null),
        // Listed, and nobody ever joined.
        lists("4", json!([{ "uid": "ada", "isJoined": false, "state": "unanswered" }])),
    ];
    let reading = Reading::of("/v3", one_page(rows));
    check_sums(
        &reading.after_polls(),
        &[
            ("calls_total", &["status=\"ended\""], 4.0),
            ("calls_without_participants_total", &[], 3.0),
            ("calls_unconnected_total", &[], 4.0),
            ("call_audio_seconds_total", &[], 240.0),
            ("participant_audio_seconds_total", &[], 0.0),
            ("calls_recorded_total", &[], 4.0),
            ("recordings_total", &[], 0.0),
            ("records_invalid_total", &[], 0.0),
        ],
    );
}

#[test]
fn bad_rows_cost_nothing_but_themselves_and_count_once() {
    let mut no_id = call("x", 100);
    no_id.as_object_mut().unwrap().remove("sessionId");
    let rows = vec![
        call("1", 99),
        json!(17),
        json!("a row"),
        json!(null),
        json!([[]]),
        no_id,
        call_with("  ", 100, json!({})),
        call_with("2", 100, json!({ "initiatedAt": null })),
        call_with("3", 100, json!({ "initiatedAt": "soon" })),
        call_with("4", 100, json!({ "initiatedAt": 1_000_000_000 })),
        call_with("5", 100, json!({ "initiatedAt": now_s() + 200_000 })),
        // These are calls; only the field is lost.
        call_with("6", 100, json!({ "totalAudioMinutes": "many" })),
        call_with("7", 100, json!({ "totalAudioMinutes": -3, "participants": "nobody" })),
        call("8", 101),
    ];
    let reading = Reading::of("/v3", one_page(rows));
    check_sums(
        &reading.after_polls(),
        &[
            ("calls_total", &[], 4.0),
            ("call_audio_seconds_total", &[], 120.0),
            ("participant_audio_seconds_total", &[], 360.0),
            ("records_invalid_total", &["reason=\"not_an_object\""], 4.0),
            ("records_invalid_total", &["reason=\"no_session_id\""], 2.0),
            ("records_invalid_total", &["reason=\"no_initiated_at\""], 4.0),
            ("records_invalid_total", &["reason=\"bad_field\""], 2.0),
            ("records_invalid_total", &["reason=\"too_large\""], 0.0),
            ("up", &[], 1.0),
        ],
    );
}

#[test]
fn an_object_in_place_of_the_array_is_one_call() {
    let row = call("1", 100);
    let reading = Reading::of("/v3", move |asked| match asked.number("page") {
        Some(0 | 1) => Reply::json(&json!({ "data": row })),
        _ => Reply::json(&json!({ "data": {} })),
    });
    check_sums(&reading.after_polls(), &[("calls_total", &[], 1.0), ("up", &[], 1.0)]);
}

#[test]
fn a_bad_row_that_is_never_the_same_does_not_hold_the_reading_up() {
    let (n_asked, good) = (AtomicU64::new(0), call("1", 100));
    let reading = Reading::of("/v3", move |asked| {
        let n_asked = n_asked.fetch_add(1, Ordering::Relaxed);
        // No beginning yet, and minutes that grow.
        let strange = json!({ "sessionId": "strange", "totalAudioMinutes": n_asked });
        one_page(vec![strange, good.clone()])(asked)
    });
    check_sums(&reading.after_polls(), &[("calls_total", &[], 1.0)]);
}
