//! What became of one request: the outcome for the planner, and the facts that the caller counts.

use std::borrow::Cow;
use std::time::Duration;

use crate::call::Timestamp;
use crate::sweep::{Quota, Refusal, Reply, Request};

/// One request and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// For the planner.
    pub outcome: Result<Reply, Refusal>,
    /// Which endpoint was asked.
    pub endpoint: Endpoint,
    /// How the answer came, or why none did.
    pub code: Code,
    /// The API's error code as the label `error` shows it; absent where no error envelope came.
    pub error: Option<&'static str>,
    /// What the answer says about the rate limit.
    pub quota: Quota,
    /// The API's clock, from the header `Date`.
    pub date: Option<Timestamp>,
    /// From the start of the request to the end of the body.
    pub elapsed: Duration,
    /// For the log, for anything but success: what happened, where, what to do. Without secrets.
    pub note: Option<String>,
}

/// An endpoint of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// `GET /calls`.
    List,
    /// `GET /calls/{sessionId}`.
    Get,
}

impl Endpoint {
    /// Every endpoint.
    pub const ALL: [Self; 2] = [Self::List, Self::Get];

    /// The endpoint that a request goes to.
    pub const fn of(request: &Request) -> Self {
        match request {
            Request::List { .. } => Self::List,
            Request::Get { .. } => Self::Get,
        }
    }

    /// The value of the label `endpoint`.
    pub const fn label(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Get => "get",
        }
    }
}

/// How an answer came, or why none did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// With this HTTP status. One other than 2xx stands here even when its body is unreadable.
    Http(u16),
    /// Not within the time given, or not all of it.
    Timeout,
    /// No answer: refused, no such host, TLS, the connection lost before a status.
    Connect,
    /// A good status, but the body is cut, too large or not a page of calls.
    Body,
}

impl Code {
    /// The value of the label `code`: the status, or a word.
    pub fn label(self) -> Cow<'static, str> {
        match self {
            Self::Http(status @ 100..=599) => Cow::Owned(status.to_string()),
            Self::Http(_) => Cow::Borrowed("other"),
            Self::Timeout => Cow::Borrowed("timeout"),
            Self::Connect => Cow::Borrowed("connect"),
            Self::Body => Cow::Borrowed("body"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_a_status_or_a_word() {
        let labels = [99, 100, 404, 599, 600].map(|status| Code::Http(status).label());
        assert_eq!(labels, ["other", "100", "404", "599", "other"]);
        let labels = [Code::Timeout, Code::Connect, Code::Body].map(Code::label);
        assert_eq!(labels, ["timeout", "connect", "body"]);
    }
}
