//! How an API may differ that keeps to its documents: every switch in the way rows are listed and
//! answers are given acts here.

use super::Options;

/// The order of `GET /calls`, by `initiatedAt`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As in the examples of the API's documents.
    #[default]
    NewestFirst,
    /// New rows come last.
    OldestFirst,
}

impl Order {
    /// The position, counted from the oldest of `total` rows, of the `nth` row of the list.
    pub(super) fn position(self, nth: usize, total: usize) -> usize {
        match self {
            Self::NewestFirst => total - 1 - nth,
            Self::OldestFirst => nth,
        }
    }
}

/// What a list says about its pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pagination {
    /// As in the API's documents.
    #[default]
    Full,
    /// `total_pages` is only this page or the next one.
    NextOnly,
    /// There is no `meta` at all.
    Absent,
}

/// What a list shows past its last page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PastEnd {
    /// No rows.
    #[default]
    Empty,
    /// The last page again.
    LastPage,
}

/// Which headers tell of the rate limit; the documents have two spellings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RateLimitHeaders {
    /// `X-Rate-Limit`, on all answers.
    #[default]
    Dashed,
    /// `X-RateLimit-Limit`, on all answers.
    Joined,
    /// `X-RateLimit-Limit`, on 429 only.
    JoinedOnRefusal,
    /// None at all, and no `Retry-After`.
    Absent,
}

impl RateLimitHeaders {
    /// The names of limit, remaining and reset, for an answer that is admitted or refused.
    pub(super) fn names(self, admitted: bool) -> Option<[&'static str; 3]> {
        const DASHED: [&str; 3] = ["x-rate-limit", "x-rate-limit-remaining", "x-rate-limit-reset"];
        const JOINED: [&str; 3] =
            ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"];
        match self {
            Self::Dashed => Some(DASHED),
            Self::Joined => Some(JOINED),
            Self::JoinedOnRefusal => (!admitted).then_some(JOINED),
            Self::Absent => None,
        }
    }
}

/// The rows on a page when `asked` for.
pub(super) fn per_page(options: &Options, asked: Option<u32>) -> u32 {
    asked.unwrap_or(options.per_page_default).min(options.per_page_max).max(1)
}

/// The page that is meant: pages are numbered from 1, and page 0 is the first one too.
pub(super) fn page(asked: Option<u32>) -> u32 {
    asked.unwrap_or(1).max(1)
}
