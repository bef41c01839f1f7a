//! One app at one moment, kept: what is rendered once a scrape asks for it.

use std::sync::Arc;

use super::{AppView, Examples, Health};
use crate::call::Timestamp;
use crate::ledger::{OpenCalls, Recent, Totals};

/// A copy of an [`AppView`] that owns what it shows: a few kilobytes, less than any rendering.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    name: Box<str>,
    app_id: Box<str>,
    api_region: Box<str>,
    totals: Option<Arc<Totals>>,
    open: OpenCalls,
    recent: Option<Recent>,
    epoch: Timestamp,
    covered_until: Option<Timestamp>,
    skew_ms: Option<i64>,
    tracked_calls: u64,
    health: Health,
    examples: Option<Examples>,
}

impl Snapshot {
    pub(super) fn new(app: &AppView<'_>) -> Self {
        Self {
            name: app.name.into(),
            app_id: app.app_id.into(),
            api_region: app.api_region.into(),
            totals: app.totals.cloned(),
            open: app.open.without_times(),
            recent: app.recent.cloned(),
            epoch: app.epoch,
            covered_until: app.covered_until,
            skew_ms: app.skew_ms,
            tracked_calls: app.tracked_calls,
            health: app.health.clone(),
            examples: app.examples.cloned(),
        }
    }

    pub(super) fn view(&self) -> AppView<'_> {
        AppView {
            name: &self.name,
            app_id: &self.app_id,
            api_region: &self.api_region,
            totals: self.totals.as_ref(),
            open: &self.open,
            recent: self.recent.as_ref(),
            epoch: self.epoch,
            covered_until: self.covered_until,
            skew_ms: self.skew_ms,
            tracked_calls: self.tracked_calls,
            health: &self.health,
            examples: self.examples.as_ref(),
        }
    }
}
