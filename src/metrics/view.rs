//! What the metrics are rendered from: plain facts, borrowed from those who own them.

use std::fmt;
use std::sync::Arc;

use super::{Examples, Health};
use crate::call::{CallType, Kind, Mode, Moment, ReceiverType, Timestamp};
use crate::ledger::{OpenCalls, Recent, Totals};

/// One app at one moment.
#[derive(Clone, Copy, Debug)]
pub struct AppView<'a> {
    /// Its name in the configuration: the label `cometchat_app`.
    pub name: &'a str,
    /// `app_id` in the configuration.
    pub app_id: &'a str,
    /// `us`, `eu`, `in`, or `custom`.
    pub api_region: &'a str,
    /// What was counted; `None` while the first read from an epoch in the past is incomplete.
    pub totals: Option<&'a Arc<Totals>>,
    /// Open calls right now.
    pub open: &'a OpenCalls,
    /// The recent window; `None` while the poll lag exceeds it.
    pub recent: Option<&'a Recent>,
    /// The counters count exactly the calls initiated at or after this second.
    pub epoch: Timestamp,
    /// The end of the covered interval that reaches unbroken from the epoch: the first second that
    /// is not covered. `None` before the first read.
    pub covered_until: Option<Timestamp>,
    /// Local clock less the API's, in milliseconds; `None` until an answer has told it.
    pub skew_ms: Option<i64>,
    /// Calls known by id.
    pub tracked_calls: u64,
    /// How the polling goes.
    pub health: &'a Health,
    /// Calls that are shown as exemplars, if any are to be.
    pub examples: Option<&'a Examples>,
}

/// Which of the breakdown labels are shown; the state always keeps all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breakdown {
    /// The label `call_type`.
    pub call_type: bool,
    /// The label `mode`.
    pub mode: bool,
    /// The label `receiver_type`.
    pub receiver_type: bool,
}

impl Default for Breakdown {
    fn default() -> Self {
        Self { call_type: true, mode: true, receiver_type: true }
    }
}

impl Breakdown {
    /// The kind under which `kind` is summed up: in place of a label that is not shown stands the
    /// first word of its set.
    pub(super) const fn project(self, kind: Kind) -> Kind {
        Kind {
            call_type: if self.call_type { kind.call_type } else { CallType::ALL[0] },
            mode: if self.mode { kind.mode } else { Mode::ALL[0] },
            receiver: if self.receiver_type { kind.receiver } else { ReceiverType::ALL[0] },
        }
    }
}

/// The exporter itself: what changes with a commit or a reload at most.
#[derive(Clone, Copy, Debug)]
pub struct ProcessView {
    /// Length of the recent window, seconds.
    pub recent_window_s: u64,
    /// Time between polls, milliseconds.
    pub poll_interval_ms: u64,
    /// The state.
    pub state: StateView,
    /// The configuration.
    pub reload: ReloadView,
    /// Which part of the apps it reads.
    pub shard: Shard,
    /// What was built.
    pub build: BuildInfo,
}

/// Which of the exporters that share the apps of one configuration this is. It shows as it is written
/// on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which one, from 0.
    pub index: u32,
    /// How many there are, at least one.
    pub count: u32,
}

impl Default for Shard {
    /// The only one.
    fn default() -> Self {
        Self { index: 0, count: 1 }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// The state.
#[derive(Clone, Copy, Debug)]
pub struct StateView {
    /// Its size in bytes; `None` before the first commit.
    pub size_bytes: Option<u64>,
    /// How long the newest commit took, microseconds; `None` before the first.
    pub commit_duration_us: Option<u64>,
    /// Whether the newest commit succeeded.
    pub writable: bool,
    /// Commits that failed since the process start.
    pub commit_failures: u64,
}

/// The newest try to read the configuration.
#[derive(Clone, Copy, Debug)]
pub struct ReloadView {
    /// Whether it succeeded; true after the start.
    pub successful: bool,
    /// When one last succeeded, on the local clock.
    pub success_at: Moment,
}

/// What was built, from what, by what.
#[derive(Clone, Copy, Debug)]
pub struct BuildInfo {
    /// Version of the exporter.
    pub version: &'static str,
    /// Commit it was built from.
    pub revision: &'static str,
    /// Version of the compiler.
    pub rust_version: &'static str,
}

/// What the operating system says of the process, taken at the scrape. What it does not tell is
/// `None`, and its metric absent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ProcessStats {
    /// User and system time together, milliseconds.
    pub cpu_ms: Option<u64>,
    /// Open file descriptors.
    pub open_fds: Option<u64>,
    /// Most file descriptors that may be open.
    pub max_fds: Option<u64>,
    /// Memory in use, bytes.
    pub resident_bytes: Option<u64>,
    /// Address space in use, bytes.
    pub virtual_bytes: Option<u64>,
    /// Start of the process, milliseconds since the Unix epoch on the local clock.
    pub started_at_ms: Option<u64>,
    /// Threads.
    pub threads: Option<u64>,
}
