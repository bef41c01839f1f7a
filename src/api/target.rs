//! Where a request goes, and how that is written into a log.

use reqwest::Url;

use crate::sweep::Request;

/// The most of a session id that is shown, in characters.
const SHOWN_MAX: usize = 120;

/// The address under which the API's paths stand.
#[derive(Clone)]
pub(super) struct Base(Url);

impl Base {
    /// Takes an `http` or `https` URL with a host; a path is kept, a slash at its end is not.
    pub(super) fn new(text: &str) -> Result<Self, &'static str> {
        let Ok(mut url) = Url::parse(text.trim()) else { return Err("it is no URL") };
        if !matches!(url.scheme(), "http" | "https") {
            return Err("it must begin with https:// or http://");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("it must end with the path: no `?`, no `#`");
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }

    /// Whether the answers come over TLS.
    pub(super) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The URL of a request; nothing when no URL can hold the session id.
    pub(super) fn url(&self, request: &Request) -> Option<Url> {
        let mut url = self.0.clone();
        let path = url.path().trim_end_matches('/').to_owned();
        match request {
            Request::List { page, per_page } => {
                url.set_path(&format!("{path}/calls"));
                let mut query = url.query_pairs_mut();
                query.append_pair("page", &page.to_string());
                if let Some(per_page) = per_page {
                    query.append_pair("perPage", &per_page.to_string());
                }
                drop(query);
            }
            Request::Get { session_id } => {
                // A URL takes these as steps in its path, in every spelling.
                if matches!(&**session_id, "" | "." | "..") {
                    return None;
                }
                url.set_path(&format!("{path}/calls/{}", encode(session_id)));
            }
        }
        Some(url)
    }
}

/// Percent-encodes everything but what stands for itself in every part of a URL.
fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(byte.into());
            }
            _ => write!(encoded, "%{byte:02X}").expect("a String takes all text"),
        }
    }
    encoded
}

/// A URL for the log: no password, no query but the page, no path without end.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Fails for URLs that cannot have either, which then have none.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    let page: Vec<_> = url
        .query_pairs()
        .filter(|(name, _)| matches!(&**name, "page" | "perPage"))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    url.set_query((!page.is_empty()).then(|| page.join("&")).as_deref());
    let text = url.to_string();
    let n_more =
        text.chars().count().saturating_sub(url.host_str().map_or(0, str::len) + SHOWN_MAX);
    if n_more == 0 {
        return text;
    }
    let n_kept = text.chars().count() - n_more;
    text.chars().take(n_kept).chain("...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(base: &str, page: u32, per_page: Option<u32>) -> String {
        let base = Base::new(base).unwrap_or_else(|error| unreachable!("{error}"));
        base.url(&Request::List { page, per_page }).map(String::from).unwrap_or_default()
    }

    fn get(session_id: &str) -> Option<String> {
        let base = Base::new("http://h/v3").ok()?;
        base.url(&Request::Get { session_id: session_id.into() }).map(String::from)
    }

    #[test]
    fn a_list_is_asked_for_under_the_path_of_the_base() {
        assert_eq!(list("https://h/v3", 1, Some(100)), "https://h/v3/calls?page=1&perPage=100");
        assert_eq!(list("https://h/v3.0//", 0, None), "https://h/v3.0/calls?page=0");
        assert_eq!(list("http://h:8080", 2, None), "http://h:8080/calls?page=2");
        assert_eq!(list("http://h/a/b c/", 2, None), "http://h/a/b%20c/calls?page=2");
    }

    #[test]
    fn any_session_id_is_one_segment_of_the_path() {
        let path =
            |id| get(id).and_then(|url| url.strip_prefix("http://h/v3/calls/").map(str::to_owned));
        assert_eq!(path("v1.us.0f").as_deref(), Some("v1.us.0f"));
        assert_eq!(path("a/b?c#d%e\\f").as_deref(), Some("a%2Fb%3Fc%23d%25e%5Cf"));
        assert_eq!(path("../x").as_deref(), Some("..%2Fx"));
        assert_eq!(path(" é\n\t").as_deref(), Some("%20%C3%A9%0A%09"));
        assert_eq!(path("%2e%2e").as_deref(), Some("%252e%252e"));
        assert_eq!(path("...").as_deref(), Some("..."));
    }

    #[test]
    fn a_session_id_that_no_path_can_hold_is_not_asked_for() {
        assert_eq!(["", ".", ".."].map(get), [None, None, None]);
    }

    #[test]
    fn a_base_that_is_none_is_refused() {
        for base in ["", "h/v3", "ftp://h/", "https://h/v3?key=1", "https://h/#a", "https://"] {
            assert!(Base::new(base).is_err(), "{base}");
        }
    }

    #[test]
    fn a_log_shows_no_password_and_no_query_but_the_page() {
        let url = |text| Url::parse(text).map(|url| shown(&url)).unwrap_or_default();
        assert_eq!(
            url("https://u:p@h/v3/calls?page=1&perPage=9"),
            "https://h/v3/calls?page=1&perPage=9"
        );
        assert_eq!(url("https://h/in?token=abc#x"), "https://h/in");
        let long = url(&format!("https://h/{}", "x".repeat(1000)));
        assert!(long.len() < 130 && long.ends_with("..."), "{long}");
    }
}
