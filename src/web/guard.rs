//! What stands before the routes: the rate limit, then the password, with the configured headers.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::header::{AUTHORIZATION, HeaderMap, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use tracing::error;

use super::auth::{Credentials, Doorkeeper};
use super::bucket::Bucket;
use super::live::{Active, WebConfig};
use super::{Body, routes};

/// Guards every request of every listener.
#[derive(Clone, Default)]
pub struct Guard {
    config: Option<Arc<WebConfig>>,
    open: Arc<Active>,
    doorkeeper: Doorkeeper,
    bucket: Arc<Mutex<Option<Bucket>>>,
    /// Whether the health endpoints need no password and stand outside the rate limit.
    health_is_open: bool,
}

impl Guard {
    /// Guards by the web configuration file; without one everybody is let in.
    pub fn new(config: Option<WebConfig>, health_is_open: bool) -> Self {
        Self { config: config.map(Arc::new), health_is_open, ..Self::default() }
    }

    /// What holds now.
    pub(super) async fn current(&self) -> Arc<Active> {
        let Some(config) = self.config.clone() else {
            return Arc::clone(&self.open);
        };
        let reader = Arc::clone(&config);
        let read = tokio::task::spawn_blocking(move || reader.current()).await;
        read.unwrap_or_else(|error| {
            error!(%error, "the web configuration could not be read again; please report it");
            config.last()
        })
    }

    /// Lets a request through, or says how it is turned away. `now` is on a steady clock.
    pub(super) async fn turn_away(
        &self,
        active: &Active,
        headers: &HeaderMap,
        is_health: bool,
        now: Duration,
    ) -> Option<Response<Body>> {
        if is_health && self.health_is_open {
            return None;
        }
        if !self.has_token(active, now) {
            let text = "Too Many Requests: the rate limit of this exporter is reached\n";
            return Some(routes::plain(StatusCode::TOO_MANY_REQUESTS, text));
        }
        if active.users.is_empty() {
            return None;
        }
        let given = headers.get(AUTHORIZATION);
        let given = given.and_then(|value| Credentials::from_header(value.as_bytes()));
        if let Some(credentials) = given
            && self.doorkeeper.admits(&active.users, &credentials).await
        {
            return None;
        }
        let text = "Unauthorized: a name and its password are needed\n";
        let mut response = routes::plain(StatusCode::UNAUTHORIZED, text);
        let challenge = "Basic realm=\"cometchat-exporter\", charset=\"UTF-8\"";
        routes::set(&mut response, WWW_AUTHENTICATE, challenge);
        Some(response)
    }

    fn has_token(&self, active: &Active, now: Duration) -> bool {
        let mut place = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(rate) = active.rate else {
            *place = None;
            return true;
        };
        // One that changed begins anew; another setting that changed leaves the bucket as it is.
        let bucket = place.take().filter(|bucket| bucket.rate() == rate);
        place.insert(bucket.unwrap_or(Bucket::new(rate))).take(now)
    }
}

/// Puts the configured headers on an answer.
pub(super) fn dress(response: &mut Response<Body>, active: &Active) {
    for header in &active.headers {
        response.headers_mut().insert(header.name.clone(), header.value.clone());
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guard by {:?}", self.config)
    }
}
