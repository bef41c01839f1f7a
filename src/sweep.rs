//! What to ask next, and what an answer proves.
//!
//! Pure: no clock, no IO, no async; time is an argument. The shell asks [`Sweep::plan`] for the one
//! next [`Request`] and brings the [`Reply`] to [`Sweep::digest`], looks up the known calls around
//! it, hands them to [`Sweep::apply`], and commits the [`Changes`].

pub mod apply;
pub mod backoff;
pub mod budget;
pub mod census;
pub mod changes;
pub mod dialogue;
pub mod digest;
mod ends;
mod landmarks;
pub mod first_page;
pub mod looks;
pub mod order;
pub mod plan;
pub mod prints;
pub mod progress;
pub mod reading_back;
pub mod rereads;
mod search;
pub mod skew;
pub mod spans;
pub mod walk;
mod work;

#[cfg(test)]
mod tests;

pub use apply::{Applied, Known};
pub use backoff::Backoff;
pub use budget::{Budget, BudgetOptions, PAUSE_MS_MAX};
pub use census::Census;
pub use changes::{Changes, Saved};
pub use dialogue::{Defect, Page, Quota, Reason, Refusal, Reply, Request};
pub use digest::Digest;
pub use first_page::FirstPage;
pub use looks::{Grid, LookKind};
pub use order::Order;
pub use plan::{Ask, Options, Plan, Purpose, Sweep};
pub use progress::{Progress, ReadTime};
pub use reading_back::ReadingBack;
pub use skew::Skew;
pub use spans::{Span, Spans};
