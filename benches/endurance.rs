//! A month of a busy app, and a past of a hundred million calls: what must not grow does not, and
//! every total is exact.
//!
//! Both take long, so that `cargo bench` alone says how they are called and measures nothing.

#![expect(clippy::unwrap_used, reason = "a bench that cannot do its work has nothing to measure")]
#![expect(clippy::print_stdout, reason = "its figures are what it is for")]
#![expect(clippy::disallowed_methods, reason = "it measures real time")]
#![expect(clippy::cast_precision_loss, reason = "hours need not be exact")]

use std::fs;
use std::time::Instant;

use cometchat_exporter::call::{Moment, Timestamp};
use cometchat_exporter::ledger::Counter;
use tempfile::TempDir;

use reading::{End, Reading, Settings};
use world::World;

#[path = "../tests/it/endurance/reading.rs"]
mod reading;
#[path = "../tests/it/endurance/world.rs"]
mod world;

const USAGE: &str = "\
cargo bench --bench endurance -- busy 30             # days of a million calls
cargo bench --bench endurance -- history 100000000   # calls before the first start";
const PER_DAY: u64 = 1_000_000;
const DAY_S: i64 = 86_400;
/// A midnight.
const FIRST: Timestamp = Timestamp(1_700_006_400);
/// The defaults, but for the interval of 30 s: the month takes a third of the time.
const SETTINGS: Settings =
    Settings { interval_s: 300, lookback_s: DAY_S, settle_s: 7_200, max_open_s: 7 * DAY_S };

fn main() {
    // Cargo adds a flag of its own.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["busy", n_days] => busy(n_days.parse().unwrap()),
        ["history", n_calls] => history(n_calls.parse().unwrap()),
        _ => println!("{USAGE}"),
    }
}

/// What must not grow from day to day.
struct Day {
    p99_us: u32,
    file_bytes: u64,
    resident_kib: u64,
}

fn busy(n_days: i64) {
    let world = World { first: FIRST, per_day: PER_DAY, n_calls: PER_DAY * n_days.unsigned_abs() };
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state.redb");
    let mut reading = Reading::start(&world, SETTINGS, path, FIRST.start());
    // As many as a day may need, so that this list takes no memory later on.
    reading.commits_us.reserve(1 << 20);
    println!("day   calls     requests    known  file MiB  commit ms: p50, p99, max  MiB  real s");
    let mut days = Vec::new();
    for day in 1..=n_days {
        days.push(read_until(&mut reading, &day.to_string(), |reading| {
            reading.run(FIRST.plus_s(day * DAY_S).start(), |_| false);
        }));
    }
    read_until(&mut reading, "rest", rest);
    world.assert_counted(reading.sweep.totals());
    println!("all totals of {} calls are exact", world.n_calls);
    assert_flat(&days);
}

/// Reads on, and prints the row of the table.
fn read_until(reading: &mut Reading<'_>, day: &str, read: impl FnOnce(&mut Reading<'_>)) -> Day {
    let (began, n_requests) = (Instant::now(), reading.n_requests);
    read(reading);
    let commits = &mut reading.commits_us;
    commits.sort_unstable();
    let [p50_us, p99_us, max_us] =
        [500, 990, 1000].map(|permille| commits[(commits.len() - 1) * permille / 1000]);
    commits.clear();
    let (file_bytes, resident_kib) = (reading.file_bytes(), memory_kib("VmRSS"));
    println!(
        "{day:4} {:9} {:11} {:9} {:8} {:14.2} {:6.2} {:6.1} {:6} {:6}",
        reading.sweep.totals().sum(Counter::Initiated),
        reading.n_requests - n_requests,
        reading.sweep.n_known(),
        file_bytes >> 20,
        f64::from(p50_us) / 1000.0,
        f64::from(p99_us) / 1000.0,
        f64::from(max_us) / 1000.0,
        resident_kib >> 10,
        began.elapsed().as_secs(),
    );
    Day { p99_us, file_bytes, resident_kib }
}

fn assert_flat(days: &[Day]) {
    let [_, _, third, .., last] = days else { return };
    let percent = |early: u64, late: u64| late.abs_diff(early) * 100 / early;
    assert!(percent(third.file_bytes, last.file_bytes) <= 5, "the file grows");
    assert!(percent(third.resident_kib, last.resident_kib) <= 10, "memory grows");
    // The quietest of three, since the machine may have other work.
    let p99_us = |days: &[Day]| days.iter().map(|day| day.p99_us).min().unwrap();
    let (early, late) = (p99_us(&days[1..4]), p99_us(&days[days.len() - 3..]));
    assert!(late <= 2 * early, "commits slow down: p99 {early} us, and later {late}");
}

