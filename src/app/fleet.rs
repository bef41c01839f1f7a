//! The apps that are polled, and how a configuration that was read again changes them.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};
use tracing::error;

use crate::api::{Proxies, Transport};
use crate::clock::Clock;
use crate::config::settings::{AppSettings, CountFrom};
use crate::config::{Settings, effective};
use crate::ledger::OpenCalls;
use crate::metrics::{AppView, Shown};
use crate::store::{AppId, Store};
use crate::sweep::Budget;
use crate::web::{AppEntry, Placement};

use super::app_task::{AppTask, Common, Keepsake, id_of, spread};
use super::board::{Board, Remarks, ShownSettings};
use super::stop::Stopper;
use super::{epoch, supervise};

/// What stays the same while the process runs.
pub(super) struct Ground {
    pub(super) proxies: Proxies,
    pub(super) store: Arc<dyn Store>,
    pub(super) places_at_store: Arc<Semaphore>,
    pub(super) board: Arc<Board>,
    pub(super) clock: Clock,
}

/// All apps of the configuration in force.
pub(super) struct Fleet {
    ground: Ground,
    pub(super) settings: Settings,
    transport: Transport,
    members: Vec<Member>,
    supervisors: JoinSet<()>,
    /// By the name of the budget: the limit is that of an app id, whoever asks on whose behalf, or of
    /// a configured group. None is forgotten, so that an app that comes back finds spent what it spent.
    budgets: HashMap<String, Arc<Mutex<Budget>>>,
    keepsakes: HashMap<AppId, Arc<Keepsake>>,
}

/// An app that is polled until this is dropped.
struct Member {
    task: Arc<AppTask>,
    _stopper: Stopper,
}

/// What other settings mean for the apps, worked out before anything is touched.
pub(super) struct Change {
    settings: Settings,
    transport: Transport,
    apps: Vec<Next>,
}

/// An app of the new configuration.
enum Next {
    /// Polled already, and nothing of it has changed.
    Stays(Arc<AppTask>),
    /// To be polled by a new task, which takes over from an old one if there is one.
    Begins(Arc<AppTask>),
}

impl Next {
    const fn task(&self) -> &Arc<AppTask> {
        let (Self::Stays(task) | Self::Begins(task)) = self;
        task
    }
}

impl Change {
    /// The tasks that are not polling yet.
    pub(super) fn beginners(&self) -> Vec<Arc<AppTask>> {
        let begins = |next: &Next| matches!(next, Next::Begins(_)).then(|| Arc::clone(next.task()));
        self.apps.iter().filter_map(begins).collect()
    }
}

impl Fleet {
    /// Without any app yet; `settings` are those that come first.
    pub(super) fn new(ground: Ground, settings: Settings, transport: Transport) -> Self {
        Self {
            ground,
            settings,
            transport,
            members: Vec::new(),
            supervisors: JoinSet::new(),
            budgets: HashMap::new(),
            keepsakes: HashMap::new(),
        }
    }

    /// Works out what `settings` mean.
    pub(super) fn plan(&mut self, settings: Settings) -> anyhow::Result<Change> {
        let transport = if settings.poll.timeout_ms == self.settings.poll.timeout_ms {
            self.transport.clone()
        } else {
            Transport::new(Duration::from_millis(settings.poll.timeout_ms), self.ground.proxies)?
        };
        let common = self.common(&settings, &transport);
        let is_same = is_polled_alike(&self.settings, &settings);
        let stays = |app: &AppSettings| {
            let mut members = self.members.iter().map(|member| &member.task);
            members.find(|task| is_same && task.settings == *app).cloned()
        };
        let staying: Vec<_> = settings.apps.iter().map(stays).collect();
        let n_beginners = staying.iter().filter(|task| task.is_none()).count();
        let mut apps = Vec::new();
        for (app, staying) in settings.apps.iter().zip(staying) {
            apps.push(staying.map_or_else(
                || {
                    let new = || {
                        let number = spread(&id_of(app)).cast_unsigned();
                        Budget::new(common.budget, self.ground.clock.steady()).shifted(number)
                    };
                    let budget = self.budgets.entry(app.budget_name().to_owned());
                    let budget = Arc::clone(budget.or_insert_with(|| Arc::new(new().into())));
                    let keepsake = Arc::clone(self.keepsakes.entry(id_of(app)).or_default());
                    let task = AppTask::new(app.clone(), &common, budget, keepsake, n_beginners);
                    Next::Begins(Arc::new(task))
                },
                Next::Stays,
            ));
        }
        Ok(Change { settings, transport, apps })
    }

