//! What is published: one immutable view of all apps, replaced as a whole.

use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use hyper::body::Bytes;

use super::facts::{AppFacts, ExporterFacts};
use crate::metrics::{self, AppLines, Lines, Moment};

/// After this time the exporter is ready, whatever the API does, in milliseconds.
const READY_AT_LATEST_MS: i64 = 15_000;

/// One app as it is shown.
#[derive(Clone, Debug, Default)]
pub struct AppEntry {
    /// Its metrics; they know its name.
    pub lines: AppLines,
    /// Whether its newest calls were read by the newest try.
    pub up: bool,
    /// Whether it has been read or has failed once.
    pub tried: bool,
    /// What is wrong, if something is.
    pub trouble: Option<Trouble>,
    /// What it is busy with, such as how far a long first read is.
    pub note: Option<String>,
    /// What the page says beside.
    pub facts: AppFacts,
}

/// Something that is wrong with an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What happened and what to do about it. Must not hold a key.
    pub what: String,
    /// Since when, on the local clock.
    pub since: Moment,
}

/// All apps and the exporter at one moment. Only what is committed is in it.
pub struct View {
    apps: Vec<Arc<AppEntry>>,
    process: Arc<Lines>,
    exporter: Arc<ExporterFacts>,
    started_at: Moment,
    /// Joined when a scrape first asks for it: apps change more often than they are scraped.
    exposition: OnceLock<Bytes>,
}

impl View {
    fn new(apps: Vec<Arc<AppEntry>>, process: Arc<Lines>, started_at: Moment) -> Self {
        let (exporter, exposition) = (Arc::default(), OnceLock::new());
        Self { apps, process, exporter, started_at, exposition }
    }

    /// The same exporter with other apps.
    fn with_apps(&self, apps: Vec<Arc<AppEntry>>) -> Self {
        let exporter = Arc::clone(&self.exporter);
        Self { exporter, ..Self::new(apps, Arc::clone(&self.process), self.started_at) }
    }

    /// What is known of the exporter itself.
    pub fn exporter(&self) -> &ExporterFacts {
        &self.exporter
    }

    /// The apps, in the order of the configuration.
    pub fn apps(&self) -> impl Iterator<Item = &AppEntry> + Clone {
        self.apps.iter().map(|app| &**app)
    }

    /// The metrics, but for those that are taken at the scrape.
    pub fn exposition(&self) -> Bytes {
        let lines = self.apps.iter().map(|app| &app.lines);
        self.exposition.get_or_init(|| metrics::join(lines, &self.process).into()).clone()
    }

    /// The names of the apps for which the readiness still waits at `now`.
    pub fn waits_for(&self, now: Moment) -> Vec<&str> {
        if now.since_ms(self.started_at) >= READY_AT_LATEST_MS {
            return Vec::new();
        }
        self.apps().filter(|app| !app.tried).map(|app| app.lines.name()).collect()
    }
}

/// Where the views are published and taken. Clones share one place.
///
/// The lock is held only to exchange a pointer or to copy pointers, never while text is rendered.
#[derive(Clone)]
pub struct Publisher(Arc<RwLock<Arc<View>>>);

impl Publisher {
    /// Begins without any app. `started_at` is the local clock.
    pub fn new(process: Lines, started_at: Moment) -> Self {
        let view = View::new(Vec::new(), Arc::new(process), started_at);
        Self(Arc::new(RwLock::new(Arc::new(view))))
    }

    /// The newest view.
    pub fn view(&self) -> Arc<View> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces all apps: at the start, and when the configuration was read again.
    pub fn publish_apps(&self, apps: Vec<AppEntry>) {
        let apps = apps.into_iter().map(Arc::new).collect();
        self.replace(|view| view.with_apps(apps));
    }

    /// Replaces the app of the same name; one that is not there any more stays away.
    pub fn publish_app(&self, entry: AppEntry) {
        let entry = Arc::new(entry);
        let renewed = |old: &Arc<AppEntry>| {
            let same = old.lines.name() == entry.lines.name();
            Arc::clone(if same { &entry } else { old })
        };
        self.replace(|view| view.with_apps(view.apps.iter().map(renewed).collect()));
    }

    /// Replaces what is said of the exporter itself.
    pub fn publish_process(&self, process: Lines) {
        self.replace(|view| View {
            process: Arc::new(process),
            ..view.with_apps(view.apps.clone())
        });
    }

    /// Replaces the facts of the exporter.
    pub fn publish_exporter(&self, facts: ExporterFacts) {
        self.replace(|view| View {
            exporter: Arc::new(facts),
            ..view.with_apps(view.apps.clone())
        });
    }

    fn replace(&self, next: impl FnOnce(&View) -> View) {
        let mut place = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let next = Arc::new(next(&place));
        let old = std::mem::replace(&mut *place, next);
        drop(place);
        drop(old); // megabytes perhaps, so not under the lock
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Publisher of {} apps", self.view().apps.len())
    }
}
