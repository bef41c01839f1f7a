//! A Prometheus exporter for the CometChat Calls API whose numbers are true.
//!
//! Data flows one way: [`api`] brings pages, [`ledger`] turns rows into differences, [`store`] makes
//! them durable, [`metrics`] renders what is durable, [`web`] serves it; [`sweep`] decides what to
//! ask next. The modules stand here in reading order, and each imports only what stands above it
//! (`ARCHITECTURE.md` has the exact edges, `tests/it/tidy.rs` holds them).
#![cfg_attr(
    test,
    expect(clippy::disallowed_methods, reason = "tests spawn tasks and write files as they like")
)]

pub mod call;
pub mod ledger;
pub mod sweep;
pub mod metrics;
pub mod clock;
pub mod api;
pub mod store;
pub mod web;
pub mod sim;
pub mod config;
pub mod app;
