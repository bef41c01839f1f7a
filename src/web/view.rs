//! What is published: one immutable view of all apps, replaced as a whole.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::Body;
use super::coding::Coding;
use super::exposition::Exposition;
use super::facts::{AppFacts, ExporterFacts};
use crate::metrics::{self, AppLines, Format, Lines, Moment, ProcessStats};

/// After this time the exporter is ready, whatever the API does, in milliseconds.
const READY_AT_LATEST_MS: i64 = 15_000;

/// One app as it is shown.
#[derive(Clone, Debug, Default)]
pub struct AppEntry {
    /// Its metrics; they know its name.
    pub lines: AppLines,
    /// Which app this is, whatever its name: two may exchange their names in a reload.
    pub identity: Arc<str>,
    /// Whether its newest calls were read by the newest try.
    pub up: bool,
    /// Whether it has been read or has failed once.
    pub tried: bool,
    /// What is wrong, if something is.
    pub trouble: Option<Trouble>,
    /// What it is busy with, such as how far a long first read is.
    pub note: Option<String>,
    /// How far a long first read is.
    pub first_read: Option<FirstRead>,
    /// What the page says beside.
    pub facts: AppFacts,
}

impl AppEntry {
    /// What tells it from all others.
    fn key(&self) -> [&str; 2] {
        [self.lines.name(), &self.identity]
    }
}

/// How far a long first read is, in calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstRead {
    /// Calls read so far.
    pub n_read: u64,
    /// About how many there are.
    pub n_about: u64,
}

/// A place in a new order of apps.
#[derive(Clone, Debug)]
pub enum Placement {
    /// An app that may be shown already, and then stays as it is.
    Kept {
        /// Its name.
        name: String,
        /// Which app it is.
        identity: Arc<str>,
    },
    /// An app that was not shown before.
    New(Box<AppEntry>),
}

impl Placement {
    /// The name of the app.
    pub fn name(&self) -> &str {
        match self {
            Self::Kept { name, .. } => name,
            Self::New(entry) => entry.lines.name(),
        }
    }
}

/// Something that is wrong with an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What happened and what to do about it. Must not hold a key.
    pub what: String,
    /// Since when, on the local clock.
    pub since: Moment,
}

/// An app in its place, and what was made of it alone. Both stay while the app does not change.
struct ShownApp {
    entry: AppEntry,
    alone: Exposition,
}

impl ShownApp {
    /// Compresses the app alone if it was before it changed: whoever scraped it so will ask again.
    /// That it goes on if nobody does is less work than the poll behind it.
    fn remake(&self, before: &Exposition) {
        let nothing = Lines::default();
        self.alone.remake(before, |format| {
            metrics::join([&self.entry.lines].into_iter(), &nothing, format)
        });
    }
}

/// All apps and the exporter at one moment. Only what is committed is in it.
pub struct View {
    apps: Vec<Arc<ShownApp>>,
    process: Arc<Lines>,
    exporter: Arc<ExporterFacts>,
    started_at: Moment,
    all: Exposition,
    asked: Arc<Asked>,
}

/// The formats that were asked for: in these the poller renders an app when it changed, so that no
/// scrape has to.
#[derive(Default)]
struct Asked([AtomicBool; Format::ALL.len()]);

impl View {
    fn new(apps: Vec<Arc<ShownApp>>, process: Arc<Lines>, before: &Self) -> Self {
        let (started_at, asked) = (before.started_at, Arc::clone(&before.asked));
        let exporter = Arc::clone(&before.exporter);
        Self { apps, process, exporter, started_at, all: Exposition::default(), asked }
    }

    /// The same exporter with other apps.
    fn with_apps(&self, apps: Vec<Arc<ShownApp>>) -> Self {
        Self::new(apps, Arc::clone(&self.process), self)
    }

    /// What is known of the exporter itself.
    pub fn exporter(&self) -> &ExporterFacts {
        &self.exporter
    }

    /// The apps, in the order of the configuration.
    pub fn apps(&self) -> impl Iterator<Item = &AppEntry> + Clone {
        self.apps.iter().map(|shown| &shown.entry)
    }

    /// All metrics at `now`, the local clock.
    pub(super) fn scrape(
        &self,
        format: Format,
        coding: Coding,
        stats: &ProcessStats,
        now: Moment,
    ) -> (Body, Coding) {
        self.asked.note(format);
        let apps = self.apps().map(|app| &app.lines);
        let live = metrics::live(apps.clone(), &self.process, stats, now, format);
        self.all.body(format, coding, || metrics::join(apps.clone(), &self.process, format), live)
    }

    /// The metrics of the apps of these names and nothing of the exporter. What was made of a single
    /// app is kept, and made anew when the app changes; what was made of several is not, for there are
    /// too many ways to pick.
    pub(super) fn scrape_apps(
        &self,
        names: &[String],
        format: Format,
        coding: Coding,
        now: Moment,
    ) -> (Body, Coding) {
        self.asked.note(format);
        let is_picked =
            |shown: &&Arc<ShownApp>| names.iter().any(|name| name == shown.entry.lines.name());
        let picked: Vec<_> = self.apps.iter().filter(is_picked).take(names.len()).collect();
        let apps = picked.iter().map(|shown| &shown.entry.lines);
        let (nothing, none) = (Lines::default(), ProcessStats::default());
        let live = metrics::live(apps.clone(), &nothing, &none, now, format);
        let join = || metrics::join(apps.clone(), &nothing, format);
        match picked.as_slice() {
            [shown] => shown.alone.body(format, coding, join, live),
            _ => Exposition::default().body(format, coding, join, live),
        }
    }

