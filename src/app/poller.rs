//! The loop of one app: plan, ask, digest, commit, show.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Context;
use futures_util::future::join_all;
use tracing::{debug, error, info, warn};

use crate::api::{BODY_BYTES_MAX, Client, Exchange, Key, Options};
use crate::call::{Moment, Timestamp};
use crate::config::settings::KeySource;
use crate::ledger::Recent;
use crate::sweep::{Ask, Backoff, Plan, Refusal, Skew};
use crate::web::Trouble;

use super::app_task::AppTask;
use super::key_file;
use super::stop::Stop;
use super::storing::{self, Seated};

mod commit;
mod telling;

/// The longest sleep in one piece: a changed key file and the word to stop are noticed within it.
const NAP_MS_MAX: i64 = 5_000;

/// The reading of one app by one task.
pub(super) struct Poller {
    task: Arc<AppTask>,
    client: Client,
    key: Key,
    key_read_at: Moment,
    /// Taken out while the blocking half of a step has it.
    seated: Option<Seated>,
    backoff: Backoff,
    skew: Skew,
    recent: Option<(Recent, Moment)>,
    /// When the poll under way began, steady clock.
    poll_began: Option<Moment>,
    tried: bool,
    trouble: Option<Trouble>,
    shown_at: Moment,
    /// When the log was last told how far the first read is.
    told_at: Moment,
    is_shown: bool,
    order_warned: bool,
}

impl Poller {
    /// Loads the state of the app and shows it.
    pub(super) async fn start(task: Arc<AppTask>) -> anyhow::Result<Self> {
        let key = key_file::read(&task.settings.key)?;
        let options = Options {
            base_url: task.settings.base_url.clone(),
            key: key.clone(),
            on_behalf_of: task.settings.on_behalf_of.clone(),
            body_bytes_max: BODY_BYTES_MAX,
        };
        let client = Client::new(options, &task.transport)?;
        let seat = loop {
            // The seat of a task that was given up is free once its last commit is done.
            task.beat();
            match task.take_seat() {
                Some(seat) => break seat,
                None => task.clock.sleep_ms(200).await,
            }
        };
        // The seat goes along: whoever stops waiting here must not free it before its time.
        let loaded = task.at_store(move |task| {
            let sweep = storing::load(&*task.store, &task.id, task.options, &task.first);
            sweep.map(|sweep| Seated { sweep, _seat: seat })
        });
        let seated = loaded.await.context("loading the state failed")??;
        let steady = task.clock.steady();
        let mut poller = Self {
            client,
            key,
            key_read_at: steady,
            seated: Some(seated),
            backoff: Backoff::new(task.seed),
            skew: Skew::default(),
            recent: None,
            poll_began: None,
            tried: false,
            trouble: None,
            shown_at: steady,
            told_at: steady,
            is_shown: false,
            order_warned: false,
            task,
        };
        poller.show();
        Ok(poller)
    }

    fn seated(&self) -> &Seated {
        self.seated.as_ref().expect("the state is only away while a step is stored")
    }

    fn seated_mut(&mut self) -> &mut Seated {
        self.seated.as_mut().expect("the state is only away while a step is stored")
    }

    /// Since when the app counts, for the log.
    pub(super) fn counts_since(&self) -> Timestamp {
        self.seated().sweep.progress().epoch
    }

    /// Polls until the word to stop is given. A commit under way is finished first.
    pub(super) async fn run(mut self, mut stop: Stop) -> anyhow::Result<()> {
        while !stop.is_given() {
            self.task.beat();
            self.reread_key().await;
            let nap_ms = self.step(&mut stop).await?.min(NAP_MS_MAX);
            if nap_ms > 0 {
                if !self.is_shown {
                    self.show();
                }
                tokio::select! {
                    () = stop.wait() => {}
                    () = self.task.clock.sleep_ms(nap_ms) => {}
                }
            }
        }
        Ok(())
    }

    /// Asks what is to be asked now, and returns for how many milliseconds there is nothing to do.
    async fn step(&mut self, stop: &mut Stop) -> anyhow::Result<i64> {
        let (wall, steady) = (self.task.clock.wall(), self.task.clock.steady());
        let now = self.skew.api_time(wall);
        let is_scarce = self.task.budget().is_scarce();
        let ask = match self.seated_mut().sweep.plan(now, is_scarce) {
            Plan::Wait(until) => return Ok(until.since_ms(now).max(1)),
            Plan::Ask(ask) => ask,
        };
        if ask.purpose.is_poll() {
            self.poll_began.get_or_insert(steady);
        }
        let backoff_ms = self.backoff.wait_ms(steady);
        if backoff_ms > 0 {
            return Ok(backoff_ms);
        }
        let taken = self.task.budget().take(steady);
        if let Err(wait_ms) = taken {
            let nap_ms = wait_ms.min(NAP_MS_MAX);
            if ask.purpose.is_poll() {
                self.task.health().budget_wait_ms += nap_ms.unsigned_abs();
            }
            return Ok(nap_ms);
        }
        let asks = self.with_others(ask, now, steady);
        let exchanges = tokio::select! {
            () = stop.wait() => return Ok(0),
            exchanges = join_all(asks.iter().map(|ask| self.exchange(ask, now))) => exchanges,
        };
        let mut is_dated = true;
        for (exchange, answered_at) in &exchanges {
            self.count(exchange);
            is_dated &=
                exchange.date.is_none_or(|date| self.skew.believes(date, wall, *answered_at));
        }
        let exchanges = exchanges.into_iter().map(|(exchange, _)| exchange);
        // A refusal is one at any time.
        let answers = asks.into_iter().zip(exchanges).filter(|(_, exchange)| {
            is_dated || exchange.outcome.as_ref().is_err_and(|it| *it != Refusal::NotFound)
        });
        self.take(answers, wall, stop).await?;
        Ok(0)
    }

