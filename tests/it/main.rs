//! The integration tests, one file a subject.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod simulation;
mod tidy;