    /// Whether a scrape is made in a moment: it is of one app, or all but what is taken in it is made
    /// already.
    pub(super) fn is_quick(&self, names: &[String], format: Format, coding: Coding) -> bool {
        match names {
            [] => self.all.is_made(format, coding),
            [_] => true,
            _ => false,
        }
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
        let (process, asked) = (Arc::new(process), Arc::default());
        let (apps, all) = (Vec::new(), Exposition::default());
        Self(Arc::new(RwLock::new(Arc::new(View {
            apps,
            process,
            exporter: Arc::default(),
            started_at,
            all,
            asked,
        }))))
    }

    /// The newest view.
    pub fn view(&self) -> Arc<View> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces all apps, whatever was shown of them.
    pub fn publish_apps(&self, apps: Vec<AppEntry>) {
        let new = apps.into_iter().map(|entry| self.make(entry)).collect();
        self.replace(|view| view.with_apps(new));
    }

    /// Puts apps in a new order, with new ones among them; those that have none go. An app that
    /// stays is never shown older than it was, whatever its task publishes meanwhile.
    pub fn rearrange(&self, placements: Vec<Placement>) {
        let new: Vec<_> = placements.into_iter().map(|it| self.take_place(it)).collect();
        self.replace(|view| {
            let key = |shown: &Arc<ShownApp>| shown.entry.key().map(Arc::<str>::from);
            let before: BTreeMap<_, _> =
                view.apps.iter().map(|shown| (key(shown), shown)).collect();
            let apps = new.into_iter().filter_map(|app| {
                app.or_else(|key| before.get(&key).map(|shown| Arc::clone(shown)).ok_or(key)).ok()
            });
            view.with_apps(apps.collect())
        });
    }

    /// A new app, or which one is to stay.
    fn take_place(&self, placement: Placement) -> Result<Arc<ShownApp>, [Arc<str>; 2]> {
        match placement {
            Placement::New(entry) => Ok(self.make(*entry)),
            Placement::Kept { name, identity } => Err([name.into(), identity]),
        }
    }

    /// Replaces the entry of the same app and name; one that is not there any more stays away.
    pub fn publish_app(&self, entry: AppEntry) {
        let shown = self.make(entry);
        let before = self.view();
        if let Some(old) = before.apps.iter().find(|old| old.entry.key() == shown.entry.key()) {
            shown.remake(&old.alone);
        }
        drop(before);
        let renewed = |old: &Arc<ShownApp>| {
            let same = old.entry.key() == shown.entry.key();
            Arc::clone(if same { &shown } else { old })
        };
        self.replace(|view| view.with_apps(view.apps.iter().map(renewed).collect()));
    }

    /// Replaces what is said of the exporter itself.
    pub fn publish_process(&self, process: Lines) {
        self.view().asked.formats().for_each(|format| process.prepare(format));
        self.replace(|view| View::new(view.apps.clone(), Arc::new(process), view));
    }

    /// Replaces the facts of the exporter.
    pub fn publish_exporter(&self, facts: ExporterFacts) {
        self.replace(|view| View {
            exporter: Arc::new(facts),
            ..view.with_apps(view.apps.clone())
        });
    }

    fn make(&self, entry: AppEntry) -> Arc<ShownApp> {
        self.view().asked.formats().for_each(|format| entry.lines.prepare(format));
        Arc::new(ShownApp { entry, alone: Exposition::default() })
    }

    fn replace(&self, next: impl FnOnce(&View) -> View) {
        let mut place = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let next = Arc::new(next(&place));
        let old = std::mem::replace(&mut *place, next);
        drop(place);
        drop(old); // megabytes perhaps, so not under the lock
    }
}

impl Asked {
    fn note(&self, format: Format) {
        self.0[format.index()].store(true, Ordering::Relaxed);
    }

    fn formats(&self) -> impl Iterator<Item = Format> {
        let is_asked = |format: &Format| self.0[format.index()].load(Ordering::Relaxed);
        Format::ALL.into_iter().filter(is_asked)
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Publisher of {} apps", self.view().apps.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Breakdown;
    use crate::metrics::fixture::World;

    #[test]
    fn what_was_scraped_of_an_app_alone_is_compressed_anew_when_it_changes() {
        let shown = |name, breakdown| AppEntry {
            lines: metrics::render_app(&World::small().view(name), breakdown),
            ..AppEntry::default()
        };
        let entry = |name| shown(name, Breakdown::default());
        let changed = || shown("b", Breakdown { call_type: false, ..Breakdown::default() });
        let scrape = |publisher: &Publisher, coding| {
            let view = publisher.view();
            let (body, _) = view.scrape_apps(&["b".into()], Format::Text, coding, Moment(0));
            body.shared().clone()
        };
        let publisher = Publisher::new(Lines::default(), Moment(0));
        publisher.publish_apps(vec![entry("a"), entry("b")]);
        let before = [Coding::Identity, Coding::Gzip].map(|coding| scrape(&publisher, coding));
        publisher.publish_app(entry("a"));
        publisher.publish_app(changed());
        let view = publisher.view();
        let made = |name, format, coding| {
            let app = view.apps.iter().find(|shown| shown.entry.lines.name() == name);
            app.expect("it is shown").alone.is_made(format, coding)
        };
        assert!(made("b", Format::Text, Coding::Gzip));
        assert!(!made("b", Format::Text, Coding::Identity), "joining takes only a moment");
        assert!(!made("b", Format::OpenMetrics, Coding::Gzip), "nobody asked for it");
        assert!(!made("a", Format::Text, Coding::Gzip), "nobody asked for it");
        let after = scrape(&publisher, Coding::Gzip);
        assert_ne!(after, before[1], "it has changed");
        publisher.publish_apps(vec![changed()]);
        assert_eq!(after, scrape(&publisher, Coding::Gzip), "as a scrape would make it");
    }
}
