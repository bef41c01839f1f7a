//! What has been counted, per call and in sum, and the one rule of counting.
//!
//! Pure: integers only, no clock, no IO. [`post`] takes what is known of a call and a new sight of
//! it, and returns what is known then and what that adds to the [`Totals`]. The difference is
//! posted, never the row: that is why reading a page twice is harmless.

pub mod entry;
pub mod histogram;
pub mod past;
pub mod posting;
pub mod recent;
pub mod rules;
pub mod totals;

#[cfg(test)]
mod tests;

pub use entry::{Entry, FirstFinal, Phase};
pub use histogram::Histogram;
pub use past::{Steps, Times, Timetable, dated};
pub use posting::{Posting, absent, post};
pub use recent::{OpenCalls, Recent};
pub use rules::{FailureStatuses, Rules};
pub use totals::{Counter, Distributions, Tally, Totals};
