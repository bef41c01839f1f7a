//! What the page and the status say beside the metrics: plain facts of an app and of the exporter.

use std::sync::Arc;

use super::history::{Counts, History};
use crate::metrics::{Moment, Shard};

/// One app. Holds no key and no id of a user.
#[derive(Clone, Debug, Default)]
pub struct AppFacts {
    /// The id of the app at CometChat.
    pub app_id: String,
    /// `us`, `eu`, `in` or `custom`.
    pub api_region: String,
    /// The counters hold the calls initiated at or after this second.
    pub counts_since_s: i64,
    /// Everything counted; `None` while a first read is incomplete.
    pub counted: Option<Counts>,
    /// Calls initiated within the recent window that are over, and the media of all of them, open
    /// ones too; `None` while the poll lag exceeds the window.
    pub recent: Option<Counts>,
    /// Open calls right now.
    pub open: u64,
    /// When it was last read, on the local clock.
    pub last_success: Option<Moment>,
    /// Requests since the start.
    pub requests: u64,
    /// Those of them that brought no usable answer.
    pub requests_failed: u64,
    /// What the exporter lets itself ask, in thousandths of a request a minute.
    pub budget_milli_per_minute: u64,
    /// Requests a minute that the API allows, where it says so.
    pub rate_limit: Option<u64>,
    /// Requests left of them, where it says so.
    pub rate_limit_remaining: Option<u64>,
    /// The last hour and today.
    pub history: History,
}

/// The exporter.
#[derive(Clone, Debug, Default)]
pub struct ExporterFacts {
    /// The state file; `None` for a state in memory.
    pub state_path: Option<String>,
    /// Its size.
    pub state_bytes: Option<u64>,
    /// Whether the newest commit succeeded.
    pub state_writable: bool,
    /// Commits that failed since the start.
    pub commit_failures: u64,
    /// Length of the recent window, seconds.
    pub recent_window_s: u64,
    /// Which part of the apps it reads.
    pub shard: Shard,
    /// The configuration in force as YAML, keys masked.
    pub config: Arc<str>,
}
