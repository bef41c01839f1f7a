//! The world: every call there is at a given time, and the list of them.

use super::arrivals;
use super::attachments::Attachments;
use super::cast::Cast;
use super::faults::LATE_MAX_MS;
use super::filter::Filter;
use super::outline::{Fate, Outline};
use super::rng::Rng;
use super::row::{self, Row};
use super::{Fault, Options, Order};
use crate::call::{Moment, Timestamp};

/// All calls of the simulated app.
///
/// What it shows is a function of the options, the start and the time asked about. Of each call it
/// keeps 16 bytes; the rest is drawn anew whenever it is shown.
#[derive(Debug)]
pub struct World {
    options: Options,
    start: Timestamp,
    /// Calls in order of `initiatedAt`, up to the last second that was asked about.
    calls: Vec<Key>,
    /// Every second before this one is in `calls`.
    next_second: i64,
}

/// Enough to draw the call.
#[derive(Clone, Copy, Debug)]
struct Key {
    initiated_at: i64,
    nth: u32,
}

/// Which of the known calls are in the list at a given time.
struct Visible {
    /// So many of the oldest, whatever their delay.
    n_settled: usize,
    /// Those of the rest that have appeared, oldest first.
    newest: Vec<Key>,
}

impl Visible {
    fn n(&self) -> usize {
        self.n_settled + self.newest.len()
    }
}

/// One page of the list.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) rows: Vec<Row>,
    /// Rows that the filter admits, on all pages.
    pub(super) total: usize,
}

impl World {
    /// A world whose history ends at `start`.
    pub fn new(options: Options, start: Timestamp) -> Self {
        let next_second = start.0 - i64::from(options.history_s);
        Self { options, start, calls: Vec::new(), next_second }
    }

    /// What the world is like.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// When its history ended and its present began.
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// One page of the list as it is at `now`.
    pub(super) fn list(
        &mut self,
        now: Moment,
        filter: &Filter,
        page: u32,
        per_page: u32,
    ) -> Listing {
        let at = now.floor().0;
        self.reach(at);
        let visible = self.visible(now);
        let skip = (page as usize - 1).saturating_mul(per_page as usize);
        let window = skip..skip.saturating_add(per_page as usize);
        let order = self.options.order;
        let positions = (0..visible.n()).map(|nth| order.position(nth, visible.n()));
        if *filter == Filter::default() {
            let rows = positions
                .skip(window.start)
                .take(per_page as usize)
                .map(|position| self.row(self.key(&visible, position), at))
                .collect();
            return Listing { rows, total: visible.n() };
        }
        let (mut rows, mut total) = (Vec::new(), 0);
        for position in positions {
            let outline = self.outline(self.key(&visible, position));
            if !filter.admits_outline(&outline, at) {
                continue;
            }
            let mut shown = None;
            if filter.needs_row() {
                let row = Row::at(&self.options, &outline, at);
                if !filter.admits_row(&row) {
                    continue;
                }
                shown = Some(row);
            }
            if window.contains(&total) {
                rows.push(shown.unwrap_or_else(|| Row::at(&self.options, &outline, at)));
            }
            total += 1;
        }
        Listing { rows, total }
    }

    /// The call with this session id as it is at `now`.
    pub(super) fn find(&mut self, now: Moment, session_id: &str) -> Option<Row> {
        self.reach(now.floor().0);
        let at = now.floor().0;
        // Without a time in its id it is the newest of a meeting's calls.
        let (from, to) = match row::initiated_at_of(session_id) {
            None => (0, i64::MAX),
            Some(second) => (self.calls.partition_point(|key| key.initiated_at < second), second),
        };
        let to = self.calls.partition_point(|key| key.initiated_at <= to.min(at));
        self.calls[from.min(to)..to]
            .iter()
            .rev()
            .map(|&key| self.outline(key))
            .filter(|outline| self.is_listed(outline, now))
            .find(|outline| row::session_id(&self.options, outline) == session_id)
            .map(|outline| Row::at(&self.options, &outline, at))
    }

    /// Whether the list shows it at `now`.
    fn is_listed(&self, outline: &Outline, now: Moment) -> bool {
        outline.appears_at <= now && !self.has_vanished(outline, now.floor().0)
    }

    /// Whether it is gone, two to four minutes after nothing about it changed any more.
    fn has_vanished(&self, outline: &Outline, at: i64) -> bool {
        let mut rng = Rng::of(&[outline.key, 5]);
        if !rng.permille(self.options.share(Fault::Vanishing)) {
            return false;
        }
        let late = Attachments::of(&self.options, outline).last_at();
        let last_at = late.into_iter().chain(outline.final_at()).max();
        last_at.is_some_and(|last_at| last_at + 120 + i64::from(rng.below(121)) <= at)
    }

