//! From a request and a view to a response, without a socket.

use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    HeaderName, HeaderValue, LOCATION, VARY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};

use super::{Body, View, negotiate, page, query, status};
use crate::metrics::{Moment, ProcessStats, Shard};

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
    Reload,
    Quit,
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
            Some("/-/reload") => Some(Place::Reload),
            Some("/-/quit") => Some(Place::Quit),
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
        (Some(Place::Reload | Place::Quit), method) => lifecycle_off(method),
        (Some(place), &Method::GET | &Method::HEAD) => match place {
            Place::Metrics => exposition(request, view, now, stats),
            Place::Page => front_page(site, view, now),
            Place::Status => {
                status_of(site, view, now, &query::values(request.uri().query(), "app"))
            }
            Place::Config => config(view),
            Place::Healthy => plain(StatusCode::OK, "healthy\n"),
            Place::Ready => ready(view, now),
            // The orders were met above.
            Place::NearPage | Place::Reload | Place::Quit => to_page(site),
        },
        (Some(_), method) => not_allowed(method),
    };
    finish(&mut response, request.method());
    response
}

/// Whether [`route`] takes no longer than a moment: what is small, or was made before.
pub(super) fn is_quick<B>(request: &Request<B>, site: &Site, view: &View) -> bool {
    match site.place(request.uri().path()) {
        Some(Place::Page | Place::Status | Place::Config) => false,
        Some(Place::Metrics) => {
            let (format, coding) =
                (negotiate::format(request.headers()), negotiate::coding(request.headers()));
            let names = query::values(request.uri().query(), "app");
            coding.is_err() || coding.is_ok_and(|coding| view.is_quick(&names, format, coding))
        }
        _ => true,
    }
}

/// What every answer has, and what a HEAD has not.
pub(super) fn finish(response: &mut Response<Body>, method: &Method) {
    set(response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    let length = HeaderValue::from(response.body().len());
    response.headers_mut().insert(CONTENT_LENGTH, length);
    if method == Method::HEAD {
        *response.body_mut() = Body::default();
    }
}

/// The metrics: of all apps and the process, or of the apps that are picked and nothing else.
fn exposition<B>(
    request: &Request<B>,
    view: &View,
    now: Moment,
    stats: impl FnOnce() -> ProcessStats,
) -> Response<Body> {
    let headers = request.headers();
    let format = negotiate::format(headers);
    let names = query::values(request.uri().query(), "app");
    let mut response = match negotiate::coding(headers) {
        Err(()) => not_acceptable(),
        Ok(coding) => {
            let (body, coding) = if names.is_empty() {
                view.scrape(format, coding, &stats(), now)
            } else if let Some(unknown) = unknown_app(view, &names) {
                return unknown;
            } else {
                view.scrape_apps(&names, format, coding, now)
            };
            let mut response = Response::new(body);
            let content_type = negotiate::content_type(headers, format);
            response.headers_mut().insert(CONTENT_TYPE, content_type);
            if let Some(name) = coding.name() {
                set(&mut response, CONTENT_ENCODING, name);
            }
            response
        }
    };
    set(&mut response, VARY, "Accept, Accept-Encoding");
    response
}

fn unknown_app(view: &View, names: &[String]) -> Option<Response<Body>> {
    let known = || view.apps().map(|app| app.lines.name());
    let unknown = names.iter().find(|name| !known().any(|known| known == *name))?;
    let (unknown, known) = (unknown.escape_debug(), known().collect::<Vec<_>>().join(", "));
    let within = match view.exporter().shard {
        Shard { count: 1, .. } => String::new(),
        shard => format!(" in shard {shard}"),
    };
    let text = format!("there is no app `{unknown}`{within}; there are: {known}\n");
    Some(plain(StatusCode::NOT_FOUND, text))
}

fn not_acceptable() -> Response<Body> {
    let text = "the metrics come as they are, in gzip or in zstd, and Accept-Encoding takes none \
                of these\n";
    plain(StatusCode::NOT_ACCEPTABLE, text)
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
        "nothing here; there are {prefix}/ (page), {prefix}{path} (metrics), \
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

/// Whether this method may change something: what is only looked at never does.
pub(super) fn is_order(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT)
}

/// What an order gets that was not carried out before it came here.
fn lifecycle_off(method: &Method) -> Response<Body> {
    if is_order(method) {
        let text = "this is switched off; start the exporter with --web.enable-lifecycle to \
                    allow it, or send SIGHUP or SIGTERM instead\n";
        return plain(StatusCode::FORBIDDEN, text);
    }
    let text = format!("{method} is not possible here; use POST or PUT\n");
    let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, text);
    set(&mut response, ALLOW, "POST, PUT");
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
