//! The one next request: from what is known now, in the order of what matters most.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::looks::{Agenda, Grid, LookKind};
use super::walk::{Walk, Walks};
use super::{Census, FirstPage, Progress, Request, Saved, Span};
use crate::call::{CallKey, Moment, Timestamp};
use crate::ledger::{Entry, OpenCalls, Phase, Rules, Totals};

/// Intervals of read time that are kept before the newest gap has to be filled.
const SPANS_MAX: usize = 16;

/// Settings of the reading. The epoch stands in the [`Progress`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// What counts, and how long calls are watched. Its epoch is taken from the state.
    pub rules: Rules,
    /// When things fall due.
    pub grid: Grid,
    /// Rows to ask for.
    pub per_page: u32,
    /// How old a call may be when it first appears, seconds.
    pub lookback_s: i64,
}

/// What to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Ask this.
    Ask(Ask),
    /// Nothing is due before this moment on the API's clock.
    Wait(Moment),
}

/// A request, and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// What to send.
    pub request: Request,
    /// What it is for.
    pub purpose: Purpose,
}

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To find out the number of the first page.
    FirstPage,
    /// The head of the list down to what was read: the poll.
    Head {
        /// Where it reads.
        walk: Walk,
        /// The moment at which it has to arrive.
        target: Timestamp,
    },
    /// What a downtime, an outage or a short budget left.
    Gap {
        /// Where it reads.
        walk: Walk,
        /// The moment at which it has to arrive.
        target: Timestamp,
    },
    /// A call whose look is due.
    Look {
        /// Which sort.
        kind: LookKind,
        /// The second of the call.
        second: Timestamp,
        /// Where it reads.
        walk: Walk,
        /// The moment at which it has to arrive.
        target: Timestamp,
    },
    /// A look by Get Call.
    Get(CallKey),
    /// Time that was read, to be read again at a greater age.
    Again {
        /// The index of the age.
        age_idx: usize,
        /// The moment at which it has to arrive.
        target: Timestamp,
    },
}

impl Purpose {
    /// Whose place in the list the request continues, and where it has to arrive.
    pub(super) const fn walk(&self) -> Option<(Walk, Timestamp)> {
        match *self {
            Self::FirstPage | Self::Get(_) => None,
            Self::Head { walk, target }
            | Self::Gap { walk, target }
            | Self::Look { walk, target, .. } => Some((walk, target)),
            Self::Again { age_idx, target } => Some((Walk::Again(age_idx), target)),
        }
    }

    /// Whether the request looks at one call.
    pub const fn is_look(&self) -> bool {
        matches!(self, Self::Look { .. } | Self::Get(_))
    }

    /// Whether the request belongs to the poll of the head.
    pub const fn is_poll(&self) -> bool {
        matches!(self, Self::FirstPage | Self::Head { .. })
    }
}

/// The reading of one app: its durable state, an index of what the store holds, and hints that die
/// with the process.
#[derive(Clone, Debug)]
pub struct Sweep {
    pub(super) options: Options,
    pub(super) progress: Progress,
    pub(super) totals: Arc<Totals>,
    pub(super) open: OpenCalls,
    pub(super) agenda: Agenda,
    pub(super) census: Census,
    pub(super) hints: Hints,
}

