//! `demo`: something to see on every dashboard, soon.

use std::time::Duration;

use crate::process::samples::Samples;
use crate::process::{Program, http, until};

#[test]
fn the_demo_shows_every_status_and_every_sum_within_half_a_minute() {
    let mut demo = Program::start(&["demo", "--web.listen-address=127.0.0.1:0"]);
    let metrics = demo.says("Metrics:");
    let address = metrics.trim_start_matches("http://").trim_end_matches("/metrics");
    until("something to see", Duration::from_secs(30), || {
        let scrape = Samples::parse(&http::get(address, "/metrics").unwrap().body);
        let is_seen = |name: &str, labels: &[&str]| scrape.sum(name, labels) > Some(0.0);
        let statuses = ["ended", "unanswered", "rejected", "canceled", "busy"];
        let finals = statuses
            .iter()
            .all(|status| is_seen("cometchat_calls_total", &[&format!("status=\"{status}\"")]));
        let sums = [
            "cometchat_call_audio_seconds_total",
            "cometchat_call_video_seconds_total",
            "cometchat_participant_audio_seconds_total",
            "cometchat_participant_video_seconds_total",
            "cometchat_participants_total",
            "cometchat_recordings_total",
            "cometchat_recording_seconds_total",
            "cometchat_calls_open",
            "cometchat_recent_calls",
        ];
        (finals && sums.iter().all(|name| is_seen(name, &[]))).then_some(())
    });
    demo.ends_on("TERM");
}
