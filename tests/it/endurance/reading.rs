//! The loop of one app without sockets: plan, ask, digest, look up, apply, and a commit to a state
//! file as in production. Time is the world's own and goes by as fast as the work is done.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use cometchat_exporter::call::{Moment, Timestamp};
use cometchat_exporter::ledger::{FailureStatuses, Phase, Rules};
use cometchat_exporter::store::{AppId, FileStore, Store};
use cometchat_exporter::sweep::{
    Ask, Budget, BudgetOptions, Changes, Digest, Grid, Known, Options, Order, Page, Plan, Progress,
    ReadTime, Refusal, Reply, Request, Saved, Span, Sweep,
};

use super::world::World;

/// The default budget of an app on the paid plan: a fifth of 20,000 requests a minute.
const BUDGET: BudgetOptions = BudgetOptions { limit_per_minute: 20_000, share_ppm: 200_000 };
/// Short enough for the budget to be what bounds the reading.
const LATENCY_MS: i64 = 10;

/// How an app is read.
#[derive(Clone, Copy)]
pub(super) struct Settings {
    pub(super) interval_s: i64,
    pub(super) lookback_s: i64,
    pub(super) settle_s: i64,
    pub(super) max_open_s: i64,
}

/// How a process ends.
#[derive(Clone, Copy)]
pub(super) enum End {
    /// It closes its file.
    Stopped,
    /// It leaves its file as it was between two commits.
    Killed,
}

/// A process that reads the world into a file.
pub(super) struct Reading<'a> {
    world: &'a World,
    settings: Settings,
    path: PathBuf,
    store: FileStore,
    pub(super) sweep: Sweep,
    pub(super) budget: Budget,
    pub(super) now: Moment,
    pub(super) n_requests: u64,
    /// How long commits took, in microseconds; emptied by whoever looks at them.
    pub(super) commits_us: Vec<u32>,
}

impl<'a> Reading<'a> {
    /// Starts at `now`, and counts from the first call on.
    pub(super) fn start(world: &'a World, settings: Settings, path: PathBuf, now: Moment) -> Self {
        let progress = Progress {
            epoch: world.first,
            epoch_settled: true,
            floor: world.first,
            complete: false,
            read: ReadTime::new(settings.lookback_s),
            order: Order::default(),
        };
        let saved = Saved { progress, totals: Arc::default() };
        let store = FileStore::open(&path).unwrap();
        store.commit(&app(), &Changes { calls: Vec::new(), saved }).unwrap();
        let sweep = recalled(&store, settings);
        let budget = Budget::new(BUDGET, now);
        let commits_us = Vec::new();
        Self { world, settings, path, store, sweep, budget, now, n_requests: 0, commits_us }
    }

    /// Ends this process and starts the next one on its file.
    pub(super) fn restart(self, end: End) -> Self {
        let Self { world, settings, path, store, now, n_requests, commits_us, .. } = self;
        let killed = path.with_extension("killed");
        if matches!(end, End::Killed) {
            fs::copy(&path, &killed).unwrap();
        }
        drop(store);
        if matches!(end, End::Killed) {
            fs::rename(&killed, &path).unwrap();
        }
        let store = FileStore::open(&path).unwrap();
        let sweep = recalled(&store, settings);
        assert_eq!(*sweep.totals(), *self.sweep.totals(), "what was counted");
        assert_eq!(sweep.n_known(), self.sweep.n_known(), "calls known");
        let budget = Budget::new(BUDGET, now);
        Self { world, settings, path, store, sweep, budget, now, n_requests, commits_us }
    }

    /// Reads up to a moment, or until `is_over` says so after an answer was stored.
    pub(super) fn run(&mut self, until: Moment, mut is_over: impl FnMut(&Self) -> bool) {
        while self.now < until {
            match self.sweep.plan(self.now, false) {
                Plan::Wait(to) => self.now = to.max(self.now.plus_ms(1)).min(until),
                Plan::Ask(ask) => match self.budget.take(self.now) {
                    Err(wait_ms) => self.now = self.now.plus_ms(wait_ms),
                    Ok(()) => {
                        self.exchange(ask);
                        if is_over(self) {
                            return;
                        }
                    }
                },
            }
        }
    }

    /// Asks, with whatever may be asked beside it, and stores the answers one after another.
    fn exchange(&mut self, ask: Ask) {
        let asked_at = self.now;
        let mut asks = vec![ask];
        while let Some(other) = self.sweep.plan_beside(asked_at, &asks)
            && self.budget.take(asked_at).is_ok()
        {
            asks.push(other);
        }
        self.now = self.now.plus_ms(LATENCY_MS);
        let mut seen = BTreeSet::new();
        for ask in asks {
            self.n_requests += 1;
            let answer = self.answer(&ask.request, asked_at);
            if let Ok(Some(mut digest)) = self.sweep.digest(&ask, answer, asked_at) {
                digest.leave_out(&mut seen);
                self.store(&digest);
            }
        }
    }

    fn answer(&self, request: &Request, at: Moment) -> Result<Reply, Refusal> {
        let page = |calls| Page { calls, defects: Vec::new() };
        match request {
            Request::List { page: number, per_page } => {
                Ok(Reply::List(page(self.world.list(at, *number, per_page.unwrap_or(30)))))
            }
            Request::Get { session_id } => {
                let call = self.world.get(at, session_id).ok_or(Refusal::NotFound)?;
                Ok(Reply::Get(page(vec![call])))
            }
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "how long a commit takes is a figure of the bench"
    )]
    fn store(&mut self, digest: &Digest) {
        let mut known = Known::new();
        for span in digest.needs.iter() {
            let add = &mut |key, entry| {
                known.insert(key, entry);
            };
            self.store.calls(&app(), span, add).unwrap();
        }
        let applied = self.sweep.apply(digest, known);
        let began = Instant::now();
        self.store.commit(&app(), &applied.changes).unwrap();
        self.commits_us.push(u32::try_from(began.elapsed().as_micros()).unwrap());
    }

    pub(super) fn file_bytes(&self) -> u64 {
        self.store.size_bytes()
    }
}

fn app() -> AppId {
    AppId { app_id: "0123456789abcdef".into(), on_behalf_of: None }
}

/// What a process that starts now begins with.
fn recalled(store: &FileStore, settings: Settings) -> Sweep {
    let saved = store.load(&app()).unwrap().unwrap();
    let options = Options {
        rules: Rules {
            epoch: saved.progress.epoch,
            settle_s: settings.settle_s,
            max_open_s: settings.max_open_s,
            failures: FailureStatuses::default(),
        },
        grid: Grid { interval_ms: settings.interval_s * 1000, phase_ms: 0 },
        per_page: 100,
        lookback_s: settings.lookback_s,
    };
    let mut sweep = Sweep::new(options, saved);
    let mut open = Vec::new();
    let ever = Span::new(Timestamp::MIN, Timestamp::MAX);
    let recall = &mut |call: cometchat_exporter::store::Glimpse<'_>| {
        sweep.recall(call.initiated_at, call.session_id, call.phase, call.due);
        if call.phase == Phase::Open {
            open.push(Span::second(call.initiated_at));
        }
    };
    store.glance(&app(), ever, recall).unwrap();
    open.dedup();
    for span in open {
        let recall = &mut |key: cometchat_exporter::call::CallKey, entry| {
            sweep.recall_open(key.initiated_at, &entry);
        };
        store.calls(&app(), span, recall).unwrap();
    }
    sweep
}