    /// Carries out a change: stops what goes, starts what comes, and touches nothing else. `entries`
    /// are those of [`Change::beginners`].
    pub(super) fn apply(&mut self, change: Change, entries: Vec<AppEntry>) -> Summary {
        let mut entries = entries.into_iter();
        let mut old = mem::take(&mut self.members);
        let (mut rows, mut summary) = (Vec::new(), Summary::default());
        for next in change.apps {
            let task = Arc::clone(next.task());
            let before = old.iter().position(|member| member.task.id == task.id);
            let before = before.map(|member_idx| old.swap_remove(member_idx));
            let shown_name = before.as_ref().map(|member| member.task.name().to_owned());
            let entry = if matches!(next, Next::Begins(_)) { entries.next() } else { None };
            rows.push(match entry {
                Some(entry) if shown_name.as_deref() != Some(task.name()) => {
                    Placement::New(Box::new(entry))
                }
                // What is shown was committed and is no older than the entry.
                _ => Placement::Kept { name: task.name().to_owned(), identity: task.identity() },
            });
            if before.is_none() {
                // What its last try found, when it was there before, says nothing of now.
                task.health().up = false;
            }
            summary.note(&next, before.as_ref());
            let member = match (next, before) {
                (Next::Stays(_), Some(member)) => member,
                (Next::Stays(task) | Next::Begins(task), _) => self.start(task),
            };
            self.members.push(member);
        }
        summary.removed.extend(old.iter().map(|member| member.task.name().to_owned()));
        drop(old);
        let options = change.settings.poll.budget();
        for budget in self.budgets.values() {
            let mut budget = budget.lock().unwrap_or_else(PoisonError::into_inner);
            budget.configure(options, self.ground.clock.steady());
        }
        let config = effective(&change.settings);
        let (board, now) = (&self.ground.board, self.ground.clock.wall());
        board.reloaded(rows, shown_settings(&change.settings), config, now);
        (self.settings, self.transport) = (change.settings, change.transport);
        summary
    }

    fn start(&mut self, task: Arc<AppTask>) -> Member {
        let (stopper, stop) = Stopper::new();
        self.supervisors.spawn(supervise::supervise(Arc::clone(&task), stop));
        Member { task, _stopper: stopper }
    }

    /// Returns when a supervisor has ended and nothing is left of it.
    pub(super) async fn reap(&mut self) {
        match self.supervisors.join_next().await {
            Some(ended) => report_panic(ended),
            None => std::future::pending().await,
        }
    }

    /// Lets every app end, each with its commit under way.
    pub(super) async fn end(mut self) {
        self.members.clear();
        while let Some(ended) = self.supervisors.join_next().await {
            report_panic(ended);
        }
    }

    fn common(&self, settings: &Settings, transport: &Transport) -> Common {
        let poll = settings.poll;
        Common {
            rules: settings.rules(self.ground.clock.wall().floor()),
            interval_ms: poll.interval_ms,
            per_page: poll.per_page,
            lookback_s: poll.lookback_s,
            budget: settings.poll.budget(),
            count_from: settings.count.from,
            recent_window_s: settings.recent_window_s,
            exemplars: settings.exemplars,
            shown: Shown {
                breakdown: settings.breakdown,
                created_from: settings.created.then_some(self.ground.board.started_at()),
            },
            transport: transport.clone(),
            store: Arc::clone(&self.ground.store),
            places_at_store: Arc::clone(&self.ground.places_at_store),
            board: Arc::clone(&self.ground.board),
            clock: self.ground.clock,
        }
    }
}

