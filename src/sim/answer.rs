//! From one request to one answer, without a socket.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

use super::fault::Fault;
use super::filter::Filter;
use super::limit::{Standing, Window};
use super::query::{Query, decode};
use super::row::Row;
use super::{Pagination, PastEnd, TruthQuery, World, date, quirks};
use crate::call::Moment;

/// The API in front of a world.
pub(super) struct Api {
    world: Arc<Mutex<World>>,
    window: Mutex<Window>,
}

/// A list with its pagination, or one call.
#[derive(Serialize)]
struct Envelope<T> {
    data: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Value>,
}

/// Get Call shows two fields that the list leaves out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Single {
    #[serde(flatten)]
    row: Row,
    meta_data: [(); 0],
    tags: [(); 0],
}

impl Api {
    /// The API in front of `world`, with the limit of this minute unused.
    pub(super) fn new(world: Arc<Mutex<World>>) -> Self {
        Self { world, window: Mutex::default() }
    }

    /// Answers one request that arrived at `now`.
    pub(super) fn answer(&self, request: &Parts, now: Moment) -> Response<Full<Bytes>> {
        let path = request.uri.path();
        let query = Query::parse(request.uri.query().unwrap_or_default());
        let mut headers = HeaderMap::new();
        let outcome = match (&request.method, path, versioned(path)) {
            (&Method::GET, "/truth", _) => self.truth(&query, now),
            (method, _, Some(resource)) => self
                .admit(&mut headers, now)
                .and_then(|()| self.check_key(&request.headers))
                .and_then(|()| match method {
                    &Method::GET => self.resource(path, resource, &query, &request.headers, now),
                    _ => Err(Fault::NoSuchApi { path: path.to_owned() }),
                }),
            (_, _, None) => Err(Fault::NoSuchApi { path: path.to_owned() }),
        };
        let (status, body) = match outcome {
            Ok(body) => (StatusCode::OK, body),
            Err(fault) => (fault.status(), fault.body().to_string()),
        };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Ok(date) = HeaderValue::try_from(date::imf_fixdate(now.floor().0)) {
            headers.insert(DATE, date);
        }
        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the request from the limit of this minute and says so in the headers.
    fn admit(&self, headers: &mut HeaderMap, now: Moment) -> Result<(), Fault> {
        let (limit, names) = {
            let world = self.world();
            (world.options().rate_limit, world.options().rate_limit_headers)
        };
        if limit == 0 {
            return Ok(());
        }
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let Standing { admitted, remaining, reset_at } = window.take(limit, now);
        let after_s = reset_at.since_s(now.floor()).max(1);
        if let Some([limit_name, remaining_name, reset_name]) = names.names(admitted) {
            headers.insert(HeaderName::from_static(limit_name), limit.into());
            headers.insert(HeaderName::from_static(remaining_name), remaining.into());
            if !admitted {
                headers.insert(RETRY_AFTER, after_s.into());
                headers.insert(HeaderName::from_static(reset_name), reset_at.0.into());
            }
        }
        if admitted {
            return Ok(());
        }
        Err(Fault::TooManyRequests { after_s })
    }

    fn check_key(&self, headers: &HeaderMap) -> Result<(), Fault> {
        let key = headers.get("apikey").map(HeaderValue::as_bytes).unwrap_or_default();
        if key.is_empty() {
            return Err(Fault::EmptyKey);
        }
        if key != self.world().options().api_key.as_bytes() {
            return Err(Fault::wrong_key(&String::from_utf8_lossy(key)));
        }
        Ok(())
    }

    fn resource(
        &self,
        path: &str,
        resource: &str,
        query: &Query,
        headers: &HeaderMap,
        now: Moment,
    ) -> Result<String, Fault> {
        let on_behalf_of = headers.get("onbehalfof").and_then(|value| value.to_str().ok());
        let on_behalf_of = on_behalf_of.filter(|uid| !uid.is_empty()).map(str::to_owned);
        match resource.strip_prefix("/calls") {
            Some("" | "/") => self.list(query, on_behalf_of, now),
            Some(rest) => match rest.strip_prefix('/') {
                Some(id) if !id.contains('/') => self.get(&decode(id), on_behalf_of, now),
                Some(_) | None => Err(Fault::NoSuchApi { path: path.to_owned() }),
            },
            None => Err(Fault::NoSuchApi { path: path.to_owned() }),
        }
    }

    fn list(
        &self,
        query: &Query,
        on_behalf_of: Option<String>,
        now: Moment,
    ) -> Result<String, Fault> {
        let page = quirks::page(query.number("page", 0)?);
        let asked = query.number("perPage", 1)?;
        let filter = Filter {
            call_type: query.word("type"),
            mode: query.word("mode"),
            status: query.word("status"),
            receiver_type: query.word("receiverType"),
            participants_count: query.number("participantsCount", 0)?,
            started_at: query.number("startedAt", 0)?,
            ended_at: query.number("endedAt", 0)?,
            has_recording: query.word("hasRecording").as_deref() == Some("true"),
            uids: query.word("uid").into_iter().chain(on_behalf_of).collect(),
        };
        let (listing, per_page, pagination) = {
            let mut world = self.world();
            let per_page = quirks::per_page(world.options(), asked);
            let mut listing = world.list(now, &filter, page, per_page);
            let n_pages = listing.total.div_ceil(per_page as usize);
            if listing.rows.is_empty() && world.options().past_end == PastEnd::LastPage {
                let last = u32::try_from(n_pages).unwrap_or(u32::MAX).max(1);
                listing = world.list(now, &filter, last, per_page);
            }
            (listing, per_page, world.options().pagination)
        };
        let n_pages = listing.total.div_ceil(per_page as usize);
        let total_pages = match pagination {
            Pagination::NextOnly => n_pages.min(page as usize + 1),
            Pagination::Full | Pagination::Absent => n_pages,
        };
        let meta = json!({ "pagination": {
            "total": listing.total,
            "count": listing.rows.len(),
            "per_page": per_page,
            "current_page": page,
            "total_pages": total_pages,
        } });
        Ok(json_text(&Envelope {
            data: listing.rows,
            meta: (pagination != Pagination::Absent).then_some(meta),
        }))
    }

    fn get(
        &self,
        session_id: &str,
        on_behalf_of: Option<String>,
        now: Moment,
    ) -> Result<String, Fault> {
        let filter = Filter { uids: on_behalf_of.into_iter().collect(), ..Filter::default() };
        match self.world().find(now, session_id).filter(|row| filter.admits_row(row)) {
            Some(row) => Ok(json_text(&Envelope {
                data: Single { row, meta_data: [], tags: [] },
                meta: None,
            })),
            None => Err(Fault::NoSuchSession { session_id: session_id.to_owned() }),
        }
    }

    fn truth(&self, query: &Query, now: Moment) -> Result<String, Fault> {
        let default = TruthQuery::default();
        let query = TruthQuery {
            from: query.number("from", i64::MIN)?,
            max_open_s: query.number("max_open", 0)?.unwrap_or(default.max_open_s),
            settle_s: query.number("settle", 0)?,
            app: query.word("app"),
        };
        Ok(json_text(&self.world().truth(now, &query)))
    }
}

/// What follows the version in the path.
fn versioned(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/v3.0").or_else(|| path.strip_prefix("/v3"))?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

fn json_text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("rows and sums hold finite numbers and string keys")
}
