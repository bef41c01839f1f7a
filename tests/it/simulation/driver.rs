//! The shell of the poller without sockets: ask, digest, look up, commit, with a store in memory
//! whose commits are atomic, and a process that can die before and after each effect.

use std::collections::{BTreeMap, BTreeSet};

use cometchat_exporter::call::{CallKey, Moment};
use cometchat_exporter::ledger::{Counter, Entry, Posting, Totals};
use cometchat_exporter::sweep::{
    Ask, Backoff, Budget, BudgetOptions, Digest, Known, Options, Page, Plan, Refusal, Reply,
    Request, Saved, Span, Sweep,
};

use super::random::Random;
use super::world::{Answer, World};

/// What survives the process.
pub(super) struct Durable {
    pub(super) calls: BTreeMap<CallKey, Entry>,
    pub(super) saved: Saved,
    /// What was counted of each call: for the check alone.
    pub(super) audit: BTreeMap<CallKey, Counted>,
}

/// What was counted of one call, over all the times that it came to be known.
#[derive(Clone, Debug, Default)]
pub(super) struct Counted {
    pub(super) n_seen: u64,
    pub(super) n_final: u64,
    pub(super) n_abandoned: u64,
    pub(super) audio_ms: u64,
    pub(super) participants: u64,
    pub(super) recordings: u64,
}

impl Durable {
    /// What a process that starts now begins with.
    fn recall(&self, options: Options) -> Sweep {
        let mut sweep = Sweep::new(options, self.saved.clone());
        for (key, entry) in &self.calls {
            sweep.recall(key.initiated_at, &key.session_id, entry.phase, entry.due);
            sweep.recall_open(key.initiated_at, entry);
        }
        sweep
    }
}

impl Counted {
    fn add(&mut self, posting: &Posting) {
        for &(counter, by) in &posting.adds {
            match counter {
                Counter::Initiated => self.n_seen += by,
                Counter::Calls(_) => self.n_final += by,
                Counter::AudioMs => self.audio_ms += by,
                Counter::Participants => self.participants += by,
                Counter::Recordings => self.recordings += by,
                Counter::Entries(_)
                | Counter::Failed
                | Counter::VideoMs
                | Counter::UserAudioMs
                | Counter::UserVideoMs
                | Counter::Recorded
                | Counter::Transcribed
                | Counter::RecordingMs
                | Counter::WithoutParticipants
                | Counter::Unconnected => {}
            }
        }
        self.n_abandoned += posting.abandoned;
    }
}

/// Dies at an effect; everything in memory is lost.
pub(super) struct Killed;

/// When processes die. Three effects can be cut off in each exchange: the request may never leave,
/// its answer may be lost, and what it changed may be committed without anybody learning of it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kills {
    /// So many times of a hundred, until a moment.
    Chance { percent: i64, until_ms: i64 },
    /// At the effects with these numbers; none has the number 0.
    At([u64; 2]),
}

pub(super) struct Process<'a> {
    pub(super) world: &'a mut World,
    pub(super) durable: &'a mut Durable,
    pub(super) random: &'a mut Random,
    pub(super) kills: Kills,
    /// Effects so far, over all processes of a world.
    pub(super) n_effects: &'a mut u64,
    pub(super) latency_ms: i64,
    /// How many requests may be under way together.
    pub(super) n_at_once: usize,
    pub(super) asked: &'a mut Vec<(i64, Ask)>,
    /// Sees the state before each request, and whenever there is nothing to ask.
    pub(super) watch: &'a mut dyn FnMut(Moment, &Sweep),
}

