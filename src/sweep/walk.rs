//! What pages prove that are read one after another.
//!
//! A walk rises in page number, whatever the order: rows that start meanwhile push the others on,
//! so a page may repeat rows of the one before and skips none.

use std::collections::BTreeMap;

use super::ends::Leaf;
use super::landmarks::Landmarks;
use super::search::Seek;
use super::{Order, Span};
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
pub(super) struct Link {
    pub(super) page: u32,
    /// What the list shows after this page lies beyond this second: before it in a list that is
    /// newest first, at or after it in one that is oldest first.
    pub(super) edge: Timestamp,
    /// Where the unbroken reading of this walk began.
    pub(super) start: Timestamp,
    /// When the oldest of its pages was asked for.
    pub(super) asked_at: Moment,
    /// From the oldest to the newest row of the page, seconds.
    pub(super) span_s: i64,
    n_rows: usize,
    fingerprint: u64,
    /// Whether it showed the same rows as the page before it: the list has ended there, or as many
    /// rows as a page has came in between the two requests. Or none, where that is not believed yet.
    pub(super) repeats: bool,
    /// Whether the walk began at the first page.
    pub(super) is_whole: bool,
}

impl Link {
    /// A page that repeats the one before it is told from an end by asking for that one again: where
    /// rows came in, it shows others by now.
    pub(super) const fn next_page(&self) -> u32 {
        if self.repeats { self.page.saturating_sub(1) } else { self.page.saturating_add(1) }
    }
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
    pub(super) page_rows: usize,
    /// Rows in the list, when its end was last seen.
    pub(super) list_rows: usize,
    pub(super) links: BTreeMap<Walk, Link>,
    pub(super) seeks: BTreeMap<Walk, Seek>,
    pub(super) landmarks: Landmarks,
}

/// Walks of one sort at once.
pub const LANES: usize = 10;
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

    /// Begins all walks anew.
    pub fn restart(&mut self) {
        self.links.clear();
        self.seeks.clear();
    }

    /// Takes a page of a walk: what it proves, and whether the walk has arrived. With `may_end` it is
    /// the last one if it is not full.
    pub fn take(
        &mut self,
        order: Order,
        may_end: bool,
        (walk, target): (Walk, Timestamp),
        leaf: &Leaf,
    ) -> Step {
        if leaf.n_rows > self.page_rows {
            // Pages have become longer: no page begins any more where the one before it ended.
            self.restart();
            self.landmarks.clear();
        }
        if let Some(ends) = leaf.ends {
            self.landmarks.note(ends.oldest, leaf.number);
        }
        let (proof, link, is_end) = self.prove(order, may_end, walk, leaf);
        let (has_arrived, is_cut) = self.arrive(order, (walk, target), leaf, link, is_end);
        if has_arrived && is_end {
            // Oldest first, rows that come in from now on may stand on this page; in no order, the next
            // reading begins with the first one.
            self.links.remove(&walk);
        } else if let Some(link) = link {
            self.links.insert(walk, link);
        }
        Step { proof, has_arrived, is_cut }
    }

    fn prove(
        &mut self,
        order: Order,
        may_end: bool,
        walk: Walk,
        leaf: &Leaf,
    ) -> (Option<Proof>, Option<Link>, bool) {
        let &Leaf { number, n_rows, fingerprint, ends, asked_at } = leaf;
        let prior = self.links.get(&walk).copied();
        let is_asked_again = prior.is_some_and(|link| link.repeats && link.next_page() == number);
        let is_next = prior.is_some_and(|link| link.page.checked_add(1) == Some(number));
        let chained = prior.filter(|_| is_next || is_asked_again);
        let repeats = prior.filter(|link| n_rows > 0 && link.fingerprint == fingerprint);
        if repeats.is_some_and(|link| number > link.page.saturating_add(1)) {
            // A list that shows its last page for every number past its end.
            return (None, None, false);
        }
        let full = prior.filter(|_| is_next && n_rows > 0 && repeats.is_none());
        self.learn_size(n_rows, full);
        // The first page, asked for again to tell an end, belongs to the reading before: a list that is
        // oldest first may have grown behind it since.
        let is_first = number == self.first_page && !is_asked_again;
        if n_rows == 0 && !is_first && !is_next {
            self.links.retain(|other, _| *other != walk || !is_asked_again);
            return (None, None, true);
        }
        let newest_first = order.is_newest_first();
        let is_end = n_rows == 0 && is_first
            || is_asked_again && (repeats.is_some() || goes_no_further(order, chained, leaf))
            || n_rows < self.page_rows && may_end;
        let Some(start) = begins_at(order, is_first, chained, leaf) else {
            return (None, None, is_end);
        };
        let before = chained.filter(|_| !is_first);
        let edge = reaches_to(order, is_end, before, start, leaf);
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
            span_s: ends.map_or(0, |ends| ends.newest.since_s(ends.oldest)),
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

    /// Learns how many rows a full page has: as the page before this one, since it is not the last.
    fn learn_size(&mut self, n_rows: usize, full: Option<Link>) {
        let page_rows = full.map_or(self.page_rows, |link| self.page_rows.min(link.n_rows));
        self.page_rows = page_rows.max(n_rows);
    }
}

/// Where the reading that ends with this page began; nowhere for a page without a readable row.
fn begins_at(
    order: Order,
    is_first: bool,
    chained: Option<Link>,
    leaf: &Leaf,
) -> Option<Timestamp> {
    if is_first {
        let newest_first = order.is_newest_first();
        return Some(if newest_first { leaf.asked_at.floor() } else { Timestamp::MIN });
    }
    chained.map(|link| link.start).or_else(|| Some(leaf.ends?.near(order)))
}

/// How far the reading reaches with this page; `before` is the page it continues.
fn reaches_to(
    order: Order,
    is_end: bool,
    before: Option<Link>,
    start: Timestamp,
    leaf: &Leaf,
) -> Timestamp {
    let newest_first = order.is_newest_first();
    let edge = match (is_end, leaf.ends) {
        (true, _) if newest_first => Timestamp::MIN,
        (true, _) => leaf.asked_at.floor(),
        (false, Some(ends)) => ends.far(order),
        // Rows, but none of them readable: the reading stands where it stood.
        (false, None) => before.map_or(start, |link| link.edge),
    };
    // Where more than a page of rows came in meanwhile, the page shows nothing but what was read.
    before.map_or(edge, |link| if newest_first { edge.min(link.edge) } else { edge.max(link.edge) })
}

/// Whether a page that was asked for again, since none came after it, shows nothing beyond what it
/// showed.
fn goes_no_further(order: Order, after: Option<Link>, leaf: &Leaf) -> bool {
    after.filter(|link| link.n_rows == 0).is_some_and(|link| {
        let far = leaf.ends.map_or(link.edge, |ends| ends.far(order));
        if order.is_newest_first() { far >= link.edge } else { far <= link.edge }
    })
}
