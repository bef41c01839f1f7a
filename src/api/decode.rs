//! Bytes to a page of calls, row by row: one bad row never costs another.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hasher};

use serde_json::value::RawValue;

use self::fields::fields;
use super::refusal::ErrorCode;
use crate::call::Timestamp;
use crate::sweep::{Defect, Page};

mod fields;
mod media;
mod people;
mod row;
#[cfg(test)]
mod tests;

/// The most rows that a page may have.
const ROWS_MAX: usize = 10_000;

/// Why a body is no page of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Cut, malformed, or something else than a JSON object.
    #[error("the body is not the JSON object of the Calls API")]
    NotJson,
    /// Neither calls nor an error.
    #[error("the body has no `data` that is an array or an object")]
    NoData,
    /// More rows than any page that was asked for.
    #[error("the body has {0} rows, more than {ROWS_MAX}")]
    TooManyRows(usize),
    /// An error envelope, whatever the HTTP status said.
    #[error("the body is an error: {}", .0.label())]
    Refused(ErrorCode),
}

/// The usual answer, cut into rows in one pass. Every other one is looked at field by field.
#[derive(serde::Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

/// Reads the body of List Calls or Get Call. `now` is the time on the API's clock.
///
/// `data` may be an array of calls, one call, or nothing (`{}`, `null`) in place of an empty array.
///
/// # Errors
/// A body that holds no calls: something else, too many rows, or an error.
pub fn page(bytes: &[u8], now: Timestamp) -> Result<Page, Unreadable> {
    let text = text(bytes);
    // An array would do as a struct, too.
    let is_object = text.trim_start().starts_with('{');
    let (rows, error) = match serde_json::from_str::<Answer<'_>>(&text) {
        Ok(Answer { data, error }) if is_object => (Ok(data), error),
        _ => {
            let [data, error] = fields(&text, &["data", "error"]).ok_or(Unreadable::NotJson)?;
            (rows(data), error)
        }
    };
    let refused = error_in(error).map(Unreadable::Refused);
    let rows = match (rows, refused) {
        (Ok(rows), Some(refused)) if rows.is_empty() => return Err(refused),
        (Ok(rows), _) if rows.len() > ROWS_MAX => return Err(Unreadable::TooManyRows(rows.len())),
        (Ok(rows), _) => rows,
        (Err(unreadable), refused) => return Err(refused.unwrap_or(unreadable)),
    };
    let mut page = Page { calls: Vec::with_capacity(rows.len()), defects: Vec::new() };
    for row in rows {
        let (call, reason) = row::call(row, now);
        page.calls.extend(call);
        page.defects.extend(reason.map(|reason| Defect { reason, row_hash: hash(row) }));
    }
    Ok(page)
}

/// A body as text. What is no UTF-8 in it costs the field that it stands in.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

fn rows(data: Option<&RawValue>) -> Result<Vec<&RawValue>, Unreadable> {
    let data = data.ok_or(Unreadable::NoData)?;
    match data.get() {
        "null" => Ok(Vec::new()),
        text if text.starts_with('[') => {
            serde_json::from_str(text).map_err(|_| Unreadable::NotJson)
        }
        text if text.starts_with('{') => {
            let is_empty = text[1..text.len() - 1].trim().is_empty();
            Ok(if is_empty { Vec::new() } else { vec![data] })
        }
        _ => Err(Unreadable::NoData),
    }
}

/// The error code in the body of an answer that is no success; nothing when it has no envelope.
pub fn error_code(bytes: &[u8]) -> Option<ErrorCode> {
    let text = text(bytes);
    let [error] = fields(&text, &["error"])?;
    error_in(error)
}

fn error_in(error: Option<&RawValue>) -> Option<ErrorCode> {
    let error = error.filter(|error| error.get() != "null")?;
    let code = fields(error.get(), &["code"]).and_then(|[code]| code);
    let code = code.and_then(|code| serde_json::from_str::<String>(code.get()).ok());
    Some(ErrorCode::from_word(&code.unwrap_or_default()))
}

/// The same for the same bytes in every process of this version.
fn hash(row: &RawValue) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(row.get().as_bytes());
    hasher.finish()
}
