//! When a call is to be looked at again, and which seconds hold calls whose look is due.
//!
//! Due times lie on multiples of the poll interval, later ones on coarser multiples, so that
//! neighbours fall due together and one page serves them all.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

use super::Span;
use crate::call::{CallKey, Moment, Timestamp};
use crate::ledger::Phase;

/// An open call is looked at in every poll while it is younger than this.
const YOUNG_MS: i64 = 120_000;
/// An old open call is looked at at least this often.
const STEP_MS_MAX: i64 = 600_000;

/// The times at which things fall due: multiples of the poll interval, shifted per app so that many
/// apps do not ask in the same instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// The poll interval, milliseconds.
    pub interval_ms: i64,
    /// The shift of this app, below the interval.
    pub phase_ms: i64,
}

impl Grid {
    /// The first multiple of `step_ms` at or after `at`.
    pub fn at_or_after(self, at: Moment, step_ms: i64) -> Moment {
        let missing = (self.phase_ms - at.0).rem_euclid(step_ms.max(1));
        at.plus_ms(missing)
    }

    /// The first multiple of `step_ms` after `at`.
    pub fn after(self, at: Moment, step_ms: i64) -> Moment {
        self.at_or_after(at.plus_ms(1), step_ms)
    }

    /// When a call is to be looked at next, after it was seen or missed at `now`.
    pub fn next_look(
        self,
        initiated_at: Timestamp,
        phase: Phase,
        settle_s: i64,
        now: Moment,
    ) -> Moment {
        match phase {
            Phase::Open => {
                let age_ms = now.since_ms(initiated_at.start());
                let mut step_ms = self.interval_ms;
                let wanted_ms = ((age_ms - YOUNG_MS) / 10).min(STEP_MS_MAX);
                while age_ms >= YOUNG_MS && step_ms < wanted_ms && step_ms * 2 <= STEP_MS_MAX {
                    step_ms *= 2;
                }
                self.after(now, step_ms)
            }
            Phase::Settling { until } => {
                // As coarse as a quarter of the settle time: the look may come that much later.
                let quarter_ms = settle_s.saturating_mul(1000) / 4;
                let step_ms =
                    (quarter_ms / self.interval_ms * self.interval_ms).max(self.interval_ms);
                self.at_or_after(until, step_ms)
            }
            Phase::Settled | Phase::GivenUp => Moment::MAX,
        }
    }
}

/// Which sort of look: open calls come first when the budget is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookKind {
    /// Of a call that goes on.
    Open,
    /// The last one of a final call.
    Settling,
}

/// Seconds that hold calls to look at, by when they fall due. The calls stay in the store; a look
/// asks for the page that shows the whole second.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agenda {
    open: Marks,
    settling: Marks,
    /// Looks that never reached their call, and when they are tried again.
    postponed: BTreeMap<Timestamp, Moment>,
    /// Calls beyond the lookback that are not done, with their due time: Get Call may find them
    /// where the list is deep.
    far: BTreeMap<CallKey, Moment>,
}

/// By due time the seconds of the calls, in order; one that several calls share stands there as often.
///
/// No set: most of the calls of the last hours have a look, and here each takes eight bytes. A deque,
/// since they mostly come and go at its ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Marks(BTreeMap<Moment, VecDeque<Timestamp>>);

impl Marks {
    fn add(&mut self, due: Moment, second: Timestamp) {
        let seconds = self.0.entry(due).or_default();
        seconds.insert(seconds.partition_point(|other| *other <= second), second);
    }

    fn remove(&mut self, due: Moment, second: Timestamp) {
        let Some(seconds) = self.0.get_mut(&due) else { return };
        if let Ok(idx) = seconds.binary_search(&second) {
            seconds.remove(idx);
        }
        if seconds.is_empty() {
            self.0.remove(&due);
        }
    }

    fn due(&self, now: Moment) -> impl Iterator<Item = (Moment, Timestamp)> + use<'_> {
        let due = self.0.range(..=now);
        due.flat_map(|(due, seconds)| seconds.iter().map(|second| (*due, *second)))
    }

    fn due_within(&self, span: Span, at: Moment) -> impl Iterator<Item = Timestamp> + use<'_> {
        self.0.range(..=at).flat_map(move |(_, seconds)| {
            let first = seconds.partition_point(|second| *second < span.from);
            seconds.range(first..).copied().take_while(move |second| span.contains(*second))
        })
    }
}

