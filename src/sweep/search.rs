//! The search for the page on which a moment stands: guessed from the number of known calls on one
//! side of it, and checked on arrival.

use super::ends::{Ends, Leaf};
use super::walk::{LANES, Link, Walk, Walks};
use super::{Census, Order, Span, Spans};
use crate::call::{Moment, Timestamp};

/// A search for the page on which a moment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seek {
    target: Timestamp,
    /// A page that lies before the moment in the walk.
    before: Option<u32>,
    /// A page that lies past it.
    past: Option<u32>,
    n_tries: u32,
    /// Whether all that is left is to go on page by page: the newest page lies past the moment by
    /// itself, and before it with those that it follows.
    goes_on: bool,
}

/// Steps of one search before it starts anew: twenty that double find any page of a million, and as
/// many that halve narrow it down.
const TRIES_MAX: u32 = 40;

impl Walks {
    /// Which walk of a sort is to look for `target`: the one that does already, else of those that look
    /// for nothing the one whose reading ended there, a new one, or the one that ended nearest: the
    /// others may be read on.
    pub fn lane(
        &self,
        sort: fn(usize) -> Walk,
        target: Timestamp,
        is_taken: impl Fn(Walk) -> bool,
    ) -> Walk {
        let free = || (0..LANES).map(sort).filter(|walk| !is_taken(*walk));
        let target_of = |walk: &Walk| self.seeks.get(walk).map(|seek| seek.target);
        let distance = |walk: &Walk| {
            let link = self.links.get(walk);
            link.map_or(1, |link| link.edge.0.abs_diff(target.0).saturating_mul(2))
        };
        free()
            .find(|walk| target_of(walk) == Some(target))
            .or_else(|| free().filter(|walk| target_of(walk).is_none()).min_by_key(distance))
            .or_else(|| free().next())
            .unwrap_or(sort(0))
    }

    /// The page at which a list that is newest first is read on from its head: the first one, or the
    /// next one while those that were read show no second completely.
    pub fn head_page(&self) -> u32 {
        let head = self.links.get(&Walk::Head);
        let head = head.filter(|link| link.is_whole && link.edge >= link.start);
        head.map_or(self.first_page, Link::next_page)
    }

    /// The next page of a walk that has to arrive at `target`, resting on no page that was asked
    /// for before `since`.
    pub fn seek(
        &mut self,
        order: Order,
        (census, read): (&Census, &Spans),
        walk: Walk,
        target: Timestamp,
        since: Moment,
    ) -> u32 {
        let newest_first = order.is_newest_first();
        let begins_before = |link: &Link| {
            if newest_first { link.start >= target } else { link.start <= target }
        };
        // What was asked for before the moment itself cannot show what came after it.
        let is_fresh = |link: &Link| {
            link.asked_at >= since && (target == Timestamp::MAX || link.asked_at.floor() > target)
        };
        // Any walk whose reading ends where this one has to begin is as good as its own.
        let reaches = |link: &Link| link.edge == target && is_fresh(link) && begins_before(link);
        // What a search read on its way is gone over in a page or two; to search anew takes many.
        let is_near = |link: &Link| {
            let (from, to) = (link.edge.min(target), link.edge.max(target));
            let is_ahead = if newest_first { link.edge > target } else { link.edge < target };
            is_ahead
                && begins_before(link)
                && to.since_s(from) <= 2 * link.span_s
                && read.gaps(Span::new(from, to)).is_empty()
        };
        let own = self.links.get(&walk).copied().filter(is_fresh);
        if !order.is_known() {
            // Only the whole list proves anything.
            return own.filter(|link| link.is_whole).map_or(self.first_page, |it| it.next_page());
        }
        let link = own
            .filter(|link| link.repeats || reaches(link) || is_near(link))
            .or_else(|| self.links.values().copied().find(reaches));
        if let Some(link) = link {
            self.links.insert(walk, link);
            return link.next_page();
        }
        if own.is_none() {
            self.links.remove(&walk);
        }
        let seek = self.seeks.get(&walk).copied().filter(|seek| seek.target == target);
        if let (Some(link), Some(Seek { goes_on: true, .. })) = (own, seek) {
            return link.next_page();
        }
        match seek.map(|seek| (seek.before, seek.past, seek.n_tries)) {
            None | Some((None, None, _)) => self.guess(order, census, target),
            Some((None, Some(past), n)) => past.saturating_sub(leap(n)).max(self.first_page),
            Some((Some(before), None, n)) => before.saturating_add(leap(n)),
            Some((Some(before), Some(past), _)) if past <= before + 1 => {
                let chained = own.is_some_and(|link| link.page == before);
                if chained { before + 1 } else { before }
            }
            Some((Some(before), Some(past), _)) => before.midpoint(past),
        }
    }

    fn guess(&self, order: Order, census: &Census, target: Timestamp) -> u32 {
        let newer = census.count(Span::new(target, Timestamp::MAX));
        let older = || self.list_rows.saturating_sub(1).saturating_sub(newer);
        let rows_before = if order.is_newest_first() { newer } else { older() };
        let pages = u32::try_from(rows_before / self.page_rows).unwrap_or(u32::MAX);
        let guess = self.first_page.saturating_add(pages);
        // Among known calls the count is better than what was seen some time ago.
        if census.count(Span::new(Timestamp::MIN, target)) >= self.page_rows {
            return guess;
        }
        self.landmarks.page_of(order, target, guess).max(self.first_page)
    }

    /// Notes on which side of its target a page lay.
    pub(super) fn arrive(
        &mut self,
        order: Order,
        (walk, target): (Walk, Timestamp),
        leaf: &Leaf,
        link: Option<Link>,
        is_end: bool,
    ) -> (bool, bool) {
        if !order.is_known() {
            return (is_end && link.is_some_and(|link| link.is_whole), false);
        }
        let number = leaf.number;
        let newest_first = order.is_newest_first();
        let to_the_end = target == Timestamp::MAX;
        let (has_arrived, is_past) = match link {
            None => (false, true),
            Some(link) if to_the_end => (is_end || newest_first && link.edge < link.start, false),
            Some(link) if newest_first => {
                (link.edge < target && target <= link.start, link.start < target)
            }
            Some(link) => (link.start <= target && target < link.edge, link.start > target),
        };
        let old = self.seeks.remove(&walk).filter(|seek| seek.target == target);
        if has_arrived {
            return (true, false);
        }
        let old =
            old.unwrap_or(Seek { target, before: None, past: None, n_tries: 0, goes_on: false });
        if old.n_tries > TRIES_MAX {
            self.landmarks.clear();
            return (false, true);
        }
        // Close before the target the walk goes page by page, for as long as it takes.
        let is_at = |ends: Ends| {
            if newest_first { ends.oldest < target } else { ends.newest >= target }
        };
        let near = !is_past && (leaf.ends.is_some_and(is_at) || to_the_end && self.list_rows > 0);
        let (before, past) = if is_past {
            (old.before.filter(|&page| page < number), Some(number))
        } else {
            (Some(number), old.past.filter(|&page| page > number))
        };
        let goes_on = !is_past && (old.goes_on || old.past.is_some_and(|past| past <= number));
        let n_tries = match (near || goes_on, past) {
            (true, None) => 0,
            (true, Some(_)) => old.n_tries,
            (false, _) => old.n_tries + 1,
        };
        self.seeks.insert(walk, Seek { target, before, past, n_tries, goes_on });
        (false, false)
    }
}

const fn leap(n_tries: u32) -> u32 {
    1 << if n_tries < 20 { n_tries } else { 20 }
}
