//! How the polling of one app goes: what its `api_*` metrics and its `up` are rendered from.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::call::Moment;

/// Values of the label `endpoint`.
pub const ENDPOINTS: [&str; 2] = ["list", "get"];

/// Values of the label `code` that stand at 0 from the first scrape; others appear when seen.
pub const CODES: [&str; 13] = [
    "200", "400", "401", "403", "404", "429", "500", "502", "503", "504", "timeout", "connect",
    "body",
];

/// Values of the label `error`: the error codes of the API's documentation, as they stand there.
/// Any other counts as `other`, which appears when seen.
pub const ERRORS: [&str; 20] = [
    "AUTH_ERR_APIKEY_NOT_FOUND",
    "AUTH_ERR_AUTH_TOKEN_NOT_FOUND",
    "AUTH_ERR_EMPTY_APIKEY",
    "AUTH_ERR_EMPTY_APPID",
    "AUTH_ERR_EMPTY_AUTH_TOKEN",
    "AUTH_ERR_INVALID_APPID",
    "AUTH_ERR_NO_ACCESS",
    "ERR_API_NOT_FOUND",
    "ERR_BAD_ERROR_RESPONSE",
    "ERR_BAD_REQUEST",
    "ERR_CALL_SESSION_NOT_FOUND",
    "ERR_EXCEPTION",
    "ERR_INVALID_API_VERSION",
    "ERR_MISSION_FAILED",
    "ERR_OPERATION_FAILED",
    "ERR_PLAN_QUOTA_RESTRICTION",
    "ERR_PLAN_RESTRICTION",
    "ERR_SUBSCRIPTION_EXPIRED",
    "ERR_TOO_MANY_REQUESTS",
    "ERR_UID_NOT_FOUND",
];

/// Values of the label `reason`.
pub const REASONS: [&str; 5] =
    ["not_an_object", "no_session_id", "no_initiated_at", "bad_field", "too_large"];

/// Buckets of `cometchat_api_request_duration_seconds`, in milliseconds.
pub const LATENCY_BOUNDS_MS: [u64; 8] = [50, 100, 250, 500, 1000, 2500, 5000, 10000];

/// How the polling of one app goes. Its counters start with the process.
#[derive(Clone, Debug)]
pub struct Health {
    /// Whether the newest try to read the head reached covered time.
    pub up: bool,
    /// When a try last did, on the local clock.
    pub last_success: Option<Moment>,
    /// How long the newest poll took, milliseconds.
    pub poll_duration_ms: Option<u64>,
    /// Requests by endpoint and code.
    pub requests: BTreeMap<(&'static str, Cow<'static, str>), u64>,
    /// Errors of the API by their code.
    pub errors: BTreeMap<&'static str, u64>,
    /// How long requests took, by endpoint.
    pub latency: BTreeMap<&'static str, Latency>,
    /// Rows that could not be read, by reason.
    pub invalid: BTreeMap<&'static str, u64>,
    /// Requests a minute that the API allows, where it says so.
    pub rate_limit: Option<u64>,
    /// Requests left until the limit is full again, where the API says so.
    pub rate_limit_remaining: Option<u64>,
    /// What the exporter lets itself use, in thousandths of a request a minute.
    pub budget_milli_per_minute: u64,
    /// Time that polls waited for the budget, milliseconds.
    pub budget_wait_ms: u64,
    /// Walks that were cut at the cap on pages.
    pub pages_truncated: u64,
    /// Times that the polling was started again after it failed or hung.
    pub restarts: u64,
}

impl Default for Health {
    /// Nothing happened yet: every documented label value stands at 0.
    fn default() -> Self {
        let codes = |endpoint| CODES.map(|code| ((endpoint, Cow::Borrowed(code)), 0));
        Self {
            up: false,
            last_success: None,
            poll_duration_ms: None,
            requests: ENDPOINTS.into_iter().flat_map(codes).collect(),
            errors: ERRORS.map(|error| (error, 0)).into(),
            latency: ENDPOINTS.map(|endpoint| (endpoint, Latency::default())).into(),
            invalid: REASONS.map(|reason| (reason, 0)).into(),
            rate_limit: None,
            rate_limit_remaining: None,
            budget_milli_per_minute: 0,
            budget_wait_ms: 0,
            pages_truncated: 0,
            restarts: 0,
        }
    }
}

impl Health {
    /// Counts a request: `code` is the HTTP status, or says why there is none.
    pub fn requested(&mut self, endpoint: &'static str, code: Cow<'static, str>, took_ms: u64) {
        *self.requests.entry((endpoint, code)).or_default() += 1;
        self.latency.entry(endpoint).or_default().observe(took_ms);
    }

    /// Counts an error code of the API.
    pub fn refused(&mut self, error: &str) {
        let known = ERRORS.into_iter().find(|&known| known == error);
        *self.errors.entry(known.unwrap_or("other")).or_default() += 1;
    }

    /// Counts a row that could not be read.
    pub fn skipped(&mut self, reason: &'static str) {
        *self.invalid.entry(reason).or_default() += 1;
    }
}

/// How long requests took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// Requests per bucket (not cumulative); the last one is beyond the greatest bound.
    pub counts: [u64; LATENCY_BOUNDS_MS.len() + 1],
    /// Sum of all, milliseconds.
    pub sum_ms: u64,
}

impl Latency {
    /// Adds a request that took `ms`.
    pub fn observe(&mut self, ms: u64) {
        self.counts[LATENCY_BOUNDS_MS.partition_point(|&bound| bound < ms)] += 1;
        self.sum_ms = self.sum_ms.saturating_add(ms);
    }

    /// The mean of all, milliseconds.
    pub fn mean_ms(&self) -> u64 {
        self.sum_ms / self.counts.iter().sum::<u64>().max(1)
    }
}
