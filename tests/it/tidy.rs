//! The ratchet: what holds for the sources as a whole, checked as plain text.
//!
//! A failure names the place and says what to do. A rule that is in the way is changed here, in the
//! open, and in ARCHITECTURE.md.

mod crates;
mod layers;
mod links;
mod papers;
mod sizes;
mod source;

/// Fails with one line per violation.
#[track_caller]
fn none(violations: &[String], what_to_do: &str) {
    assert!(violations.is_empty(), "{what_to_do}:\n  {}", violations.join("\n  "));
}