impl Process<'_> {
    fn effect(&mut self) -> Result<(), Killed> {
        *self.n_effects += 1;
        let dies = match self.kills {
            Kills::Chance { percent, until_ms } => {
                self.world.now_ms < until_ms && self.random.chance(percent)
            }
            Kills::At(numbers) => numbers.contains(self.n_effects),
        };
        if dies { Err(Killed) } else { Ok(()) }
    }

    pub(super) fn run(
        &mut self,
        options: Options,
        budget: BudgetOptions,
        until_ms: i64,
    ) -> Result<(), Killed> {
        let mut sweep = self.durable.recall(options);
        let mut budget = Budget::new(budget, self.world.now());
        let mut backoff = Backoff::new(self.random.next());
        while self.world.now_ms < until_ms {
            let now = self.world.now();
            (self.watch)(now, &sweep);
            match sweep.plan(now, false) {
                Plan::Wait(until) => {
                    assert!(until > now, "waits for the past");
                    self.world.advance(until.0.min(until_ms));
                }
                Plan::Ask(ask) => {
                    let wait_ms = match backoff.wait_ms(now) {
                        0 => budget.take(now).err(),
                        wait_ms => Some(wait_ms),
                    };
                    if let Some(wait_ms) = wait_ms {
                        self.world.advance(now.0 + wait_ms);
                        continue;
                    }
                    let mut asks = vec![ask];
                    while asks.len() < self.n_at_once
                        && let Some(ask) = sweep.plan_beside(now, &asks)
                        && budget.take(now).is_ok()
                    {
                        asks.push(ask);
                    }
                    self.effect()?;
                    self.exchanges(&mut sweep, &mut backoff, asks, now)?;
                }
            }
        }
        // What the planner knows of the store beside the store must be what the store says.
        let anew = self.durable.recall(options);
        assert_eq!(sweep.open_calls(), anew.open_calls());
        assert_eq!(sweep.n_known(), anew.n_known());
        Ok(())
    }

    /// Requests that are under way together: answered in any order, taken in the order of asking.
    fn exchanges(
        &mut self,
        sweep: &mut Sweep,
        backoff: &mut Backoff,
        asks: Vec<Ask>,
        asked_at: Moment,
    ) -> Result<(), Killed> {
        let mut order: Vec<usize> = (0..asks.len()).collect();
        for idx in (1..order.len()).rev() {
            order.swap(idx, usize::try_from(self.random.below(idx as i64 + 1)).unwrap());
        }
        let mut answers: Vec<_> = asks.iter().map(|_| None).collect();
        for idx in order {
            let ask = &asks[idx];
            answers[idx] = Some(self.answer(ask));
            self.asked.push((asked_at.0, ask.clone()));
            let took_ms = 20 + self.random.below(self.latency_ms);
            let took_ms = took_ms / i64::try_from(asks.len()).unwrap();
            self.world.advance(self.world.now_ms + took_ms.max(1));
        }
        let (now, mut seen) = (self.world.now(), BTreeSet::new());
        for (ask, answer) in asks.iter().zip(answers) {
            match sweep.digest(ask, answer.expect("all were asked"), asked_at) {
                Err(refusal) => backoff.refused(refusal, now),
                Ok(None) => backoff.answered(),
                Ok(Some(mut digest)) => {
                    backoff.answered();
                    digest.leave_out(&mut seen);
                    self.store(sweep, &digest)?;
                }
            }
        }
        Ok(())
    }

    fn answer(&mut self, ask: &Ask) -> Result<Reply, Refusal> {
        let answer = match &ask.request {
            Request::List { page, per_page } => {
                self.world.list(*page, per_page.unwrap_or(30) as usize)
            }
            Request::Get { session_id } => self.world.get(session_id),
        };
        match answer {
            Answer::Rows(calls) => {
                let page = Page { calls, defects: Vec::new() };
                Ok(match ask.request {
                    Request::List { .. } => Reply::List(page),
                    Request::Get { .. } => Reply::Get(page),
                })
            }
            Answer::NotFound => Err(Refusal::NotFound),
            Answer::Failure => Err(Refusal::Unavailable),
        }
    }

    fn store(&mut self, sweep: &mut Sweep, digest: &Digest) -> Result<(), Killed> {
        let known = self.known(digest.needs.iter());
        let applied = sweep.apply(digest, known);
        self.effect()?;
        self.commit(applied.changes.calls, applied.changes.saved);
        for (key, posting) in applied.postings {
            self.durable.audit.entry(key).or_default().add(&posting);
        }
        self.effect()
    }

    fn known(&self, needs: impl Iterator<Item = Span>) -> Known {
        needs
            .flat_map(|span| {
                let first = CallKey { initiated_at: span.from, session_id: "".into() };
                let calls = self.durable.calls.range(first..);
                calls.take_while(move |(key, _)| span.contains(key.initiated_at))
            })
            .map(|(key, entry)| (key.clone(), entry.clone()))
            .collect()
    }

    fn commit(&mut self, calls: Vec<(CallKey, Option<Entry>)>, saved: Saved) {
        assert_only_rises(&self.durable.saved.totals, &saved.totals);
        for (key, entry) in calls {
            match entry {
                Some(entry) => self.durable.calls.insert(key, entry),
                None => self.durable.calls.remove(&key),
            };
        }
        self.durable.saved = saved;
    }
}

fn assert_only_rises(old: &Totals, new: &Totals) {
    for (kind, tally) in &old.by_kind {
        let now = &new.by_kind[kind];
        for idx in 0..Counter::COUNT {
            assert!(now.0[idx] >= tally.0[idx], "counter {idx} of {kind:?} fell");
        }
    }
}
