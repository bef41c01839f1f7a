//! A Prometheus exporter for the CometChat Calls API whose numbers are true.
//!
//! Data flows one way: [`api`] brings pages, [`ledger`] turns rows into differences, [`store`] makes
//! them durable, [`metrics`] renders what is durable, [`web`] serves it; [`sweep`] decides what to
//! ask next. The modules stand here in reading order, and each imports only what stands above it
//! (`ARCHITECTURE.md` has the exact edges, `tests/it/tidy.rs` holds them).

pub mod api;
pub mod app;
pub mod call;
pub mod clock;
pub mod config;
pub mod ledger;
pub mod metrics;
pub mod sim;
pub mod store;
pub mod sweep;
pub mod web;
