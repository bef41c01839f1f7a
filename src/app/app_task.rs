//! What the task of one app shares with its supervisor and outlives a restart of the task.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as Seat, OwnedMutexGuard, Semaphore};
use tokio::task::{JoinError, spawn_blocking};

use crate::api::Transport;
use crate::call::Moment;
use crate::clock::Clock;
use crate::config::settings::{AppSettings, CountFrom};
use crate::ledger::Rules;
use crate::metrics::{Examples, Health, Shown};
use crate::store::{AppId, Store};
use crate::sweep::{Applied, Budget, BudgetOptions, Defect, Grid, Options, Saved};

use super::board::Board;
use super::epoch;

/// Everything that polling one app needs.
pub(super) struct AppTask {
    pub(super) settings: AppSettings,
    pub(super) id: AppId,
    /// The epoch in the rules is taken from the state.
    pub(super) options: Options,
    /// Shared by the apps that share a limit.
    pub(super) budget: Arc<Mutex<Budget>>,
    /// A number of the app's own, the same in each process.
    pub(super) seed: u64,
    /// What a first start begins with.
    pub(super) first: Saved,
    pub(super) recent_window_s: i64,
    pub(super) transport: Transport,
    pub(super) store: Arc<dyn Store>,
    places_at_store: Arc<Semaphore>,
    pub(super) board: Arc<Board>,
    pub(super) clock: Clock,
    /// Milliseconds that the first request waits, so that many apps do not start as one.
    pub(super) start_delay_ms: i64,
    pub(super) shown: Shown,
    exemplars: bool,
    keepsake: Arc<Keepsake>,
    alive_at: AtomicI64,
}

/// What lasts as long as the process, through restarts of the task, reloads, and even while the app
/// is not in the configuration.
#[derive(Default)]
pub(super) struct Keepsake {
    /// Whoever sits here may change the state of the app. A task that was given up may still be in
    /// the middle of a commit; the next one waits until it has left the seat.
    seat: Arc<Seat<()>>,
    health: Mutex<Health>,
    /// What was counted last, where exemplars are shown.
    examples: Mutex<Examples>,
    /// Hashes of the unreadable rows that were counted, the newest last.
    defects: Mutex<VecDeque<u64>>,
}

/// Unreadable rows that are remembered per app, so that a row read again is not counted again.
const DEFECTS_MAX: usize = 1024;

/// Settings that all apps share.
#[derive(Clone)]
pub(super) struct Common {
    pub(super) rules: Rules,
    pub(super) interval_ms: i64,
    pub(super) per_page: u32,
    pub(super) lookback_s: i64,
    pub(super) budget: BudgetOptions,
    pub(super) count_from: CountFrom,
    pub(super) recent_window_s: i64,
    pub(super) exemplars: bool,
    pub(super) shown: Shown,
    pub(super) transport: Transport,
    pub(super) store: Arc<dyn Store>,
    pub(super) places_at_store: Arc<Semaphore>,
    pub(super) board: Arc<Board>,
    pub(super) clock: Clock,
}

/// How often a task that waits for a place says that it runs.
const BEAT_MS: i64 = 5_000;

/// How many apps are at the store at once. Enough to share transactions; each is a thread, which takes
/// memory of its own, and scrapes need threads too, above all while a disk hangs.
pub(super) const PLACES_AT_STORE: usize = 4;

/// What tells an app from all others, whatever it is called.
pub(super) fn id_of(settings: &AppSettings) -> AppId {
    AppId {
        app_id: settings.app_id.as_str().into(),
        on_behalf_of: settings.on_behalf_of.as_deref().map(Into::into),
    }
}

