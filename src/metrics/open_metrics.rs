//! The text format OpenMetrics 1.0.0.

use std::fmt::{self, Display, Write as _};

use super::catalog::{Family, FamilyType};
use super::examples::Example;
use super::samples::{Sample, Spread, Value, signed_seconds, whole};
use crate::call::Timestamp;

/// HELP, TYPE, and UNIT where there is one.
pub(super) fn head(family: &Family) -> Vec<u8> {
    let (name, kind) = (family.base_name(), family.kind.open_metrics_word());
    let help = ["# HELP ", name, " ", family.help, "\n# TYPE ", name, " ", kind, "\n"];
    let unit = family.unit().map(|unit| ["# UNIT ", name, " ", unit, "\n"]);
    help.into_iter().chain(unit.into_iter().flatten()).collect::<Vec<_>>().concat().into()
}

/// Appends the lines of a sample.
pub(super) fn write_sample(family: &Family, sample: &Sample<'_>, out: &mut Vec<u8>) {
    match sample.value {
        Value::Number(value, example) => {
            let labels = Labels { of: sample, le: None };
            let example = Exemplar { of: example, value: 1.0 };
            line(out, format_args!("{}{labels} {value}{example}", family.name));
        }
        Value::Spread(spread) => write_spread(family, sample, spread, out),
    }
    if let (Some(created), FamilyType::Counter | FamilyType::Histogram) =
        (sample.created, family.kind)
    {
        let (name, labels) = (family.base_name(), Labels { of: sample, le: None });
        line(out, format_args!("{name}_created{labels} {}", signed_seconds(created.0)));
    }
}

fn write_spread(family: &Family, sample: &Sample<'_>, spread: &Spread<'_>, out: &mut Vec<u8>) {
    let name = family.name;
    for (idx, &(bound, count)) in spread.cumulative.iter().enumerate() {
        let labels = Labels { of: sample, le: Some(bound) };
        let example = spread.examples.get(idx).copied().flatten();
        let value = example.map_or(0.0, |example| whole(example.value));
        let example = Exemplar { of: example, value };
        line(out, format_args!("{name}_bucket{labels} {count}{example}"));
    }
    let labels = Labels { of: sample, le: None };
    line(out, format_args!("{name}_sum{labels} {}", spread.sum));
    line(out, format_args!("{name}_count{labels} {}", spread.count()));
}

/// What stands before each value of a sample; `extra` are further labels with their values.
pub(super) fn heads(
    family: &Family,
    sample: &Sample<'_>,
    extra: &[(String, String)],
) -> Vec<Box<[u8]>> {
    let mut labels = sample.labels.clone();
    labels.extend(extra.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let of = &Sample { labels, value: Value::Number(0.0, None), created: None };
    let name = family.name;
    let head = |suffix: &str, le| format!("{name}{suffix}{}", Labels { of, le });
    let heads = match &sample.value {
        Value::Number(..) => vec![head("", None)],
        Value::Spread(spread) => {
            let buckets = spread.cumulative.iter().map(|(bound, _)| head("_bucket", Some(*bound)));
            buckets.chain([head("_sum", None), head("_count", None)]).collect()
        }
    };
    heads.into_iter().map(|head| head.into_bytes().into()).collect()
}

/// The values that belong behind [`heads`].
pub(super) fn values(sample: &Sample<'_>) -> Vec<f64> {
    match &sample.value {
        Value::Number(value, _) => vec![*value],
        Value::Spread(spread) => {
            let buckets = spread.cumulative.iter().map(|(_, count)| whole(*count));
            buckets.chain([spread.sum, whole(spread.count())]).collect()
        }
    }
}

/// Writes a line with a time.
pub(super) fn write_dated(head: &[u8], value: f64, at: Timestamp, out: &mut Vec<u8>) {
    out.extend_from_slice(head);
    line(out, format_args!(" {value} {}", at.0));
}

pub(super) fn line(out: &mut Vec<u8>, text: fmt::Arguments<'_>) {
    // Writing to memory cannot fail.
    let _ = Sink(out).write_fmt(text);
    out.push(b'\n');
}

struct Sink<'a>(&'a mut Vec<u8>);

impl fmt::Write for Sink<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// `{name="value",…}`, or nothing.
struct Labels<'s> {
    of: &'s Sample<'s>,
    le: Option<f64>,
}

impl Display for Labels<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = '{';
        for (name, value) in &self.of.labels {
            f.write_char(before)?;
            f.write_str(name)?;
            f.write_str("=\"")?;
            Escaped(value).fmt(f)?;
            f.write_char('"')?;
            before = ',';
        }
        if let Some(bound) = self.le {
            f.write_char(before)?;
            before = ',';
            if bound.is_infinite() {
                f.write_str("le=\"+Inf\"")?;
            } else {
                // There is one spelling: `5.0`.
                write!(f, "le=\"{bound:?}\"")?;
            }
        }
        if before == ',' { f.write_char('}') } else { Ok(()) }
    }
}

struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        let is_special = |byte| matches!(byte, b'\\' | b'"' | b'\n');
        while let Some(at) = rest.bytes().position(is_special) {
            let (before, special) = rest.split_at(at);
            f.write_str(before)?;
            f.write_str(match special.as_bytes()[0] {
                b'\n' => "\\n",
                b'"' => "\\\"",
                _ => "\\\\",
            })?;
            rest = &special[1..];
        }
        f.write_str(rest)
    }
}

/// ` # {session_id="…"} value time`, or nothing.
struct Exemplar<'s> {
    of: Option<&'s Example>,
    value: f64,
}

impl Display for Exemplar<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(example) = self.of else { return Ok(()) };
        let (id, at) = (Escaped(&example.session_id), signed_seconds(example.seen_at.0));
        write!(f, " # {{{}=\"{id}\"}} {} {at}", Example::LABEL, self.value)
    }
}