impl Agenda {
    fn marks(&mut self, phase: Phase) -> Option<&mut Marks> {
        match phase {
            Phase::Open => Some(&mut self.open),
            Phase::Settling { .. } => Some(&mut self.settling),
            Phase::Settled | Phase::GivenUp => None,
        }
    }

    /// Notes a call; `far` is its key where its moment lies beyond the lookback.
    pub fn add(&mut self, at: Timestamp, phase: Phase, due: Moment, far: Option<CallKey>) {
        if let Some(marks) = self.marks(phase) {
            marks.add(due, at);
            self.far.extend(far.map(|key| (key, due)));
        }
    }

    /// Takes back a call that was noted.
    pub fn remove(&mut self, key: &CallKey, phase: Phase, due: Moment) {
        if let Some(marks) = self.marks(phase) {
            marks.remove(due, key.initiated_at);
            self.far.remove(key);
        }
    }

    /// The looks that have fallen due, first the one that did so first: when, and which second.
    pub fn due(
        &self,
        kind: LookKind,
        now: Moment,
    ) -> impl Iterator<Item = (Moment, Timestamp)> + use<'_> {
        let marks = match kind {
            LookKind::Open => &self.open,
            LookKind::Settling => &self.settling,
        };
        marks.due(now).filter(move |(_, second)| !self.is_postponed(*second, now))
    }

    /// When the next look falls due after `now`, or one that was put off is tried again.
    pub fn next(&self, now: Moment) -> Option<Moment> {
        let is_tried = |second: &Timestamp| !self.is_postponed(*second, now);
        let first = |marks: &Marks| {
            let mut later = marks.0.range((Bound::Excluded(now), Bound::Unbounded));
            later.find(|(_, seconds)| seconds.iter().any(is_tried)).map(|(due, _)| *due)
        };
        let put_off = self.postponed.values().copied().filter(|until| *until > now).min();
        [first(&self.open), first(&self.settling), put_off].into_iter().flatten().min()
    }

    fn is_postponed(&self, second: Timestamp, now: Moment) -> bool {
        self.postponed.get(&second).is_some_and(|until| *until > now)
    }

    /// The seconds within `span` with looks that had fallen due at `at`.
    pub fn due_within(&self, span: Span, at: Moment) -> Vec<Timestamp> {
        let due = [&self.open, &self.settling].into_iter();
        let mut seconds: Vec<_> = due.flat_map(|marks| marks.due_within(span, at)).collect();
        seconds.sort_unstable();
        seconds.dedup();
        seconds
    }

    /// A due call of this second that lies beyond the lookback.
    pub fn far_call(&self, second: Timestamp, now: Moment) -> Option<CallKey> {
        let from = CallKey { initiated_at: second, session_id: "".into() };
        let mut calls = self.far.range(from..).take_while(|(key, _)| key.initiated_at == second);
        calls.find(|(_, due)| **due <= now).map(|(key, _)| key.clone())
    }

    /// Puts the looks of a second off, since nothing that was asked has reached it.
    pub fn postpone(&mut self, second: Timestamp, now: Moment) {
        self.postponed.retain(|_, until| *until > now);
        self.postponed.insert(second, now.plus_ms(STEP_MS_MAX));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn looks_fall_due_as_in_a_plain_list(
            steps in prop::collection::vec((any::<bool>(), 0_i64..6, 0_i64..8), 0..60),
            (from, to) in (0_i64..9, 0_i64..9),
            now in -1_i64..7,
        ) {
            let (mut agenda, mut list, now) = (Agenda::default(), Vec::new(), Moment(now));
            for (is_new, due, at) in steps {
                let mark = (Moment(due), Timestamp(at));
                if is_new {
                    agenda.add(mark.1, Phase::Open, mark.0, None);
                    list.push(mark);
                } else if let Some(idx) = list.iter().position(|it| *it == mark) {
                    list.swap_remove(idx);
                    let key = CallKey { initiated_at: mark.1, session_id: "".into() };
                    agenda.remove(&key, Phase::Open, mark.0);
                }
            }
            list.sort_unstable();
            let due: Vec<_> = list.iter().copied().filter(|it| it.0 <= now).collect();
            let span = Span::new(Timestamp(from), Timestamp(to));
            let inside: BTreeSet<_> =
                due.iter().map(|it| it.1).filter(|at| span.contains(*at)).collect();
            prop_assert_eq!(agenda.due(LookKind::Open, now).collect::<Vec<_>>(), due);
            prop_assert_eq!(agenda.due_within(span, now), Vec::from_iter(inside));
            let later = list.iter().map(|it| it.0).find(|it| *it > now);
            prop_assert_eq!(agenda.next(now), later);
        }
    }
}
