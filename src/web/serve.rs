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
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinError, JoinSet};
use tracing::{debug, error, warn};

use super::{Publisher, Site, process, route};
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
    /// How patient it is.
    pub limits: Limits,
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
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first_request: Duration::from_secs(10),
            next_request: Duration::from_secs(300),
            drain: Duration::from_secs(2),
            connections_max: 512,
        }
    }
}

/// Serves until `shutdown` ends, then lets answers under way end.
pub async fn serve(
    listeners: Vec<TcpListener>,
    server: Server,
    shutdown: impl Future<Output = ()>,
) {
    let server = Arc::new(server);
    let (stop, stopped) = watch::channel(());
    let mut loops = JoinSet::new();
    for listener in listeners {
        loops.spawn(accept_until_stopped(listener, Arc::clone(&server), stopped.clone()));
    }
    shutdown.await;
    drop(stop);
    while let Some(ended) = loops.join_next().await {
        report_panic(ended);
    }
}

async fn accept_until_stopped(
    listener: TcpListener,
    server: Arc<Server>,
    mut stopped: watch::Receiver<()>,
) {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            Some(ended) = connections.join_next() => report_panic(ended),
            stream = accept(&listener), if connections.len() < server.limits.connections_max => {
                connections.spawn(converse(stream, Arc::clone(&server), graceful.watcher()));
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(server.limits.drain, graceful.shutdown()).await.is_err() {
        debug!("connections cut off after {:?}", server.limits.drain);
    }
    connections.shutdown().await;
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            Err(error) => {
                warn!(%error, "cannot accept a connection; trying again in {ACCEPT_PAUSE:?}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Answers the requests of one connection, HTTP/1.1 or HTTP/2.
///
/// One clock rules its whole life: the time to the first request, then to each next one. That
/// bounds slow heads, idle connections and readers that stopped reading, in both protocols.
async fn converse(stream: TcpStream, server: Arc<Server>, watcher: Watcher) {
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "cannot set TCP_NODELAY");
    }
    let asked = Notify::new();
    let service = service_fn(|request: Request<Incoming>| {
        asked.notify_one();
        let Server { site, publisher, now, .. } = &*server;
        let response = route(&request, site, &publisher.view(), now(), process::stats);
        async { Ok::<_, Infallible>(response) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().header_read_timeout(None).max_buf_size(HEAD_BYTES_MAX);
    let connection = watcher.watch(builder.serve_connection(TokioIo::new(stream), service));
    tokio::pin!(connection);
    let mut patience = server.limits.first_request;
    loop {
        tokio::select! {
            ended = &mut connection => {
                if let Err(error) = ended {
                    debug!(%error, "a connection ended early");
                }
                return;
            }
            () = asked.notified() => patience = server.limits.next_request,
            () = tokio::time::sleep(patience) => return,
        }
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
