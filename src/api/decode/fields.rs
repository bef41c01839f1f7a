//! Fields read one by one, so that a bad one costs nothing but itself.
//!
//! An object is cut into the raw text of its fields; each is then read as what it should be, in
//! any of the spellings that the API or its clients are known to use. `null` is as good as missing.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::call::{Timestamp, UnknownWords, WordField};

/// The end of the year 9999.
const TIME_MAX_S: f64 = 253_402_300_799.0;
/// No call has lasted longer than a hundred years.
const MINUTES_MAX: f64 = 100.0 * 366.0 * 24.0 * 60.0;
/// More than any call has of anything.
const COUNT_MAX: f64 = 1e6;

/// Returns the raw text of the fields named, in the order of `names`; nothing when `object` is no
/// JSON object. Of a field that stands there twice, the last one counts.
pub(super) fn fields<'a, const N: usize>(
    object: &'a str,
    names: &[&str; N],
) -> Option<[Option<&'a RawValue>; N]> {
    let mut json = serde_json::Deserializer::from_str(object);
    let found = Fields(names).deserialize(&mut json).ok()?;
    json.end().is_ok().then_some(found)
}

struct Fields<'n, const N: usize>(&'n [&'n str; N]);

impl<'de, const N: usize> Visitor<'de> for Fields<'_, N> {
    type Value = [Option<&'de RawValue>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [None; N];
        while let Some(position) = map.next_key_seed(Position(self.0))? {
            match position.and_then(|idx| found.get_mut(idx)) {
                Some(field) => *field = Some(map.next_value()?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }
}

impl<'de, const N: usize> DeserializeSeed<'de> for Fields<'_, N> {
    type Value = [Option<&'de RawValue>; N];

    fn deserialize<D: serde::Deserializer<'de>>(self, object: D) -> Result<Self::Value, D::Error> {
        object.deserialize_map(self)
    }
}

/// An array of objects and nothing else, read in one pass.
struct Objects<'n, const N: usize>(&'n [&'n str; N]);

impl<'de, const N: usize> Visitor<'de> for Objects<'_, N> {
    type Value = Vec<[Option<&'de RawValue>; N]>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let mut objects = Vec::new();
        while let Some(object) = array.next_element_seed(Fields(self.0))? {
            objects.push(object);
        }
        Ok(objects)
    }
}

/// Where a key stands among the names. Reads bytes, since a key need not be valid Unicode.
struct Position<'n>(&'n [&'n str]);

impl<'de> DeserializeSeed<'de> for Position<'_> {
    type Value = Option<usize>;

    fn deserialize<D: serde::Deserializer<'de>>(self, key: D) -> Result<Self::Value, D::Error> {
        key.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Position<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_bytes<E>(self, key: &[u8]) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|name| name.as_bytes() == key))
    }
}

/// A field that is no array and no object.
enum Scalar<'a> {
    Missing,
    Bool(bool),
    Number(&'a str),
    Text(Cow<'a, str>),
    /// An array, an object, or a text that is no Unicode.
    Unreadable,
}

fn scalar(raw: Option<&RawValue>) -> Scalar<'_> {
    let text = match raw.map(RawValue::get) {
        None | Some("null") => return Scalar::Missing,
        Some("true") => return Scalar::Bool(true),
        Some("false") => return Scalar::Bool(false),
        Some(text) => text,
    };
    match text.as_bytes() {
        [b'"', .., b'"'] if !text.contains('\\') => {
            Scalar::Text(Cow::Borrowed(&text[1..text.len() - 1]))
        }
        [b'"', ..] => serde_json::from_str(text)
            .map_or(Scalar::Unreadable, |text| Scalar::Text(Cow::Owned(text))),
        [b'[' | b'{', ..] => Scalar::Unreadable,
        _ => Scalar::Number(text),
    }
}

/// What was wrong with a row, gathered while its fields are read.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// A field had the wrong type or was out of range.
    pub(super) bad_field: bool,
    /// Fields with a word that is not known.
    pub(super) unknown: UnknownWords,
}

impl Findings {
    fn bad<T>(&mut self) -> Option<T> {
        self.bad_field = true;
        None
    }

    /// A finite number, also one written as text.
    fn number(&mut self, raw: Option<&RawValue>) -> Option<f64> {
        let number: Option<f64> = match scalar(raw) {
            Scalar::Missing => return None,
            Scalar::Number(text) => text.parse().ok(),
            Scalar::Text(text) => text.trim().parse().ok(),
            Scalar::Bool(_) | Scalar::Unreadable => None,
        };
        number.filter(|number| number.is_finite()).or_else(|| self.bad())
    }

