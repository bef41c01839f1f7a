//! What the simulated world is like.

use std::collections::{BTreeMap, BTreeSet};

use super::{Fault, Order, Pagination, PastEnd, Quirk, RateLimitHeaders};

/// Settings of the simulated world and of the API that shows it. Plain data: zeros are safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The same seed and the same start make the same calls.
    pub seed: u64,
    /// Calls initiated on a mean day.
    pub calls_per_day: u32,
    /// Whether as many begin by night as by day; otherwise there are more by day (UTC).
    pub is_steady: bool,
    /// Seconds of past calls that exist at the start.
    pub history_s: u32,
    /// No call is initiated later than this many seconds after the start, so that the world comes
    /// to rest; `None`: calls go on for ever.
    pub stop_after_s: Option<u32>,
    /// A row appears up to this many milliseconds after the second in `initiatedAt` began.
    pub row_delay_max_ms: u32,
    /// Length of rings, talks and late deliveries in thousandths of the usual: a test that waits
    /// for rest makes it small.
    pub duration_scale_permille: u32,
    /// Of 1,000 answered calls, how many stay `ongoing` for ever. Nothing about them changes after
    /// the time at which they should have ended.
    pub never_ending_permille: u32,
    /// Whether recordings and transcriptions appear some time after the end of the call; otherwise
    /// with the end.
    pub late_recordings: bool,
    /// The longest such delay in seconds, before [`Self::duration_scale_permille`].
    pub recording_delay_max_s: u32,
    /// Whether `ongoing` rows show totals that grow; otherwise 0 until the end.
    pub live_totals: bool,
    /// In which order `GET /calls` lists.
    pub order: Order,
    /// What a list says about its pages.
    pub pagination: Pagination,
    /// What it shows past its last page.
    pub past_end: PastEnd,
    /// Which headers tell of the rate limit.
    pub rate_limit_headers: RateLimitHeaders,
    /// Rows on a page where the request does not say.
    pub per_page_default: u32,
    /// Most rows on a page; a larger `perPage` is clamped to it.
    pub per_page_max: u32,
    /// The app whose calls these are.
    pub app_id: String,
    /// The key that requests must carry in the header `apikey`.
    pub api_key: String,
    /// Requests per minute; 0 turns the limit off.
    pub rate_limit: u32,
    /// How else the API differs from its documents.
    pub quirks: BTreeSet<Quirk>,
    /// What goes wrong, each in so many thousandths of the cases.
    pub faults: BTreeMap<Fault, u32>,
    /// Milliseconds of real time that each answer takes.
    pub latency_ms: u32,
}

impl Default for Options {
    /// A busy app on the free plan (500 requests a minute), with two days of history.
    fn default() -> Self {
        Self {
            seed: 1,
            calls_per_day: 40_000,
            is_steady: false,
            history_s: 2 * 86_400,
            stop_after_s: None,
            row_delay_max_ms: 1000,
            duration_scale_permille: 1000,
            never_ending_permille: 0,
            late_recordings: true,
            recording_delay_max_s: 600,
            live_totals: true,
            order: Order::NewestFirst,
            pagination: Pagination::Full,
            past_end: PastEnd::Empty,
            rate_limit_headers: RateLimitHeaders::Dashed,
            per_page_default: 30,
            per_page_max: 100,
            app_id: "0123456789abcdef".into(),
            api_key: "simulated-key-simulated-key-simulated-ke".into(),
            rate_limit: 500,
            quirks: BTreeSet::new(),
            faults: BTreeMap::new(),
            latency_ms: 0,
        }
    }
}

impl Options {
    /// Says in two plain sentences what is simulated.
    pub fn describe(&self) -> String {
        let rhythm = if self.is_steady {
            "as many by night as by day"
        } else {
            "busier by day than by night"
        };
        let end = match self.stop_after_s {
            None => String::new(),
            Some(s) => format!(", the last of them no later than {s} s after the start"),
        };
        format!(
            "A simulated app with about {} calls a day, {rhythm}, and {} hours of past calls{end}. \
             Calls and meetings, audio and video, of 1 to 50 people: two in three of those that \
             ring are answered, they last 6 minutes on average, and one in ten is recorded.",
            self.calls_per_day,
            self.history_s / 3600,
        )
    }

    /// Whether the API has this quirk.
    pub(super) fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }

    /// In how many of 1,000 cases this goes wrong.
    pub(super) fn share(&self, fault: Fault) -> u32 {
        self.faults.get(&fault).copied().unwrap_or_default()
    }

    /// `seconds` by [`Self::duration_scale_permille`].
    pub(super) fn scaled(&self, seconds: u32) -> u32 {
        let scaled = u64::from(seconds) * u64::from(self.duration_scale_permille) / 1000;
        u32::try_from(scaled).unwrap_or(u32::MAX)
    }
}
