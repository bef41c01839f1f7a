//! A simulated CometChat Calls API with its own truth, for the demo and the tests.
//!
//! The [`World`] is pure: every call, from its first ring to its last recording, follows from the
//! seed, the start and the time asked about. [`serve`] shows it over HTTP as the API would, and
//! under `/truth` what an exporter must have counted once the world has come to rest. The wire
//! format and the recount are written apart from [`crate::api`] and [`crate::ledger`] on purpose:
//! a shared struct would let one misreading pass on both sides.

mod answer;
mod arrivals;
mod attachments;
mod cast;
mod date;
mod faults;
mod filter;
mod limit;
mod named;
mod options;
mod outline;
mod query;
mod quirks;
mod refusal;
mod reply;
mod rng;
mod row;
mod server;
mod shape;
mod tally;
mod truth;
mod world;

#[cfg(test)]
mod tests;

pub use faults::Fault;
pub use options::Options;
pub use quirks::{Order, Pagination, PastEnd, Quirk, RateLimitHeaders};
pub use server::serve;
pub use truth::{Truth, TruthQuery};
pub use world::World;
