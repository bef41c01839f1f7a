//! The API's error codes: what each asks for, and what a person can do about it.

use super::Endpoint;
use crate::sweep::Refusal;

/// An error code of the API, from the closed set that this version knows, or `other`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCode {
    label: &'static str,
    /// What it means; where there is none, the HTTP status says it.
    refusal: Option<Refusal>,
    /// What to do, for the log.
    advice: Option<&'static str>,
}

const fn known(label: &'static str, refusal: Option<Refusal>, advice: &'static str) -> ErrorCode {
    ErrorCode { label, refusal, advice: Some(advice) }
}

const DENIED: Option<Refusal> = Some(Refusal::Denied);
const API_NOT_FOUND: &str = "ERR_API_NOT_FOUND";

const APP_ADVICE: &str = "no such app in this region: check the app id and the region";
const TOKEN_ADVICE: &str = "the API asks for a user's token: check that base_url is the server's \
                            address and that the key is a REST API key";
const FAULT_ADVICE: &str = "a fault inside the API: it is asked again";

const KNOWN: [ErrorCode; 20] = [
    known(
        "AUTH_ERR_APIKEY_NOT_FOUND",
        DENIED,
        "the API key is not known to this app: check the key, the app id and the region",
    ),
    known("AUTH_ERR_EMPTY_APIKEY", DENIED, "no API key arrived: check the key, and any proxy"),
    known(
        "AUTH_ERR_NO_ACCESS",
        DENIED,
        "the key may not read calls: take the REST API key, whose scope is fullAccess, not the \
         auth key",
    ),
    known("AUTH_ERR_INVALID_APPID", DENIED, APP_ADVICE),
    known("AUTH_ERR_EMPTY_APPID", DENIED, APP_ADVICE),
    known("AUTH_ERR_AUTH_TOKEN_NOT_FOUND", DENIED, TOKEN_ADVICE),
    known("AUTH_ERR_EMPTY_AUTH_TOKEN", DENIED, TOKEN_ADVICE),
    known(
        "ERR_PLAN_RESTRICTION",
        DENIED,
        "calling is not part of the app's plan: see the billing page of the CometChat dashboard",
    ),
    known(
        "ERR_PLAN_QUOTA_RESTRICTION",
        DENIED,
        "the plan's quota is used up: see the billing page of the CometChat dashboard",
    ),
    known(
        "ERR_SUBSCRIPTION_EXPIRED",
        DENIED,
        "the subscription has expired: see the billing page of the CometChat dashboard",
    ),
    known(
        "ERR_UID_NOT_FOUND",
        DENIED,
        "the user in on_behalf_of does not exist or is deactivated: check on_behalf_of",
    ),
    known("ERR_INVALID_API_VERSION", DENIED, "check the version at the end of base_url"),
    known(API_NOT_FOUND, DENIED, "there is no Calls API at this address: check base_url"),
    known(
        "ERR_CALL_SESSION_NOT_FOUND",
        Some(Refusal::NotFound),
        "the API does not know this call (any more)",
    ),
    known(
        "ERR_TOO_MANY_REQUESTS",
        Some(Refusal::Later),
        "the app's rate limit is used up: if this happens often, lower poll.rate_limit_share",
    ),
    known("ERR_BAD_REQUEST", Some(Refusal::Rejected), "the API does not take a parameter"),
    known("ERR_MISSION_FAILED", None, FAULT_ADVICE),
    known("ERR_OPERATION_FAILED", None, FAULT_ADVICE),
    known("ERR_EXCEPTION", None, FAULT_ADVICE),
    known("ERR_BAD_ERROR_RESPONSE", None, FAULT_ADVICE),
];

impl ErrorCode {
    /// Reads `error.code`. The word itself is kept only when it is a known one.
    pub fn from_word(word: &str) -> Self {
        let refusal = word.starts_with("AUTH_ERR_").then_some(Refusal::Denied);
        let other = Self { label: "other", refusal, advice: None };
        KNOWN.into_iter().find(|known| known.label == word).unwrap_or(other)
    }

    /// The value of the label `error`.
    pub const fn label(self) -> &'static str {
        self.label
    }
}

