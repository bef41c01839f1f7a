//! Publishing: from the state of apps and of the process to the view that scrapes see.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::call::Moment;
use crate::metrics::{
    AppView, BuildInfo, Lines, ProcessView, ReloadView, Shown, StateView, render_app,
    render_process,
};
use crate::web::{AppEntry, Publisher, Row, Trouble};

use super::app_task::AppTask;

/// Where tasks put what scrapes may see.
pub(super) struct Board {
    pub(super) publisher: Publisher,
    /// The start of the process, where it is to be told since when counters count.
    created_from: Option<Moment>,
    process: Mutex<ProcessView>,
}

/// Settings of the polls that the metrics show.
#[derive(Clone, Copy)]
pub(super) struct PollTimes {
    pub(super) recent_window_s: u64,
    pub(super) interval_ms: u64,
}

/// What is said of an app beside its metrics.
pub(super) struct Remarks {
    /// Whether it has been read or has failed once.
    pub(super) tried: bool,
    pub(super) trouble: Option<Trouble>,
    pub(super) note: Option<String>,
}

impl Board {
    /// Begins without any app. `now` is the local clock.
    pub(super) fn new(poll: PollTimes, created: bool, now: Moment) -> Self {
        let process = ProcessView {
            recent_window_s: poll.recent_window_s,
            poll_interval_ms: poll.interval_ms,
            state: StateView {
                size_bytes: None,
                commit_duration_us: None,
                writable: true,
                commit_failures: 0,
            },
            reload: ReloadView { successful: true, success_at: now },
            build: BuildInfo {
                version: env!("CARGO_PKG_VERSION"),
                revision: option_env!("COMETCHAT_EXPORTER_REVISION").unwrap_or("unknown"),
                rust_version: env!("CARGO_PKG_RUST_VERSION"),
            },
        };
        let created_from = created.then_some(now);
        let shown = Shown { created_from, ..Shown::default() };
        let publisher = Publisher::new(render_process(&process, shown), now);
        Self { publisher, created_from, process: Mutex::new(process) }
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
        }
    }

    /// Shows an app as it is now.
    pub(super) fn show(&self, entry: AppEntry) {
        self.publisher.publish_app(entry);
    }

    /// Shows the apps of a configuration that was just read, and what else it changes.
    pub(super) fn reloaded(&self, rows: Vec<Row>, poll: PollTimes, now: Moment) {
        self.publisher.rearrange(rows);
        let mut process = self.process();
        process.recent_window_s = poll.recent_window_s;
        process.poll_interval_ms = poll.interval_ms;
        process.reload = ReloadView { successful: true, success_at: now };
        drop(process);
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
    }

    /// The start of the process, where it is to be told since when counters count.
    pub(super) const fn created_from(&self) -> Option<Moment> {
        self.created_from
    }

    fn process_lines(&self) -> Lines {
        let shown = Shown { created_from: self.created_from, ..Shown::default() };
        render_process(&self.process(), shown)
    }

    fn process(&self) -> MutexGuard<'_, ProcessView> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
