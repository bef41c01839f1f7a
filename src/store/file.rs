//! The ledger in one file, held by one process at a time.
//!
//! After any error the database is closed, and opened again at the next attempt: it refuses to go on
//! by itself, and the cause (a full disk, a volume that was away) may be gone by then. Meanwhile another
//! process may take it: then the former holder has lost it for good.

pub mod inspect;
mod open;
mod tables;

use std::any::Any;
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use redb::Database;

use super::group::Group;
use super::{AppId, Glimpse, Store, StoreError, codec};
use crate::call::CallKey;
use crate::ledger::Entry;
use crate::sweep::{Changes, Saved, Span};
use tables::{Fault, Write};

/// A ledger in a file. Commits of several threads share transactions.
#[derive(Debug)]
pub struct FileStore {
    path: PathBuf,
    is_new: bool,
    /// Stands in the file as long as it is ours.
    holder: u64,
    /// `None` between an error and the next attempt.
    database: RwLock<Option<Database>>,
    writes: Group<Write, StoreError>,
    n_transactions: AtomicU64,
}

impl FileStore {
    /// Opens the state file, or creates it where there is none or an empty one.
    ///
    /// The folder must exist: creating it would hide a volume that is not mounted. The whole file is
    /// checked against its checksums, since a changed byte could otherwise pass for a number.
    ///
    /// # Errors
    /// A file that is held, damaged, newer or cannot be written, and anything else that stands at
    /// `path`, which is left as it is.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        // An error that names the whole path is of more use, in a container above all.
        let path = path.into();
        let path = std::path::absolute(&path).unwrap_or(path);
        let opened = guarded(|| open::open_or_create(&path), || Fault::Panic.at(&path))?;
        Ok(Self {
            path,
            is_new: opened.is_new,
            holder: opened.holder,
            database: RwLock::new(Some(opened.database)),
            writes: Group::new(),
            n_transactions: AtomicU64::new(0),
        })
    }

    /// Whether [`Self::open`] created the file: all counting starts here.
    pub const fn is_new(&self) -> bool {
        self.is_new
    }

    /// How many transactions were committed: at most one for each commit.
    pub fn n_transactions(&self) -> u64 {
        self.n_transactions.load(Ordering::Relaxed)
    }

    /// Runs `work` on the open database, and closes it if that fails.
    fn with<T>(&self, work: impl FnOnce(&Database) -> Result<T, Fault>) -> Result<T, StoreError> {
        self.reopen()?;
        let result = match &*self.database.read().unwrap_or_else(PoisonError::into_inner) {
            Some(database) => guarded(|| work(database), || Fault::Panic),
            None => Err(redb::Error::DatabaseClosed.into()),
        };
        result.map_err(|fault| {
            if !matches!(fault, Fault::Record(_)) {
                self.close();
            }
            fault.at(&self.path)
        })
    }

    fn close(&self) {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        let closing = database.take();
        // What is wrong is reported already; closing may well stumble over it again.
        let _closed = panic::catch_unwind(AssertUnwindSafe(|| drop(closing)));
    }

    fn reopen(&self) -> Result<(), StoreError> {
        if self.database.read().unwrap_or_else(PoisonError::into_inner).is_none() {
            let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
            if database.is_none() {
                let again = || open::open_again(&self.path, self.holder);
                *database = Some(guarded(again, || Fault::Panic.at(&self.path))?);
            }
        }
        Ok(())
    }
}

impl Store for FileStore {
    fn load(&self, app: &AppId) -> Result<Option<Saved>, StoreError> {
        self.with(|database| tables::load(database, app))
    }

    fn calls(
        &self,
        app: &AppId,
        span: Span,
        each: &mut dyn FnMut(CallKey, Entry),
    ) -> Result<(), StoreError> {
        self.with(|database| {
            tables::each_call(database, app, span, |initiated_at, session_id, call| {
                let entry = codec::decode_entry(call)?;
                callback(|| each(CallKey { initiated_at, session_id: session_id.into() }, entry));
                Ok(())
            })
        })
    }

    fn glance(
        &self,
        app: &AppId,
        span: Span,
        each: &mut dyn FnMut(Glimpse<'_>),
    ) -> Result<(), StoreError> {
        self.with(|database| {
            tables::each_call(database, app, span, |initiated_at, session_id, call| {
                let (phase, due) = codec::peek_entry(call)?;
                callback(|| each(Glimpse { initiated_at, session_id, phase, due }));
                Ok(())
            })
        })
    }

    fn commit(&self, app: &AppId, changes: &Changes) -> Result<(), StoreError> {
        self.writes.write(Write::new(app, changes), |writes| {
            self.with(|database| tables::write(database, writes))?;
            self.n_transactions.fetch_add(1, Ordering::Relaxed);
            Ok(())
        })
    }

    fn size_bytes(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |file| file.len())
    }
}

/// A panic of the caller's own code, on its way through [`guarded`].
struct CallersPanic(Box<dyn Any + Send>);

/// Runs the caller's code inside of [`guarded`].
fn callback(each: impl FnOnce()) {
    if let Err(panic) = panic::catch_unwind(AssertUnwindSafe(each)) {
        panic::resume_unwind(Box::new(CallersPanic(panic)));
    }
}

/// The database panics where bytes that it trusts were changed: an error like any other.
fn guarded<T, E>(
    work: impl FnOnce() -> Result<T, E>,
    panicked: impl FnOnce() -> E,
) -> Result<T, E> {
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        match panic.downcast::<CallersPanic>() {
            Ok(callers) => panic::resume_unwind(callers.0),
            Err(_) => Err(panicked()),
        }
    })
}

#[cfg(test)]
mod tests;
