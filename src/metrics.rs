//! The metrics: one catalog of all of them, and the formats that Prometheus reads.
//!
//! Pure: no clock, no IO; whole numbers go in, floats come out only here. What an app has to say is
//! kept in [`AppLines`] and rendered once per change and [`Format`]; [`join`] puts all apps
//! together, family by family, by copying; only what depends on the moment of the scrape is rendered
//! in it, by [`live`]. A new metric is one row in [`catalog`].

pub mod catalog;
pub mod examples;
pub mod format;
pub mod health;
mod open_metrics;
pub mod past;
mod plain;
mod protobuf;
pub mod render;
mod samples;
mod snapshot;
mod sums;
pub mod view;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;

pub use crate::call::Moment;
pub use examples::{Example, Examples};
pub use format::Format;
pub use health::{Health, Latency};
pub use past::{Past, PastApp, Sheet};
pub use render::{AppLines, Joined, Lines, Shown, join, live, render_app, render_process};
pub use view::{
    AppView, Breakdown, BuildInfo, ProcessStats, ProcessView, ReloadView, Shard, StateView,
};
