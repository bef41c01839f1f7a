//! What is committed: one page's worth of changes, all of it or nothing.

use std::sync::Arc;

use super::Progress;
use crate::call::CallKey;
use crate::ledger::{Entry, Totals};

/// The durable state of one app, without its ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// What was read.
    pub progress: Progress,
    /// What was counted; shared with what is shown of it.
    pub totals: Arc<Totals>,
}

/// What one answer changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// Calls as they are known now; `None` for one that leaves the ledger.
    pub calls: Vec<(CallKey, Option<Entry>)>,
    /// The rest of the app's state, whole.
    pub saved: Saved,
}
