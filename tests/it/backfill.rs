//! The command `backfill`, with the real binary, promtool and Prometheus: history and what the
//! exporter serves afterwards are one, and every call is in it once.

mod budget;
mod joined;
mod large;
mod panels;
mod recorded;
mod resumed;
mod stage;
