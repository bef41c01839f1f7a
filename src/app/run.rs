//! The exporter as a whole: open the state, bind, poll, serve, end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::api::{Proxies, Roots, Transport};
use crate::clock::Clock;
use crate::config::settings::{CountFrom, StateSettings, WebSettings};
use crate::config::web_file;
use crate::config::{Settings, effective};
use crate::ledger::{OpenCalls, Rules};
use crate::metrics::{AppView, Breakdown, Health};
use crate::store::{FileStore, MemoryStore, Store};
use crate::sweep::{Budget, BudgetOptions};
use crate::web::{AppEntry, Guard, Limits, Listener, Server, Site, WebConfig, listen, open, serve};

use super::app_task::{AppTask, Common};
use super::board::{Board, Remarks};
use super::stop::Stop;
use super::{epoch, supervise};

/// Apps get this long to finish a commit under way; the whole end stays below five seconds.
const END: Duration = Duration::from_secs(3);

/// An exporter that is ready to run: its state is open and its sockets are bound.
pub struct Exporter {
    tasks: Vec<Arc<AppTask>>,
    board: Arc<Board>,
    listeners: Vec<Listener>,
    guard: Guard,
    site: Site,
    limits: Limits,
    clock: Clock,
}

impl std::fmt::Debug for Exporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Exporter of {} apps", self.tasks.len())
    }
}

impl Exporter {
    /// Opens the state, checks it against the settings, and binds the sockets.
    ///
    /// # Errors
    /// Whatever keeps the exporter from starting, with what to do about it.
    pub async fn prepare(
        settings: Settings,
        proxies: Proxies,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        let store: Arc<dyn Store> = match &settings.state {
            StateSettings::Memory => Arc::new(MemoryStore::new()),
            StateSettings::File(path) => Arc::new(FileStore::open(path)?),
        };
        let timeout = Duration::from_millis(settings.poll.timeout_ms);
        let transport = Transport::new(timeout, proxies)?;
        match transport.roots() {
            Ok(Roots::File(path)) => info!("CA certificates: {} (SSL_CERT_FILE)", path.display()),
            Ok(Roots::System) => info!("CA certificates: the system's"),
            Ok(Roots::BuiltIn) => info!("CA certificates: built in, since the system has none"),
            Err(why) => warn!("CA certificates: {why}"),
        }
        let now = clock.wall();
        let breakdown = Breakdown {
            call_type: settings.breakdown.call_type,
            mode: settings.breakdown.mode,
            receiver_type: settings.breakdown.receiver_type,
        };
        let board = Arc::new(Board::new(
            breakdown,
            settings.recent_window_s.max(0).unsigned_abs(),
            settings.poll.interval_ms.max(0).unsigned_abs(),
            (state_path(&settings.state), effective(&settings)),
            now,
        ));
        let common = common(&settings, transport, store, Arc::clone(&board), clock);
        let n_apps = settings.apps.len();
        // The limit is that of an app id, whoever asks on whose behalf.
        let mut budgets: HashMap<String, Arc<Mutex<Budget>>> = HashMap::new();
        let tasks: Vec<Arc<AppTask>> = settings
            .apps
            .into_iter()
            .map(|app| {
                let new = || Arc::new(Mutex::new(Budget::new(common.budget, clock.steady())));
                let budget = budgets.entry(app.app_id.clone()).or_insert_with(new);
                Arc::new(AppTask::new(app, &common, Arc::clone(budget), n_apps))
            })
            .collect();
        let mut entries = Vec::new();
        for task in &tasks {
            entries.push(first_entry(task, common.count_from, &board)?);
        }
        board.open(entries);
        let web = settings.web;
        let (listeners, guard) = (listen_on(&web).await?, guard(&web)?);
        let limits = Limits { scrapes_max: web.max_requests, ..Limits::default() };
        let site = Site {
            version: env!("CARGO_PKG_VERSION"),
            telemetry_path: web.telemetry_path,
            route_prefix: web.route_prefix,
            link_prefix: web.link_prefix,
        };
        Ok(Self { tasks, board, listeners, guard, site, limits, clock })
    }

    /// The addresses that are listened on.
    pub fn addresses(&self) -> Vec<std::net::SocketAddr> {
        self.listeners.iter().filter_map(Listener::address).collect()
    }

    /// What is listened on, for people: addresses, and files of unix sockets.
    pub fn places(&self) -> Vec<String> {
        self.listeners.iter().map(Listener::place).collect()
    }

