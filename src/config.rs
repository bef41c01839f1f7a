//! Flags, environment variables and a YAML file become settings that are valid by construction.
//!
//! In two steps: [`cli`] and `raw` hold what was typed and written, each value with its place;
//! [`load()`] makes [`Settings`] of it or lists every fault at once. Nothing here reads a clock, and
//! the world outside comes in as [`Surroundings`].

pub mod cli;
pub mod duration;
pub mod keys;
pub mod settings;

mod check;
mod effective;
mod fault;
mod healthcheck;
mod load;
mod raw;
mod secret;
mod shard;
mod surroundings;
mod values;
pub mod web_file;
mod web_keys;
mod web_tls;

#[cfg(test)]
mod tests;

/// The configuration file as a JSON Schema.
pub const SCHEMA: &str = include_str!("config/schema.json");

pub use check::{Report, check};
pub use effective::effective;
pub use fault::{Fault, Faults, Place};
pub use healthcheck::probe;
pub use load::{Loaded, fingerprint, load};
pub use secret::Secret;
pub use settings::Settings;
pub use surroundings::{Process, Surroundings};
