//! The blocking half of a step: look up known calls, apply, commit.

use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

use crate::call::Timestamp;
use crate::ledger::{Phase, Recent};
use crate::store::{AppId, Store, StoreError};
use crate::sweep::{Applied, Changes, Digest, Known, Options, Saved, Span, Spans, Sweep};

/// The reading of an app, together with the right to change its state. The two go into the
/// blocking thread and come back as one, so that nobody else can load a state that is about to be
/// replaced.
pub(super) struct Seated {
    pub(super) sweep: Sweep,
    pub(super) _seat: OwnedMutexGuard<()>,
}

/// What is left to do of a step.
pub(super) enum Job {
    /// Everything.
    Apply(Box<Digest>),
    /// The commit alone, since it failed. Committing the same again is harmless.
    Commit(Box<Applied>),
}

/// A step that is durable.
pub(super) struct Stored {
    pub(super) applied: Applied,
    pub(super) commit_took: Duration,
}

/// Does what is left of a step, or gives back what is still left with the reason.
pub(super) fn store_step(
    seated: &mut Seated,
    job: Job,
    store: &dyn Store,
    id: &AppId,
) -> Result<Stored, (Job, StoreError)> {
    let applied = match job {
        Job::Commit(applied) => applied,
        Job::Apply(digest) => match known(store, id, &digest.needs) {
            Ok(known) => Box::new(seated.sweep.apply(&digest, known)),
            Err(error) => return Err((Job::Apply(digest), error)),
        },
    };
    let began = Instant::now();
    match store.commit(id, &applied.changes) {
        Ok(()) => Ok(Stored { applied: *applied, commit_took: began.elapsed() }),
        Err(error) => Err((Job::Commit(applied), error)),
    }
}

/// The calls that an answer has to be compared with.
pub(super) fn known(store: &dyn Store, id: &AppId, needs: &Spans) -> Result<Known, StoreError> {
    let mut known = Known::new();
    for span in needs.iter() {
        store.calls(id, span, &mut |key, entry| {
            known.insert(key, entry);
        })?;
    }
    Ok(known)
}

/// Takes the reading up where the state left it. `first` is what a first start begins with; it is
/// committed at once, so that the epoch stands whatever comes next.
pub(super) fn load(
    store: &dyn Store,
    id: &AppId,
    options: Options,
    first: &Saved,
) -> Result<Sweep, StoreError> {
    let saved = match store.load(id)? {
        Some(saved) => saved,
        None => {
            store.commit(id, &Changes { calls: Vec::new(), saved: first.clone() })?;
            first.clone()
        }
    };
    let mut sweep = Sweep::new(options, saved);
    let everything = Span::new(Timestamp::MIN, Timestamp::MAX);
    let mut open_seconds = Spans::default();
    store.glance(id, everything, &mut |call| {
        sweep.recall(call.initiated_at, call.session_id, call.phase, call.due);
        if call.phase == Phase::Open {
            open_seconds.add(Span::second(call.initiated_at));
        }
    })?;
    for span in open_seconds.iter() {
        store.calls(id, span, &mut |key, entry| sweep.recall_open(key.initiated_at, &entry))?;
    }
    Ok(sweep)
}

/// Sums up the calls of the recent window.
pub(super) fn recent(store: &dyn Store, id: &AppId, window: Span) -> Result<Recent, StoreError> {
    let mut recent = Recent::default();
    store.calls(id, window, &mut |_, entry| recent.add(&entry))?;
    Ok(recent)
}
