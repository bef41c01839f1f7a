//! The web configuration file (`--web.config.file`), in the format of Prometheus' exporter-toolkit.
//!
//! A file that other exporters take is taken here with the same meaning. What rustls does not have
//! (old versions, CBC, P-521) is left out with a notice where something is left, else refused.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::web::auth::PasswordHash;
use crate::web::policy::{Header, Policy, Rate};
use crate::web::tls::{self, PemTexts};

use super::fault::{Collector, Faults, quoted};
use super::keys::SectionKeys;
use super::raw::{self, Fields, Node, Placed, Value};
use super::surroundings::Surroundings;
use super::web_keys::{self as keys, HEADERS, HTTP, RATE, TLS, USERS};
use super::web_tls;

/// What a file says, and what should be said about it once.
#[derive(Clone, Debug, PartialEq)]
pub struct WebFile {
    /// What it says.
    pub policy: Policy,
    /// Lines for the log: nothing is wrong, but something is not as it is written.
    pub notices: Vec<String>,
}

/// Reads the file and the certificates that it names.
///
/// # Errors
/// All that is wrong with them.
pub fn load(path: &Path, around: &dyn Surroundings) -> Result<WebFile, Faults> {
    let mut faults = Collector::new(path.display().to_string());
    let text = match around.read(path) {
        Ok(text) => text,
        Err(error) => {
            let (file, why) = (path.display(), super::load::Why(&error));
            faults.plain(format_args!("{file}: the web configuration file cannot be read: {why}"));
            return faults.finish(None);
        }
    };
    let web_file = parse(path, &text)?;
    if let Some(tls) = &web_file.policy.tls {
        let built = PemTexts::read(tls, |path| around.read(path))
            .and_then(|pems| tls::build(tls, web_file.policy.http2, &pems));
        if let Err(fault) = built {
            faults.plain(fault);
        }
    }
    faults.finish(Some(web_file))
}

/// What the text says, with all that is wrong in one error.
///
/// # Errors
/// All that is wrong, one fault a line.
pub fn policy(path: &Path, text: &str) -> Result<Policy, String> {
    parse(path, text).map(|web_file| web_file.policy).map_err(|faults| faults.to_string())
}

/// Understands the text of the file at `path`, from whose folder relative paths start.
///
/// # Errors
/// All that is wrong.
pub fn parse(path: &Path, text: &str) -> Result<WebFile, Faults> {
    let mut faults = Collector::new(path.display().to_string());
    let web_file = understand(path, text, &mut faults);
    faults.finish(web_file)
}

fn understand(path: &Path, text: &str, faults: &mut Collector) -> Option<WebFile> {
    let mut sections = Sections {
        tls: Fields::empty(TLS),
        http2: None,
        headers: Vec::new(),
        users: BTreeMap::new(),
        rate: None,
    };
    for (section, node) in raw::sections(text, &keys::SECTIONS, faults)? {
        match section {
            section if section.name == HTTP.name => sections.read_http(node, faults),
            section if section.name == USERS.name => sections.users = read_users(node, faults),
            section if section.name == RATE.name => sections.rate = read_rate(node, faults),
            section => sections.tls = read_fields(node, section, faults),
        }
    }
    let http2 = sections.http2.unwrap_or(true);
    let mut notices = Vec::new();
    let folder = path.parent().unwrap_or(Path::new(""));
    let tls = web_tls::read(&sections.tls, folder, http2, faults, &mut notices);
    let Sections { headers, users, rate, .. } = sections;
    Some(WebFile { policy: Policy { tls, http2, headers, users, rate }, notices })
}

struct Sections {
    tls: Fields,
    http2: Option<bool>,
    headers: Vec<Header>,
    users: BTreeMap<String, PasswordHash>,
    rate: Option<Rate>,
}

impl Sections {
    fn read_http(&mut self, mut node: Node, faults: &mut Collector) {
        if let Value::Map(entries) = &mut node.value {
            let is_headers = |(key, _): &(Placed, Node)| key.text == HEADERS;
            // The first alone: a second one is reported as such below.
            if let Some(idx) = entries.iter().position(is_headers) {
                let (key, headers) = entries.remove(idx);
                self.headers = read_headers(headers, faults);
                for (other, _) in entries.iter().filter(|(other, _)| other.text == HEADERS) {
                    faults.at(other.place, given_twice("http_server_config.headers", &key));
                }
                entries.retain(|(key, _)| key.text != HEADERS);
            }
        }
        self.http2 = read_fields(node, HTTP, faults).value("http2", faults, boolean);
    }
}

/// The keys of a section. One without a value is as good as absent, as with Go.
fn read_fields(mut node: Node, section: SectionKeys, faults: &mut Collector) -> Fields {
    if let Value::Map(entries) = &mut node.value {
        let is_known = |key: &str| section.keys.iter().any(|(name, _)| *name == key);
        entries.retain(|(key, node)| !(is_known(&key.text) && matches!(node.value, Value::Null)));
    }
    raw::read_section(node, section, &keys::SECTIONS, faults).unwrap_or(Fields::empty(section))
}

