//! The second half of a step: what an answer changes becomes durable, and then is shown.

use anyhow::Context;
use tracing::{error, info};

use super::Poller;
use crate::app::stop::Stop;
use crate::app::storing::{self, Job, Stored};
use crate::call::{Moment, Timestamp};
use crate::store::StoreError;
use crate::sweep::{Digest, Span};

/// Shortest and longest pause after a state file that could not be written.
const STORE_PAUSE_MS_MIN: i64 = 1_000;
const STORE_PAUSE_MS_MAX: i64 = 30_000;
/// While many pages come in at once the view is renewed this often.
const SHOW_EVERY_MS: i64 = 500;

impl Poller {
    /// Commits what an answer changes; a store that cannot be written holds the reading up, since
    /// nothing may be counted that is not durable. Returns false where the word to stop came first.
    pub(super) async fn store(
        &mut self,
        digest: Digest,
        asked_at: Moment,
        stop: &mut Stop,
    ) -> anyhow::Result<bool> {
        if digest.is_cut {
            self.task.health().pages_truncated += 1;
        }
        let mut job = Job::Apply(Box::new(digest));
        let mut pause_ms = STORE_PAUSE_MS_MIN;
        let stored = loop {
            match self.attempt(job).await? {
                Ok(stored) => break stored,
                Err((left, error)) => {
                    self.task.board.show_process();
                    if !matches!(error, StoreError::Unwritable { .. }) {
                        return Err(error.into());
                    }
                    if pause_ms == STORE_PAUSE_MS_MIN {
                        error!("{error}; reading pauses, /metrics shows what was last committed");
                    }
                    job = left;
                }
            }
            tokio::select! {
                () = stop.wait() => return Ok(false),
                () = self.task.clock.sleep_ms(pause_ms) => self.task.beat(),
            }
            pause_ms = (pause_ms * 2).min(STORE_PAUSE_MS_MAX);
        };
        if pause_ms > STORE_PAUSE_MS_MIN {
            info!("the state can be written again");
        }
        self.stored(&stored, asked_at).await?;
        Ok(true)
    }

    async fn attempt(&mut self, job: Job) -> anyhow::Result<Result<Stored, (Job, StoreError)>> {
        let mut seated = self.seated.take().expect("one step at a time");
        let storing = self.task.at_store(move |task| {
            let result = storing::store_step(&mut seated, job, &*task.store, &task.id);
            (seated, result)
        });
        let (seated, result) = storing.await.context("a step could not be stored")?;
        self.seated = Some(seated);
        let took_us = result
            .as_ref()
            .ok()
            .map(|stored| u64::try_from(stored.commit_took.as_micros()).unwrap_or(u64::MAX));
        self.task.board.committed(took_us, self.task.store.size_bytes());
        Ok(result)
    }

    async fn stored(&mut self, stored: &Stored, asked_at: Moment) -> anyhow::Result<()> {
        self.is_shown = false;
        self.task.note_examples(&stored.applied, asked_at);
        self.tell_reading_back();
        if stored.applied.ends_poll {
            self.poll_ended(asked_at).await?;
        } else if self.task.clock.steady().since_ms(self.shown_at) >= SHOW_EVERY_MS {
            self.show();
        }
        Ok(())
    }

    async fn poll_ended(&mut self, asked_at: Moment) -> anyhow::Result<()> {
        let (wall, steady) = (self.task.clock.wall(), self.task.clock.steady());
        let from = asked_at.floor().plus_s(-self.task.recent_window_s);
        let window = Span::new(from, Timestamp::MAX);
        let recent =
            self.task.at_store(move |task| storing::recent(&*task.store, &task.id, window));
        // A window that cannot be read is absent until the next poll.
        self.recent =
            recent.await.context("the recent window failed")?.ok().map(|it| (it, asked_at));
        let began = self.poll_began.take().unwrap_or(steady);
        {
            let mut health = self.task.health();
            health.up = true;
            health.last_success = Some(wall);
            health.poll_duration_ms = Some(steady.since_ms(began).max(0).unsigned_abs());
        }
        self.tell_success(wall);
        self.tried = true;
        self.trouble = None;
        self.task.board.show_process();
        self.show();
        Ok(())
    }
}
