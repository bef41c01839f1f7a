//! Settings that are valid by construction: what the rest of the program runs on.

use std::fmt;
use std::path::PathBuf;

use crate::call::{Outcome, Timestamp};
use crate::ledger::{FailureStatuses, Rules};
use crate::metrics::{Breakdown, Shard};
use crate::sweep::BudgetOptions;
use crate::web::listen::UNIX;

use super::secret::Secret;

/// Thirty seconds: as fresh as a usual scrape interval needs, two requests a minute when idle.
pub const POLL_INTERVAL_MS: i64 = 30_000;
/// Ten seconds: far above the usual answer of the API, below the interval.
pub const POLL_TIMEOUT_MS: u64 = 10_000;
/// Rows: the largest page that CometChat's own clients ask for.
pub const PER_PAGE: u32 = 100;
/// Two hours: recordings and transcriptions arrive within it.
pub const SETTLE_S: i64 = 2 * 3600;
/// A day: how late a call may first appear in the list.
pub const LOOKBACK_S: i64 = 24 * 3600;
/// A week: longer than any real call, short enough to let go of sessions that never end.
pub const MAX_OPEN_S: i64 = 7 * 24 * 3600;
/// Requests a minute: the limit of CometChat's free plan.
pub const RATE_LIMIT_PER_MINUTE: u32 = 500;
/// A fifth: the limit is shared with the user's own production traffic.
pub const RATE_LIMIT_SHARE: f64 = 0.2;
/// An hour.
pub const RECENT_WINDOW_S: i64 = 3600;
/// In the working directory.
pub const STATE_PATH: &str = "cometchat-exporter.redb";
/// The port of this exporter.
pub const LISTEN_PORT: u16 = 10180;
/// Forty, as with every exporter: far above what a pair of Prometheus servers needs.
pub const MAX_REQUESTS: u32 = 40;
/// Where every exporter has its metrics.
pub const TELEMETRY_PATH: &str = "/metrics";

/// Everything that can be set.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The apps to read; names are unique, and so is `app_id` + `on_behalf_of`. At least one, unless
    /// all belong to other shards.
    pub apps: Vec<AppSettings>,
    /// Whose apps these are.
    pub shard: Shard,
    /// How the API is asked.
    pub poll: PollSettings,
    /// What counts.
    pub count: CountSettings,
    /// Length of the window of `cometchat_recent_*` in seconds; at most the lookback.
    pub recent_window_s: i64,
    /// Which breakdown labels the metrics keep.
    pub breakdown: Breakdown,
    /// Whether session ids are shown as exemplars.
    pub exemplars: bool,
    /// Whether it is told since when counters count.
    pub created: bool,
    /// Where the ledger lives.
    pub state: StateSettings,
    /// What is served, and where.
    pub web: WebSettings,
    /// What is logged, and how.
    pub log: LogSettings,
}

impl Settings {
    /// What counts, for a count that begins at `epoch`.
    pub const fn rules(&self, epoch: Timestamp) -> Rules {
        Rules {
            epoch,
            settle_s: self.poll.settle_s,
            max_open_s: self.poll.max_open_s,
            failures: self.count.failures,
        }
    }

    /// The apps of these names, or all where none is given, each with its place.
    ///
    /// # Errors
    /// A name that no app has.
    pub fn chosen(&self, names: &[String]) -> Result<Vec<(usize, &AppSettings)>, NoSuchApp> {
        let known = || self.apps.iter().map(|app| app.name.as_str());
        if let Some(name) = names.iter().find(|name| !known().any(|known| known == *name)) {
            let known = known().collect::<Vec<_>>().join(", ");
            return Err(NoSuchApp { name: name.clone(), known });
        }
        let is_chosen = |app: &AppSettings| names.is_empty() || names.contains(&app.name);
        Ok(self.apps.iter().enumerate().filter(|(_, app)| is_chosen(app)).collect())
    }
}

/// An app was asked for that is not configured.
#[derive(Debug, thiserror::Error)]
#[error("no app is named `{name}`; there are: {known}")]
pub struct NoSuchApp {
    name: String,
    known: String,
}

/// One app of CometChat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppSettings {
    /// The label `cometchat_app`.
    pub name: String,
    /// The app id as CometChat gives it.
    pub app_id: String,
    /// The label `api_region`.
    pub api_region: ApiRegion,
    /// The address of the API, without a slash at its end: `/calls` is put behind it.
    pub base_url: String,
    /// Where the API key comes from.
    pub key: KeySource,
    /// The user on whose behalf the API is asked.
    pub on_behalf_of: Option<String>,
    /// Apps of one group share one limit of requests; `None`: those of the same app id do.
    pub budget_group: Option<String>,
}

impl AppSettings {
    /// The name of the budget that its requests are taken from.
    pub fn budget_name(&self) -> &str {
        self.budget_group.as_deref().unwrap_or(&self.app_id)
    }
}

/// The region of an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiRegion {
    /// United States.
    Us,
    /// Europe.
    Eu,
    /// India.
    In,
    /// An own base URL.
    Custom,
}

impl ApiRegion {
    /// The value of the label `api_region`.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Eu => "eu",
            Self::In => "in",
            Self::Custom => "custom",
        }
    }
}

/// Where an API key comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A file that holds the key and is read again when it changes. Blanks and line breaks round
    /// the key are no part of it.
    File(PathBuf),
    /// The key itself.
    Inline(Secret),
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Inline(_) => f.write_str("Inline(…)"),
        }
    }
}

