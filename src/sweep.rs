//! What to ask next, and what an answer proves.
//!
//! Pure: no clock, no IO, no async; time is an argument. The shell asks [`Sweep`] for the one next
//! [`Request`], brings back the [`Reply`], looks up what the ledger knows around it, and commits the
//! [`Changes`].

pub mod changes;
pub mod dialogue;
pub mod progress;
pub mod spans;

pub use changes::{Changes, Saved};
pub use dialogue::{Defect, Page, Quota, Reason, Refusal, Reply, Request};
pub use progress::{Order, Progress, ReadTime};
pub use spans::{Span, Spans};
