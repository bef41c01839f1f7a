//! The metrics: one catalog of all of them, and the text that Prometheus reads.
//!
//! Pure: no clock, no IO; whole numbers go in, floats come out only here. What an app has to say is
//! rendered once per change into [`AppLines`]; [`join`] puts the lines of all apps together, family
//! by family, by copying; only what hangs on the moment of the scrape is rendered in it, by
//! [`live`]. A new metric is one row in [`catalog`].

pub mod catalog;
pub mod health;
pub mod render;
mod samples;
mod sums;
pub mod view;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;

pub use crate::call::Moment;
pub use health::{Health, Latency};
pub use render::{AppLines, CONTENT_TYPE, Lines, join, live, render_app, render_process};
pub use view::{AppView, Breakdown, BuildInfo, ProcessStats, ProcessView, ReloadView, StateView};