/// How the API is asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PollSettings {
    /// Milliseconds from poll to poll; at least 1,000.
    pub interval_ms: i64,
    /// Milliseconds that a request may take; at least 100.
    pub timeout_ms: u64,
    /// Rows asked for in one page; at least 1.
    pub per_page: u32,
    /// Seconds that a final call is looked at again.
    pub settle_s: i64,
    /// Seconds that a call may be old when it first appears; at least 1.
    pub lookback_s: i64,
    /// Seconds that a call may stay open before it is given up; at least 1.
    pub max_open_s: i64,
    /// Requests a minute that the app may make, until a header says otherwise; at least 1.
    pub rate_limit_per_minute: u32,
    /// The share of that limit for this exporter; above 0 and at most 1.
    pub rate_limit_share: f64,
}

impl PollSettings {
    /// What may be asked of the limit that is shared with the app.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share lies between 0 and 1"
    )]
    pub fn budget(&self) -> BudgetOptions {
        let share_ppm = (self.rate_limit_share * 1e6).round() as u32;
        BudgetOptions { limit_per_minute: self.rate_limit_per_minute.into(), share_ppm }
    }

    /// Half of it, for what runs beside an exporter that may have the other half.
    pub fn budget_beside(&self) -> BudgetOptions {
        let budget = self.budget();
        BudgetOptions { share_ppm: budget.share_ppm / 2, ..budget }
    }
}

impl Default for PollSettings {
    fn default() -> Self {
        Self {
            interval_ms: POLL_INTERVAL_MS,
            timeout_ms: POLL_TIMEOUT_MS,
            per_page: PER_PAGE,
            settle_s: SETTLE_S,
            lookback_s: LOOKBACK_S,
            max_open_s: MAX_OPEN_S,
            rate_limit_per_minute: RATE_LIMIT_PER_MINUTE,
            rate_limit_share: RATE_LIMIT_SHARE,
        }
    }
}

/// What counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CountSettings {
    /// The epoch of an app that is not in the state yet.
    pub from: CountFrom,
    /// What counts in `cometchat_calls_failed_total`.
    pub failures: FailureStatuses,
}

/// From when on calls count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CountFrom {
    /// From the start of the exporter.
    #[default]
    Now,
    /// From this many seconds before the start.
    Ago(i64),
    /// From this second.
    At(Timestamp),
}

/// A word of `count.failure_statuses`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FailureWord {
    Outcome(Outcome),
    Unconnected,
    Abandoned,
}

/// Where the ledger lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateSettings {
    /// In memory: counters start at 0 with each start.
    Memory,
    /// In this file, relative to the working directory.
    File(PathBuf),
}

impl Default for StateSettings {
    fn default() -> Self {
        Self::File(STATE_PATH.into())
    }
}

/// What is served, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSettings {
    /// The places to listen at, at least one.
    pub listen: Vec<Listen>,
    /// Whether the sockets that systemd opened are listened on instead.
    pub systemd_socket: bool,
    /// The web configuration file. It was right when the settings were loaded.
    pub config_file: Option<PathBuf>,
    /// The path of the metrics, behind the prefix.
    pub telemetry_path: String,
    /// What stands before every path; empty, or `/a` or `/a/b`.
    pub route_prefix: String,
    /// What stands before every path in links.
    pub link_prefix: String,
    /// Scrapes at once; 0 is no limit.
    pub max_requests: u32,
    /// Whether the health endpoints need no password.
    pub open_health: bool,
    /// Whether a request may ask for a reload, or for the end.
    pub enable_lifecycle: bool,
}

impl Default for WebSettings {
    fn default() -> Self {
        Self {
            listen: vec![Listen::Tcp(ListenAddress { host: None, port: LISTEN_PORT })],
            systemd_socket: false,
            config_file: None,
            telemetry_path: TELEMETRY_PATH.into(),
            route_prefix: String::new(),
            link_prefix: String::new(),
            max_requests: MAX_REQUESTS,
            open_health: false,
            enable_lifecycle: false,
        }
    }
}

/// A place to listen at. It shows as it is written on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// An address.
    Tcp(ListenAddress),
    /// The file of a unix socket.
    Unix(PathBuf),
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

/// An address to listen on. It shows as it is written on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenAddress {
    /// A host name or an address, IPv6 without brackets. Without it every address of the machine,
    /// IPv6 and IPv4 (`[::]`, dual stack).
    pub host: Option<String>,
    /// The port; 0 lets the system choose.
    pub port: u16,
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.as_deref() {
            Some(host) if host.contains(':') => write!(f, "[{host}]:{}", self.port),
            Some(host) => write!(f, "{host}:{}", self.port),
            None => write!(f, ":{}", self.port),
        }
    }
}

/// What is logged, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogSettings {
    /// The least that is logged.
    pub level: LogLevel,
    /// How a line looks.
    pub format: LogFormat,
}

/// The least that is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogLevel {
    /// Everything.
    Trace,
    /// Each request.
    Debug,
    /// What an operator may want to know.
    #[default]
    Info,
    /// What went wrong and mends itself.
    Warn,
    /// What an operator must act on.
    Error,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// `key=value` pairs.
    #[default]
    Logfmt,
    /// One JSON object a line.
    Json,
}
