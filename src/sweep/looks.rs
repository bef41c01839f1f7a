//! When a call is to be looked at again, and which seconds hold calls whose look is due.
//!
//! Due times lie on multiples of the poll interval, later ones on coarser multiples, so that
//! neighbours fall due together and one page serves them all.

use std::collections::BTreeMap;
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
    open: BTreeMap<(Moment, Timestamp), u32>,
    settling: BTreeMap<(Moment, Timestamp), u32>,
    /// Looks that never reached their call, and when they are tried again.
    postponed: BTreeMap<Timestamp, Moment>,
    /// Calls beyond the lookback that are not done, with their due time: Get Call may find them
    /// where the list is deep.
    far: BTreeMap<CallKey, Moment>,
}

impl Agenda {
    fn marks(&mut self, phase: Phase) -> Option<&mut BTreeMap<(Moment, Timestamp), u32>> {
        match phase {
            Phase::Open => Some(&mut self.open),
            Phase::Settling { .. } => Some(&mut self.settling),
            Phase::Settled | Phase::GivenUp => None,
        }
    }

    /// Notes a call; `far` is its key where its moment lies beyond the lookback.
    pub fn add(&mut self, at: Timestamp, phase: Phase, due: Moment, far: Option<CallKey>) {
        if let Some(marks) = self.marks(phase) {
            *marks.entry((due, at)).or_default() += 1;
            self.far.extend(far.map(|key| (key, due)));
        }
    }

    /// Takes back a call that was noted.
    pub fn remove(&mut self, key: &CallKey, phase: Phase, due: Moment) {
        if let Some(marks) = self.marks(phase) {
            let mark = (due, key.initiated_at);
            if let Some(count) = marks.get_mut(&mark) {
                *count -= 1;
                if *count == 0 {
                    marks.remove(&mark);
                }
            }
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
        let due = marks.keys().copied().take_while(move |(due, _)| *due <= now);
        due.filter(move |(_, second)| !self.is_postponed(*second, now))
    }

    /// When the next look falls due after `now`, or one that was put off is tried again.
    pub fn next(&self, now: Moment) -> Option<Moment> {
        let later = (Bound::Excluded((now, Timestamp::MAX)), Bound::Unbounded);
        let first = |marks: &BTreeMap<(Moment, Timestamp), u32>| {
            let mut later = marks.range(later).map(|(mark, _)| *mark);
            later.find(|(_, second)| !self.is_postponed(*second, now)).map(|(due, _)| due)
        };
        let put_off = self.postponed.values().copied().filter(|until| *until > now).min();
        [first(&self.open), first(&self.settling), put_off].into_iter().flatten().min()
    }

    fn is_postponed(&self, second: Timestamp, now: Moment) -> bool {
        self.postponed.get(&second).is_some_and(|until| *until > now)
    }

    /// The seconds within `span` with looks that had fallen due at `at`.
    pub fn due_within(&self, span: Span, at: Moment) -> Vec<Timestamp> {
        let due = |marks: &BTreeMap<(Moment, Timestamp), u32>| -> Vec<Timestamp> {
            let due = marks.keys().take_while(|(due, _)| *due <= at);
            due.map(|&(_, second)| second).filter(|&second| span.contains(second)).collect()
        };
        let mut seconds = due(&self.open);
        seconds.extend(due(&self.settling));
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