fn history(n_calls: u64) {
    // Six in the evening; calls go on for some hours.
    let n_days = n_calls.div_ceil(PER_DAY).cast_signed();
    let now = FIRST.plus_s(n_days * DAY_S - 6 * 3_600).start();
    let world = World { first: FIRST, per_day: PER_DAY, n_calls: n_calls + PER_DAY / 8 };
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state.redb");
    let reading = Reading::start(&world, SETTINGS, path, now);
    let mut reading = read_back(reading, world.n_begun(now.floor()));
    rest(&mut reading);
    world.assert_counted(reading.sweep.totals());
    println!("all totals of {} calls are exact", world.n_calls);
    let (peak, file) = (memory_kib("VmHWM") >> 10, reading.file_bytes() >> 20);
    println!("peak of resident memory {peak} MiB, file {file} MiB");
}

/// Reads the past by eleven processes, and prints now and then what is said of the rest.
fn read_back(mut reading: Reading<'_>, n_past: u64) -> Reading<'_> {
    const N_ENDS: u64 = 10;
    println!(
        "{n_past} calls before the start\nminute        read of    about  left h  file MiB  MiB"
    );
    let (began, now) = (Instant::now(), reading.now);
    let n_read = |reading: &Reading<'_>| reading.sweep.totals().sum(Counter::Initiated);
    let (mut n_ends, mut said) = (0, vec![(now, 0)]);
    while !reading.sweep.progress().complete {
        let is_to_end = |reading: &Reading<'_>| {
            n_ends < N_ENDS && n_read(reading) >= n_past * (n_ends + 1) / (N_ENDS + 1)
        };
        let say_at = said[said.len() - 1].0.plus_ms(60_000.max(reading.now.since_ms(now) / 3));
        let until = say_at.min(reading.now.plus_ms(600_000));
        reading.run(until, |it| it.sweep.progress().complete || is_to_end(it));
        reading.commits_us.clear();
        if is_to_end(&reading) {
            let end = if n_ends == N_ENDS / 2 { End::Killed } else { End::Stopped };
            reading = reading.restart(end);
            n_ends += 1;
        } else if reading.now >= say_at {
            said.push((reading.now, told(&reading, now)));
        }
    }
    for (at, left_s) in &said[1..] {
        let took_s = reading.now.since_ms(*at).unsigned_abs() / 1000;
        println!("{:.2} h left were said, it took {:.2} h", hours(*left_s), hours(took_s));
    }
    let (n_read, took_s) = (n_read(&reading), began.elapsed().as_secs().max(1));
    println!(
        "complete: {n_read} calls, {} requests, {n_ends} restarts, {took_s} s of real time, {} calls/s",
        reading.n_requests,
        n_read / took_s,
    );
    reading
}

/// Says what the exporter says of a first read, and returns the seconds that are left.
fn told(reading: &Reading<'_>, began: Moment) -> u64 {
    let Some(it) = reading.sweep.reading_back() else { return 0 };
    // Answers come sooner than the budget lets it ask.
    let milli_per_minute = reading.budget.milli_per_minute().unsigned_abs();
    let left_s = it.n_requests_left * 60_000 / milli_per_minute;
    println!(
        "{:6} {:11} of {:9} {:6.2} {:9} {:5}",
        reading.now.since_ms(began) / 60_000,
        it.n_read,
        it.n_about,
        hours(left_s),
        reading.file_bytes() >> 20,
        memory_kib("VmRSS") >> 10,
    );
    left_s
}

/// Reads on until nothing is known any more: all has settled, and what never ends was given up.
fn rest(reading: &mut Reading<'_>) {
    let until = reading.now.plus_ms((SETTINGS.max_open_s + 3 * DAY_S) * 1000);
    reading.run(until, |reading| reading.sweep.n_known() == 0);
    assert_eq!(reading.sweep.n_known(), 0, "calls are known for good");
}

fn hours(seconds: u64) -> f64 {
    seconds as f64 / 3_600.0
}

/// A figure of this process, as the system has it.
fn memory_kib(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_matches(|char: char| !char.is_ascii_digit()).parse().unwrap()
}
