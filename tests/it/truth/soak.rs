//! Hours at high speed before an API with every sort of fault: nothing of the process grows, and the
//! numbers are exact. Ten minutes usually; `SOAK_HOURS=24` in the environment makes them a day.
#![expect(clippy::disallowed_methods, reason = "the exporter and its API live in real time")]

use std::thread;
use std::time::{Duration, Instant};

use super::proxy::{Proxy, Way};
use super::stage::{Setting, Stage, app_label};
use crate::process::samples::Samples;
use crate::process::{Exporter, http};

/// What the exporter takes of the machine, and what it has counted.
#[derive(Debug)]
struct Figures {
    resident_kib: u64,
    descriptors: u64,
    threads: u64,
    file_kib: u64,
    calls: u64,
    known: u64,
}

impl Figures {
    fn of(scrape: &Samples) -> Self {
        let bytes = |name| whole(scrape.get(name)) >> 10;
        Self {
            resident_kib: bytes("process_resident_memory_bytes"),
            descriptors: whole(scrape.get("process_open_fds")),
            threads: whole(scrape.get("process_threads")),
            file_kib: bytes("cometchat_state_size_bytes"),
            calls: whole(scrape.sum("cometchat_calls_initiated_total", &[app_label()])),
            known: whole(scrape.sum("cometchat_tracked_calls", &[app_label()])),
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bytes and counts")]
fn whole(value: Option<f64>) -> u64 {
    value.unwrap() as u64
}

/// Scrapes for as long; returns the last answer, and how many there were and were not.
fn scraped(exporter: &Exporter, until: Instant) -> (Samples, [u64; 2]) {
    let (mut last, mut n_answers) = (None, [0; 2]);
    while last.is_none() || Instant::now() < until {
        let answer = http::get(exporter.address, "/metrics").ok().filter(|it| it.status == 200);
        n_answers[usize::from(answer.is_none())] += 1;
        last = answer.or(last);
        thread::sleep(Duration::from_millis(100));
    }
    (Samples::parse(&last.unwrap().body), n_answers)
}

/// Faults of every sort that costs no call. An answer in fifty fails: each pauses the reading for
/// longer than forty simulated seconds, and re-reads that never catch up keep their calls known.
const FAULTS: [&str; 12] = [
    "--fault=error:5",
    "--fault=gateway:3",
    "--fault=throttled:3",
    "--fault=garbage:2",
    "--fault=truncated:2",
    "--fault=closed:2",
    "--fault=hang:1",
    "--fault=slow:2",
    "--fault=bad-row:2",
    "--fault=missing-row:2",
    "--fault=late-row:50",
    "--fault=raised:20",
];
/// Simulated seconds in a real one, as on every stage.
const SPEED: u32 = 40;

#[test]
fn hours_under_faults_leave_nothing_behind() {
    let hours = std::env::var("SOAK_HOURS").ok().and_then(|hours| hours.parse::<u32>().ok());
    let (n_periods, minutes) = hours.map_or((5, 2), |hours| (hours, 60));
    let end = format!("--stop-after={}m", n_periods * minutes);
    let world =
        [&FAULTS[..], &[&end, "--seed=61", "--duration-scale=50", "--live-totals"]].concat();
    let stage = Stage::new(Setting {
        world: &world,
        poll: "timeout: 500ms",
        loud: &["records_invalid_total"],
        ..Setting::default()
    });
    // In a run of hours an outage and the pause after it take half a minute, twenty simulated ones, and
    // the lookback is longer: older time is read once, and a row that is missing in that answer is lost.
    // In the short run calls are to leave the ledger.
    let lookback = if hours.is_some() { "lookback: 30m" } else { "lookback: 10m" };
    stage.edit("lookback: 60s", lookback);
    let proxy = Proxy::before(stage.simulator.address);
    stage.edit(&stage.simulator.address.to_string(), &proxy.address.to_string());
    let (exporter, began) = (stage.exporter(), Instant::now());
    let period = Duration::from_secs(60) * minutes / SPEED;
    eprintln!(
        "nth  calls    known    resident KiB  descriptors  threads  file KiB  scrapes  failed"
    );
    let figures: Vec<Figures> = (0..n_periods)
        .map(|nth| {
            let from = began + period * nth;
            let before = scraped(&exporter, from + period / 2).1;
            proxy.set([Way::Refused, Way::Reset, Way::Silent][nth as usize % 3]);
            let meanwhile = scraped(&exporter, from + period * 5 / 8).1;
            proxy.set(Way::Open);
            let (scrape, after) = scraped(&exporter, from + period);
            let [n, n_failed] = [0, 1].map(|idx| before[idx] + meanwhile[idx] + after[idx]);
            let it = Figures::of(&scrape);
            eprintln!(
                "{:3} {:8} {:8} {:12} {:12} {:8} {:9} {n:8} {n_failed:7}",
                nth + 1,
                it.calls,
                it.known,
                it.resident_kib,
                it.descriptors,
                it.threads,
                it.file_kib,
            );
            assert_eq!(n_failed, 0, "scrapes without an answer");
            it
        })
        .collect();
    let rested = stage.compare_at_rest(&exporter);
    assert!(whole(rested.sum("cometchat_api_requests_total", &["code=\"timeout\""])) > 0);
    assert_flat(&figures[2..], hours.is_some_and(|hours| hours >= 6));
    exporter.program.ends_on("TERM");
}

/// What belongs to the process stays within small bounds. Memory and file do after some hours: they
/// are first as large as the busiest of them wants.
#[track_caller]
fn assert_flat(figures: &[Figures], for_hours: bool) {
    let spread = |of: fn(&Figures) -> u64| {
        let values = figures.iter().map(of);
        (values.clone().min().unwrap(), values.max().unwrap())
    };
    let (least, most) = spread(|it| it.descriptors);
    assert!(most <= least + 12, "{least} to {most} descriptors");
    let (least, most) = spread(|it| it.threads);
    assert!(most <= least + 4, "{least} to {most} threads");
    if for_hours {
        let (least, most) = spread(|it| it.resident_kib);
        assert!(most <= least * 6 / 5, "{least} to {most} KiB of memory");
        let (least, most) = spread(|it| it.file_kib);
        assert!(most <= least * 6 / 5, "{least} to {most} KiB of file");
    }
}
