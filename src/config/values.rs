//! One function for each kind of value: text in, value out. Flags, variables and the file share
//! them, so that the same word is right or wrong everywhere.
//!
//! An error is a sentence without a subject ("must be …"): the caller knows what it calls the value.

use crate::api::{Key, KeyError};
use crate::call::{Outcome, Status, Timestamp};
use crate::metrics::{Breakdown, Shard};

use super::duration;
use super::settings::{ApiRegion, CountFrom, FailureWord, Listen, ListenAddress, StateSettings};
use crate::web::listen::UNIX;

/// The longest name of an app, in characters.
const NAME_CHARS_MAX: usize = 128;
/// The most shards: each app is weighed for each.
const SHARDS_MAX: u32 = 1000;

/// An id of an app: a part of a host name.
pub(super) fn app_id(text: &str) -> Result<String, String> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if text.is_empty() || !text.chars().all(is_allowed) {
        return Err(
            "must be the app id from the CometChat dashboard (letters, digits, _ and -)".into()
        );
    }
    Ok(text.to_owned())
}

/// The value of the label `cometchat_app`.
pub(super) fn app_name(text: &str) -> Result<String, String> {
    let n_chars = text.chars().count();
    if n_chars == 0 || n_chars > NAME_CHARS_MAX {
        return Err(format!("must have 1 to {NAME_CHARS_MAX} characters"));
    }
    if text.chars().any(char::is_control) {
        return Err("must not hold control characters".into());
    }
    Ok(text.to_owned())
}

/// A region of CometChat.
pub(super) fn region(text: &str) -> Result<ApiRegion, String> {
    match text {
        "us" => Ok(ApiRegion::Us),
        "eu" => Ok(ApiRegion::Eu),
        "in" => Ok(ApiRegion::In),
        _ => Err("must be us, eu or in".into()),
    }
}

/// A user id that goes into a header.
pub(super) fn on_behalf_of(text: &str) -> Result<String, String> {
    if !is_header_word(text) {
        return Err("must be the uid of a user, without blanks".into());
    }
    Ok(text.to_owned())
}

/// A key: what an HTTP header can carry, without blanks.
pub(super) fn api_key(text: &str) -> Result<&str, &'static str> {
    match Key::new(text.to_owned()) {
        Ok(_) => Ok(text.trim()),
        Err(KeyError::Empty) => Err("is empty"),
        Err(KeyError::Character { .. }) => {
            Err("holds blanks, line breaks or other characters that no key has")
        }
    }
}

fn is_header_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic())
}

/// The address of the API, without a slash at its end.
pub(super) fn base_url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest else {
        return Err("must begin with https:// or http://".into());
    };
    if rest.contains(['?', '#', '@', '\\']) || !is_header_word(rest) {
        return Err("must consist of scheme, host, port and path only".into());
    }
    let authority = rest.split('/').next().unwrap_or_default();
    if !is_authority(authority) {
        return Err("must name a host, and a port from 1 to 65535 if any".into());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// `host`, `host:port`, `[::1]`, `[::1]:port`.
fn is_authority(authority: &str) -> bool {
    let host_end = if authority.starts_with('[') {
        authority.find(']').map(|idx| idx + 1)
    } else {
        Some(authority.find(':').unwrap_or(authority.len()))
    };
    let Some((host, port)) = host_end.map(|idx| authority.split_at(idx)) else {
        return false;
    };
    let port_is_right = match port.strip_prefix(':') {
        Some(digits) => port_number(digits).is_some_and(|port| port != 0),
        None => port.is_empty(),
    };
    let host_is_right = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && !host.contains(['[', ']']),
    };
    host_is_right && port_is_right
}

fn port_number(digits: &str) -> Option<u16> {
    // `parse` would take `+80`.
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

/// `:PORT`, `HOST:PORT` or `[::1]:PORT`.
pub(super) fn listen_address(text: &str) -> Result<ListenAddress, String> {
    let wrong = || "must be :PORT, HOST:PORT or [::1]:PORT, such as :10180".to_owned();
    let (host, digits) = text.rsplit_once(':').ok_or_else(wrong)?;
    let port = port_number(digits).ok_or_else(wrong)?;
    if host.is_empty() {
        return Ok(ListenAddress { host: None, port });
    }
    let is_bracketed = host.starts_with('[') && host.ends_with(']');
    let is_usable = is_header_word(host) && !host.contains(['/', '@']) && is_authority(host);
    if !is_usable || (host.contains(':') && !is_bracketed) {
        return Err(wrong());
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    Ok(ListenAddress { host: Some(bare.to_owned()), port })
}

/// As [`listen_address`], or `unix:PATH`.
pub(super) fn listen(text: &str) -> Result<Listen, String> {
    let wrong = |_| "must be :PORT, HOST:PORT, [::1]:PORT or unix:PATH, such as :10180".to_owned();
    match text.strip_prefix(UNIX) {
        Some(path) => self::path(path).map(Listen::Unix),
        None => listen_address(text).map(Listen::Tcp).map_err(wrong),
    }
}

/// The path of a proxy or a prefix, without a slash at its end: empty, or `/a/b`.
pub(super) fn route_prefix(text: &str) -> Result<String, String> {
    let inner = text.trim_matches('/');
    let is_usable = inner.is_empty() || (is_header_word(inner) && !inner.contains(['?', '#']));
    if !is_usable {
        return Err("must be a path such as /cometchat".into());
    }
    Ok(if inner.is_empty() { String::new() } else { format!("/{inner}") })
}

/// The path of the address under which people see the exporter, without a slash at its end.
pub(super) fn external_url(text: &str) -> Result<String, String> {
    let url = base_url(text)?;
    let path = url.splitn(4, '/').nth(3).unwrap_or_default();
    route_prefix(path)
}

/// A path that `/metrics` can be moved to.
pub(super) fn telemetry_path(text: &str) -> Result<String, String> {
    if !text.starts_with('/') || text.contains(['?', '#']) || !is_header_word(text) {
        return Err("must be a path that begins with /, such as /metrics".into());
    }
    let is_taken =
        matches!(text, "/" | "/config") || text.starts_with("/-/") || text.starts_with("/api/");
    if is_taken {
        return Err(
            "must be a path that serves nothing else: not /, /config, /-/… or /api/…".into()
        );
    }
    Ok(text.to_owned())
}

/// Milliseconds, at least `MIN_MS`.
pub(super) fn duration_ms<const MIN_MS: i64>(text: &str) -> Result<i64, String> {
    let ms = duration::parse(text).map_err(|error| error.to_string())?;
    if ms < MIN_MS {
        return Err(format!("must be at least {}", duration::format(MIN_MS)));
    }
    Ok(ms)
}

/// Whole seconds, at least `MIN_S`; a part of a second counts as one.
pub(super) fn duration_s<const MIN_S: i64>(text: &str) -> Result<i64, String> {
    let ms = duration::parse(text).map_err(|error| error.to_string())?;
    if ms < MIN_S * 1000 {
        return Err(format!("must be at least {}", duration::format(MIN_S * 1000)));
    }
    Ok(ms / 1000 + i64::from(ms % 1000 != 0))
}

/// A whole number from 1.
pub(super) fn count(text: &str) -> Result<u32, String> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(n) if is_plain && n > 0 => Ok(n),
        _ => Err(format!("must be a whole number from 1 to {}", u32::MAX)),
    }
}