/// Sorts an answer that is no page by what is done next.
pub(super) fn refusal(status: u16, code: Option<ErrorCode>, endpoint: Endpoint) -> Refusal {
    if status == 429 {
        return Refusal::Later;
    }
    if let Some(code) = code
        && let Some(refusal) = code.refusal
    {
        // An API that has no Get Call still has its list.
        let has_no_get = code.label == API_NOT_FOUND && endpoint == Endpoint::Get;
        return if has_no_get { Refusal::NotFound } else { refusal };
    }
    match status {
        400 => Refusal::Rejected,
        401 | 403 => Refusal::Denied,
        404 => Refusal::NotFound,
        _ => Refusal::Unavailable,
    }
}

/// What to do about an answer that is no page.
pub(super) fn advice(status: u16, code: Option<ErrorCode>) -> &'static str {
    if let Some(advice) = code.and_then(|code| code.advice) {
        return advice;
    }
    match status {
        400 => "the API does not take a parameter",
        401 | 403 => "the API refused the key: check the key, the app id and the region",
        404 => "there is nothing at this address",
        407 => "the proxy wants a password: check HTTPS_PROXY",
        429 => {
            "the app's rate limit is used up: if this happens often, lower poll.rate_limit_share"
        }
        500..=599 => "a fault of the API or of a gateway before it: it is asked again",
        _ => "not what the Calls API answers: check base_url and any proxy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, code: &str) -> Refusal {
        refusal(status, Some(ErrorCode::from_word(code)), Endpoint::List)
    }

    #[test]
    fn a_status_alone_says_what_to_do_next() {
        let of = |status| refusal(status, None, Endpoint::List);
        assert_eq!(of(400), Refusal::Rejected);
        assert_eq!([401, 403].map(of), [Refusal::Denied; 2]);
        assert_eq!(of(404), Refusal::NotFound);
        assert_eq!(of(429), Refusal::Later);
        let others = [302, 405, 407, 417, 500, 502, 503, 600];
        assert_eq!(others.map(of), [Refusal::Unavailable; 8]);
    }

    #[test]
    fn a_known_code_says_more_than_the_status() {
        assert_eq!(of(500, "ERR_CALL_SESSION_NOT_FOUND"), Refusal::NotFound);
        assert_eq!(of(200, "ERR_TOO_MANY_REQUESTS"), Refusal::Later);
        assert_eq!(of(400, "AUTH_ERR_EMPTY_APIKEY"), Refusal::Denied);
        assert_eq!(of(404, "ERR_UID_NOT_FOUND"), Refusal::Denied);
        assert_eq!(of(402, "ERR_PLAN_RESTRICTION"), Refusal::Denied);
        assert_eq!(of(404, "AUTH_ERR_OF_NEXT_YEAR"), Refusal::Denied);
        assert_eq!(of(200, "ERR_BAD_REQUEST"), Refusal::Rejected);
    }

    #[test]
    fn a_pause_that_is_asked_for_goes_before_everything() {
        assert_eq!(of(429, "AUTH_ERR_NO_ACCESS"), Refusal::Later);
    }

    #[test]
    fn a_code_that_says_little_leaves_it_to_the_status() {
        assert_eq!(of(417, "ERR_OPERATION_FAILED"), Refusal::Unavailable);
        assert_eq!(of(403, "ERR_EXCEPTION"), Refusal::Denied);
        assert_eq!(of(400, "ERR_OF_NEXT_YEAR"), Refusal::Rejected);
    }

    #[test]
    fn an_api_without_get_call_is_not_denied_as_a_whole() {
        let code = Some(ErrorCode::from_word(API_NOT_FOUND));
        assert_eq!(refusal(404, code, Endpoint::Get), Refusal::NotFound);
        assert_eq!(refusal(404, code, Endpoint::List), Refusal::Denied);
    }

    #[test]
    fn a_word_from_outside_never_becomes_a_label() {
        for word in ["", "err_bad_request", "ERR_BAD_REQUEST ", "AUTH_ERR_X", "\u{1F600}"] {
            assert_eq!(ErrorCode::from_word(word).label(), "other");
        }
        for known in KNOWN {
            assert_eq!(ErrorCode::from_word(known.label), known);
        }
    }
}
