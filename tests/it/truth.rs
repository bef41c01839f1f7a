//! The promise on the real binary over real HTTP: at rest, what the exporter serves is the
//! simulator's own recount, series by series, to the last digit.

mod command_line;
mod demo;
mod first_read;
mod kills;
mod outages;
mod proxy;
mod quirks;
mod replicas;
mod reloads;
pub(crate) mod secrets;
mod shards;
mod signals;
mod soak;
mod stage;
mod watch;
mod worlds;
