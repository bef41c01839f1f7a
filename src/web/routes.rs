//! From a request and a view to a response, without a socket.

use hyper::body::Bytes;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName,
    HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};

use super::{Body, View, page};
use crate::metrics::{self, Moment, ProcessStats};

const PLAIN: &str = "text/plain; charset=utf-8";

/// What stays the same while the exporter runs.
#[derive(Clone, Debug)]
pub struct Site {
    /// Version of the exporter.
    pub version: &'static str,
    /// Path of the metrics, `/metrics` unless configured.
    pub telemetry_path: String,
}

/// What stands at a path. Paths are exact: a slash more is another path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Metrics,
    Page,
    Healthy,
    Ready,
}

impl Site {
    fn place(&self, path: &str) -> Option<Place> {
        match path {
            path if path == self.telemetry_path => Some(Place::Metrics),
            "/" => Some(Place::Page),
            "/-/healthy" => Some(Place::Healthy),
            "/-/ready" => Some(Place::Ready),
            _ => None,
        }
    }
}

/// Answers a request. `now` is the local clock; `stats` is asked only where it is needed.
pub fn route<B>(
    request: &Request<B>,
    site: &Site,
    view: &View,
    now: Moment,
    stats: impl FnOnce() -> ProcessStats,
) -> Response<Body> {
    let mut response = match (site.place(request.uri().path()), request.method()) {
        (None, _) => not_found(site),
        (Some(place), &Method::GET | &Method::HEAD) => match place {
            Place::Metrics => exposition(view, now, &stats()),
            Place::Page => front_page(site, view, now),
            Place::Healthy => plain(StatusCode::OK, "healthy\n"),
            Place::Ready => ready(view, now),
        },
        (Some(_), method) => not_allowed(method),
    };
    set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    let length = HeaderValue::from(response.body().len());
    response.headers_mut().insert(CONTENT_LENGTH, length);
    if request.method() == Method::HEAD {
        *response.body_mut() = Body::default();
    }
    response
}

fn exposition(view: &View, now: Moment, stats: &ProcessStats) -> Response<Body> {
    let live = metrics::live(view.apps().map(|app| &app.lines), stats, now);
    let mut response = Response::new(Body::new(view.exposition(), Bytes::from(live)));
    set(&mut response, CONTENT_TYPE, metrics::CONTENT_TYPE);
    response
}

fn front_page(site: &Site, view: &View, now: Moment) -> Response<Body> {
    let mut response = Response::new(page::render(site, view, now).into());
    set(&mut response, CONTENT_TYPE, "text/html; charset=utf-8");
    set(&mut response, CONTENT_SECURITY_POLICY, page::SECURITY_POLICY);
    set(&mut response, CACHE_CONTROL, "no-store");
    response
}

fn ready(view: &View, now: Moment) -> Response<Body> {
    let waiting = view.waits_for(now);
    if waiting.is_empty() {
        return plain(StatusCode::OK, "ready\n");
    }
    let text = format!("not ready: still reading for the first time: {}\n", waiting.join(", "));
    plain(StatusCode::SERVICE_UNAVAILABLE, text)
}

fn not_found(site: &Site) -> Response<Body> {
    let path = &site.telemetry_path;
    let text =
        format!("nothing here; there are / (status), {path} (metrics), /-/healthy and /-/ready\n");
    plain(StatusCode::NOT_FOUND, text)
}

fn not_allowed(method: &Method) -> Response<Body> {
    let text = format!("{method} is not possible here; use GET or HEAD\n");
    let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, text);
    set(&mut response, ALLOW, "GET, HEAD");
    response
}

fn plain(status: StatusCode, text: impl Into<String>) -> Response<Body> {
    let mut response = Response::new(text.into().into());
    *response.status_mut() = status;
    set(&mut response, CONTENT_TYPE, PLAIN);
    response
}

fn set(response: &mut Response<Body>, name: HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}

#[cfg(test)]
mod tests;
