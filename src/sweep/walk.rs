//! Finding a moment in the list, and what the pages on the way prove.
//!
//! A walk rises in page number, whatever the order: rows that start meanwhile push the others on,
//! so a page may repeat rows of the one before and skips none. The page on which a moment stands is
//! guessed from the number of known calls on one side of it, and checked on arrival.

use std::collections::BTreeMap;

use super::ends::far_edge;
use super::landmarks::Landmarks;
use super::prints::fingerprint;
use super::{Census, Order, Page, Span, Spans};
use crate::call::{Moment, Timestamp};

/// What a request walks for. Each has its own place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Walk {
    /// The head of the list.
    Head,
    /// A gap of age 0; one of several that are filled at once.
    Fill(usize),
    /// A call to look at; one of several that are looked at once.
    Look(usize),
    /// A gap of a greater age, by its index in the read time.
    Again(usize),
}

/// The newest page of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Link {
    page: u32,
    /// What the list shows after this page lies beyond this second: before it in a list that is
    /// newest first, at or after it in one that is oldest first.
    edge: Timestamp,
    /// Where the unbroken reading of this walk began.
    start: Timestamp,
    /// When the oldest of its pages was asked for.
    asked_at: Moment,
    /// From the oldest to the newest row of the page, seconds.
    span_s: i64,
    n_rows: usize,
    fingerprint: u64,
    /// Whether it showed the same rows as the page before it: the list has ended there, or as many
    /// rows as a page has came in between the two requests. Or none, where that is not believed yet.
    repeats: bool,
    /// Whether the walk began at the first page.
    is_whole: bool,
}

impl Link {
    /// A page that repeats the one before it is told from an end by asking for that one again: where
    /// rows came in, it shows others by now.
    const fn next_page(&self) -> u32 {
        if self.repeats { self.page.saturating_sub(1) } else { self.page.saturating_add(1) }
    }
}

/// A search for the page on which a moment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seek {
    target: Timestamp,
    /// A page that lies before the moment in the walk.
    before: Option<u32>,
    /// A page that lies past it.
    past: Option<u32>,
    n_tries: u32,
}

/// The span of `initiatedAt` that a page, with the pages of its walk before it, shows completely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Which seconds.
    pub span: Span,
    /// As of when: the start of the oldest request it rests on, on the API's clock.
    pub asked_at: Moment,
}

/// What a page meant for its walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was proved, if anything.
    pub proof: Option<Proof>,
    /// Whether the walk has arrived at its target.
    pub has_arrived: bool,
    /// Whether the search was given up: the guess starts anew.
    pub is_cut: bool,
}

/// The places of all walks: hints that die with the process, since the promise needs none of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walks {
    /// The number of the first page.
    pub first_page: u32,
    /// Rows on a full page: a shorter one may be the last.
    page_rows: usize,
    /// Rows in the list, when its end was last seen.
    list_rows: usize,
    links: BTreeMap<Walk, Link>,
    seeks: BTreeMap<Walk, Seek>,
    landmarks: Landmarks,
}

/// Walks of one sort at once.
pub const LANES: usize = 10;
/// Steps of one search before it starts anew: twenty that double find any page of a million, and as
/// many that halve narrow it down.
const TRIES_MAX: u32 = 40;

impl Walks {
    /// At the start of a process nothing is known but the number of the first page.
    pub fn new(first_page: u32) -> Self {
        Self {
            first_page,
            page_rows: 1,
            list_rows: 0,
            links: BTreeMap::new(),
            seeks: BTreeMap::new(),
            landmarks: Landmarks::default(),
        }
    }

    /// Rows on a full page, as far as pages have shown it.
    pub const fn page_rows(&self) -> usize {
        self.page_rows
    }