    /// What may be asked together with `ask`, as far as the budget reaches.
    fn with_others(&mut self, ask: Ask, now: Moment, steady: Moment) -> Vec<Ask> {
        let mut asks = vec![ask];
        while self.task.budget().is_large()
            && let Some(other) = self.seated_mut().sweep.plan_beside(now, &asks)
            && self.task.budget().take(steady).is_ok()
        {
            asks.push(other);
        }
        asks
    }

    /// Asks, and says when the answer was there.
    async fn exchange(&self, ask: &Ask, now: Moment) -> (Exchange, Moment) {
        let exchange = self.client.ask(&ask.request, now.floor()).await;
        (exchange, self.task.clock.wall())
    }

    /// Counts what an exchange cost, and how it went; it is shown before the next pause.
    fn count(&mut self, exchange: &Exchange) {
        self.is_shown = false;
        let took_ms = u64::try_from(exchange.elapsed.as_millis()).unwrap_or(u64::MAX);
        let mut health = self.task.health();
        health.requested(exchange.endpoint.label(), exchange.code.label(), took_ms);
        if let Some(error) = exchange.error {
            health.refused(error);
        }
        health.rate_limit = exchange.quota.limit.or(health.rate_limit);
        health.rate_limit_remaining = exchange.quota.remaining.or(health.rate_limit_remaining);
    }

    /// Takes answers to the planner, one after another, and what they change to the store.
    async fn take(
        &mut self,
        answers: impl Iterator<Item = (Ask, Exchange)>,
        wall: Moment,
        stop: &mut Stop,
    ) -> anyhow::Result<()> {
        let (ahead_ms, asked_at) = (self.skew.ahead_ms(), self.skew.api_time(wall));
        let steady = self.task.clock.steady();
        let (mut seen, mut failure, mut is_answered) = (BTreeSet::new(), None, false);
        for (ask, exchange) in answers {
            let Exchange { outcome, quota, note, .. } = exchange;
            self.task.budget().learn(quota);
            if let Ok(reply) = &outcome {
                self.count_defects(reply);
                self.seated_mut().sweep.settle_epoch(ahead_ms);
            }
            match self.seated_mut().sweep.digest(&ask, outcome, asked_at) {
                Err(refusal) => {
                    if !self.task.budget().pause(refusal, quota, steady) {
                        failure = Some(refusal);
                    }
                    self.refused(&ask, refusal, note.as_deref());
                }
                Ok(None) => is_answered = true,
                Ok(Some(mut digest)) => {
                    is_answered = true;
                    debug!(app.name = self.task.name(), ask = ?ask, "answered");
                    digest.leave_out(&mut seen);
                    if !self.store(digest, asked_at, stop).await? {
                        return Ok(());
                    }
                }
            }
        }
        // However many were refused together, it is one failure.
        match failure {
            Some(refusal) => self.backoff.refused(refusal, steady),
            None if is_answered => self.backoff.answered(),
            None => {}
        }
        Ok(())
    }

    fn count_defects(&self, reply: &crate::sweep::Reply) {
        let (crate::sweep::Reply::List(page) | crate::sweep::Reply::Get(page)) = reply;
        for defect in &page.defects {
            self.task.count_defect(*defect);
        }
    }

    fn refused(&mut self, ask: &Ask, refusal: Refusal, note: Option<&str>) {
        let note = note.unwrap_or("the API gave no usable answer");
        let app = self.task.name().to_owned();
        if ask.purpose.is_poll() {
            self.task.health().up = false;
            self.poll_began = None;
            self.tried = true;
        }
        let is_new = self.trouble.as_ref().is_none_or(|trouble| trouble.what != note);
        if !is_new {
            debug!(app.name = app, "app `{app}`: {note}");
            return;
        }
        if refusal == Refusal::Denied {
            error!(app.name = app, "app `{app}`: {note}");
        } else {
            warn!(app.name = app, "app `{app}`: {note}");
        }
        let since = self.trouble.as_ref().map_or(self.task.clock.wall(), |trouble| trouble.since);
        self.trouble = Some(Trouble { what: note.into(), since });
        self.show();
    }

    /// Looks at the key file now and then: a new key is tried at once.
    async fn reread_key(&mut self) {
        let steady = self.task.clock.steady();
        let is_file = matches!(self.task.settings.key, KeySource::File(_));
        if !is_file || steady.since_ms(self.key_read_at) < NAP_MS_MAX {
            return;
        }
        self.key_read_at = steady;
        let task = Arc::clone(&self.task);
        let read = tokio::task::spawn_blocking(move || key_file::read(&task.settings.key));
        // A file that is just being replaced, or is gone, leaves the key that works in force.
        if let Ok(Ok(key)) = read.await
            && key != self.key
        {
            let name = self.task.name();
            info!(app.name = name, "app `{name}`: the key file has changed, using the new key");
            self.client.set_key(key.clone());
            self.key = key;
            self.backoff.key_changed(steady);
        }
    }
}
