//! From a request and a view to a response, without a socket.

use hyper::body::Bytes;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName,
    HeaderValue, LOCATION, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};

use super::query;
use super::{Body, View, page, status};
use crate::metrics::{self, Lines, Moment, ProcessStats};

const PLAIN: &str = "text/plain; charset=utf-8";

/// What stays the same while the exporter runs.
#[derive(Clone, Debug)]
pub struct Site {
    /// Version of the exporter.
    pub version: &'static str,
    /// Path of the metrics below the prefix, `/metrics` unless configured.
    pub telemetry_path: String,
    /// What stands before every path of a request; empty, or `/a` or `/a/b`.
    pub route_prefix: String,
    /// What stands before every path in a link: the prefix, unless a proxy changes it.
    pub link_prefix: String,
}

/// What stands at a path. Paths are exact: a slash more is another path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Metrics,
    Page,
    Status,
    Config,
    Healthy,
    Ready,
    /// Where the page would be if there were no prefix, or if its last slash did not matter.
    NearPage,
}

impl Place {
    pub(super) const fn is_health(self) -> bool {
        matches!(self, Self::Healthy | Self::Ready)
    }
}

impl Site {
    /// With nothing before the paths.
    pub const fn new(version: &'static str, telemetry_path: String) -> Self {
        Self { version, telemetry_path, route_prefix: String::new(), link_prefix: String::new() }
    }

    pub(super) fn place(&self, path: &str) -> Option<Place> {
        match path.strip_prefix(self.route_prefix.as_str()) {
            Some(path) if path == self.telemetry_path => Some(Place::Metrics),
            Some("/") => Some(Place::Page),
            Some("/api/v1/status") => Some(Place::Status),
            Some("/config") => Some(Place::Config),
            Some("/-/healthy") => Some(Place::Healthy),
            Some("/-/ready") => Some(Place::Ready),
            Some("") => Some(Place::NearPage),
            _ if path == "/" => Some(Place::NearPage),
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
            Place::Metrics => match query::values(request.uri().query(), "app") {
                names if names.is_empty() => exposition(view, now, &stats()),
                names => of_apps(view, now, &names),
            },
            Place::Page => front_page(site, view, now),
            Place::Status => {
                status_of(site, view, now, &query::values(request.uri().query(), "app"))
            }
            Place::Config => config(view),
            Place::Healthy => plain(StatusCode::OK, "healthy\n"),
            Place::Ready => ready(view, now),
            Place::NearPage => to_page(site),
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

/// The metrics of these apps, and nothing about the process.
fn of_apps(view: &View, now: Moment, names: &[String]) -> Response<Body> {
    if let Some(not_found) = unknown_app(view, names) {
        return not_found;
    }
    let apps = view.apps().map(|app| &app.lines);
    let apps = apps.filter(|app| names.iter().any(|name| name == app.name()));
    let no_process = Lines::default();
    let text = metrics::join(apps.clone(), &no_process);
    let live = metrics::live(apps, &ProcessStats::default(), now);
    let mut response = Response::new(Body::new(text.into(), live.into()));
    set(&mut response, CONTENT_TYPE, metrics::CONTENT_TYPE);
    response
}

fn unknown_app(view: &View, names: &[String]) -> Option<Response<Body>> {
    let is_unknown = |name: &&String| view.apps().all(|app| app.lines.name() != *name);
    let unknown = names.iter().find(is_unknown)?.escape_debug();
    let known = view.apps().map(|app| app.lines.name()).collect::<Vec<_>>().join(", ");
    let text = format!("there is no app `{unknown}`; there are: {known}\n");
    Some(plain(StatusCode::NOT_FOUND, text))
}

fn status_of(site: &Site, view: &View, now: Moment, names: &[String]) -> Response<Body> {
    if let Some(not_found) = unknown_app(view, names) {
        return not_found;
    }
    let mut response = Response::new(status::render(site, view, now, names).into());
    set(&mut response, CONTENT_TYPE, "application/json");
    set(&mut response, CACHE_CONTROL, "no-store");
    response
}

fn config(view: &View) -> Response<Body> {
    let mut response = plain(StatusCode::OK, &*view.exporter().config);
    set(&mut response, CACHE_CONTROL, "no-store");
    response
}

fn to_page(site: &Site) -> Response<Body> {
    let to = format!("{}/", site.link_prefix);
    let mut response = plain(StatusCode::FOUND, format!("the page is at {to}\n"));
    let to = HeaderValue::try_from(to).expect("a prefix is made of visible characters");
    response.headers_mut().insert(LOCATION, to);
    response
}

fn front_page(site: &Site, view: &View, now: Moment) -> Response<Body> {
    let mut response = Response::new(page::render(site, view, now).into());
    set(&mut response, CONTENT_TYPE, "text/html; charset=utf-8");
    let policy = HeaderValue::from_static(&page::SECURITY_POLICY);
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
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
    let Site { telemetry_path: path, route_prefix: prefix, .. } = site;
    let text = format!(
        "nothing here; there are {prefix}/ (status), {prefix}{path} (metrics), \
         {prefix}/api/v1/status, {prefix}/config, {prefix}/-/healthy and {prefix}/-/ready\n"
    );
    plain(StatusCode::NOT_FOUND, text)
}

fn not_allowed(method: &Method) -> Response<Body> {
    let text = format!("{method} is not possible here; use GET or HEAD\n");
    let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, text);
    set(&mut response, ALLOW, "GET, HEAD");
    response
}

pub(super) fn plain(status: StatusCode, text: impl Into<String>) -> Response<Body> {
    let mut response = Response::new(text.into().into());
    *response.status_mut() = status;
    set(&mut response, CONTENT_TYPE, PLAIN);
    response
}

pub(super) fn set(response: &mut Response<Body>, name: HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}

#[cfg(test)]
mod tests;
