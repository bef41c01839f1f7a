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

/// The rows on a page when `asked` for.
pub(super) fn per_page(options: &Options, asked: Option<u32>) -> u32 {
    asked.unwrap_or(options.per_page_default).min(options.per_page_max).max(1)
}

/// The page that is meant: pages are numbered from 1, and page 0 is the first one too.
pub(super) fn page(asked: Option<u32>) -> u32 {
    asked.unwrap_or(1).max(1)
}
