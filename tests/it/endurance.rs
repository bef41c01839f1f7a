//! Days of an app, and its past, read into a state file: nothing grows, and every total is exact.
//! `benches/endurance.rs` has both at full size.

use cometchat_exporter::call::{Moment, Timestamp};
use cometchat_exporter::ledger::Counter;

use crate::process::Folder;
use reading::{End, Reading, Settings};
use world::World;

mod reading;
mod world;

const PER_DAY: u64 = 20_000;
const DAY_S: i64 = 86_400;
/// A midnight.
const FIRST: Timestamp = Timestamp(1_700_006_400);
const SETTINGS: Settings =
    Settings { interval_s: 600, lookback_s: 6 * 3_600, settle_s: 3_600, max_open_s: 8 * 3_600 };

fn after_days(days: i64) -> Moment {
    FIRST.plus_s(days * DAY_S).start()
}

/// Reads on until nothing is known any more, and compares every total.
#[track_caller]
fn assert_counted_at_rest(world: &World, mut reading: Reading<'_>) {
    let until = reading.now.plus_ms(2 * DAY_S * 1000);
    reading.run(until, |reading| reading.sweep.n_known() == 0);
    assert_eq!(reading.sweep.n_known(), 0, "calls are known for good");
    world.assert_counted(reading.sweep.totals());
}

#[test]
fn days_of_calls_are_counted_exactly_and_leave_nothing_behind() {
    let world = World { first: FIRST, per_day: PER_DAY, n_calls: 3 * PER_DAY };
    let folder = Folder::new();
    let mut reading = Reading::start(&world, SETTINGS, folder.state(), after_days(0));
    let each_day = [1, 2, 3].map(|day| {
        reading.run(after_days(day), |_| false);
        (reading.sweep.n_known(), reading.file_bytes())
    });
    let (n_known, file_bytes) = each_day[0];
    for day in each_day {
        assert!(day.0.abs_diff(n_known) <= n_known / 50, "calls known: {each_day:?}");
        assert!(day.1 <= file_bytes * 3 / 2, "bytes: {each_day:?}");
    }
    assert_counted_at_rest(&world, reading);
}

#[test]
fn a_long_past_is_counted_exactly_by_processes_that_end_anywhere() {
    let world = World { first: FIRST, per_day: PER_DAY, n_calls: 10 * PER_DAY + PER_DAY / 10 };
    let folder = Folder::new();
    let mut reading = Reading::start(&world, SETTINGS, folder.state(), after_days(10));
    let (mut random, mut n_ends) = (7_u64, 0);
    while !reading.sweep.progress().complete {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let end_at = reading.n_requests + 100 + (random >> 33) % 400;
        reading.run(Moment::MAX, |reading| {
            reading.sweep.progress().complete || reading.n_requests >= end_at
        });
        reading = reading.restart(if random >> 63 == 0 { End::Killed } else { End::Stopped });
        n_ends += 1;
    }
    assert!(n_ends >= 5, "{n_ends} ends prove little");
    let n_read = reading.sweep.totals().sum(Counter::Initiated);
    assert!(n_read >= 10 * PER_DAY, "{n_read} calls are not the whole past");
    assert_counted_at_rest(&world, reading);
}