impl AppTask {
    /// `n_apps` is how many start together.
    pub(super) fn new(
        settings: AppSettings,
        common: &Common,
        budget: Arc<Mutex<Budget>>,
        keepsake: Arc<Keepsake>,
        n_apps: usize,
    ) -> Self {
        let id = id_of(&settings);
        let spread = spread(&id);
        let phase_ms = spread % common.interval_ms;
        let start_within_ms = (i64::try_from(n_apps).unwrap_or(i64::MAX).saturating_sub(1))
            .saturating_mul(20)
            .clamp(1, common.interval_ms);
        Self {
            settings,
            id,
            options: Options {
                rules: common.rules,
                grid: Grid { interval_ms: common.interval_ms, phase_ms },
                per_page: common.per_page,
                lookback_s: common.lookback_s,
            },
            budget,
            seed: spread.cast_unsigned(),
            first: epoch::first_start(
                common.count_from,
                common.lookback_s,
                common.recent_window_s,
                common.clock.wall().floor(),
            ),
            recent_window_s: common.recent_window_s,
            transport: common.transport.clone(),
            store: Arc::clone(&common.store),
            places_at_store: Arc::clone(&common.places_at_store),
            board: Arc::clone(&common.board),
            clock: common.clock,
            start_delay_ms: spread % start_within_ms,
            shown: common.shown,
            exemplars: common.exemplars,
            keepsake,
            alive_at: AtomicI64::new(common.clock.steady().0),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.settings.name
    }

    /// The app in entries of the view.
    pub(super) fn identity(&self) -> Arc<str> {
        // No app id holds a blank.
        let user = self.id.on_behalf_of.as_deref().unwrap_or_default();
        format!("{} {user}", self.id.app_id).into()
    }

    /// Does at the store what may wait for the disk, on a thread made for that.
    ///
    /// # Errors
    /// `work` panicked.
    pub(super) async fn at_store<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        let places = Arc::clone(&self.places_at_store);
        let waiting = places.acquire_owned();
        tokio::pin!(waiting);
        let place = loop {
            // While others are at a store that hangs, this task does not.
            self.beat();
            tokio::select! {
                place = &mut waiting => break place.expect("the places are never closed"),
                () = self.clock.sleep_ms(BEAT_MS) => {}
            }
        };
        let task = Arc::clone(self);
        let working = spawn_blocking(move || {
            let result = work(&task);
            drop(place); // here, for whoever waits may be gone
            result
        });
        working.await
    }

    /// The right to change the state of the app, if nobody has it.
    pub(super) fn take_seat(&self) -> Option<OwnedMutexGuard<()>> {
        Arc::clone(&self.keepsake.seat).try_lock_owned().ok()
    }

    /// What is counted since the process start; it survives a restart of the task.
    pub(super) fn health(&self) -> MutexGuard<'_, Health> {
        self.keepsake.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what a step counted, once it is durable.
    pub(super) fn note_examples(&self, applied: &Applied, asked_at: Moment) {
        if !self.exemplars {
            return;
        }
        let examples = self.keepsake.examples.lock();
        let mut examples = examples.unwrap_or_else(PoisonError::into_inner);
        for (key, posting) in &applied.postings {
            examples.note(key, posting, asked_at);
        }
    }

    /// What was noted.
    pub(super) fn examples(&self) -> Option<Examples> {
        let examples = &self.keepsake.examples;
        let examples = || examples.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.exemplars.then(examples)
    }

    pub(super) fn budget(&self) -> MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a row that could not be read, once per process.
    pub(super) fn count_defect(&self, defect: Defect) {
        let mut counted = self.keepsake.defects.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.contains(&defect.row_hash) {
            return;
        }
        if counted.len() == DEFECTS_MAX {
            counted.pop_front();
        }
        counted.push_back(defect.row_hash);
        self.health().skipped(defect.reason.label());
    }

    /// Says that the task still runs.
    pub(super) fn beat(&self) {
        self.alive_at.store(self.clock.steady().0, Ordering::Relaxed);
    }

    /// Milliseconds since the task last said that it runs.
    pub(super) fn silent_ms(&self) -> i64 {
        self.clock.steady().since_ms(Moment(self.alive_at.load(Ordering::Relaxed)))
    }
}

/// A number that is the app's own, the same in each process, to spread apps over time.
pub(super) fn spread(id: &AppId) -> i64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    (hasher.finish() >> 1).cast_signed()
}
