//! Publishing: from the state of apps and of the process to the view that scrapes see.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::call::{Moment, Outcome, Status};
use crate::ledger::recent::RecentTally;
use crate::ledger::{Counter, Recent, Totals};
use crate::metrics::{
    AppView, BuildInfo, Lines, ProcessView, ReloadView, Shard, Shown, StateView, render_app,
    render_process,
};
use crate::web::{
    AppEntry, AppFacts, Counts, ExporterFacts, FirstRead, History, Placement, Publisher, Trouble,
};

use super::app_task::AppTask;

/// Where tasks put what scrapes may see.
pub(super) struct Board {
    pub(super) publisher: Publisher,
    started_at: Moment,
    /// Whether it is told since when counters count.
    created: AtomicBool,
    process: Mutex<ProcessView>,
    state_path: Option<String>,
    /// The configuration in force, without keys.
    config: Mutex<Arc<str>>,
    /// By name of the app.
    histories: Mutex<BTreeMap<String, History>>,
}

/// Settings that the metrics of the process show.
#[derive(Clone, Copy)]
pub(super) struct ShownSettings {
    pub(super) recent_window_s: u64,
    pub(super) interval_ms: u64,
    /// Whether it is told since when counters count.
    pub(super) created: bool,
}

/// What is said of an app beside its metrics.
pub(super) struct Remarks {
    /// Whether it has been read or has failed once.
    pub(super) tried: bool,
    pub(super) trouble: Option<Trouble>,
    pub(super) note: Option<String>,
    pub(super) first_read: Option<FirstRead>,
    /// When this is, on the local clock.
    pub(super) at: Moment,
}

impl Board {
    /// Begins without any app. `now` is the local clock.
    pub(super) fn new(
        settings: ShownSettings,
        shard: Shard,
        (state_path, config): (Option<String>, String),
        now: Moment,
    ) -> Self {
        let process = ProcessView {
            recent_window_s: settings.recent_window_s,
            poll_interval_ms: settings.interval_ms,
            state: StateView {
                size_bytes: None,
                commit_duration_us: None,
                writable: true,
                commit_failures: 0,
            },
            reload: ReloadView { successful: true, success_at: now },
            shard,
            build: BuildInfo {
                version: env!("CARGO_PKG_VERSION"),
                revision: option_env!("COMETCHAT_EXPORTER_REVISION").unwrap_or("unknown"),
                rust_version: env!("RUSTC_VERSION"),
            },
        };
        let created_from = settings.created.then_some(now);
        let shown = Shown { created_from, ..Shown::default() };
        let publisher = Publisher::new(render_process(&process, shown), now);
        let board = Self {
            publisher,
            started_at: now,
            created: AtomicBool::new(settings.created),
            process: Mutex::new(process),
            state_path,
            config: Mutex::new(config.into()),
            histories: Mutex::default(),
        };
        board.show_process();
        board
    }

    /// What is to be shown of an app.
    pub(super) fn entry(&self, task: &AppTask, view: &AppView<'_>, remarks: Remarks) -> AppEntry {
        AppEntry {
            lines: render_app(view, task.shown),
            identity: task.identity(),
            up: view.health.up,
            tried: remarks.tried,
            trouble: remarks.trouble,
            note: remarks.note,
            first_read: remarks.first_read,
            facts: self.facts(view, remarks.at),
        }
    }

