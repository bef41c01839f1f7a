//! The client of one app: asks, and always comes back with an exchange.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use tokio::time::Instant;

use super::body::{self, BodyFault};
use super::decode::{self, Unreadable};
use super::refusal::{advice, refusal};
use super::target::{Base, shown};
use super::{Code, Endpoint, ErrorCode, Exchange, Key, Survey, Transport, fault, quota, survey};
use crate::call::Timestamp;
use crate::sweep::{Page, Quota, Refusal, Reply, Request};

/// The default of [`Options::body_bytes_max`]: a hundred times a page of a hundred busy calls.
pub const BODY_BYTES_MAX: usize = 16 << 20;

/// What a client of one app needs to know.
#[derive(Clone)]
pub struct Options {
    /// `https://APP.call-us.cometchat.io/v3` or the like.
    pub base_url: String,
    /// The app's REST API key.
    pub key: Key,
    /// The `uid` whose calls alone are asked for.
    pub on_behalf_of: Option<String>,
    /// The largest body, unpacked, in bytes.
    pub body_bytes_max: usize,
}

/// Why there can be no client with these options.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// Not an address to which `/calls` can be added.
    #[error("base_url cannot be used: {reason}")]
    BaseUrl {
        /// What is wrong with it. The URL itself may hold a password.
        reason: &'static str,
    },
    /// No HTTP header can carry it.
    #[error("on_behalf_of `{0}` is no user id: it is empty or holds a control character")]
    OnBehalfOf(String),
    /// The API is asked over TLS, and there is nothing to check its certificate against.
    #[error("{0}; give the CA certificates, or unset SSL_CERT_FILE to use the system's")]
    Certificates(String),
}

/// Asks the Calls API for one app.
pub struct Client {
    transport: Transport,
    base: Base,
    key: RwLock<Key>,
    on_behalf_of: Option<HeaderValue>,
    body_bytes_max: usize,
}

/// What an exchange says besides the facts of the answer's head.
struct Verdict {
    outcome: Result<Reply, Refusal>,
    code: Code,
    error: Option<ErrorCode>,
    note: Option<String>,
}

/// What an answer was, byte for byte.
#[derive(Default)]
struct Heard {
    body: Vec<u8>,
    limit_header: Option<&'static str>,
}

impl Client {
    /// Builds the client on the pool of connections that all apps share.
    ///
    /// # Errors
    /// An address or a user that no request can carry, or `https` without certificates.
    pub fn new(options: Options, transport: &Transport) -> Result<Self, ClientError> {
        let base =
            Base::new(&options.base_url).map_err(|reason| ClientError::BaseUrl { reason })?;
        if let (true, Err(reason)) = (base.is_https(), &transport.roots) {
            return Err(ClientError::Certificates(reason.clone()));
        }
        let on_behalf_of = options.on_behalf_of.map(|uid| {
            let value = HeaderValue::from_bytes(uid.trim().as_bytes());
            value.ok().filter(|value| !value.is_empty()).ok_or(ClientError::OnBehalfOf(uid))
        });
        Ok(Self {
            transport: transport.clone(),
            base,
            key: RwLock::new(options.key),
            on_behalf_of: on_behalf_of.transpose()?,
            body_bytes_max: options.body_bytes_max,
        })
    }

    /// Takes another key, from the next request on; the connections stay.
    pub fn set_key(&self, key: Key) {
        *self.key.write().unwrap_or_else(PoisonError::into_inner) = key;
    }

    /// Asks once. `now` is the time on the API's clock as far as it is known; an answer with a
    /// `Date` is read by that instead.
    pub async fn ask(&self, request: &Request, now: Timestamp) -> Exchange {
        self.exchange(request, None, now).await.0
    }

    /// Asks once as [`Self::ask`] does, with a filter of the list if one is given, and says what the
    /// answer holds beside what is counted.
    pub async fn survey(
        &self,
        request: &Request,
        filter: Option<(&str, &str)>,
        now: Timestamp,
    ) -> (Exchange, Survey) {
        let (exchange, heard) = self.exchange(request, filter, now).await;
        (exchange, Survey::of(&heard.body, heard.limit_header))
    }

