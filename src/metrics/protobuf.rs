//! The format of protocol buffers: as much of the wire format as `io.prometheus.client` needs.
//!
//! The numbers are those of `metrics.proto` of prometheus/client_model.

use super::Moment;
use super::catalog::{Family, FamilyType};
use super::examples::Example;
use super::samples::{Native, Sample, Spread, Value, whole};

/// Native buckets are powers of 2^(1/8).
const SCHEMA: i64 = 3;
/// Up to here an observation counts as 0: far below 1, the least that is observed, and as every
/// client library has it. It also marks a histogram as native before its first observation.
const ZERO_THRESHOLD: f64 = 2.938_735_877_055_719e-39;

const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const LENGTH: u64 = 2;

/// The length of the message and its fields: the unit stands behind the samples, as its number does.
pub(super) fn frame(family: &Family, n_bytes: usize) -> [Vec<u8>; 2] {
    let mut head = Vec::with_capacity(256);
    text(1, family.name, &mut head);
    text(2, family.help, &mut head);
    let kind = match family.kind {
        FamilyType::Counter => 0,
        FamilyType::Gauge | FamilyType::Info => 1,
        FamilyType::Histogram => 4,
    };
    number(3, kind, &mut head);
    let mut unit = Vec::new();
    if let Some(name) = family.unit() {
        text(5, name, &mut unit);
    }
    let mut out = Vec::with_capacity(256);
    varint((head.len() + n_bytes + unit.len()) as u64, &mut out);
    out.extend_from_slice(&head);
    [out, unit]
}

/// Appends one `Metric`, as a field of its family.
pub(super) fn write_sample(family: &Family, sample: &Sample<'_>, out: &mut Vec<u8>) {
    message(4, out, |out| {
        for (name, value) in &sample.labels {
            write_label(1, name, value, out);
        }
        match (family.kind, &sample.value) {
            (FamilyType::Counter, &Value::Number(value, example)) => message(3, out, |out| {
                double(1, value, out);
                if let Some(example) = example {
                    write_exemplar(2, example, 1.0, out);
                }
                write_time(3, sample.created, out);
            }),
            (_, &Value::Number(value, _)) => message(2, out, |out| double(1, value, out)),
            (_, Value::Spread(spread)) => message(7, out, |out| {
                write_spread(spread, out);
                write_time(15, sample.created, out);
            }),
        }
    });
}

fn write_spread(spread: &Spread<'_>, out: &mut Vec<u8>) {
    number(1, spread.count(), out);
    double(2, spread.sum, out);
    for (idx, &(bound, count)) in spread.cumulative.iter().enumerate() {
        message(3, out, |out| {
            number(1, count, out);
            double(2, bound, out);
            if let Some(example) = spread.examples.get(idx).copied().flatten() {
                write_exemplar(3, example, whole(example.value), out);
            }
        });
    }
    if let Some(native) = &spread.native {
        write_native(native, out);
    }
}

/// Buckets as runs of neighbours, each with its distance from the run before, and each count as
/// its difference to the one before.
fn write_native(native: &Native, out: &mut Vec<u8>) {
    number(5, zigzag(SCHEMA), out);
    double(6, ZERO_THRESHOLD, out);
    number(7, native.zero, out);
    let mut runs: Vec<(i64, u64)> = Vec::new();
    let mut deltas = Vec::new();
    let (mut next_bucket, mut before) = (0, 0);
    for (&bucket, &count) in &native.counts {
        let (bucket, count) = (i64::from(bucket), i64::try_from(count).unwrap_or(i64::MAX));
        match runs.last_mut() {
            Some((_, length)) if bucket == next_bucket => *length += 1,
            _ => runs.push((bucket - next_bucket, 1)),
        }
        varint(zigzag(count - before), &mut deltas);
        (next_bucket, before) = (bucket + 1, count);
    }
    for (offset, length) in runs {
        message(12, out, |out| {
            number(1, zigzag(offset), out);
            number(2, length, out);
        });
    }
    if !deltas.is_empty() {
        bytes(13, &deltas, out);
    }
}

fn write_label(field: u64, name: &str, value: &str, out: &mut Vec<u8>) {
    message(field, out, |out| {
        text(1, name, out);
        text(2, value, out);
    });
}

fn write_exemplar(field: u64, example: &Example, value: f64, out: &mut Vec<u8>) {
    message(field, out, |out| {
        write_label(1, Example::LABEL, &example.session_id, out);
        double(2, value, out);
        write_time(3, Some(example.seen_at), out);
    });
}

fn write_time(field: u64, at: Option<Moment>, out: &mut Vec<u8>) {
    let Some(Moment(ms)) = at else { return };
    message(field, out, |out| {
        // A negative number is written as the 64 bits that hold it.
        number(1, ms.div_euclid(1000).cast_unsigned(), out);
        number(2, (ms.rem_euclid(1000) * 1_000_000).cast_unsigned(), out);
    });
}

fn message(field: u64, out: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) {
    varint(field << 3 | LENGTH, out);
    // The length stands before what it counts: most messages are short enough for one byte.
    let place = out.len();
    out.push(0);
    fill(out);
    let n_bytes = out.len() - place - 1;
    match u8::try_from(n_bytes) {
        Ok(short @ ..0x80) => out[place] = short,
        _ => {
            let mut length = Vec::new();
            varint(n_bytes as u64, &mut length);
            out.splice(place..=place, length);
        }
    }
}

fn text(field: u64, value: &str, out: &mut Vec<u8>) {
    bytes(field, value.as_bytes(), out);
}

fn bytes(field: u64, value: &[u8], out: &mut Vec<u8>) {
    varint(field << 3 | LENGTH, out);
    varint(value.len() as u64, out);
    out.extend_from_slice(value);
}

fn number(field: u64, value: u64, out: &mut Vec<u8>) {
    varint(field << 3 | VARINT, out);
    varint(value, out);
}

fn double(field: u64, value: f64, out: &mut Vec<u8>) {
    varint(field << 3 | FIXED_64, out);
    out.extend_from_slice(&value.to_le_bytes());
}

/// Seven bits a byte, the lowest first; all but the last have the highest bit set.
fn varint(mut value: u64, out: &mut Vec<u8>) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            return out.push(low & 0x7f);
        }
        out.push(low | 0x80);
    }
}

/// Small numbers of either sign as small ones without.
const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}