    /// Polls and serves until the word to stop is given. A commit under way is finished.
    pub async fn run(self, mut stop: Stop) {
        let mut apps = JoinSet::new();
        for task in self.tasks {
            apps.spawn(supervise::supervise(task, stop.clone()));
        }
        let clock = self.clock;
        let server = Server {
            site: self.site,
            publisher: self.board.publisher.clone(),
            now: Arc::new(move || clock.wall()),
            guard: self.guard,
            limits: self.limits,
        };
        let web = serve(self.listeners, server, async move { stop.wait().await });
        let apps_end = async { while apps.join_next().await.is_some() {} };
        tokio::join!(web, async {
            // Ends after the word to stop, and then soon.
            apps_end.await;
        });
    }
}

fn state_path(state: &StateSettings) -> Option<String> {
    match state {
        StateSettings::Memory => None,
        StateSettings::File(path) => Some(path.display().to_string()),
    }
}

async fn listen_on(web: &WebSettings) -> anyhow::Result<Vec<Listener>> {
    if web.systemd_socket {
        return Ok(listen::from_systemd()?);
    }
    let mut listeners = Vec::new();
    for place in &web.listen {
        listeners.push(open(&place.to_string()).await?);
    }
    Ok(listeners)
}

fn guard(web: &WebSettings) -> anyhow::Result<Guard> {
    let Some(path) = web.config_file.clone() else { return Ok(Guard::default()) };
    let config = WebConfig::open(path, web_file::policy).map_err(anyhow::Error::msg)?;
    info!("{}: {}", config.path().display(), config.current().describe());
    Ok(Guard::new(Some(config), web.open_health))
}

fn common(
    settings: &Settings,
    transport: Transport,
    store: Arc<dyn Store>,
    board: Arc<Board>,
    clock: Clock,
) -> Common {
    let poll = settings.poll;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share lies between 0 and 1"
    )]
    let share_ppm = (poll.rate_limit_share * 1e6).round() as u32;
    Common {
        rules: Rules {
            epoch: clock.wall().floor(),
            settle_s: poll.settle_s,
            max_open_s: poll.max_open_s,
            failures: settings.count.failures,
        },
        interval_ms: poll.interval_ms,
        per_page: poll.per_page,
        lookback_s: poll.lookback_s,
        budget: BudgetOptions { limit_per_minute: poll.rate_limit_per_minute.into(), share_ppm },
        count_from: settings.count.from,
        recent_window_s: settings.recent_window_s,
        transport,
        store,
        board,
        clock,
    }
}

/// What is shown of an app before its task has started: its counts as the state holds them.
fn first_entry(task: &AppTask, count_from: CountFrom, board: &Board) -> anyhow::Result<AppEntry> {
    let now = task.clock.wall().floor();
    let saved = task.store.load(&task.id)?;
    if let Some(why) = epoch::conflict(task.name(), count_from, saved.as_ref(), now) {
        anyhow::bail!(why);
    }
    let saved = saved.as_ref().unwrap_or(&task.first);
    let progress = &saved.progress;
    let is_read = !progress.read.covered().is_empty();
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
        health: &Health::default(),
    };
    Ok(board
        .entry(&view, Remarks { tried: false, trouble: None, note: None, at: task.clock.wall() }))
}

/// Runs the exporter until SIGTERM or SIGINT.
///
/// # Errors
/// Whatever keeps it from starting, with what to do about it.
pub async fn run(settings: Settings, notices: &[String]) -> anyhow::Result<()> {
    let mut signals = super::stop::Signals::listen().context("cannot listen to signals")?;
    info!("starting cometchat-exporter {}", env!("CARGO_PKG_VERSION"));
    for notice in notices {
        warn!("{notice}");
    }
    for proxy in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        if std::env::var_os(proxy).is_some() {
            info!("requests to the API go through the proxy in {proxy}, unless NO_PROXY says no");
        }
    }
    let exporter = Exporter::prepare(settings, Proxies::Environment, Clock::system()).await?;
    for place in exporter.places() {
        info!("listening on {place}");
    }
    let (stopper, stop) = super::stop::Stopper::new();
    let running = exporter.run(stop);
    tokio::pin!(running);
    let signal = tokio::select! {
        () = &mut running => return Ok(()),
        signal = signals.next() => signal,
    };
    info!("{signal}: finishing commits under way");
    stopper.stop();
    if tokio::time::timeout(END, running).await.is_err() {
        warn!("not everything ended within {END:?}; what was not committed is read again");
    }
    info!("ended");
    Ok(())
}
