//! The shell: wiring, one supervised task per app, publishing, shutdown.
//!
//! Here the pure parts meet the adapters: [`crate::sweep`] says what to ask, [`crate::api`] asks,
//! [`crate::store`] makes the outcome durable, and only then [`crate::web`] gets to show it.

mod app_task;
pub mod backfill;
mod board;
pub mod demo;
pub mod doctor;
mod epoch;
mod fleet;
mod key_file;
pub mod logging;
pub mod output;
mod poller;
mod reload;
pub mod run;
pub mod simulate;
pub mod stop;
mod storing;
mod supervise;
mod words;

#[cfg(test)]
mod tests;
