//! Which format and which coding a scrape is answered in: `Accept` and `Accept-Encoding`.

use hyper::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue};

use super::coding::Coding;
use crate::metrics::Format;

/// The format that a client prefers; the text format where none fits.
///
/// Per format the most exact of the ranges that fit it says how welcome it is; among equals the
/// one that is named first is taken.
pub(super) fn format(headers: &HeaderMap) -> Format {
    let items = items(headers, ACCEPT);
    let welcome = |format: Format| {
        let fitting = items.iter().enumerate().filter_map(|(idx, item)| {
            let exactness = exactness(item, format)?;
            Some((exactness, std::cmp::Reverse(idx), item.quality))
        });
        fitting.max().map(|(_, idx, quality)| (quality, idx))
    };
    let welcomes =
        Format::ALL.into_iter().rev().filter_map(|format| Some((welcome(format)?, format)));
    let best =
        welcomes.filter(|((quality, _), _)| *quality > 0).max_by_key(|(welcome, _)| *welcome);
    best.map_or(Format::Text, |(_, format)| format)
}

/// The `Content-Type` of the answer. A client that knows of escaped names is told that there are
/// none: ours are plain, so they are the same whichever way it likes.
pub(super) fn content_type(headers: &HeaderMap, format: Format) -> HeaderValue {
    let asks = |value| {
        let mut items = items(headers, ACCEPT).into_iter();
        items.any(|item| exactness(&item, format).is_some() && item.has("escaping", value))
    };
    let escaping = ["allow-utf-8", "underscores"].into_iter().find(|value| asks(value));
    let tail = escaping.map(|value| format!("; escaping={value}")).unwrap_or_default();
    HeaderValue::try_from(format!("{}{tail}", format.content_type()))
        .unwrap_or_else(|_| HeaderValue::from_static(format.content_type()))
}

/// The coding that a client prefers; `Err` where it takes none that there is, not even none.
pub(super) fn coding(headers: &HeaderMap) -> Result<Coding, ()> {
    let items = items(headers, ACCEPT_ENCODING);
    let quality = |names: &[&str]| {
        let of = |wanted: &str| items.iter().find(|item| item.name == wanted);
        names.iter().find_map(|name| of(name)).or_else(|| of("*")).map(|item| item.quality)
    };
    let offers = [
        (Coding::Identity, quality(&["identity"]).or(Some(0))),
        (Coding::Gzip, quality(&["gzip", "x-gzip"])),
        (Coding::Zstd, quality(&["zstd"])),
    ];
    // The last of the greatest is taken, so any coding before none where both are as welcome.
    let best = offers.into_iter().filter_map(|(coding, quality)| Some((quality?, coding)));
    match best.max_by_key(|(quality, _)| *quality) {
        Some((1.., coding)) => Ok(coding),
        _ if quality(&["identity"]) == Some(0) => Err(()),
        _ => Ok(Coding::Identity),
    }
}

/// One member of a list with its parameters.
struct Item {
    name: String,
    parameters: Vec<(String, String)>,
    /// In thousandths.
    quality: u16,
}

impl Item {
    fn parse(text: &str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let mut parameters: Vec<_> = parts
            .filter_map(|part| part.split_once('='))
            .map(|(name, value)| {
                (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"').to_owned())
            })
            .collect();
        let at = parameters.iter().position(|(name, _)| name == "q");
        let quality = at.map_or(1000, |at| thousandths(&parameters.swap_remove(at).1));
        Self { name, parameters, quality }
    }

    fn has(&self, name: &str, value: &str) -> bool {
        self.get(name).is_some_and(|it| it.eq_ignore_ascii_case(value))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }
}

/// A quality as it is written, `0.5`; what cannot be read counts as unwelcome.
fn thousandths(text: &str) -> u16 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{fraction:0<3}");
    let read = |text: &str| text.parse::<u16>().ok();
    match (read(whole), digits.get(..3).and_then(read)) {
        (Some(0), Some(fraction)) => fraction,
        (Some(1), Some(_)) => 1000,
        _ => 0,
    }
}

/// The members of a header that is a list, as it stands in one or several lines.
fn items(headers: &HeaderMap, name: HeaderName) -> Vec<Item> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    let members = lines.flat_map(|line| line.split(','));
    members.filter(|text| !text.trim().is_empty()).map(Item::parse).collect()
}

/// How exactly a media range names a format; `None` where it does not fit.
fn exactness(item: &Item, format: Format) -> Option<u8> {
    let (kind, subkind) = match format {
        Format::Text => ("text", "plain"),
        Format::OpenMetrics => ("application", "openmetrics-text"),
        Format::Protobuf => ("application", "vnd.google.protobuf"),
    };
    match item.name.split_once('/')? {
        ("*", "*") => Some(0),
        (it, "*") if it == kind => Some(1),
        (it, subit) if it == kind && subit == subkind => {
            let fits = match format {
                Format::Text => item.get("version").is_none_or(|it| it == "0.0.4"),
                Format::OpenMetrics => item.get("version").is_none_or(|it| it == "1.0.0"),
                Format::Protobuf => {
                    item.has("proto", "io.prometheus.client.MetricFamily")
                        && item.has("encoding", "delimited")
                }
            };
            fits.then(|| 2 + u8::from(item.get("version").is_some()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
