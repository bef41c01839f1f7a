//! The durable ledger: what was counted and read, per app, in memory or in one file.
//!
//! State belongs to an [`AppId`], not to a name in the configuration. [`FileStore`] is exclusive to
//! one process and survives a kill at any instruction; [`MemoryStore`] forgets with the process.
//! Nothing of the ledger is kept in memory beside the file but the database's bounded cache.

pub mod codec;
pub mod error;
pub mod file;
mod group;
pub mod journal;
pub mod memory;
mod wire;

#[cfg(test)]
pub(crate) mod strategies;
#[cfg(test)]
mod tests;

pub use error::StoreError;
pub use file::FileStore;
pub use journal::{Heading, Journal, JournalError};
pub use memory::MemoryStore;

use crate::call::{CallKey, Moment, Timestamp};
use crate::ledger::{Entry, Phase};
use crate::sweep::{Changes, Saved, Span};

/// What state belongs to: an app as its key sees it.
///
/// Renaming an app, or removing it and adding it again later, keeps its counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppId {
    /// The app's id at CometChat.
    pub app_id: Box<str>,
    /// The user on whose behalf is asked: another user may be shown other calls.
    pub on_behalf_of: Option<Box<str>>,
}

/// The part of a ledger entry that planning needs, read without the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glimpse<'a> {
    /// When the call was initiated.
    pub initiated_at: Timestamp,
    /// Its session id, as the API spells it.
    pub session_id: &'a str,
    /// How far it has come.
    pub phase: Phase,
    /// When it is to be looked at next.
    pub due: Moment,
}

/// A durable ledger of many apps. All of it blocks: call it from threads that may.
pub trait Store: Send + Sync {
    /// The progress and totals of an app; `None` where it was never committed.
    ///
    /// # Errors
    /// A state that cannot be read.
    fn load(&self, app: &AppId) -> Result<Option<Saved>, StoreError>;

    /// The calls of an app that were initiated within `span`, in the order of their keys.
    ///
    /// `each` must not call the store.
    ///
    /// # Errors
    /// A state that cannot be read.
    fn calls(
        &self,
        app: &AppId,
        span: Span,
        each: &mut dyn FnMut(CallKey, Entry),
    ) -> Result<(), StoreError>;

    /// The same calls as [`Self::calls`], in outline: a start looks at every call it knows.
    ///
    /// `each` must not call the store.
    ///
    /// # Errors
    /// A state that cannot be read.
    fn glance(
        &self,
        app: &AppId,
        span: Span,
        each: &mut dyn FnMut(Glimpse<'_>),
    ) -> Result<(), StoreError>;

    /// Makes the changes durable: all of them or none, for good once it returns `Ok`.
    ///
    /// # Errors
    /// A state that cannot be written. Afterwards it is unknown whether they became durable (the disk
    /// may have failed after the last byte). Committing the same changes again is right in both
    /// cases, since they are values and not differences.
    fn commit(&self, app: &AppId, changes: &Changes) -> Result<(), StoreError>;

    /// Bytes that the state takes.
    fn size_bytes(&self) -> u64;
}