    /// What the page is told, and takes a note of it for its charts.
    fn facts(&self, view: &AppView<'_>, at: Moment) -> AppFacts {
        let (health, counted) = (view.health, view.totals.map(|totals| counted(totals)));
        let requests = health.requests.values().sum();
        let answered: u64 =
            health.requests.iter().filter_map(|((_, code), n)| (code == "200").then_some(n)).sum();
        let mut histories = self.histories.lock().unwrap_or_else(PoisonError::into_inner);
        let history = histories.entry(view.name.to_owned()).or_default();
        history.record(at, counted, view.open.count(), requests);
        AppFacts {
            app_id: view.app_id.into(),
            api_region: view.api_region.into(),
            counts_since_s: view.epoch.0,
            counted,
            recent: view.recent.map(recent),
            open: view.open.count(),
            last_success: health.last_success,
            requests,
            requests_failed: requests.saturating_sub(answered),
            budget_milli_per_minute: health.budget_milli_per_minute,
            rate_limit: health.rate_limit,
            rate_limit_remaining: health.rate_limit_remaining,
            history: history.clone(),
        }
    }

    /// Shows an app as it is now.
    pub(super) fn show(&self, entry: AppEntry) {
        self.publisher.publish_app(entry);
    }

    /// Shows the apps of a configuration that was just read, and what else it changes.
    pub(super) fn reloaded(
        &self,
        rows: Vec<Placement>,
        settings: ShownSettings,
        config: String,
        now: Moment,
    ) {
        let names: BTreeSet<String> = rows.iter().map(|row| row.name().to_owned()).collect();
        let mut histories = self.histories.lock().unwrap_or_else(PoisonError::into_inner);
        histories.retain(|name, _| names.contains(name));
        drop(histories);
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = config.into();
        self.publisher.rearrange(rows);
        let mut process = self.process();
        process.recent_window_s = settings.recent_window_s;
        process.poll_interval_ms = settings.interval_ms;
        process.reload = ReloadView { successful: true, success_at: now };
        drop(process);
        self.created.store(settings.created, Ordering::Relaxed);
        self.show_process();
    }

    /// Shows that a configuration could not be used.
    pub(super) fn reload_failed(&self) {
        self.process().reload.successful = false;
        self.show_process();
    }

    /// Notes how a commit went: how long it took, or that it failed.
    pub(super) fn committed(&self, took_us: Option<u64>, size_bytes: u64) {
        let mut process = self.process();
        let state = &mut process.state;
        state.writable = took_us.is_some();
        match took_us {
            Some(_) => state.commit_duration_us = took_us,
            None => state.commit_failures += 1,
        }
        state.size_bytes = Some(size_bytes);
    }

    /// Shows what is known of the process.
    pub(super) fn show_process(&self) {
        self.publisher.publish_process(self.process_lines());
        let process = *self.process();
        self.publisher.publish_exporter(ExporterFacts {
            state_path: self.state_path.clone(),
            state_bytes: process.state.size_bytes.filter(|_| self.state_path.is_some()),
            state_writable: process.state.writable,
            commit_failures: process.state.commit_failures,
            recent_window_s: process.recent_window_s,
            shard: process.shard,
            config: Arc::clone(&self.config.lock().unwrap_or_else(PoisonError::into_inner)),
        });
    }

    /// The start of the process, since when it counts what is not durable.
    pub(super) const fn started_at(&self) -> Moment {
        self.started_at
    }

    fn process_lines(&self) -> Lines {
        let created_from = self.created.load(Ordering::Relaxed).then_some(self.started_at);
        render_process(&self.process(), Shown { created_from, ..Shown::default() })
    }

    fn process(&self) -> MutexGuard<'_, ProcessView> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn counted(totals: &Totals) -> Counts {
    let media_ms = totals.sum(Counter::AudioMs).saturating_add(totals.sum(Counter::VideoMs));
    Counts { calls: Outcome::ALL.map(|outcome| totals.sum(Counter::Calls(outcome))), media_ms }
}

fn recent(recent: &Recent) -> Counts {
    let mut counts = Counts::default();
    for tally in recent.by_kind.values() {
        for (sum, outcome) in counts.calls.iter_mut().zip(Outcome::ALL) {
            *sum += tally.calls[RecentTally::slot(Status::Final(outcome))];
        }
        counts.media_ms += tally.audio_ms + tally.video_ms;
    }
    counts
}
