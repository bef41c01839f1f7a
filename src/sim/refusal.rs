//! What the API answers when it refuses: the error envelope.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::rng::Rng;

/// A refusal. Its display is the message of the envelope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// No key was sent.
    #[error("The apikey is missing in the headers. Please provide a valid apikey.")]
    EmptyKey,
    /// The key is not that of the app.
    #[error("The key {masked} does not exist. Please use a valid apikey of this app and region.")]
    WrongKey {
        /// The key as far as it may be shown.
        masked: String,
    },
    /// A parameter cannot be read.
    #[error("Failed to validate the data sent with the request.")]
    BadRequest {
        /// Which parameter.
        parameter: &'static str,
        /// What it must be.
        rule: String,
    },
    /// No call has this session id, or none that the user is part of.
    #[error("The call with sessionId {session_id} does not exist.")]
    NoSuchSession {
        /// As asked for, decoded.
        session_id: String,
    },
    /// There is nothing at this address.
    #[error("The API {path} does not exist.")]
    NoSuchApi {
        /// The path as it was sent.
        path: String,
    },
    /// The list ends before this page.
    #[error("The page {page} does not exist.")]
    NoSuchPage {
        /// As counted from 1.
        page: u32,
    },
    /// Something inside the API failed.
    #[error("Something went wrong. Please try again.")]
    Broken {
        /// 5xx.
        status: StatusCode,
    },
    /// The limit of this minute is used up.
    #[error("Too many requests. Please try again after {after_s} seconds.")]
    TooManyRequests {
        /// Seconds to the next minute.
        after_s: i64,
    },
}

impl Refusal {
    /// A parameter that breaks a rule.
    pub(super) fn bad_request(parameter: &'static str, rule: String) -> Self {
        Self::BadRequest { parameter, rule }
    }

    /// A failure of the API itself.
    pub(super) fn broken(rng: &mut Rng) -> Self {
        let statuses = [
            StatusCode::INTERNAL_SERVER_ERROR,
            StatusCode::BAD_GATEWAY,
            StatusCode::SERVICE_UNAVAILABLE,
        ];
        Self::Broken { status: statuses[rng.below(3) as usize] }
    }

    /// A key that is wrong, shown in part as the API does.
    pub(super) fn wrong_key(key: &str) -> Self {
        let chars: Vec<char> = key.chars().collect();
        let masked = match chars.len() {
            // So short that the ends would give it away.
            0..=10 => "***".to_owned(),
            n => {
                let ends = (&chars[..5], &chars[n - 5..]);
                format!("{}***{}", String::from_iter(ends.0), String::from_iter(ends.1))
            }
        };
        Self::WrongKey { masked }
    }

    /// The HTTP status.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::EmptyKey | Self::WrongKey { .. } => StatusCode::UNAUTHORIZED,
            Self::BadRequest { .. } => StatusCode::BAD_REQUEST,
            Self::NoSuchSession { .. } | Self::NoSuchApi { .. } | Self::NoSuchPage { .. } => {
                StatusCode::NOT_FOUND
            }
            Self::Broken { status } => *status,
            Self::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::EmptyKey => "AUTH_ERR_EMPTY_APIKEY",
            Self::WrongKey { .. } => "AUTH_ERR_APIKEY_NOT_FOUND",
            Self::BadRequest { .. } => "ERR_BAD_REQUEST",
            Self::NoSuchSession { .. } => "ERR_CALL_SESSION_NOT_FOUND",
            Self::NoSuchApi { .. } => "ERR_API_NOT_FOUND",
            Self::NoSuchPage { .. } => "ERR_PAGE_NOT_FOUND",
            Self::Broken { .. } => "ERR_INTERNAL_SERVER_ERROR",
            Self::TooManyRequests { .. } => "ERR_TOO_MANY_REQUESTS",
        }
    }

    /// The envelope. That of a bad request has `details` and neither `devMessage` nor `source`.
    pub(super) fn body(&self) -> Value {
        let (code, message) = (self.code(), self.to_string());
        match self {
            Self::BadRequest { parameter, rule } => {
                let details = json!({ *parameter: [format!("The {parameter} {rule}.")] });
                json!({ "error": { "message": message, "code": code, "details": details } })
            }
            Self::EmptyKey
            | Self::WrongKey { .. }
            | Self::NoSuchSession { .. }
            | Self::NoSuchApi { .. }
            | Self::NoSuchPage { .. }
            | Self::Broken { .. }
            | Self::TooManyRequests { .. } => json!({ "error": {
                "message": message, "devMessage": message, "source": "chat-api", "code": code,
            } }),
        }
    }
}
