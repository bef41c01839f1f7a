//! The ledger in memory: for trying things out, for the demo, and for tests.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{PoisonError, RwLock};

use super::{AppId, Glimpse, Store, StoreError, codec};
use crate::call::CallKey;
use crate::ledger::Entry;
use crate::sweep::{Changes, Saved, Span};

/// A ledger that ends with the process. It keeps encoded records: they are a fifth of the size.
#[derive(Debug, Default)]
pub struct MemoryStore {
    apps: RwLock<BTreeMap<AppId, App>>,
}

#[derive(Debug, Default)]
struct App {
    saved: Box<[u8]>,
    calls: BTreeMap<CallKey, Box<[u8]>>,
    n_bytes: usize,
}

impl MemoryStore {
    /// An empty ledger.
    pub fn new() -> Self {
        Self::default()
    }

    fn read<T>(&self, app: &AppId, read: impl FnOnce(&App) -> T) -> Option<T> {
        self.apps.read().unwrap_or_else(PoisonError::into_inner).get(app).map(read)
    }

    fn each_call(
        &self,
        app: &AppId,
        span: Span,
        mut each: impl FnMut(&CallKey, &[u8]) -> Result<(), codec::Malformed>,
    ) -> Result<(), StoreError> {
        if span.is_empty() {
            return Ok(());
        }
        let [from, to] = [span.from, span.to]
            .map(|initiated_at| CallKey { initiated_at, session_id: Box::default() });
        self.read(app, |app| app.calls.range(from..to).try_for_each(|(key, call)| each(key, call)))
            .transpose()
            .map_err(damaged)?;
        Ok(())
    }
}

impl Store for MemoryStore {
    fn load(&self, app: &AppId) -> Result<Option<Saved>, StoreError> {
        self.read(app, |app| codec::decode_saved(&app.saved)).transpose().map_err(damaged)
    }

    fn calls(
        &self,
        app: &AppId,
        span: Span,
        each: &mut dyn FnMut(CallKey, Entry),
    ) -> Result<(), StoreError> {
        self.each_call(app, span, |key, call| {
            each(key.clone(), codec::decode_entry(call)?);
            Ok(())
        })
    }

    fn glance(
        &self,
        app: &AppId,
        span: Span,
        each: &mut dyn FnMut(Glimpse<'_>),
    ) -> Result<(), StoreError> {
        self.each_call(app, span, |key, call| {
            let (phase, due) = codec::peek_entry(call)?;
            let (initiated_at, session_id) = (key.initiated_at, &*key.session_id);
            each(Glimpse { initiated_at, session_id, phase, due });
            Ok(())
        })
    }

    fn commit(&self, app: &AppId, changes: &Changes) -> Result<(), StoreError> {
        let saved = codec::encode_saved(&changes.saved).into_boxed_slice();
        let mut apps = self.apps.write().unwrap_or_else(PoisonError::into_inner);
        let app = apps.entry(app.clone()).or_default();
        app.saved = saved;
        for (key, entry) in &changes.calls {
            let size = |call: &[u8]| call.len() + size_of::<CallKey>() + key.session_id.len();
            let old = match entry {
                Some(entry) => {
                    let call = codec::encode_entry(entry).into_boxed_slice();
                    app.n_bytes += size(&call);
                    app.calls.insert(key.clone(), call)
                }
                None => app.calls.remove(key),
            };
            app.n_bytes -= old.as_deref().map_or(0, size);
        }
        Ok(())
    }

    fn size_bytes(&self) -> u64 {
        let apps = self.apps.read().unwrap_or_else(PoisonError::into_inner);
        let n_bytes: usize = apps.values().map(|app| app.n_bytes + app.saved.len()).sum();
        u64::try_from(n_bytes).unwrap_or(u64::MAX)
    }
}

fn damaged(error: codec::Malformed) -> StoreError {
    StoreError::from_record(Path::new("memory"), error)
}
