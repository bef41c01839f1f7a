//! A backfill that is killed again and again writes what one writes that runs through.

use std::fs;

use super::stage::{Stage, date, now_s};
use crate::process::samples::Samples;
use crate::process::{Program, until_ok};
use crate::prometheus::check_strictly;

/// Nothing begins any more, and what began is over.
const WORLD: [&str; 5] =
    ["--history=6h", "--stop-after=0s", "--steady", "--calls-per-day=45000", "--duration-scale=3"];

#[test]
fn killed_in_the_middle_it_goes_on_and_loses_nothing() {
    let now = now_s();
    let stage = Stage::new(&WORLD, "per_page: 20, rate_limit_share: 1", "now");
    until_ok("the rest of the world", || {
        let truth = stage.truth(0);
        if truth["at_rest"] == true { Ok(()) } else { Err(truth["next_event_at"].to_string()) }
    });
    let (from, to) = (now - 5 * 3600, now - 60);
    let (from_flag, to_flag) = (format!("--from={}", date(from)), format!("--to={}", date(to)));
    let flags = [from_flag.as_str(), &to_flag, "--step=7m"];
    let whole = stage.folder.path().join("whole.om");
    let said = stage.backfill(&whole, &flags);
    assert!(said.contains(&format!("count.from: {}", date(from))), "{said}");
    let text = fs::read_to_string(&whole).unwrap();
    check_strictly(&readable(&text, to), &["openmetrics"]);
    check_last(&text, to, &stage);

    // The same within a budget of sixty pages a second, so that there is time to kill it.
    let slow = fs::read_to_string(&stage.config).unwrap();
    let slow = slow.replace("rate_limit_share: 1", "rate_limit_share: 0.00072");
    let slow = Stage { config: stage.folder.config("slow.yml", &slow), ..stage };
    let output = slow.folder.path().join("killed.om");
    let journal = slow.folder.path().join("killed.om.sim.journal");
    for _ in 0..3 {
        let size = || fs::metadata(&journal).map_or(0, |file| file.len());
        let before = size();
        let backfill = Program::spawn(&mut slow.command(&output, &flags));
        until_ok("a record of the journal", || {
            let now = size();
            if now > before + 200 { Ok(()) } else { Err(now.to_string()) }
        });
        backfill.dies();
        assert!(!output.exists(), "it was over before it was killed");
    }
    // A kill in the middle of a record leaves a part of it.
    let torn = fs::read(&journal).unwrap();
    fs::OpenOptions::new()
        .write(true)
        .open(&journal)
        .unwrap()
        .set_len(torn.len() as u64 - 9)
        .unwrap();
    slow.backfill(&output, &flags);
    assert!(fs::read_to_string(&output).unwrap() == text, "it differs from one that ran through");
    assert!(!journal.exists(), "the journal is of no use any more");
}

/// The reference parser leaves out buckets where a histogram comes with a second time (it compares
/// them with those of the first), and then misses them. So it gets one time of histograms.
fn readable(text: &str, time: i64) -> String {
    let time = format!(" {time}");
    let mut is_histogram = false;
    let mut kept = String::new();
    for line in text.lines() {
        if line.starts_with("# TYPE ") {
            is_histogram = line.ends_with(" histogram");
        }
        if line.starts_with('#') || !is_histogram || line.ends_with(&time) {
            kept += line;
            kept.push('\n');
        }
    }
    kept
}

/// The last samples are the recount of the calls that were over by then.
fn check_last(text: &str, to: i64, stage: &Stage) {
    let end = format!(" {to}");
    let last: String = text
        .lines()
        .filter_map(|line| line.strip_suffix(&end))
        .map(|line| line.replace(",job=\"cometchat\",instance=\"exporter\"", "") + "\n")
        .collect();
    let last = Samples::parse(&last);
    let truth = stage.truth(to - 5 * 3600 + 60);
    let n_calls = last.sum("cometchat_calls_total", &[]).unwrap();
    assert!(n_calls > 1000.0, "{n_calls} calls show little");
    let recount = super::stage::rising(&truth);
    let n_true: f64 = recount
        .iter()
        .filter(|(series, _)| series.starts_with("cometchat_calls_total{"))
        .map(|(_, value)| value)
        .sum();
    // Of the last minute nothing is in it; the world rings on for a while after a call began.
    assert!(n_calls <= n_true && n_calls > n_true * 0.98, "{n_calls} of {n_true} calls");
}
