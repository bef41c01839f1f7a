//! What a request gets: an answer, whole or cut, at once or later, or none.

use std::time::Duration;

use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};

use super::rng::Rng;
use super::{Fault, Options};

/// How much longer an answer of [`Fault::Slow`] takes.
const SLOW: Duration = Duration::from_secs(3);

/// What happens to a request.
pub(super) struct Reply {
    /// In real time, before anything is sent.
    pub(super) after: Duration,
    pub(super) what: What,
}

/// What is sent.
pub(super) enum What {
    /// An answer.
    Whole(Response<Bytes>),
    /// The first half of its body, and then the end of the connection.
    Cut(Response<Bytes>),
    /// The end of the connection alone.
    Closed,
    /// Nothing, on a connection that stays open.
    Nothing,
}

impl Reply {
    /// The answer without delay.
    pub(super) fn at_once(response: Response<Bytes>) -> Self {
        Self { after: Duration::ZERO, what: What::Whole(response) }
    }

    /// The answer as far as the fault leaves it.
    pub(super) fn with(
        fault: Option<Fault>,
        options: &Options,
        response: Response<Bytes>,
        rng: &mut Rng,
    ) -> Self {
        let latency = Duration::from_millis(options.latency_ms.into());
        let what = match fault {
            Some(Fault::Truncated) => What::Cut(response),
            Some(Fault::Closed) => What::Closed,
            Some(Fault::Hang) => What::Nothing,
            Some(Fault::Gateway) => What::Whole(html_response(
                [StatusCode::BAD_GATEWAY, StatusCode::GATEWAY_TIMEOUT][rng.below(2) as usize],
            )),
            Some(Fault::Garbage) => What::Whole(garbage(response, rng)),
            Some(_) | None => What::Whole(response),
        };
        let is_slow = fault == Some(Fault::Slow);
        Self { after: latency + if is_slow { SLOW } else { Duration::ZERO }, what }
    }
}

/// The same head with a body that is no JSON: random bytes, or the JSON without its end.
fn garbage(response: Response<Bytes>, rng: &mut Rng) -> Response<Bytes> {
    response.map(|body| {
        if rng.permille(500) {
            body.slice(..body.len() / 2)
        } else {
            (0..64).flat_map(|_| rng.next_u64().to_le_bytes()).collect()
        }
    })
}

/// An answer of JSON.
pub(super) fn json_response(status: StatusCode, body: String) -> Response<Bytes> {
    response(status, Some("application/json"), body)
}

/// A page as gateways have it.
pub(super) fn html_response(status: StatusCode) -> Response<Bytes> {
    let title = status.canonical_reason().unwrap_or("Error");
    let page = format!("<html><head><title>{title}</title></head><body>{title}</body></html>");
    response(status, Some("text/html"), page)
}

/// An answer.
pub(super) fn response(
    status: StatusCode,
    content_type: Option<&'static str>,
    body: impl Into<Bytes>,
) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let content_type = content_type.map(|name| (CONTENT_TYPE, HeaderValue::from_static(name)));
    *response.headers_mut() = HeaderMap::from_iter(content_type);
    response
}
