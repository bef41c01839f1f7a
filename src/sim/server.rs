//! Sockets: accepts connections and hands each request to the API.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::CONTENT_LENGTH;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::World;
use super::answer::Api;
use super::reply::{Reply, What};
use crate::call::Moment;

/// How long answers on their way may take after the shutdown began.
const GRACE: Duration = Duration::from_secs(2);
/// The pause after a connection could not be accepted, for instance for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves the API of `world` under `/v3` and `/v3.0`, and its truth under `/truth`, until
/// `shutdown` is ready and the answers on their way are done.
///
/// `now` is the API's clock: it says how far the world has come, fills the header `Date` and
/// decides when a minute of the rate limit begins. It may run faster than a real one.
pub async fn serve(
    listener: TcpListener,
    world: Arc<Mutex<World>>,
    now: impl Fn() -> Moment + Send + Sync + 'static,
    shutdown: impl Future<Output = ()>,
) {
    let api = Arc::new(Api::new(world));
    let now = Arc::new(now);
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let (api, now) = (api.clone(), now.clone());
                    let answer = service_fn(move |request: Request<Incoming>| {
                        let (head, _) = request.into_parts();
                        send(api.answer(&head, now()))
                    });
                    let connection = http1::Builder::new()
                        .auto_date_header(false)
                        .serve_connection(TokioIo::new(stream), answer);
                    connections.spawn(graceful.watch(connection));
                }
                Err(error) => {
                    tracing::warn!(%error, "the simulated API could not accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    // What is not done by then is cut off when the set is dropped.
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
}

/// The end of a connection in the middle.
#[derive(Debug, thiserror::Error)]
#[error("the simulated API closes this connection")]
struct Closed;

/// Sends what a request gets.
async fn send(reply: Reply) -> Result<Response<UnsyncBoxBody<Bytes, Closed>>, Closed> {
    if !reply.after.is_zero() {
        tokio::time::sleep(reply.after).await;
    }
    match reply.what {
        What::Whole(response) => {
            Ok(response.map(|body| Full::new(body).map_err(|never| match never {}).boxed_unsync()))
        }
        What::Cut(response) => {
            let length = response.body().len();
            let mut response = response.map(|body| {
                let half = Frame::data(body.slice(..body.len() / 2));
                StreamBody::new(stream::iter([Ok(half), Err(Closed)])).boxed_unsync()
            });
            response.headers_mut().insert(CONTENT_LENGTH, length.into());
            Ok(response)
        }
        What::Closed => Err(Closed),
        What::Nothing => std::future::pending().await,
    }
}
