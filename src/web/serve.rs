//! The sockets: accepting, answering, and ending without cutting an answer off.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tracing::{debug, error, warn};

use super::guard::{Guard, dress};
use super::routes::{self, Place, plain};
use super::stream::{self, Greeting, Stream};
use super::{Body, Lifecycle, Listener, Publisher, Site, process, route};
use crate::metrics::Moment;

/// Most bytes of a request's head; ours fit in a few hundred.
const HEAD_BYTES_MAX: usize = 32 * 1024;
/// Pause after an accept that failed, as it does while there are no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// What is served, and by which clock.
#[derive(Clone)]
pub struct Server {
    /// What stays the same.
    pub site: Site,
    /// Where the newest view is.
    pub publisher: Publisher,
    /// The local clock.
    pub now: Arc<dyn Fn() -> Moment + Send + Sync>,
    /// Who may ask.
    pub guard: Guard,
    /// How patient it is.
    pub limits: Limits,
    /// Who carries out orders; without it there are none.
    pub lifecycle: Option<Lifecycle>,
}

/// What all connections share.
struct Shared {
    server: Server,
    /// One for each scrape that may go on at once; absent without a limit.
    scrapes: Option<Arc<Semaphore>>,
    started: Instant,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server of {:?}, {:?}", self.publisher, self.limits)
    }
}

/// How long and how many connections are borne.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From the start of a connection until its first request is there.
    pub first_request: Duration,
    /// From one request, its answer included, until the next. Longer than the time between two
    /// scrapes, so that they share a connection.
    pub next_request: Duration,
    /// Time for answers under way when the exporter ends.
    pub drain: Duration,
    /// Connections at once on each listener; further ones wait until one ends.
    pub connections_max: usize,
    /// Scrapes at once, each until its last byte is on its way; further ones are turned away. 0 is
    /// no limit.
    pub scrapes_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first_request: Duration::from_secs(10),
            next_request: Duration::from_secs(300),
            drain: Duration::from_secs(2),
            connections_max: 512,
            scrapes_max: 40,
        }
    }
}

/// Serves until `shutdown` ends, then lets answers under way end.
pub async fn serve(listeners: Vec<Listener>, server: Server, shutdown: impl Future<Output = ()>) {
    let n_scrapes = usize::try_from(server.limits.scrapes_max).unwrap_or(usize::MAX);
    let n_scrapes = n_scrapes.min(Semaphore::MAX_PERMITS);
    let scrapes = (n_scrapes > 0).then(|| Arc::new(Semaphore::new(n_scrapes)));
    let shared = Arc::new(Shared { server, scrapes, started: Instant::now() });
    let (stop, stopped) = watch::channel(());
    let mut loops = JoinSet::new();
    for listener in listeners {
        loops.spawn(accept_until_stopped(listener, Arc::clone(&shared), stopped.clone()));
    }
    shutdown.await;
    drop(stop);
    while let Some(ended) = loops.join_next().await {
        report_panic(ended);
    }
}

async fn accept_until_stopped(
    listener: Listener,
    shared: Arc<Shared>,
    mut stopped: watch::Receiver<()>,
) {
    let limits = shared.server.limits;
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            Some(ended) = connections.join_next() => report_panic(ended),
            stream = accept(&listener), if connections.len() < limits.connections_max => {
                connections.spawn(converse(stream, Arc::clone(&shared), graceful.watcher()));
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(limits.drain, graceful.shutdown()).await.is_err() {
        debug!("connections cut off after {:?}", limits.drain);
    }
    connections.shutdown().await;
}

async fn accept(listener: &Listener) -> Stream {
    loop {
        match stream::accept(listener).await {
            Ok(stream) => return stream,
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            Err(error) => {
                warn!(%error, "cannot accept a connection; trying again in {ACCEPT_PAUSE:?}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Answers the requests of one connection, HTTP/1.1 or HTTP/2, in TLS where that is on.
///
/// One clock rules its whole life: the time to the first request, then to each next one. That
/// bounds slow handshakes, slow heads, idle connections and readers that stopped reading.
async fn converse(stream: Stream, shared: Arc<Shared>, watcher: Watcher) {
    let limits = shared.server.limits;
    let greeted_at_latest = Instant::now() + limits.first_request;
    let active = shared.server.guard.current().await;
    let greeting = stream::greet(stream, active.tls.clone());
    let stream = match tokio::time::timeout_at(greeted_at_latest, greeting).await {
        Ok(Ok(Greeting::Done(stream))) => stream,
        Ok(Ok(Greeting::NotTls)) | Err(_) => return,
        Ok(Err(error)) => return debug!(%error, "a TLS handshake failed"),
    };
    let asked = Notify::new();
    let service = service_fn(|request: Request<Incoming>| {
        asked.notify_one();
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(answer(&request, &shared).await) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    if !active.http2 {
        builder = builder.http1_only();
    }
    builder.http1().header_read_timeout(None).max_buf_size(HEAD_BYTES_MAX);
    let connection = watcher.watch(builder.serve_connection(TokioIo::new(stream), service));
    tokio::pin!(connection);
    let mut deadline = greeted_at_latest;
    loop {
        tokio::select! {
            ended = &mut connection => {
                if let Err(error) = ended {
                    debug!(%error, "a connection ended early");
                }
                return;
            }
            () = asked.notified() => deadline = Instant::now() + limits.next_request,
            () = tokio::time::sleep_until(deadline) => return,
        }
    }
}

/// Answers one request: guard, limit, route.
async fn answer(request: &Request<Incoming>, shared: &Shared) -> Response<Body> {
    let Shared { server, scrapes, started } = shared;
    let place = server.site.place(request.uri().path());
    let active = server.guard.current().await;
    let is_health = place.is_some_and(Place::is_health);
    let turned_away =
        server.guard.turn_away(&active, request.headers(), is_health, started.elapsed());
    let mut response = match turned_away.await {
        Some(response) => response,
        None if place == Some(Place::Metrics) => scrape(request, server, scrapes.as_ref()),
        None => match ordered(request, server, place).await {
            Some(response) => response,
            None => routed(request, server),
        },
    };
    dress(&mut response, &active);
    response
}

/// Carries out an order, where that is allowed.
async fn ordered(
    request: &Request<Incoming>,
    server: &Server,
    place: Option<Place>,
) -> Option<Response<Body>> {
    let lifecycle = server.lifecycle.as_ref().filter(|_| routes::is_order(request.method()))?;
    let mut response = lifecycle.answer(place?).await?;
    routes::finish(&mut response, request.method());
    Some(response)
}

fn scrape(
    request: &Request<Incoming>,
    server: &Server,
    scrapes: Option<&Arc<Semaphore>>,
) -> Response<Body> {
    let Some(scrapes) = scrapes else { return routed(request, server) };
    let Ok(permit) = Arc::clone(scrapes).try_acquire_owned() else {
        let n_max = server.limits.scrapes_max;
        let text = format!(
            "there are {n_max} scrapes under way, as many as may be (--web.max-requests); \
             try again later\n"
        );
        return plain(StatusCode::SERVICE_UNAVAILABLE, text);
    };
    let mut response = routed(request, server);
    response.body_mut().hold(permit);
    response
}

fn routed(request: &Request<Incoming>, server: &Server) -> Response<Body> {
    let Server { site, publisher, now, .. } = server;
    route(request, site, &publisher.view(), now(), process::stats)
}

fn report_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        error!(%error, "a task of the web server failed; please report it");
    }
}

#[cfg(test)]
mod tests;