    async fn exchange(
        &self,
        request: &Request,
        filter: Option<(&str, &str)>,
        now: Timestamp,
    ) -> (Exchange, Heard) {
        let endpoint = Endpoint::of(request);
        let started = Instant::now();
        let mut exchange = Exchange {
            outcome: Err(Refusal::Unavailable),
            endpoint,
            code: Code::Connect,
            error: None,
            quota: Quota::default(),
            date: None,
            elapsed: Duration::ZERO,
            note: None,
        };
        let mut heard = Heard::default();
        let Some(mut url) = self.base.url(request) else {
            exchange.outcome = Err(Refusal::NotFound);
            exchange.note = Some("a session id that no URL can hold was not asked for".to_owned());
            return (exchange, heard);
        };
        if let Some((name, value)) = filter {
            url.query_pairs_mut().append_pair(name, value);
        }
        let sent = self.transport.http.get(url.clone()).headers(self.headers()).send().await;
        let verdict = match sent {
            Ok(response) => {
                exchange.date = quota::date(response.headers());
                let now = exchange.date.unwrap_or(now);
                exchange.quota = quota::quota(response.headers(), now);
                heard.limit_header = survey::limit_header(response.headers());
                self.answer(response, endpoint, now, &mut heard.body).await
            }
            Err(error) => {
                let (code, what) = fault::no_answer(&error, self.transport.timeout);
                Verdict::unavailable(code, what)
            }
        };
        exchange.outcome = verdict.outcome;
        exchange.code = verdict.code;
        exchange.error = verdict.error.map(ErrorCode::label);
        exchange.note = verdict.note.map(|what| format!("GET {}: {what}", shown(&url)));
        exchange.elapsed = started.elapsed();
        (exchange, heard)
    }

    fn headers(&self) -> HeaderMap {
        let key = self.key.read().unwrap_or_else(PoisonError::into_inner).header();
        let mut headers = HeaderMap::with_capacity(3);
        headers.insert("apikey", key);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(uid) = &self.on_behalf_of {
            headers.insert("onbehalfof", uid.clone());
        }
        headers
    }

    async fn answer(
        &self,
        response: reqwest::Response,
        endpoint: Endpoint,
        now: Timestamp,
        heard: &mut Vec<u8>,
    ) -> Verdict {
        let status = response.status().as_u16();
        let is_html = is_html(response.headers());
        let redirect = redirect(&response);
        let body = body::read(response, self.body_bytes_max).await;
        if !(200..300).contains(&status) {
            // The status says enough, even where the body never came.
            let error = body.ok().and_then(|body| decode::error_code(&body));
            return Verdict {
                outcome: Err(refusal(status, error, endpoint)),
                code: Code::Http(status),
                error,
                note: Some(match redirect {
                    Some(place) => format!(
                        "HTTP {status} to {place}: redirects are not followed; if that is the \
                         API, set base_url to it"
                    ),
                    None => status_note(status, error, is_html),
                }),
            };
        }
        let body = match body {
            Ok(body) => body,
            Err(fault) => return Verdict::no_body(status, fault, self.transport.timeout),
        };
        let page = decode::page(&body, now);
        *heard = body;
        match page {
            Ok(page) => Verdict::page(status, endpoint, page),
            Err(Unreadable::Refused(error)) => Verdict {
                outcome: Err(refusal(status, Some(error), endpoint)),
                code: Code::Http(status),
                error: Some(error),
                note: Some(status_note(status, Some(error), is_html)),
            },
            Err(unreadable) => {
                let from = if is_html { " (HTML, as of a gateway or proxy)" } else { "" };
                let what =
                    format!("HTTP {status}, but {unreadable}{from}: check base_url and any proxy");
                Verdict::unavailable(Code::Body, what)
            }
        }
    }
}

impl Verdict {
    fn page(status: u16, endpoint: Endpoint, page: Page) -> Self {
        let reply = match endpoint {
            Endpoint::List => Reply::List(page),
            Endpoint::Get => Reply::Get(page),
        };
        Self { outcome: Ok(reply), code: Code::Http(status), error: None, note: None }
    }

    fn unavailable(code: Code, what: String) -> Self {
        Self { outcome: Err(Refusal::Unavailable), code, error: None, note: Some(what) }
    }

    fn no_body(status: u16, fault: BodyFault, timeout: Duration) -> Self {
        let (code, what) = match fault {
            BodyFault::Timeout => (
                Code::Timeout,
                format!("the body did not end within {timeout:?}: poll.timeout sets the limit"),
            ),
            BodyFault::TooLarge(max) => {
                (Code::Body, format!("the body is larger than {max} bytes: lower poll.per_page"))
            }
            BodyFault::Cut(cause) => {
                (Code::Body, format!("the body was cut ({cause}): it is asked again"))
            }
        };
        Self::unavailable(code, format!("HTTP {status}, but {what}"))
    }
}

fn status_note(status: u16, error: Option<ErrorCode>, is_html: bool) -> String {
    let what = match error.map(ErrorCode::label) {
        Some("other") => " with an error code that this version does not know",
        Some(label) => &format!(" {label}"),
        None if is_html => " with HTML, as of a gateway or proxy",
        None => "",
    };
    format!("HTTP {status}{what}: {}", advice(status, error))
}

fn is_html(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.trim_start().to_ascii_lowercase().starts_with("text/html"))
}

/// Where a redirect leads, in a form that may be shown.
fn redirect(response: &reqwest::Response) -> Option<String> {
    let place = response.headers().get(LOCATION).filter(|_| response.status().is_redirection())?;
    let place: Url = response.url().join(place.to_str().ok()?).ok()?;
    Some(shown(&place))
}

#[cfg(test)]
mod tests;