/// A share: more than nothing, at most all.
pub(super) fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if share > 0.0 && share <= 1.0 => Ok(share),
        _ => Err("must be a number above 0 and at most 1, such as 0.2".into()),
    }
}

/// From when on calls count.
pub(super) fn count_from(text: &str) -> Result<CountFrom, String> {
    if text == "now" {
        return Ok(CountFrom::Now);
    }
    if let Ok(ago_s) = duration_s::<0>(text) {
        return Ok(CountFrom::Ago(ago_s));
    }
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        // Floored, as `now` is.
        return Ok(CountFrom::At(Timestamp(time.as_millisecond().div_euclid(1000))));
    }
    if text.parse::<jiff::civil::Date>().is_ok() {
        return Err("must say a time and a zone too, such as 2026-01-31T00:00:00Z".into());
    }
    Err("must be now, a duration such as 30d, or a time such as 2026-01-31T00:00:00Z".into())
}

/// A word of `count.failure_statuses`; the API's other spellings are understood as there.
pub(super) fn failure_word(text: &str) -> Result<FailureWord, String> {
    match (text, Status::from_word(text)) {
        ("unconnected", _) => Ok(FailureWord::Unconnected),
        ("abandoned", _) => Ok(FailureWord::Abandoned),
        ("other", _) => Ok(FailureWord::Outcome(Outcome::Other)),
        (_, Status::Final(outcome)) => Ok(FailureWord::Outcome(outcome)),
        (_, Status::Initiated | Status::Ongoing | Status::Unknown) => {
            let words: Vec<&str> = Outcome::ALL.iter().map(|outcome| outcome.label()).collect();
            Err(format!("must list some of {}, unconnected, abandoned", words.join(", ")))
        }
    }
}

/// A word of `metrics.breakdown`, as the breakdown of that label alone.
pub(super) fn breakdown_label(text: &str) -> Result<Breakdown, String> {
    let mut breakdown = Breakdown { call_type: false, mode: false, receiver_type: false };
    match text {
        "call_type" => breakdown.call_type = true,
        "mode" => breakdown.mode = true,
        "receiver_type" => breakdown.receiver_type = true,
        _ => return Err("must list some of call_type, mode, receiver_type".into()),
    }
    Ok(breakdown)
}

/// Where the ledger lives.
pub(super) fn state(text: &str) -> Result<StateSettings, String> {
    match text {
        "" => Err("must be the path of a file, or memory".into()),
        "memory" => Ok(StateSettings::Memory),
        path => Ok(StateSettings::File(path.into())),
    }
}

/// One of several exporters that share their apps.
pub(super) fn shard(text: &str) -> Result<Shard, String> {
    let number = |digits: &str| {
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<u32>().ok().filter(|_| is_plain)
    };
    let numbers = text.split_once('/').and_then(|(index, count)| number(index).zip(number(count)));
    match numbers {
        Some((index, count)) if index < count && count <= SHARDS_MAX => Ok(Shard { index, count }),
        _ => Err(format!(
            "must be INDEX/COUNT, such as 0/3, 1/3 and 2/3 for three exporters: INDEX from 0 to COUNT - 1, COUNT at most {SHARDS_MAX}"
        )),
    }
}

/// A path of a file.
pub(super) fn path(text: &str) -> Result<std::path::PathBuf, String> {
    if text.is_empty() { Err("must be the path of a file".into()) } else { Ok(text.into()) }
}

/// A label with its value, as Prometheus adds it to what it scrapes.
pub(super) fn label(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("must be NAME=VALUE, such as job=cometchat")?;
    let is_name = name.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_')
        && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
    if !is_name || name.starts_with("__") {
        return Err(format!("`{name}` is no name of a label"));
    }
    if value.is_empty() {
        return Err("a label without a value is none".into());
    }
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests;
