//! What an answer holds beside what is counted: for a look at an API that is only known in part.

use std::collections::BTreeMap;

use reqwest::header::HeaderMap;
use serde_json::Value;

/// The fields that hold a word of a closed set.
const WORDS: [&str; 4] = ["status", "type", "mode", "receiverType"];
/// What stands for a name or a word that may be anything, even a person's name.
const OTHER: &str = "(other)";

/// What one answer shows. It holds no id of a user, a group or a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Rows in the answer, readable or not.
    pub n_rows: usize,
    /// In how many rows each field stands, by its name.
    pub fields: BTreeMap<String, usize>,
    /// How many rows say which word, by field and word.
    pub words: BTreeMap<(&'static str, String), usize>,
    /// The header by which the answer states the limit.
    pub limit_header: Option<&'static str>,
}

impl Survey {
    /// Looks through an answer. A body that is no JSON object shows nothing.
    pub(super) fn of(body: &[u8], limit_header: Option<&'static str>) -> Self {
        let mut survey = Self { limit_header, ..Self::default() };
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let data = &body["data"];
        let one = data.is_object().then(|| std::slice::from_ref(data));
        let rows = data.as_array().map(Vec::as_slice).or(one).unwrap_or_default();
        survey.n_rows = rows.len();
        for row in rows {
            for name in row.as_object().into_iter().flat_map(|fields| fields.keys()) {
                *survey.fields.entry(plain(name)).or_default() += 1;
            }
            for field in WORDS {
                if let Some(word) = row[field].as_str() {
                    *survey.words.entry((field, plain(word))).or_default() += 1;
                }
            }
        }
        survey
    }
}

/// The header that states the limit, in whichever spelling it comes.
pub(super) fn limit_header(headers: &HeaderMap) -> Option<&'static str> {
    ["X-RateLimit-Limit", "X-Rate-Limit"].into_iter().find(|name| headers.contains_key(*name))
}

fn plain(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-');
    let is_word = !word.is_empty() && word.len() <= 30 && word.bytes().all(is_plain);
    if is_word { word.to_owned() } else { OTHER.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_survey_names_fields_and_words_and_no_values() {
        let body = br#"{"data": [
            {"sessionId": "v1.us.x", "status": "ended", "initiator": "ada", "type": "video"},
            {"sessionId": "v1.us.y", "status": "On Hold 7", "42 ada@example.org": 1},
            7]}"#;
        let survey = Survey::of(body, Some("X-Rate-Limit"));
        let shown = format!("{survey:?}");
        for value in ["v1.us", "ada", "Hold", "example"] {
            assert!(!shown.contains(value), "{shown}");
        }
        assert_eq!(survey.n_rows, 3);
        assert_eq!(survey.fields["sessionId"], 2);
        assert_eq!(survey.fields[OTHER], 1);
        assert_eq!(survey.words[&("status", "ended".to_owned())], 1);
        assert_eq!(survey.words[&("status", OTHER.to_owned())], 1);
    }

    #[test]
    fn what_is_no_list_shows_nothing() {
        for body in ["", "[1]", "<html>", r#"{"data": "x"}"#, r#"{"data": null}"#] {
            assert_eq!(Survey::of(body.as_bytes(), None), Survey::default(), "{body}");
        }
    }
}
