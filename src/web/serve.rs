//! The sockets: accepting, answering, and ending without cutting an answer off.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tracing::{debug, error, warn};

use super::answer::{Shared, answer};
use super::stream::{self, Greeting, Stream};
use super::talk::Talk;
use super::{Guard, Lifecycle, Listener, Publisher, Site};
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

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server of {:?}, {:?}", self.publisher, self.limits)
    }
}

/// How many connections and answers there may be, and how long each may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From the start of a connection until its first request is there.
    pub first_request: Duration,
    /// From one answer until the next request. Longer than the time between two scrapes, so that
    /// they share a connection.
    pub next_request: Duration,
    /// For an answer that is made, until its last byte is on its way. Longer than any scrape.
    pub answer: Duration,
    /// Time for answers under way when the exporter ends.
    pub drain: Duration,
    /// Connections at once. Where there are as many, the one that waits longest for a request is
    /// closed for a new one.
    pub connections_max: usize,
    /// Scrapes at once, each until its last byte is on its way. Further ones wait, and the one
    /// whose answer was ready first is cut off for them. 0 is no limit.
    pub scrapes_max: u32,
    /// The same for answers that are not shared: pages, and statuses.
    pub pages_max: usize,
    /// How long a connection may wait for a request, or an answer be under way, undisturbed by
    /// those who wait for their place.
    pub grace: Duration,
    /// How long a scrape or a page waits for its place before it is turned away.
    pub wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first_request: Duration::from_secs(10),
            next_request: Duration::from_secs(300),
            answer: Duration::from_secs(60),
            drain: Duration::from_secs(2),
            connections_max: 512,
            scrapes_max: 40,
            pages_max: 40,
            grace: Duration::from_millis(500),
            // Less than Prometheus waits: 10 s, if it is not told otherwise.
            wait: Duration::from_secs(5),
        }
    }
}

/// Serves until `shutdown` ends, then lets answers under way end.
pub async fn serve(listeners: Vec<Listener>, server: Server, shutdown: impl Future<Output = ()>) {
    let shared = Arc::new(Shared::new(server));
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
    let next = || welcome(&listener, Arc::clone(&shared));
    let mut arrival = Box::pin(next());
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            Some(ended) = connections.join_next() => report_panic(ended),
            (stream, talk) = &mut arrival => {
                connections.spawn(attend(stream, Arc::clone(&shared), talk, graceful.watcher()));
                arrival.set(next());
            }
        }
    }
    drop(arrival);
    drop(listener);
    if tokio::time::timeout(limits.drain, graceful.shutdown()).await.is_err() {
        debug!("connections cut off after {:?}", limits.drain);
    }
    connections.shutdown().await;
}

/// Waits for a connection, then for a place for it.
async fn welcome(listener: &Listener, shared: Arc<Shared>) -> (Stream, Arc<Talk>) {
    let stream = accept(listener).await;
    let go = Arc::default();
    let place = shared.connections.enter(&go).await;
    (stream, Talk::new(shared.server.limits, go, place))
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

/// Sees to a connection until it ends, the patience with it does, or somebody needs its place.
///
/// The patience has one clock for the whole life of a connection: the time to the first request, to
/// the end of an answer, to each next request. That bounds slow handshakes, slow heads, idle
/// connections and readers that stopped reading.
async fn attend(stream: Stream, shared: Arc<Shared>, talk: Arc<Talk>, watcher: Watcher) {
    tokio::select! {
        () = talk.go.notified() => debug!("a connection was closed to make room for others"),
        () = talk.patience() => {}
        () = converse(stream, shared, &talk, watcher) => {}
    }
}

/// Answers the requests of one connection, HTTP/1.1 or HTTP/2, in TLS where that is on.
async fn converse(stream: Stream, shared: Arc<Shared>, talk: &Arc<Talk>, watcher: Watcher) {
    let active = shared.server.guard.current().await;
    let stream = match stream::greet(stream, active.tls.clone()).await {
        Ok(Greeting::Done(stream)) => stream,
        Ok(Greeting::NotTls) => return,
        Err(error) => return debug!(%error, "a TLS handshake failed"),
    };
    let service = service_fn(|request: Request<Incoming>| {
        let answering = talk.asked();
        let answer = answer(request.map(|_unread| ()), Arc::clone(&shared), answering);
        async { Ok::<_, Infallible>(answer.await) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    if !active.http2 {
        builder = builder.http1_only();
    }
    builder.http1().header_read_timeout(None).max_buf_size(HEAD_BYTES_MAX);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        debug!(%error, "a connection ended early");
    }
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
