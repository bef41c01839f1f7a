//! Reads one app back to the beginning, into its journal.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::bail;
use futures_util::future::join_all;

use super::telling::Standing;
use crate::api::{BODY_BYTES_MAX, Client, Exchange, Options as ClientOptions, Transport};
use crate::app::{app_task::id_of, key_file, storing};
use crate::call::{CallKey, Moment, Timestamp};
use crate::clock::Clock;
use crate::config::settings::AppSettings;
use crate::ledger::{Entry, Rules, Steps, Times, dated};
use crate::store::{AppId, Heading, Journal, MemoryStore, Store};
use crate::sweep::{
    Ask, Backoff, Budget, Changes, Grid, Options, Order, Plan, Progress, ReadTime, Refusal, Reply,
    Request, Saved, Skew, Sweep,
};

/// What was found is made durable this often.
const RECORD_EVERY_MS: i64 = 1_000;
/// And when it tells of so many samples, whatever the time.
const SAMPLES_MAX: usize = 512;
/// The head of the list, and calls that are open, are looked at no more often than this.
const INTERVAL_MS: i64 = 600_000;
/// While less than a tenth of the limit is left, one request in this time.
const SCARCE_MS: i64 = 10_000;
/// After so many failures in a row it is left to a later run.
const FAILURES_MAX: u32 = 20;

/// What is read, and by which rules.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    pub(super) options: Options,
}

impl Bound {
    pub(super) const fn new(rules: Rules, per_page: u32, lookback_s: i64) -> Self {
        let grid = Grid { interval_ms: INTERVAL_MS, phase_ms: 0 };
        Self { options: Options { rules, grid, per_page, lookback_s } }
    }

    /// What a reading begins with.
    fn first(self) -> Saved {
        let epoch = self.options.rules.epoch;
        let progress = Progress {
            epoch,
            epoch_settled: true,
            floor: epoch,
            complete: false,
            read: ReadTime::new(self.options.lookback_s),
            order: Order::default(),
        };
        Saved { progress, totals: Arc::default() }
    }
}

/// Asks for one app.
pub(super) struct Reader {
    client: Client,
    id: AppId,
    budget: Arc<Mutex<Budget>>,
    backoff: Backoff,
    skew: Skew,
    clock: Clock,
    n_failures: u32,
    n_pages: u64,
    began: Moment,
}

/// What was found and is not in the journal yet.
#[derive(Default)]
struct Fresh {
    steps: Steps,
    calls: BTreeMap<CallKey, Option<Entry>>,
    saved: Option<Saved>,
}