    /// Which walk of a sort is to look for `target`: the one that does already, else one that looks
    /// for nothing.
    pub fn lane(
        &self,
        sort: fn(usize) -> Walk,
        target: Timestamp,
        is_taken: impl Fn(Walk) -> bool,
    ) -> Walk {
        let free = || (0..LANES).map(sort).filter(|walk| !is_taken(*walk));
        let target_of = |walk: &Walk| self.seeks.get(walk).map(|seek| seek.target);
        free()
            .find(|walk| target_of(walk) == Some(target))
            .or_else(|| free().find(|walk| target_of(walk).is_none()))
            .or_else(|| free().next())
            .unwrap_or(sort(0))
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
        // Any walk whose reading ends where this one has to begin is as good as its own.
        let reaches = |link: &Link| {
            let from_start = link.start.cmp(&target);
            link.edge == target
                && link.asked_at >= since
                && if order.is_newest_first() { from_start.is_ge() } else { from_start.is_le() }
        };
        // What a search read on its way is gone over in a page or two; to search anew takes many.
        let is_near = |link: &Link| {
            let (from, to) = (link.edge.min(target), link.edge.max(target));
            let is_ahead =
                if order.is_newest_first() { link.edge > target } else { link.edge < target };
            is_ahead
                && to.since_s(from) <= 2 * link.span_s
                && read.gaps(Span::new(from, to)).is_empty()
        };
        let own = self.links.get(&walk).filter(|link| link.asked_at >= since).copied();
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

    /// Takes a page of a walk: what it proves, and whether the walk has arrived. With `may_end` it is
    /// the last one if it is not full.
    pub fn take(
        &mut self,
        order: Order,
        may_end: bool,
        (walk, target): (Walk, Timestamp),
        (number, page): (u32, &Page),
        asked_at: Moment,
    ) -> Step {
        if page.n_rows() > self.page_rows {
            // Pages have become longer: no page begins any more where the one before it ended.
            self.links.clear();
            self.seeks.clear();
            self.landmarks.clear();
        }
        if let Some((oldest, _)) = page.ends() {
            self.landmarks.note(oldest, number);
        }
        let (proof, link, is_end) = self.prove(order, may_end, walk, number, page, asked_at);
        let (has_arrived, is_cut) = self.arrive(order, walk, target, number, link, is_end);
        if let Some(link) = link {
            self.links.insert(walk, link);
        }
        Step { proof, has_arrived, is_cut }
    }

    fn prove(
        &mut self,
        order: Order,
        may_end: bool,
        walk: Walk,
        number: u32,
        page: &Page,
        asked_at: Moment,
    ) -> (Option<Proof>, Option<Link>, bool) {
        let (n_rows, fingerprint) = (page.n_rows(), fingerprint(page));
        let prior = self.links.get(&walk).copied();
        let is_asked_again = prior.is_some_and(|link| link.repeats && link.next_page() == number);
        let is_next = prior.is_some_and(|link| link.page.checked_add(1) == Some(number));
        let chained = prior.filter(|_| is_next || is_asked_again);
        let repeats = prior.filter(|link| n_rows > 0 && link.fingerprint == fingerprint);
        if repeats.is_some_and(|link| number > link.page.saturating_add(1)) {
            // A list that shows its last page for every number past its end.
            return (None, None, false);
        }
        let before = prior.filter(|_| is_next && n_rows > 0 && repeats.is_none());
        self.learn_size(n_rows, before);
        // The first page, asked for again to tell an end, belongs to the reading before: a list that is
        // oldest first may have grown behind it since.
        let is_first = number == self.first_page && !is_asked_again;
        if n_rows == 0 && !is_first && !is_next {
            self.links.retain(|other, _| *other != walk || !is_asked_again);
            return (None, None, true);
        }
        let ends = page.ends();
        let newest_first = order.is_newest_first();
        let is_end = n_rows == 0 && is_first
            || is_asked_again && (repeats.is_some() || goes_no_further(order, chained, ends))
            || n_rows < self.page_rows && may_end;
        let Some(start) = self.start(order, is_first, chained, ends, asked_at) else {
            return (None, None, is_end);
        };
        // Rows, but none of them readable: the reading stands where it stood.
        let stands = chained.map_or(start, |link| link.edge);
        let edge = far_edge(order, ends, is_end.then_some(asked_at)).unwrap_or(stands);
        let before = chained.filter(|_| !is_first);
        // Where more than a page of rows came in meanwhile, the page shows nothing but what was read.
        let edge = before.map_or(edge, |link| {
            if newest_first { edge.min(link.edge) } else { edge.max(link.edge) }
        });
        let rests_on = before.map_or(asked_at, |link| link.asked_at.min(asked_at));
        if is_end {
            let pages = number.saturating_sub(self.first_page) as usize;
            self.list_rows = pages * self.page_rows + n_rows;
        }
        let is_whole = is_first || chained.is_some_and(|link| link.is_whole);
        // Page 0 may be another name of page 1.
        let repeats = is_next && (number > 1 && repeats.is_some() || n_rows == 0 && !is_end);
        let link = Link {
            page: number,
            edge,
            start,
            asked_at: rests_on,
            span_s: ends.map_or(0, |(oldest, newest)| newest.since_s(oldest)),
            n_rows,
            fingerprint,
            repeats,
            is_whole,
        };
        let (from, to) = if newest_first { (edge, start) } else { (start, edge) };
        let proof = (order.is_known() || is_end && is_whole).then_some(Proof {
            span: Span::new(from, to.min(rests_on.floor())),
            asked_at: rests_on,
        });
        (proof, Some(link), is_end)
    }

    /// Learns how many rows a full page has; one that is not the last is full, as `before`, the page
    /// before this one.
    fn learn_size(&mut self, n_rows: usize, before: Option<Link>) {
        let page_rows = before.map_or(self.page_rows, |link| self.page_rows.min(link.n_rows));
        self.page_rows = page_rows.max(n_rows);
    }

    /// Where the reading that ends with this page began; nowhere for a page without a readable row.
    fn start(
        &self,
        order: Order,
        is_first: bool,
        chained: Option<Link>,
        ends: Option<(Timestamp, Timestamp)>,
        asked_at: Moment,
    ) -> Option<Timestamp> {
        let newest_first = order.is_newest_first();
        if is_first {
            return Some(if newest_first { asked_at.floor() } else { Timestamp::MIN });
        }
        chained.map(|link| link.start).or_else(|| {
            let (oldest, newest) = ends?;
            Some(if newest_first {
                newest.plus_s(-order.slack_s())
            } else {
                oldest.plus_s(order.slack_s() + 1)
            })
        })
    }

    /// Notes on which side of its target a page lay.
    fn arrive(
        &mut self,
        order: Order,
        walk: Walk,
        target: Timestamp,
        number: u32,
        link: Option<Link>,
        is_end: bool,
    ) -> (bool, bool) {
        let newest_first = order.is_newest_first();
        let to_the_end = target == Timestamp::MAX;
        let (has_arrived, is_past) = match link {
            None => (false, true),
            Some(_) if to_the_end => (newest_first && order.is_known() || is_end, false),
            Some(link) if newest_first => {
                (link.edge < target && target <= link.start, link.start < target)
            }
            Some(link) => (link.start <= target && target < link.edge, link.start > target),
        };
        let old = self.seeks.remove(&walk).filter(|seek| seek.target == target);
        if has_arrived {
            return (true, false);
        }
        let old = old.unwrap_or(Seek { target, before: None, past: None, n_tries: 0 });
        if old.n_tries > TRIES_MAX {
            self.landmarks.clear();
            return (false, true);
        }
        // Close before the target the walk goes page by page, for as long as it takes.
        let near = !is_past
            && link.is_some_and(|link| {
                let away_s = link.edge.since_s(target).saturating_abs();
                away_s <= order.slack_s() || !order.is_known() || to_the_end && self.list_rows > 0
            });
        let (before, past) = if is_past {
            (old.before.filter(|&page| page < number), Some(number))
        } else {
            (Some(number), old.past.filter(|&page| page > number))
        };
        let n_tries = match (near, past) {
            (true, None) => 0,
            (true, Some(_)) => old.n_tries,
            (false, _) => old.n_tries + 1,
        };
        self.seeks.insert(walk, Seek { target, before, past, n_tries });
        (false, false)
    }
}

/// Whether a page that was asked for again, since none came after it, shows nothing beyond what it
/// showed.
fn goes_no_further(
    order: Order,
    after: Option<Link>,
    ends: Option<(Timestamp, Timestamp)>,
) -> bool {
    after.filter(|link| link.n_rows == 0).is_some_and(|link| {
        let far = far_edge(order, ends, None).unwrap_or(link.edge);
        if order.is_newest_first() { far >= link.edge } else { far <= link.edge }
    })
}

const fn leap(n_tries: u32) -> u32 {
    1 << if n_tries < 20 { n_tries } else { 20 }
}
