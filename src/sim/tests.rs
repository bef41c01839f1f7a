//! Stories and properties of the simulated world.

mod http;
mod switches;
mod truth;
mod world;

use super::filter::Filter;
use super::row::Row;
use super::{Options, World};
use crate::call::{Moment, Timestamp};

/// Wed, 15 Oct 2025 12:00:00 GMT.
const NOON: Timestamp = Timestamp(1_760_529_600);

/// A small world that comes to rest within minutes.
fn brief(seed: u64) -> Options {
    Options {
        seed,
        calls_per_day: 20_000,
        history_s: 300,
        stop_after_s: Some(60),
        duration_scale_permille: 50,
        ..Options::default()
    }
}

/// Seconds after [`NOON`].
fn after_s(seconds: i64) -> Moment {
    NOON.plus_s(seconds).start()
}

fn page(world: &mut World, now: Moment, page: u32, per_page: u32) -> Vec<Row> {
    world.list(now, &Filter::default(), page, per_page).rows
}

/// Every row at `now`, in the order of the list.
fn all(world: &mut World, now: Moment) -> Vec<Row> {
    page(world, now, 1, u32::MAX)
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap()
}
