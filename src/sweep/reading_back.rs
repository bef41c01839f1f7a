//! How far a long first read has come.

use super::{Span, Sweep};
use crate::call::Timestamp;
use crate::ledger::Counter;

/// The state of a first read that goes back to an epoch in the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadingBack {
    /// The epoch.
    pub to: Timestamp,
    /// Calls read so far.
    pub n_read: u64,
    /// About how many there are, if the rest of the time held as many calls as what was read.
    pub n_about: u64,
    /// About how many requests are left.
    pub n_requests_left: u64,
}

impl Sweep {
    /// How far the first read has come; nothing once it is complete or before it began.
    pub fn reading_back(&self) -> Option<ReadingBack> {
        let progress = self.progress();
        let covered = progress.read.covered();
        let newest = covered.newest().filter(|_| !progress.complete)?.to;
        let seconds = |from: Timestamp, to: Timestamp| to.since_s(from).max(0).unsigned_abs();
        let read_s: u64 =
            covered.iter().map(|span| seconds(span.from.max(progress.epoch), span.to)).sum();
        let all_s = seconds(progress.epoch, newest);
        let n_read = self.totals().sum(Counter::Initiated);
        // Calls on pages that proved nothing, as those that tell the number of the first one.
        let beyond = covered.gaps(Span::new(progress.epoch, Timestamp::MAX));
        let n_beyond: usize = beyond.into_iter().map(|gap| self.census.count(gap)).sum();
        let n_within = n_read.saturating_sub(n_beyond as u64);
        let n_about = u128::from(n_within) * u128::from(all_s) / u128::from(read_s.max(1));
        let n_about = u64::try_from(n_about).unwrap_or(u64::MAX).max(n_read);
        let page_rows = (self.hints.walks.page_rows() as u64).max(1);
        let n_requests_left = (n_about - n_read).div_ceil(page_rows);
        Some(ReadingBack { to: progress.epoch, n_read, n_about, n_requests_left })
    }
}
