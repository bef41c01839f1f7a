//! How a row is written: quirks that change its JSON and not what it says.

use serde_json::{Map, Value, json};

use super::rng::Rng;
use super::{Fault, Options, Quirk};

/// Whether rows are anything but what [`super::row::Row`] writes.
pub(super) fn is_odd(options: &Options) -> bool {
    let of_rows = [Fault::BadRow, Fault::MissingRow];
    !options.quirks.is_empty() || of_rows.into_iter().any(|fault| options.share(fault) > 0)
}

/// Writes a row as the quirks have it.
pub(super) fn reshape(options: &Options, row: &mut Value) {
    if let Some(fields) = row.as_object_mut() {
        reshape_people(options, fields);
        reshape_attachments(options, fields);
        if options.has(Quirk::MidAbsent) {
            fields.remove("mid");
        }
        if options.has(Quirk::WordsInCapitals) {
            for name in ["status", "type", "mode", "receiverType"] {
                if let Some(Value::String(word)) = fields.get_mut(name) {
                    *word = word.to_uppercase();
                }
            }
        }
    }
    if options.has(Quirk::NumbersAsText) {
        numbers_as_text(row);
    }
}

fn reshape_people(options: &Options, fields: &mut Map<String, Value>) {
    for name in ["initiator", "receiver"] {
        if options.has(Quirk::PeopleAbsent) {
            fields.remove(name);
        } else if options.has(Quirk::PeopleAsObjects)
            && let Some(Value::String(uid)) = fields.get(name)
        {
            let person = json!({ "uid": uid, "name": uid, "status": "offline" });
            fields.insert(name.to_owned(), person);
        }
    }
    if options.has(Quirk::PeopleAsObjects) {
        let entities: Map<_, _> = ["initiator", "receiver"]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), json!({ "entity": fields.get(name)? }))))
            .collect();
        fields.insert("data".to_owned(), json!({ "entities": entities }));
    }
}

fn reshape_attachments(options: &Options, fields: &mut Map<String, Value>) {
    if options.has(Quirk::TranscribedUnsaid) {
        fields.remove("hasTranscription");
    }
    if options.has(Quirk::TranscriptionsHidden) {
        fields.remove("transcriptions");
    }
    if options.has(Quirk::RecordingsOdd)
        && let Some(Value::Array(recordings)) = fields.get_mut("recordings")
    {
        for recording in recordings {
            let time = |name: &str| recording[name].as_i64().unwrap_or_default();
            let (from, until) = (time("startTime"), time("endTime"));
            recording["duration"] = json!(until - from);
            recording["startTime"] = json!(from.to_string());
            recording["endTime"] = json!(until.to_string());
        }
    }
}

/// Writes all numbers in a value as text.
pub(super) fn numbers_as_text(value: &mut Value) {
    match value {
        Value::Number(number) => *value = Value::String(number.to_string()),
        Value::Array(items) => items.iter_mut().for_each(numbers_as_text),
        Value::Object(fields) => fields.values_mut().for_each(numbers_as_text),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// Leaves rows out of this one answer, and makes others unreadable in it.
pub(super) fn spoil(options: &Options, rng: &mut Rng, rows: &mut Vec<Value>) {
    rows.retain(|_| !rng.permille(options.share(Fault::MissingRow)));
    for row in rows {
        if rng.permille(options.share(Fault::BadRow)) {
            match (rng.below(3), row.as_object_mut()) {
                (0, Some(fields)) => _ = fields.remove("sessionId"),
                (1, Some(fields)) => _ = fields.insert("initiatedAt".to_owned(), Value::Null),
                (_, _) => *row = json!("a row that is none"),
            }
        }
    }
}
