//! The exporter as a whole: open the state, bind, poll, serve, end.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tracing::{info, warn};

use crate::api::{Proxies, Roots, Transport};
use crate::clock::Clock;
use crate::config::cli::RunArgs;
use crate::config::settings::{StateSettings, WebSettings};
use crate::config::{Loaded, Settings, effective, web_file};
use crate::metrics::Shard;
use crate::store::{FileStore, MemoryStore, Store};
use crate::web::lifecycle::{Lifecycle, Wishes};
use crate::web::{AppEntry, Guard, Limits, Listener, Server, Site, WebConfig, listen, open, serve};

use super::app_task::PLACES_AT_STORE;
use super::board::Board;
use super::fleet::{self, Change, Fleet, Ground};
use super::reload::{self, Reloading};
use super::stop::{Signals, Stop, Stopper};

/// Apps get this long to finish a commit under way; the whole end stays below five seconds.
const END: Duration = Duration::from_secs(3);

/// An exporter that is ready to run: its state is open and its sockets are bound.
pub struct Exporter {
    fleet: Fleet,
    /// What the fleet begins with.
    start: (Change, Vec<AppEntry>),
    board: Arc<Board>,
    listeners: Vec<Listener>,
    guard: Guard,
    site: Site,
    limits: Limits,
    orders_allowed: bool,
    clock: Clock,
}

impl std::fmt::Debug for Exporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Exporter of {} apps", self.start.1.len())
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
        Self::on(store, settings, proxies, clock).await
    }

    /// The same on a state that is open.
    pub(super) async fn on(
        store: Arc<dyn Store>,
        settings: Settings,
        proxies: Proxies,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        let timeout = Duration::from_millis(settings.poll.timeout_ms);
        let transport = Transport::new(timeout, proxies)?;
        match transport.roots() {
            Ok(Roots::File(path)) => info!("CA certificates: {} (SSL_CERT_FILE)", path.display()),
            Ok(Roots::System) => info!("CA certificates: the system's"),
            Ok(Roots::BuiltIn) => info!("CA certificates: built in, since the system has none"),
            Err(why) => warn!("CA certificates: {why}"),
        }
        let board = Arc::new(Board::new(
            fleet::shown_settings(&settings),
            settings.shard,
            (state_path(&settings.state), effective(&settings)),
            clock.wall(),
        ));
        let places_at_store = Arc::new(Semaphore::new(PLACES_AT_STORE));
        let ground = Ground { proxies, store, places_at_store, board: Arc::clone(&board), clock };
        let mut fleet = Fleet::new(ground, settings.clone(), transport);
        let web = settings.web.clone();
        let count_from = settings.count.from;
        let change = fleet.plan(settings)?;
        let entries = fleet::first_entries(&change.beginners(), count_from)?;
        let (listeners, guard) = (listen_on(&web).await?, guard(&web)?);
        let limits = Limits { scrapes_max: web.max_requests, ..Limits::default() };
        let site = Site {
            version: env!("CARGO_PKG_VERSION"),
            telemetry_path: web.telemetry_path,
            route_prefix: web.route_prefix,
            link_prefix: web.link_prefix,
        };
        let orders_allowed = web.enable_lifecycle;
        let start = (change, entries);
        Ok(Self { fleet, start, board, listeners, guard, site, limits, orders_allowed, clock })
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
    pub async fn run(mut self, mut stop: Stop, reloading: Option<Reloading>) {
        let (change, entries) = self.start;
        self.fleet.apply(change, entries);
        let lifecycle = reloading.as_ref().map(Reloading::lifecycle);
        let clock = self.clock;
        let server = Server {
            site: self.site,
            publisher: self.board.publisher.clone(),
            now: Arc::new(move || clock.wall()),
            guard: self.guard,
            limits: self.limits,
            lifecycle: lifecycle.filter(|_| self.orders_allowed),
        };
        let apps = reload::run(self.fleet, self.board, reloading, stop.clone());
        let web = serve(self.listeners, server, async move { stop.wait().await });
        tokio::join!(web, apps);
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

/// Runs the exporter until SIGTERM, SIGINT or an allowed request says that it ends.
///
/// # Errors
/// Whatever keeps it from starting, with what to do about it.
pub async fn run(args: RunArgs, loaded: Loaded) -> anyhow::Result<()> {
    let mut signals = Signals::listen().context("cannot listen to signals")?;
    let mut hangup = signal(SignalKind::hangup()).context("cannot listen to signals")?;
    let Loaded { settings, notices, fingerprint } = loaded;
    info!("starting cometchat-exporter {}", env!("CARGO_PKG_VERSION"));
    for notice in &notices {
        warn!("{notice}");
    }
    if settings.shard != Shard::default() {
        info!("shard {}: apps read here: {}", settings.shard, settings.apps.len());
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
    let (lifecycle, Wishes { reloads, mut quits }) = Lifecycle::new();
    let watching = watch(args.clone(), fingerprint, lifecycle.clone());
    let reloading = Reloading::new(reload::Loader::new(args), lifecycle.clone(), reloads);
    let (stopper, stop) = Stopper::new();
    let running = exporter.run(stop, Some(reloading));
    tokio::pin!(running, watching);
    let why = loop {
        tokio::select! {
            () = &mut running => return Ok(()),
            () = &mut watching => {}
            signal = signals.next() => break signal,
            Some(()) = quits.recv() => break "POST /-/quit",
            Some(()) = hangup.recv() => lifecycle.request_reload("SIGHUP"),
        }
    };
    info!("{why}: finishing commits under way");
    stopper.stop();
    if tokio::time::timeout(END, running).await.is_err() {
        warn!("not everything ended within {END:?}; what was not committed is read again");
    }
    info!("ended");
    Ok(())
}

/// Looks at the configuration file now and then, if that is wanted. Never ends.
async fn watch(args: RunArgs, fingerprint: Option<u64>, lifecycle: Lifecycle) {
    let every = Duration::from_millis(args.auto_reload_interval_ms.max(0).unsigned_abs());
    match args.config_file.filter(|_| args.auto_reload) {
        Some(file) => reload::watch(file, every, fingerprint, lifecycle).await,
        None => std::future::pending().await,
    }
}
