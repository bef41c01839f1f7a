//! What there is to do beside the poll: looks, gaps and re-reads, one by one or several at once.

use super::looks::LookKind;
use super::plan::{Ask, Purpose, Sweep};
use super::walk::{LANES, Walk};
use super::{Request, Span};
use crate::call::{Moment, Timestamp};

impl Sweep {
    /// Another request that may be under way together with `asks`. All of them begin at one moment;
    /// their answers are awaited, and then taken one after another.
    ///
    /// The order in which the API answers them is unknown, so none of them continues another, and
    /// [`super::Digest::leave_out`] keeps their rows apart.
    pub fn plan_beside(&mut self, now: Moment, asks: &[Ask]) -> Option<Ask> {
        let is_alone = |ask: &Ask| {
            // The first Get Call shows whether there is any use in others.
            ask.purpose.is_poll()
                || matches!(ask.purpose, Purpose::Get(_)) && self.hints.get_works.is_none()
        };
        let has_room = asks.len() < LANES && self.progress.order.is_known();
        if !has_room || asks.is_empty() || asks.iter().any(is_alone) {
            return None;
        }
        self.work(now, asks)
    }

    /// The most important thing to do beside the poll that `beside` does not do already. Looks and what
    /// has to be read take turns, by what was answered last: on a short budget, looks that always came
    /// first would leave nothing for the past. What is asked together is one turn.
    pub(super) fn work(&mut self, now: Moment, beside: &[Ask]) -> Option<Ask> {
        if self.hints.has_looked {
            return self.due_reading(now, beside).or_else(|| self.due_look(now, beside));
        }
        self.due_look(now, beside).or_else(|| self.due_reading(now, beside))
    }

    /// The look that has been due for longest, of open calls before final ones.
    fn due_look(&mut self, now: Moment, beside: &[Ask]) -> Option<Ask> {
        let margin_s = self.margin_s();
        for kind in [LookKind::Open, LookKind::Settling] {
            let is_far = |second| beside.iter().all(|ask| self.is_far(ask, second));
            // Near old time that nobody has read a look would have to read across the margin, as the
            // reading of that time does anyway.
            let around = |at: Timestamp| Span::new(at.plus_s(-margin_s), at.plus_s(margin_s + 1));
            let is_covered = |second| self.unread(around(second), now).is_empty();
            let can_be_asked =
                |(_, second): &(Moment, Timestamp)| is_far(*second) && is_covered(*second);
            let due = self.agenda.due(kind, now).find(can_be_asked);
            let look = due.map(|(since, second)| self.look(kind, second, since, now, beside));
            if let Some(look) = look.filter(|ask| is_new(ask, beside)) {
                return Some(look);
            }
        }
        None
    }

    /// The newest gap, and if there is none, time that is to be read again at a greater age.
    fn due_reading(&mut self, now: Moment, beside: &[Ask]) -> Option<Ask> {
        let covered = self.progress.read.covered();
        let newest = covered.newest()?.to;
        let gaps = covered.gaps(Span::new(self.progress.floor, newest));
        let is_filled = |gap: &Span| {
            let own = self.target(*gap);
            let fills =
                |ask: &Ask| matches!(ask.purpose, Purpose::Gap { target, .. } if target == own);
            beside.iter().any(fills)
        };
        let left: Vec<Span> = gaps.into_iter().rev().filter(|gap| !is_filled(gap)).collect();
        for gap in left {
            let target = self.target(gap);
            let walk = self.lane(Walk::Fill, target, beside);
            let ask = self.walk_to(Purpose::Gap { walk, target }, Moment::MIN);
            if is_new(&ask, beside) {
                return Some(ask);
            }
        }
        for (age_idx, gap) in self.ripe_gaps(now, newest, beside) {
            let target = self.target(gap);
            // Pages asked for before the near end of the gap had reached its age prove nothing.
            let near =
                if self.progress.order.is_newest_first() { gap.to } else { gap.from.plus_s(1) };
            let since = near.plus_s(self.progress.read.by_age[age_idx].0).start();
            let ask = self.walk_to(Purpose::Again { age_idx, target }, since);
            if is_new(&ask, beside) {
                return Some(ask);
            }
        }
        None
    }

