//! The integration tests, one file a subject.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod backfill;
mod deploy;
mod endurance;
mod golden;
mod grafana;
mod hostile;
mod image;
mod instructions;
mod mistakes;
mod page;
mod process;
mod prometheus;
mod rules;
mod schema;
mod simulation;
mod tidy;
mod truth;
mod web;