/// A group of any keys with a text each, every key once.
fn read_texts(node: Node, name: &str, faults: &mut Collector) -> Vec<(Placed, Placed)> {
    let entries = match node.value {
        Value::Null => Vec::new(),
        Value::Map(entries) => entries,
        other @ (Value::Text(_) | Value::List(_)) => {
            faults.at(
                node.place,
                format_args!("{name} must be a group of keys, not {}", other.shape()),
            );
            Vec::new()
        }
    };
    let mut texts: Vec<(Placed, Placed)> = Vec::new();
    for (key, Node { place, value }) in entries {
        let full_name = format!("{name}.{}", key.text.escape_debug());
        if let Some((first, _)) = texts.iter().find(|(first, _)| first.text == key.text) {
            faults.at(key.place, given_twice(&full_name, first));
            continue;
        }
        match value {
            Value::Text(text) => texts.push((key, Placed { place, text })),
            Value::Null => texts.push((key, Placed { place, text: String::new() })),
            other @ (Value::List(_) | Value::Map(_)) => {
                faults.at(
                    place,
                    format_args!("{full_name} must be one value, not {}", other.shape()),
                );
            }
        }
    }
    texts
}

fn given_twice(name: &str, first: &Placed) -> String {
    format!("{name} is given twice, the first time in line {}", first.place.line)
}

fn read_headers(node: Node, faults: &mut Collector) -> Vec<Header> {
    let mut headers = Vec::new();
    for (name, value) in read_texts(node, "http_server_config.headers", faults) {
        let is_allowed = Header::names().any(|allowed| allowed == name.text);
        // A blank one is not set.
        if value.text.is_empty() && is_allowed {
            continue;
        }
        match Header::new(&name.text, &value.text) {
            Ok(header) => headers.push(header),
            Err(sentence) if is_allowed => {
                let (name, value_shown) = (&name.text, quoted(&value.text));
                faults.at(value.place, format_args!("header {name} {sentence}, not {value_shown}"));
            }
            Err(sentence) => {
                faults.at(name.place, format_args!("header {} {sentence}", quoted(&name.text)));
            }
        }
    }
    headers
}

fn read_users(node: Node, faults: &mut Collector) -> BTreeMap<String, PasswordHash> {
    let mut users = BTreeMap::new();
    for (name, hash) in read_texts(node, USERS.name, faults) {
        match PasswordHash::new(&hash.text) {
            Ok(hash) => drop(users.insert(name.text, hash)),
            Err(sentence) => {
                let name = name.text.escape_debug();
                faults.at(hash.place, format_args!("basic_auth_users.{name} {sentence}"));
            }
        }
    }
    users
}

fn read_rate(node: Node, faults: &mut Collector) -> Option<Rate> {
    let fields = read_fields(node, RATE, faults);
    let interval = fields.value("interval", faults, go_duration).unwrap_or_default();
    let burst = fields.value("burst", faults, |text| {
        text.parse::<u32>().map_err(|_| "must be a whole number of requests".to_owned())
    });
    (!interval.is_zero()).then_some(Rate { interval, burst: burst.unwrap_or(0) })
}

/// As YAML 1.1 writes it, which Go's reader takes.
pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" => Ok(true),
        "false" | "no" | "off" | "n" => Ok(false),
        _ => Err("must be true or false".into()),
    }
}

/// A duration as Go writes it: `1s`, `1m30s`, `1.5h`; 0 needs no unit.
fn go_duration(text: &str) -> Result<Duration, String> {
    const UNITS_NS: [(&str, u64); 8] = [
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("μs", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    let wrong = || "must be a duration such as 1s, 500ms or 1m30s".to_owned();
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let (mut rest, mut total) = (text, Duration::ZERO);
    while !rest.is_empty() || text.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let (number, behind) = rest.split_at(number_end);
        let unit_end =
            behind.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(behind.len());
        let unit_ns = UNITS_NS.iter().find(|(unit, _)| *unit == &behind[..unit_end]);
        let number: f64 = number.parse().map_err(|_| wrong())?;
        let unit = Duration::from_nanos(unit_ns.ok_or_else(wrong)?.1);
        let part = Duration::try_from_secs_f64(unit.as_secs_f64() * number).map_err(|_| wrong())?;
        total = total.checked_add(part).ok_or_else(wrong)?;
        rest = &behind[unit_end..];
    }
    // What Go can hold: 292 years.
    if total.as_nanos() > u128::from(i64::MAX.unsigned_abs()) { Err(wrong()) } else { Ok(total) }
}

#[cfg(test)]
mod tests;
