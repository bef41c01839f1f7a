//! How far a page reaches, and whether one that is not full may be the last one of the list.

use super::prints::fingerprint;
use super::walk::Walk;
use super::{Order, Page, Span, Sweep};
use crate::call::{Moment, Timestamp};

/// A page, as a walk takes it.
#[derive(Clone, Copy, Debug)]
pub struct Leaf {
    pub(super) number: u32,
    pub(super) n_rows: usize,
    pub(super) fingerprint: u64,
    /// None without a readable row.
    pub(super) ends: Option<Ends>,
    pub(super) asked_at: Moment,
}

/// The ends of a page: its own, and those of the seconds of which each row stands on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub(super) oldest: Timestamp,
    pub(super) newest: Timestamp,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

impl Ends {
    /// From where on the pages before it are not needed.
    pub(super) fn near(self, order: Order) -> Timestamp {
        if order.is_newest_first() { self.to } else { self.from }
    }

    /// Up to where the pages after it are not needed.
    pub(super) fn far(self, order: Order) -> Timestamp {
        if order.is_newest_first() { self.from } else { self.to }
    }
}

impl Sweep {
    pub(super) fn leaf(&self, number: u32, page: &Page, asked_at: Moment) -> Leaf {
        let (slack_s, margin_s) = (self.progress.order.slack_s(), self.margin_s());
        let ends = page.ends().map(|(oldest, newest)| {
            let (from, to) = (oldest.plus_s(slack_s + 1), newest.plus_s(-slack_s));
            let at_oldest = self.unread(Span::new(from, oldest.plus_s(margin_s + 1)), asked_at);
            let at_newest = self.unread(Span::new(newest.plus_s(-margin_s), to), asked_at);
            Ends {
                oldest,
                newest,
                from: at_oldest.last().map_or(from, |gap| gap.to),
                to: at_newest.first().map_or(to, |gap| gap.from),
            }
        });
        let (n_rows, fingerprint) = (page.n_rows(), fingerprint(page));
        Leaf { number, n_rows, fingerprint, ends, asked_at }
    }

    /// How far from its ends a page says nothing of old time that nobody has read, seconds.
    ///
    /// Such time is read but once, and disorder is seen inside of pages only: two rows that changed
    /// places where a page ends would not be noticed in time. A tenth of the lookback at most: under
    /// a short one each delay leaves such time behind, and must not grow by that.
    pub(super) fn margin_s(&self) -> i64 {
        Order::SLACK_S_MIN.min(self.options.lookback_s / 10)
    }

    /// Not where a call is known, or was once shown, that must stand beyond the page: then the API has
    /// begun to serve shorter pages. Nor where time that was never read would count as read for good:
    /// what is younger than the lookback is read again, and all else waits for the page beside it.
    pub(super) fn may_end(&self, page: &Page, asked_at: Moment) -> bool {
        let order = self.progress.order;
        let mut beyond = Span::new(self.progress.floor, asked_at.floor());
        if let Some((oldest, newest)) = page.ends() {
            let shown = self.hints.shown;
            let goes_on = if order.is_newest_first() {
                let edge = oldest.plus_s(-order.slack_s());
                self.census.knows_before(edge) || shown.is_some_and(|it| it.0 < edge)
            } else {
                let edge = newest.plus_s(order.slack_s());
                self.census.knows_after(edge) || shown.is_some_and(|it| it.1 > edge)
            };
            if goes_on {
                return false;
            }
            if order.is_known() && order.is_newest_first() {
                beyond.to = oldest.plus_s(order.slack_s() + 1);
            } else if order.is_known() {
                beyond.from = beyond.from.max(newest.plus_s(-order.slack_s()));
            }
        }
        self.unread(beyond, asked_at).is_empty()
    }

    /// What is older than the lookback and was never read.
    pub(super) fn unread(&self, within: Span, asked_at: Moment) -> Vec<Span> {
        let old = asked_at.floor().plus_s(-self.options.lookback_s);
        let old = Span::new(within.from.max(self.progress.floor), within.to.min(old));
        self.progress.read.covered().gaps(old)
    }

    /// Whether the page is to be asked for once more, since it is not full and not the last one: an
    /// answer that lacks rows by mistake is rarely given twice.
    pub(super) fn doubts(&mut self, walk: Walk, page: &Page, may_end: bool) -> bool {
        let is_full = page.n_rows() >= self.hints.walks.page_rows();
        if is_full || may_end || self.hints.doubted.remove(&walk) {
            return false;
        }
        self.hints.doubted.insert(walk)
    }
}