    /// Whether the page that `ask` is after is not the one on which this second stands, too.
    fn is_far(&self, ask: &Ask, second: Timestamp) -> bool {
        match &ask.purpose {
            Purpose::Look { second: other, .. } => {
                let between = Span::new(second.min(*other), second.max(*other));
                self.census.count(between) >= self.hints.walks.page_rows()
            }
            Purpose::Get(key) => key.initiated_at != second,
            Purpose::FirstPage
            | Purpose::Head { .. }
            | Purpose::Gap { .. }
            | Purpose::Again { .. } => true,
        }
    }

    fn look(
        &mut self,
        kind: LookKind,
        second: Timestamp,
        since: Moment,
        now: Moment,
        beside: &[Ask],
    ) -> Ask {
        let is_first_try = !self.hints.n_missed.contains_key(&second);
        if is_first_try
            && self.hints.get_works != Some(false)
            && let Some(key) = self.agenda.far_call(second, now)
        {
            let request = Request::Get { session_id: key.session_id.clone() };
            return Ask { request, purpose: Purpose::Get(key) };
        }
        let target = self.target(Span::second(second));
        let walk = self.lane(Walk::Look, target, beside);
        self.walk_to(Purpose::Look { kind, second, walk, target }, since)
    }

    /// Per greater age the newest gap that is worth a request: it holds a page of known calls, or is
    /// older than its age by an eighth. Of the last age, which lets calls go, the oldest such gap if it
    /// is late: else those behind it would wait for ever where the budget is short.
    fn ripe_gaps(&self, now: Moment, newest: Timestamp, beside: &[Ask]) -> Vec<(usize, Span)> {
        let is_read = |idx: usize| {
            beside
                .iter()
                .any(|ask| matches!(ask.purpose, Purpose::Again { age_idx, .. } if age_idx == idx))
        };
        let last_idx = self.progress.read.by_age.len() - 1;
        let ages = self.progress.read.by_age.iter().enumerate().skip(1);
        let ripe = ages.filter(|(age_idx, _)| !is_read(*age_idx)).filter_map(|(age_idx, it)| {
            let (age, spans) = it;
            let until = self.on_grid(now, *age).min(newest);
            let gaps = spans.gaps(Span::new(self.progress.floor, until));
            let is_late = |gap: &Span| until.since_s(gap.from) > age / 8;
            let is_worth = |gap: &Span| {
                self.census.count(*gap) >= self.hints.walks.page_rows() || is_late(gap)
            };
            let mut worth = gaps.into_iter().filter(is_worth);
            let oldest = worth.next()?;
            let is_first = age_idx == last_idx && is_late(&oldest);
            let gap = if is_first { oldest } else { worth.next_back().unwrap_or(oldest) };
            Some((is_first, (age_idx, gap)))
        });
        // Calls that are let go must not wait for what only makes figures fresh.
        let mut gaps: Vec<_> = ripe.collect();
        gaps.sort_by_key(|(is_first, _)| !is_first);
        gaps.into_iter().map(|(_, gap)| gap).collect()
    }

    /// The newest multiple of the interval that has reached `age_s`: an end that stays where it is
    /// while it is searched for.
    fn on_grid(&self, now: Moment, age_s: i64) -> Timestamp {
        let grid = self.options.grid;
        let reached = now.floor().plus_s(-age_s).start();
        grid.after(reached, grid.interval_ms).plus_ms(-grid.interval_ms).floor()
    }

    /// Where a walk has to arrive to read `gap`: a gap is filled from the end that comes first.
    pub(super) fn target(&self, gap: Span) -> Timestamp {
        if self.progress.order.is_newest_first() { gap.to } else { gap.from }
    }

    /// The walk of a sort that is to look for `target`, of those that `beside` leaves.
    pub(super) fn lane(&self, sort: fn(usize) -> Walk, target: Timestamp, beside: &[Ask]) -> Walk {
        let is_taken = |walk: Walk| {
            beside.iter().any(|ask| ask.purpose.walk().is_some_and(|(other, _)| other == walk))
        };
        self.hints.walks.lane(sort, target, is_taken)
    }
}

/// Whether none of `beside` asks for the same page, or for the same moment. A page proves what it shows
/// for everything that has to be read: none is asked for twice at once.
fn is_new(ask: &Ask, beside: &[Ask]) -> bool {
    let target = |ask: &Ask| ask.purpose.walk().map(|(_, target)| target);
    let is_same = |other: &Ask| {
        ask.request == other.request || target(ask).is_some() && target(ask) == target(other)
    };
    !beside.iter().any(is_same)
}