    /// Outlines of the known calls initiated at or after `from` that the list has shown at `now`.
    pub(super) fn outlines(&self, now: Moment, from: Timestamp) -> impl Iterator<Item = Outline> {
        let first = self.calls.partition_point(|key| key.initiated_at < from.0);
        self.calls[first..]
            .iter()
            .take_while(move |key| key.initiated_at <= now.floor().0)
            .map(|&key| self.outline(key))
            .filter(move |outline| outline.appears_at <= now)
    }

    /// When anything changes next after `now`; `None` when the world has come to rest.
    pub fn next_event_at(&mut self, now: Moment) -> Option<Moment> {
        let at = now.floor().0;
        self.reach(at);
        let known = self.calls.iter().map(|&key| self.outline(key));
        let known = known.filter_map(|outline| self.next_event_of(&outline, now)).min();
        known.into_iter().chain(self.next_arrival()).min()
    }

    /// The next change of one call after `now`.
    fn next_event_of(&self, outline: &Outline, now: Moment) -> Option<Moment> {
        let at = now.floor().0;
        if now < outline.appears_at {
            return Some(outline.appears_at);
        }
        let late = Attachments::of(&self.options, outline);
        if at >= outline.last_at() && late.last_at().is_none_or(|last_at| at >= last_at) {
            return None;
        }
        let mut times: Vec<i64> = late.appearances().chain([outline.last_at()]).collect();
        if let Fate::Talk { started_at, .. } = outline.fate {
            let stays = Cast::of(outline).devices.into_iter().filter_map(|device| device.stay);
            times.extend(stays.flat_map(|stay| [stay.from, stay.until]).chain([started_at]));
            if self.options.live_totals && (started_at..outline.last_at()).contains(&at) {
                times.push(at + 1);
            }
        }
        times.into_iter().filter(|&time| time > at).min().map(|time| Timestamp(time).start())
    }

    /// When the first call beyond those known appears, if there is one.
    fn next_arrival(&self) -> Option<Moment> {
        if self.options.calls_per_day == 0 {
            return None;
        }
        (self.next_second..=self.last_second()).find_map(|second| {
            let keys = (0..arrivals::calls_in(&self.options, second))
                .map(|nth| Key { initiated_at: second, nth });
            keys.map(|key| self.outline(key).appears_at).min()
        })
    }

    fn last_second(&self) -> i64 {
        self.options.stop_after_s.map_or(i64::MAX, |s| self.start.0.saturating_add(i64::from(s)))
    }

    /// Draws the calls up to this second: they are the known ones from then on.
    pub(super) fn reach(&mut self, second: i64) {
        for second in self.next_second..=second.min(self.last_second()) {
            let n = arrivals::calls_in(&self.options, second);
            self.calls.extend((0..n).map(|nth| Key { initiated_at: second, nth }));
            self.next_second = second + 1;
        }
    }

    /// The calls that the list shows at `now`, as far as they are known.
    fn visible(&self, now: Moment) -> Visible {
        let (options, at) = (&self.options, now.floor().0);
        let late_max_ms = if options.share(Fault::LateRow) > 0 { LATE_MAX_MS } else { 0 };
        let delay_max_ms = i64::from(options.row_delay_max_ms) + i64::from(late_max_ms);
        let is_strict = matches!(options.order, Order::NewestFirst | Order::OldestFirst);
        let n_settled = if is_strict && options.share(Fault::Vanishing) == 0 {
            let has_appeared =
                |key: &Key| Timestamp(key.initiated_at).start().plus_ms(delay_max_ms) <= now;
            self.calls.partition_point(has_appeared)
        } else {
            0
        };
        let known = self.calls[n_settled..].iter().take_while(|key| key.initiated_at <= at);
        let listed = known.filter(|&&key| self.is_listed(&self.outline(key), now));
        let mut newest: Vec<Key> = listed.copied().collect();
        if !is_strict {
            newest.sort_by_cached_key(|&key| options.order.rank(options, &self.outline(key), at));
        }
        Visible { n_settled, newest }
    }

    fn key(&self, visible: &Visible, position: usize) -> Key {
        match position.checked_sub(visible.n_settled) {
            None => self.calls[position],
            Some(nth) => visible.newest[nth],
        }
    }

    fn outline(&self, key: Key) -> Outline {
        Outline::of(&self.options, key.initiated_at, key.nth)
    }

    fn row(&self, key: Key, at: i64) -> Row {
        Row::at(&self.options, &self.outline(key), at)
    }
}