    /// Seconds since the epoch, with their fraction; 0 is none.
    pub(super) fn seconds(&mut self, raw: Option<&RawValue>) -> Option<f64> {
        let seconds = self.number(raw)?;
        match seconds {
            0.0..1.0 => None,
            1.0..=TIME_MAX_S => Some(seconds),
            _ => self.bad(),
        }
    }

    /// A point in time to the second; 0 is none.
    pub(super) fn time(&mut self, raw: Option<&RawValue>) -> Option<Timestamp> {
        #[expect(clippy::cast_possible_truncation, reason = "between 0 and TIME_MAX_S")]
        self.seconds(raw).map(|seconds| Timestamp(seconds.floor() as i64))
    }

    /// Minutes as whole milliseconds; 0 where there are none.
    pub(super) fn minutes_ms(&mut self, raw: Option<&RawValue>) -> u64 {
        let minutes = self.number(raw);
        minutes.and_then(|minutes| media_ms(minutes).or_else(|| self.bad())).unwrap_or_default()
    }

    /// A length of unclear unit, as a number that is not negative.
    pub(super) fn length(&mut self, raw: Option<&RawValue>) -> Option<f64> {
        let length = self.number(raw)?;
        if media_ms(length).is_some() { Some(length) } else { self.bad() }
    }

    /// A whole number of things; 0 where there is none.
    pub(super) fn count(&mut self, raw: Option<&RawValue>) -> u64 {
        match self.number(raw) {
            None => 0,
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "whole, and between 0 and COUNT_MAX"
            )]
            Some(count @ 0.0..=COUNT_MAX) if count.fract() == 0.0 => count as u64,
            Some(_) => self.bad().unwrap_or_default(),
        }
    }

    /// A truth value, also one written as text or as 0 and 1.
    pub(super) fn flag(&mut self, raw: Option<&RawValue>) -> Option<bool> {
        let word = match scalar(raw) {
            Scalar::Missing => return None,
            Scalar::Bool(flag) => return Some(flag),
            Scalar::Number(text) => Cow::Borrowed(text),
            Scalar::Text(text) => text,
            Scalar::Unreadable => return self.bad(),
        };
        match word.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => self.bad(),
        }
    }

    /// A text.
    pub(super) fn text<'a>(&mut self, raw: Option<&'a RawValue>) -> Option<Cow<'a, str>> {
        match scalar(raw) {
            Scalar::Missing => None,
            Scalar::Text(text) => Some(text),
            Scalar::Bool(_) | Scalar::Number(_) | Scalar::Unreadable => self.bad(),
        }
    }

    /// An identifier: a text, or a number that stands for one.
    pub(super) fn id<'a>(&mut self, raw: Option<&'a RawValue>) -> Option<Cow<'a, str>> {
        if let Scalar::Number(text) = scalar(raw) {
            return Some(Cow::Borrowed(text));
        }
        self.text(raw)
    }

    /// A word of a closed vocabulary, `unknown` being what it is read as where it is in none.
    /// A word that is missing is `unknown` too, but nothing new.
    pub(super) fn word<T: PartialEq>(
        &mut self,
        raw: Option<&RawValue>,
        field: WordField,
        from_word: fn(&str) -> T,
        unknown: T,
    ) -> T {
        let Some(word) = self.text(raw) else { return unknown };
        let value = from_word(&word);
        if value == unknown {
            self.unknown.insert(field);
        }
        value
    }

    /// The fields named of each object in an array; none where there is none. An element that is
    /// no object is a bad field, the others count.
    pub(super) fn objects<'a, const N: usize>(
        &mut self,
        raw: Option<&'a RawValue>,
        names: &[&str; N],
    ) -> Vec<[Option<&'a RawValue>; N]> {
        let text = match raw.map(RawValue::get) {
            None | Some("null") => return Vec::new(),
            Some(text) => text,
        };
        let mut json = serde_json::Deserializer::from_str(text);
        if let Ok(objects) = json.deserialize_seq(Objects(names)) {
            return objects;
        }
        self.bad_field = true;
        let elements: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
        elements.into_iter().filter_map(|element| fields(element.get(), names)).collect()
    }
}

/// Minutes as whole milliseconds (u64, half away from zero): the one place where media time leaves
/// the floats. Nothing when they are negative or longer than any call.
pub(super) fn media_ms(minutes: f64) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rounded, and between 0 and MINUTES_MAX"
    )]
    (0.0..=MINUTES_MAX).contains(&minutes).then(|| (minutes * 60_000.0).round() as u64)
}
