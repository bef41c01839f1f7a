//! How far a page reaches, and whether one that is not full may be the last one of the list.

use super::walk::Walk;
use super::{Order, Page, Span, Sweep};
use crate::call::{Moment, Timestamp};

impl Sweep {
    /// Not where a call is known that must stand beyond the page: then the API has begun to serve
    /// shorter pages. Nor where time that was never read would count as read for good: what is
    /// younger than the lookback is read again, and all else waits for the page beside it.
    pub(super) fn may_end(&self, page: &Page, asked_at: Moment) -> bool {
        let order = self.progress.order;
        let mut beyond = Span::new(self.progress.floor, asked_at.floor());
        if let Some((oldest, newest)) = page.ends() {
            let knows = if order.is_newest_first() {
                self.census.knows_before(oldest.plus_s(-order.slack_s()))
            } else {
                self.census.knows_after(newest.plus_s(order.slack_s()))
            };
            if knows {
                return false;
            }
            if order.is_known() && order.is_newest_first() {
                beyond.to = oldest.plus_s(order.slack_s() + 1);
            } else if order.is_known() {
                beyond.from = beyond.from.max(newest.plus_s(-order.slack_s()));
            }
        }
        let old: Timestamp = asked_at.floor().plus_s(-self.options.lookback_s);
        let old = Span::new(beyond.from, beyond.to.min(old));
        self.progress.read.covered().gaps(old).is_empty()
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

/// How far a reading reaches with a page whose rows have these ends, or with the end of the list as of
/// `end_at`; nowhere where no row could be read.
pub(super) fn far_edge(
    order: Order,
    ends: Option<(Timestamp, Timestamp)>,
    end_at: Option<Moment>,
) -> Option<Timestamp> {
    let newest_first = order.is_newest_first();
    match (end_at, ends) {
        (Some(_), _) if newest_first => Some(Timestamp::MIN),
        (Some(asked_at), _) => Some(asked_at.floor()),
        (None, Some((oldest, _))) if newest_first => Some(oldest.plus_s(order.slack_s() + 1)),
        (None, Some((_, newest))) => Some(newest.plus_s(-order.slack_s())),
        (None, None) => None,
    }
}
