//! The integration tests, one file a subject.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod hostile;
mod process;
mod simulation;
mod truth;
