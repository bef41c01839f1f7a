//! One request, from its head to its answer: guard, orders, a place among the others, the route.

use std::sync::Arc;

use hyper::{Request, Response, StatusCode};
use tokio::sync::Mutex;
use tokio::time::Instant;
use tracing::error;

use super::crowd::{Crowd, Ticket};
use super::guard::dress;
use super::routes::{self, Place, plain};
use super::talk::Answering;
use super::{Body, Server, View, process, route};

/// What all connections share.
pub(super) struct Shared {
    pub(super) server: Server,
    pub(super) connections: Arc<Crowd>,
    /// Absent without a limit.
    scrapes: Option<Arc<Crowd>>,
    pages: Arc<Crowd>,
    /// Held while an answer is made that takes long: one at a time, so that scrapes leave a core to
    /// the polling, and those who wait share what was made.
    press: Arc<Mutex<()>>,
    started: Instant,
}

impl Shared {
    pub(super) fn new(server: Server) -> Self {
        let limits = server.limits;
        // What is read once is read while there are descriptors for it.
        process::stats();
        let n_scrapes = usize::try_from(limits.scrapes_max).unwrap_or(usize::MAX);
        Self {
            server,
            connections: Crowd::new(limits.connections_max, limits.grace),
            scrapes: (n_scrapes > 0).then(|| Crowd::new(n_scrapes, limits.grace)),
            pages: Crowd::new(limits.pages_max, limits.grace),
            press: Arc::default(),
            started: Instant::now(),
        }
    }

    fn route(&self, request: &Request<()>, view: &View) -> Response<Body> {
        route(request, &self.server.site, view, (self.server.now)(), process::stats)
    }
}

/// Answers one request: guard, limit, route.
pub(super) async fn answer(
    request: Request<()>,
    shared: Arc<Shared>,
    answering: Answering,
) -> Response<Body> {
    let server = &shared.server;
    let place = server.site.place(request.uri().path());
    let active = server.guard.current().await;
    let is_health = place.is_some_and(Place::is_health);
    let turned_away =
        server.guard.turn_away(&active, request.headers(), is_health, shared.started.elapsed());
    let mut ticket = None;
    let mut response = if let Some(response) = turned_away.await {
        response
    } else if let Some(response) = ordered(&request, server, place).await {
        response
    } else {
        match enter(place, &shared, &answering).await {
            Ok(entered) => {
                ticket = entered;
                routed(request, &shared).await
            }
            Err(response) => response,
        }
    };
    dress(&mut response, &active);
    answering.made();
    ticket.iter().for_each(Ticket::idle);
    response.body_mut().hold((answering, ticket));
    response
}

/// Carries out an order, where that is allowed.
async fn ordered(
    request: &Request<()>,
    server: &Server,
    place: Option<Place>,
) -> Option<Response<Body>> {
    let lifecycle = server.lifecycle.as_ref().filter(|_| routes::is_order(request.method()))?;
    let mut response = lifecycle.answer(place?).await?;
    routes::finish(&mut response, request.method());
    Some(response)
}

/// Waits for a place among those who are given large answers; small ones need none.
async fn enter(
    place: Option<Place>,
    shared: &Shared,
    answering: &Answering,
) -> Result<Option<Ticket>, Response<Body>> {
    let limits = shared.server.limits;
    let (crowd, what) = match place {
        Some(Place::Metrics) => {
            let n_max = limits.scrapes_max;
            let what = format!("{n_max} scrapes under way, as many as may be (--web.max-requests)");
            (shared.scrapes.as_ref(), what)
        }
        Some(Place::Page | Place::Status | Place::Config) => (
            Some(&shared.pages),
            format!("{} pages under way, as many as may be", limits.pages_max),
        ),
        _ => (None, String::new()),
    };
    let Some(crowd) = crowd else { return Ok(None) };
    match tokio::time::timeout(limits.wait, crowd.enter(answering.go())).await {
        Ok(ticket) => {
            // Until the answer is made it is not the reader who takes long.
            ticket.busy();
            Ok(Some(ticket))
        }
        Err(_late) => {
            let text = format!("there are {what}; try again later\n");
            Err(plain(StatusCode::SERVICE_UNAVAILABLE, text))
        }
    }
}

/// Answers by the newest view; where that takes long, not on a thread that others wait for.
async fn routed(request: Request<()>, shared: &Arc<Shared>) -> Response<Body> {
    let view = shared.server.publisher.view();
    if routes::is_quick(&request, &shared.server.site, &view) {
        return shared.route(&request, &view);
    }
    let turn = Arc::clone(&shared.press).lock_owned().await;
    // The one before may have made just this.
    if routes::is_quick(&request, &shared.server.site, &view) {
        return shared.route(&request, &view);
    }
    let shared = Arc::clone(shared);
    let made = tokio::task::spawn_blocking(move || {
        let response = shared.route(&request, &view);
        drop(turn); // here, for the request may be given up while this goes on
        response
    });
    made.await.unwrap_or_else(|error| {
        error!(%error, "an answer could not be made; please report it");
        plain(StatusCode::INTERNAL_SERVER_ERROR, "this should not happen; the log says more\n")
    })
}