/// What was learned since the start of the process. The promise needs none of it.
#[derive(Clone, Debug)]
pub(super) struct Hints {
    pub(super) first_page: Option<FirstPage>,
    pub(super) walks: Walks,
    pub(super) per_page: Option<u32>,
    /// When the head is read next.
    pub(super) head_at: Moment,
    /// Up to where the list was read before the newest read of the head; the end of time before the
    /// first one.
    pub(super) head_from: Timestamp,
    /// When the newest read of the head was asked for, if no single page of it proved anything: up to
    /// there the pages beside it are read, too. Else the beginning of time.
    pub(super) head_to: Timestamp,
    /// The oldest and the newest second of which a page has shown a row. It never narrows: where rows
    /// vanish, a last page is asked for twice.
    pub(super) shown: Option<(Timestamp, Timestamp)>,
    /// Whether the head was read and the way down to what was read before was not, yet.
    pub(super) is_polling: bool,
    /// Whether, since the newest read of the head, nothing beside the poll was answered, and it was not
    /// found that there is nothing to do: then one turn of other work goes before the next poll.
    pub(super) owes_work: bool,
    /// When the list was last found to be empty. A second finding confirms it for old time, which is
    /// read but once.
    pub(super) empty_at: Option<Moment>,
    /// Whether the newest answer beside the poll was to a look, if only a refusal: then what has to be
    /// read is next. Taken from answers, since what is planned is not always asked.
    pub(super) has_looked: bool,
    /// Whether Get Call answers with the call that was asked for; `None` before it was tried.
    pub(super) get_works: Option<bool>,
    /// How many requests looked for the calls of a second in vain.
    pub(super) n_missed: BTreeMap<Timestamp, u32>,
    /// Calls that their last look did not find.
    pub(super) missed_once: BTreeSet<CallKey>,
    pub(super) rereads: super::rereads::Rereads,
    /// Walks whose newest page was not full and is asked for once more.
    pub(super) doubted: BTreeSet<Walk>,
}

impl Sweep {
    /// Takes the reading up where the state left it. [`Self::recall`] has to be told every call of
    /// the ledger before anything is planned.
    pub fn new(mut options: Options, saved: Saved) -> Self {
        let Saved { mut progress, totals } = saved;
        options.rules.epoch = progress.epoch;
        if progress.read.lookback_s() != options.lookback_s {
            progress.read = progress.read.under_lookback(options.lookback_s);
        }
        let hints = Hints {
            first_page: Some(FirstPage::default()),
            walks: Walks::new(0),
            per_page: Some(options.per_page),
            head_at: Moment::MIN,
            head_from: Timestamp::MAX,
            head_to: Timestamp::MIN,
            shown: None,
            is_polling: false,
            owes_work: false,
            empty_at: None,
            has_looked: false,
            get_works: None,
            n_missed: BTreeMap::new(),
            missed_once: BTreeSet::new(),
            rereads: super::rereads::Rereads::default(),
            doubted: BTreeSet::new(),
        };
        Self {
            options,
            progress,
            totals,
            open: OpenCalls::default(),
            agenda: Agenda::default(),
            census: Census::default(),
            hints,
        }
    }

    /// Notes a call that the store holds. One that is open is told to [`Self::recall_open`], too.
    pub fn recall(&mut self, initiated_at: Timestamp, session_id: &str, phase: Phase, due: Moment) {
        self.census.add(initiated_at);
        let is_sealed = self.progress.read.sealed().contains(initiated_at);
        let far = is_sealed.then(|| CallKey { initiated_at, session_id: session_id.into() });
        self.agenda.add(initiated_at, phase, due, far);
    }

    /// Notes an open call that the store holds, for the gauges.
    pub fn recall_open(&mut self, initiated_at: Timestamp, entry: &Entry) {
        self.open.add(initiated_at, entry);
    }

    /// Moves the epoch of a start "now" from the local clock to the API's, `ahead_ms` later. The
    /// first answer does this; afterwards nothing moves it.
    pub fn settle_epoch(&mut self, ahead_ms: i64) {
        if !self.progress.epoch_settled {
            let progress = &mut self.progress;
            progress.epoch = progress.epoch.start().plus_ms(ahead_ms).floor();
            progress.floor = progress.floor.start().plus_ms(ahead_ms).floor();
            progress.epoch_settled = true;
            self.options.rules.epoch = progress.epoch;
        }
    }

    /// What was read.
    pub const fn progress(&self) -> &Progress {
        &self.progress
    }

    /// What was counted.
    pub const fn totals(&self) -> &Arc<Totals> {
        &self.totals
    }

