//! From one request to one answer, without a socket.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::body::Bytes;
use hyper::header::{DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

use super::filter::Filter;
use super::limit::{Standing, Window};
use super::query::{Query, decode};
use super::refusal::Refusal;
use super::reply::{Reply, json_response};
use super::rng::Rng;
use super::row::Row;
use super::truth::Told;
use super::{
    Fault, Options, Pagination, PastEnd, Quirk, TruthQuery, World, date, faults, quirks, shape,
};
use crate::call::Moment;

/// The API in front of a world.
pub(super) struct Api {
    world: Arc<Mutex<World>>,
    window: Mutex<Window>,
    n_requests: AtomicU64,
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
        Self { world, window: Mutex::default(), n_requests: AtomicU64::new(0) }
    }

    /// Answers one request that arrived at `now`, or tells what happens instead.
    pub(super) fn answer(&self, request: &Parts, now: Moment) -> Reply {
        let path = request.uri.path();
        let query = Query::parse(request.uri.query().unwrap_or_default());
        let mut headers = HeaderMap::new();
        if let Ok(date) = HeaderValue::try_from(date::imf_fixdate(now.floor().0)) {
            headers.insert(DATE, date);
        }
        if let (&Method::GET, "/truth") = (&request.method, path) {
            let response = match self.truth(&query, now) {
                Ok(body) => json_response(StatusCode::OK, body),
                Err(refusal) => json_response(refusal.status(), refusal.body().to_string()),
            };
            return Reply::at_once(with_headers(response, headers));
        }
        let nth = self.n_requests.fetch_add(1, Ordering::Relaxed);
        let options = self.world().options().clone();
        let mut rng = Rng::of(&[options.seed, nth, 6]);
        let fault = faults::of_answer(&options, &mut rng);
        let outcome = match (fault, versioned(path)) {
            (Some(Fault::Error), _) => Err(Refusal::broken(&mut rng)),
            (_, Some(resource)) => self
                .admit(&options, fault, &mut headers, now)
                .and_then(|()| check_key(&options, &request.headers))
                .and_then(|()| match request.method {
                    Method::GET => {
                        self.resource(path, resource, &query, &request.headers, now, &mut rng)
                    }
                    _ => Err(Refusal::NoSuchApi { path: path.to_owned() }),
                }),
            (_, None) => Err(Refusal::NoSuchApi { path: path.to_owned() }),
        };
        let response = match outcome {
            Ok(body) => json_response(StatusCode::OK, body),
            Err(refusal) => quirks::refuse(&options, &refusal),
        };
        Reply::with(fault, &options, with_headers(response, headers), &mut rng)
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the request from the limit of this minute and says so in the headers.
    fn admit(
        &self,
        options: &Options,
        fault: Option<Fault>,
        headers: &mut HeaderMap,
        now: Moment,
    ) -> Result<(), Refusal> {
        let limit = options.rate_limit;
        let Standing { admitted, remaining, reset_at } = if fault == Some(Fault::Throttled) {
            // As if somebody else had used the limit up.
            Standing { admitted: false, remaining: 0, reset_at: now.floor().plus_s(1) }
        } else if limit == 0 {
            return Ok(());
        } else {
            let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
            window.take(limit, now)
        };
        let after_s = reset_at.since_s(now.floor()).max(1);
        if let Some([limit_name, remaining_name, reset_name]) =
            options.rate_limit_headers.names(admitted)
        {
            headers.insert(HeaderName::from_static(limit_name), limit.into());
            headers.insert(HeaderName::from_static(remaining_name), remaining.into());
            if !admitted {
                headers.insert(HeaderName::from_static(reset_name), reset_at.0.into());
                if let Some(value) = quirks::retry_after(options, after_s, reset_at) {
                    headers.insert(RETRY_AFTER, value);
                }
            }
        }
        if admitted {
            return Ok(());
        }
        Err(Refusal::TooManyRequests { after_s })
    }

    fn resource(
        &self,
        path: &str,
        resource: &str,
        query: &Query,
        headers: &HeaderMap,
        now: Moment,
        rng: &mut Rng,
    ) -> Result<String, Refusal> {
        let on_behalf_of = headers.get("onbehalfof").and_then(|value| value.to_str().ok());
        let on_behalf_of = on_behalf_of.filter(|uid| !uid.is_empty()).map(str::to_owned);
        match resource.strip_prefix("/calls") {
            Some("" | "/") => self.list(query, on_behalf_of, now, rng),
            Some(rest) => match rest.strip_prefix('/') {
                Some(id) if !id.contains('/') => self.get(&decode(id), on_behalf_of, now),
                Some(_) | None => Err(Refusal::NoSuchApi { path: path.to_owned() }),
            },
            None => Err(Refusal::NoSuchApi { path: path.to_owned() }),
        }
    }

    fn list(
        &self,
        query: &Query,
        on_behalf_of: Option<String>,
        now: Moment,
        rng: &mut Rng,
    ) -> Result<String, Refusal> {
        let mut world = self.world();
        let options = world.options().clone();
        let page = quirks::page(&options, query.number("page", 0)?);
        let per_page = quirks::per_page(&options, query.number("perPage", 1)?)?;
        let filter = quirks::filter(&options, query, on_behalf_of)?;
        let mut listing = world.list(now, &filter, page, per_page);
        let n_pages = listing.total.div_ceil(per_page as usize);
        if listing.rows.is_empty() && page > 1 {
            match options.past_end {
                PastEnd::Empty => {}
                PastEnd::LastPage => {
                    let last = u32::try_from(n_pages).unwrap_or(u32::MAX).max(1);
                    listing = world.list(now, &filter, last, per_page);
                }
                PastEnd::Error => return Err(Refusal::NoSuchPage { page }),
            }
        }
        let total = if options.has(Quirk::TotalOfAll) {
            world.list(now, &Filter::default(), 1, 1).total
        } else {
            listing.total
        };
        drop(world);
        let n_pages = total.div_ceil(per_page as usize);
        let total_pages = match options.pagination {
            Pagination::NextOnly => n_pages.min(page as usize + 1),
            Pagination::Full | Pagination::Absent => n_pages,
        };
        let mut meta = json!({ "pagination": {
            "total": total,
            "count": listing.rows.len(),
            "per_page": per_page,
            "current_page": page - u32::from(options.has(Quirk::PageFromZero)),
            "total_pages": total_pages,
        } });
        if options.has(Quirk::NumbersAsText) {
            shape::numbers_as_text(&mut meta);
        }
        let meta = (options.pagination != Pagination::Absent).then_some(meta);
        if !shape::is_odd(&options) {
            return Ok(json_text(&Envelope { data: listing.rows, meta }));
        }
        let mut data: Vec<Value> = listing.rows.iter().map(|row| json!(row)).collect();
        data.iter_mut().for_each(|row| shape::reshape(&options, row));
        shape::spoil(&options, rng, &mut data);
        Ok(json_text(&Envelope { data, meta }))
    }

    fn get(
        &self,
        session_id: &str,
        on_behalf_of: Option<String>,
        now: Moment,
    ) -> Result<String, Refusal> {
        let mut world = self.world();
        let filter = Filter { uids: on_behalf_of.into_iter().collect(), ..Filter::default() };
        let Some(row) = world.find(now, session_id).filter(|row| filter.admits_row(row)) else {
            return Err(Refusal::NoSuchSession { session_id: session_id.to_owned() });
        };
        let mut data = json!(Single { row, meta_data: [], tags: [] });
        shape::reshape(world.options(), &mut data);
        if world.options().has(Quirk::GetCallArray) {
            data = json!([data]);
        } else if world.options().has(Quirk::GetCallEmpty) {
            data = json!([]);
        }
        Ok(json_text(&Envelope { data, meta: None }))
    }

    fn truth(&self, query: &Query, now: Moment) -> Result<String, Refusal> {
        let default = TruthQuery::default();
        let query = TruthQuery {
            from: query.number("from", i64::MIN)?,
            max_open_s: query.number("max_open", 0)?.unwrap_or(default.max_open_s),
            settle_s: query.number("settle", 0)?,
            app: query.word("app"),
        };
        let truth = self.world().truth(now, &query);
        Ok(json_text(&Told { truth, requests: self.n_requests.load(Ordering::Relaxed) }))
    }
}

fn check_key(options: &Options, headers: &HeaderMap) -> Result<(), Refusal> {
    let key = headers.get("apikey").map(HeaderValue::as_bytes).unwrap_or_default();
    if key.is_empty() {
        return Err(Refusal::EmptyKey);
    }
    if key != options.api_key.as_bytes() {
        return Err(Refusal::wrong_key(&String::from_utf8_lossy(key)));
    }
    Ok(())
}

/// Those headers of `headers` that the response has not set itself.
fn with_headers(mut response: Response<Bytes>, headers: HeaderMap) -> Response<Bytes> {
    response.headers_mut().extend(headers);
    response
}

/// What follows the version in the path.
fn versioned(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/v3.0").or_else(|| path.strip_prefix("/v3"))?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

fn json_text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("rows and sums hold finite numbers and string keys")
}