impl Reader {
    pub(super) fn new(
        app: &AppSettings,
        transport: &Transport,
        budget: Arc<Mutex<Budget>>,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        let options = ClientOptions {
            base_url: app.base_url.clone(),
            key: key_file::read(&app.key)?,
            on_behalf_of: app.on_behalf_of.clone(),
            body_bytes_max: BODY_BYTES_MAX,
        };
        Ok(Self {
            client: Client::new(options, transport)?,
            id: id_of(app),
            budget,
            backoff: Backoff::new(clock.wall().0.unsigned_abs()),
            skew: Skew::default(),
            clock,
            n_failures: 0,
            n_pages: 0,
            began: clock.steady(),
        })
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time on the API's clock, from an answer of its own.
    pub(super) async fn now(&mut self) -> anyhow::Result<Timestamp> {
        let request = Request::List { page: 1, per_page: Some(1) };
        loop {
            self.pause().await;
            let wall = self.clock.wall();
            let exchange = self.exchange(&request, wall).await.0;
            let quota = exchange.quota;
            self.learn(&exchange, wall, self.clock.wall());
            match exchange.outcome {
                // Whatever this page shows: somebody answered.
                Ok(_) | Err(Refusal::NotFound | Refusal::Rejected) => {
                    return Ok(self.skew.api_time(self.clock.wall()).floor());
                }
                Err(refusal) => {
                    let is_paused = self.budget().pause(refusal, quota, self.clock.steady());
                    self.failed(refusal, is_paused, exchange.note)?;
                }
            }
        }
    }

    /// Reads everything that the journal does not hold yet.
    pub(super) async fn read(
        mut self,
        path: &Path,
        heading: Heading,
        bound: Bound,
        tell: &dyn Fn(Standing),
    ) -> anyhow::Result<Journal> {
        let store = MemoryStore::new();
        let (mut journal, _) = Journal::open(path, heading.clone(), &store)?;
        let mut sweep = storing::load(&store, &self.id, bound.options, &bound.first())?;
        let mut fresh = Fresh::default();
        let mut recorded_at = self.clock.steady();
        while sweep.progress().covered_until() < heading.timetable.to {
            let result = self.step(&mut sweep, &store, &heading, &mut fresh).await;
            let steady = self.clock.steady();
            let is_due = steady.since_ms(recorded_at) >= RECORD_EVERY_MS
                || fresh.steps.0.len() > SAMPLES_MAX
                || result.is_err();
            if is_due {
                fresh.record(&mut journal)?;
                recorded_at = steady;
            }
            tell(self.standing(&sweep));
            result?;
        }
        fresh.record(&mut journal)?;
        tell(self.standing(&sweep));
        Ok(journal)
    }

    /// Asks what is to be asked now, or waits until there is something.
    async fn step(
        &mut self,
        sweep: &mut Sweep,
        store: &MemoryStore,
        heading: &Heading,
        fresh: &mut Fresh,
    ) -> anyhow::Result<()> {
        let now = self.skew.api_time(self.clock.wall());
        let ask = match sweep.plan(now, false) {
            Plan::Ask(ask) => ask,
            Plan::Wait(until) => {
                self.clock.sleep_ms(until.since_ms(now).clamp(1, 1_000)).await;
                return Ok(());
            }
        };
        self.pause().await;
        let (wall, steady) = (self.clock.wall(), self.clock.steady());
        let asked_at = self.skew.api_time(wall);
        let mut asks = vec![ask];
        while self.budget().is_large()
            && let Some(other) = sweep.plan_beside(asked_at, &asks)
            && self.budget().take(steady).is_ok()
        {
            asks.push(other);
        }
        let exchanges =
            join_all(asks.iter().map(|ask| self.exchange(&ask.request, asked_at))).await;
        let mut seen = BTreeSet::new();
        for (ask, (exchange, answered_at)) in asks.iter().zip(exchanges) {
            self.learn(&exchange, wall, answered_at);
            self.n_pages += 1;
            let reply = Taken { ask, exchange, asked_at, heading };
            self.take(reply, sweep, store, &mut seen, fresh)?;
        }
        Ok(())
    }

    /// Waits until a request may be made, and takes it out of the budget.
    async fn pause(&mut self) {
        if self.budget().is_scarce() {
            self.clock.sleep_ms(SCARCE_MS).await;
        }
        loop {
            let steady = self.clock.steady();
            let wait_ms = match self.backoff.wait_ms(steady) {
                0 => match self.budget().take(steady) {
                    Ok(()) => return,
                    Err(wait_ms) => wait_ms,
                },
                wait_ms => wait_ms,
            };
            self.clock.sleep_ms(wait_ms).await;
        }
    }

    async fn exchange(&self, request: &Request, now: Moment) -> (Exchange, Moment) {
        let exchange = self.client.ask(request, now.floor()).await;
        (exchange, self.clock.wall())
    }

    fn learn(&mut self, exchange: &Exchange, asked_at: Moment, answered_at: Moment) {
        if let Some(date) = exchange.date {
            self.skew.learn(date, asked_at, answered_at);
        }
        self.budget().learn(exchange.quota);
    }

    fn take(
        &mut self,
        taken: Taken<'_>,
        sweep: &mut Sweep,
        store: &MemoryStore,
        seen: &mut BTreeSet<CallKey>,
        fresh: &mut Fresh,
    ) -> anyhow::Result<()> {
        let Taken { ask, exchange, asked_at, heading } = taken;
        let times = times(&exchange.outcome);
        match sweep.digest(ask, exchange.outcome, asked_at) {
            Ok(digest) => {
                self.n_failures = 0;
                self.backoff.answered();
                let Some(mut digest) = digest else { return Ok(()) };
                digest.leave_out(seen);
                let applied = sweep.apply(&digest, storing::known(store, &self.id, &digest.needs)?);
                store.commit(&self.id, &applied.changes)?;
                for (key, posting) in applied.postings {
                    let times = times.get(&key).copied();
                    let times = times.unwrap_or(Times::unseen(key.initiated_at));
                    let dated = dated(&heading.rules, posting, times, asked_at);
                    fresh.steps.add(heading.timetable, dated);
                }
                fresh.calls.extend(applied.changes.calls);
                fresh.saved = Some(applied.changes.saved);
                Ok(())
            }
            Err(refusal) => {
                let steady = self.clock.steady();
                let is_paused = self.budget().pause(refusal, exchange.quota, steady);
                self.failed(refusal, is_paused, exchange.note)
            }
        }
    }

    fn failed(
        &mut self,
        refusal: Refusal,
        is_paused: bool,
        note: Option<String>,
    ) -> anyhow::Result<()> {
        let note = note.unwrap_or_else(|| "the API gave no usable answer".to_owned());
        self.n_failures += 1;
        if refusal == Refusal::Denied {
            bail!(note);
        }
        if self.n_failures >= FAILURES_MAX {
            bail!("{note}; {FAILURES_MAX} requests in a row failed, run it again to go on");
        }
        if !is_paused {
            self.backoff.refused(refusal, self.clock.steady());
        }
        Ok(())
    }

    fn standing(&self, sweep: &Sweep) -> Standing {
        let n_calls = super::n_calls(sweep.totals());
        let mut standing =
            Standing { n_calls, n_about: n_calls, n_pages: self.n_pages, left_ms: 0 };
        if let Some(it) = sweep.reading_back() {
            standing.n_about = it.n_about;
            let n_left = it.n_requests_left;
            let milli = self.budget().milli_per_minute().max(1).unsigned_abs();
            let by_budget = n_left.saturating_mul(60_000_000) / milli;
            let elapsed_ms = self.clock.steady().since_ms(self.began).max(0).unsigned_abs();
            let by_pace = n_left.saturating_mul(elapsed_ms) / self.n_pages.max(1);
            standing.left_ms = by_budget.max(by_pace);
        }
        standing
    }
}

/// An answer, and what was asked.
struct Taken<'a> {
    ask: &'a Ask,
    exchange: Exchange,
    asked_at: Moment,
    heading: &'a Heading,
}

/// The times of all calls in an answer.
fn times(outcome: &Result<Reply, Refusal>) -> BTreeMap<CallKey, Times> {
    match outcome {
        Ok(Reply::List(page) | Reply::Get(page)) => {
            page.calls.iter().map(|call| (call.key.clone(), Times::of(call))).collect()
        }
        Err(_) => BTreeMap::new(),
    }
}

impl Fresh {
    fn record(&mut self, journal: &mut Journal) -> anyhow::Result<()> {
        let Self { steps, calls, saved } = std::mem::take(self);
        if let Some(saved) = saved {
            let changes = Changes { calls: calls.into_iter().collect(), saved };
            journal.append(&steps, &changes)?;
        }
        Ok(())
    }
}