    /// The open calls.
    pub const fn open_calls(&self) -> &OpenCalls {
        &self.open
    }

    /// How many calls are known by id.
    pub const fn n_known(&self) -> usize {
        self.census.total()
    }

    /// Returns the one next request, or until when there is none. With `head_only` nothing but the
    /// head of the list is asked for, since the app's own traffic needs the rest of the limit.
    pub fn plan(&mut self, now: Moment, head_only: bool) -> Plan {
        let head_due = self.is_head_due(now);
        if let Some(first_page) = &self.hints.first_page {
            if !head_due {
                return Plan::Wait(self.hints.head_at);
            }
            let page = first_page.question();
            return Plan::Ask(self.list(page, Purpose::FirstPage));
        }
        // Polls that take all of the budget, or all of the time, would leave all else waiting for ever.
        if head_due
            && self.hints.owes_work
            && !head_only
            && let Some(ask) = self.work(now, &[])
        {
            return Plan::Ask(ask);
        }
        let covered = self.progress.read.covered();
        let floor = self.progress.floor;
        let newest = covered.newest().map_or(floor, |span| span.to);
        let gaps = covered.gaps(Span::new(floor, newest.max(self.hints.head_to)));
        let gap = gaps.last().copied();
        let order = self.progress.order;
        if head_due && !(order.is_known() && covered.len() >= SPANS_MAX) {
            return Plan::Ask(self.head());
        }
        if let Some(gap) = gap.filter(|gap| gap.from >= self.hints.head_from || head_due) {
            let target = self.target(gap);
            let walk = self.lane(Walk::Fill, target, &[]);
            return Plan::Ask(self.walk_to(Purpose::Head { walk, target }, Moment::MIN));
        }
        if head_only {
            return Plan::Wait(self.hints.head_at);
        }
        if let Some(ask) = self.work(now, &[]) {
            return Plan::Ask(ask);
        }
        self.hints.owes_work = false;
        let next_look = self.agenda.next(now).unwrap_or(Moment::MAX);
        Plan::Wait(self.hints.head_at.min(next_look))
    }

    /// Due by its time, or because the clock was set back so that the time would never come.
    fn is_head_due(&self, now: Moment) -> bool {
        let wait_ms = self.hints.head_at.since_ms(now);
        wait_ms <= 0 || wait_ms > self.options.grid.interval_ms
    }

    fn head(&mut self) -> Ask {
        let purpose = Purpose::Head { walk: Walk::Head, target: Timestamp::MAX };
        let order = self.progress.order;
        if order.is_newest_first() && order.is_known() {
            return self.list(self.hints.walks.head_page(), purpose);
        }
        self.walk_to(purpose, Moment::MIN)
    }

    pub(super) fn walk_to(&mut self, purpose: Purpose, since: Moment) -> Ask {
        let Some((walk, target)) = purpose.walk() else { unreachable!("only lists are walked") };
        let order = self.progress.order;
        let read = match walk {
            Walk::Again(age_idx) => &self.progress.read.by_age[age_idx].1,
            Walk::Head | Walk::Fill(_) | Walk::Look(_) => self.progress.read.covered(),
        };
        let page = self.hints.walks.seek(order, (&self.census, read), walk, target, since);
        self.list(page, purpose)
    }

    fn list(&self, page: u32, purpose: Purpose) -> Ask {
        let request = Request::List { page, per_page: self.hints.per_page };
        Ask { request, purpose }
    }

    /// Keeps the index of the store true. Every change of an entry passes through here.
    pub(super) fn replace(&mut self, key: &CallKey, old: Option<&Entry>, new: Option<&Entry>) {
        if let Some(old) = old {
            self.census.remove(key.initiated_at);
            self.open.remove(key.initiated_at, old);
            self.agenda.remove(key, old.phase, old.due);
        }
        if let Some(new) = new {
            self.recall(key.initiated_at, &key.session_id, new.phase, new.due);
            self.recall_open(key.initiated_at, new);
        }
    }
}