/// What a reload has changed, by the names of apps.
#[derive(Default)]
pub(super) struct Summary {
    added: Vec<String>,
    removed: Vec<String>,
    restarted: Vec<String>,
    n_kept: usize,
}

impl Summary {
    fn note(&mut self, next: &Next, before: Option<&Member>) {
        let name = next.task().name().to_owned();
        match (next, before) {
            (Next::Stays(_), _) => self.n_kept += 1,
            (Next::Begins(_), Some(_)) => self.restarted.push(name),
            (Next::Begins(_), None) => self.added.push(name),
        }
    }

    /// In words, for people.
    pub(super) fn words(&self) -> String {
        let changes = [("added", &self.added), ("removed", &self.removed)];
        let changes = changes.into_iter().chain([("with new settings", &self.restarted)]);
        let mut words: Vec<String> = changes
            .filter(|(_, names)| !names.is_empty())
            .map(|(what, names)| format!("{} {what} ({})", names.len(), list(names)))
            .collect();
        words.push(format!("{} unchanged", self.n_kept));
        format!("apps: {}", words.join(", "))
    }
}

/// The first few names.
fn list(names: &[String]) -> String {
    const NAMES_MAX: usize = 10;
    let shown = names.iter().take(NAMES_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > NAMES_MAX { format!("{shown}, …") } else { shown }
}

/// Whether the settings of all apps together leave those alone that have not changed themselves.
fn is_polled_alike(old: &Settings, new: &Settings) -> bool {
    let polled = |it: &Settings| {
        (it.poll, it.count, it.recent_window_s, it.breakdown, it.exemplars, it.created)
    };
    polled(old) == polled(new)
}

pub(super) fn shown_settings(settings: &Settings) -> ShownSettings {
    ShownSettings {
        recent_window_s: settings.recent_window_s.max(0).unsigned_abs(),
        interval_ms: settings.poll.interval_ms.max(0).unsigned_abs(),
        created: settings.created,
    }
}

/// What is shown of each app before its task has started: its counts as the state holds them. Reads
/// the disk.
pub(super) fn first_entries(
    tasks: &[Arc<AppTask>],
    count_from: CountFrom,
) -> anyhow::Result<Vec<AppEntry>> {
    let mut conflicts = Vec::new();
    let mut entries = Vec::new();
    for task in tasks {
        let now = task.clock.wall().floor();
        let saved = task.store.load(&task.id)?;
        let since = saved.as_ref().map(|saved| saved.progress.epoch);
        let conflict = epoch::conflict(count_from, since, now);
        conflicts.extend(conflict.map(|why| format!("app `{}`: {why}", task.name())));
        let saved = saved.as_ref().unwrap_or(&task.first);
        let progress = &saved.progress;
        let is_read = !progress.read.covered().is_empty();
        let mut health = task.health().clone();
        health.up = false;
        let view = AppView {
            name: task.name(),
            app_id: &task.settings.app_id,
            api_region: task.settings.api_region.label(),
            totals: progress.complete.then_some(&saved.totals),
            open: &OpenCalls::default(),
            recent: None,
            epoch: progress.epoch,
            covered_until: is_read.then(|| progress.covered_until()),
            skew_ms: None,
            tracked_calls: 0,
            health: &health,
            examples: None,
        };
        let remarks = Remarks {
            tried: false,
            trouble: None,
            note: None,
            first_read: None,
            at: task.clock.wall(),
        };
        entries.push(task.board.entry(task, &view, remarks));
    }
    anyhow::ensure!(conflicts.is_empty(), conflicts.join("\n"));
    Ok(entries)
}

fn report_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        error!(%error, "the supervisor of an app failed; please report it");
    }
}
