//! The bytes of a record: a version, then its fields, each described once for both directions.
//!
//! A field is added at the end: raise the record's version and describe the field under
//! `if version >= N`, so that older records are read without it. Lists of words (`ALL`) and of
//! counts are append-only and need no new version.

use std::sync::Arc;

use super::wire::{Reader, Wire, Writer};
use crate::call::{
    Amounts, CallType, Kind, Mode, Moment, Outcome, ReceiverType, Status, Timestamp, UnknownWords,
};
use crate::ledger::{Counter, Distributions, Entry, FirstFinal, Histogram, Phase, Tally, Totals};
use crate::sweep::{Order, Progress, ReadTime, Saved, Span, Spans};

pub use super::wire::Malformed;

const ENTRY_VERSION: u8 = 1;
const SAVED_VERSION: u8 = 1;

/// The counters of a tally that are not counted by outcome, in the order of the file: append only.
const PLAIN_COUNTERS: [Counter; 13] = [
    Counter::Failed,
    Counter::Initiated,
    Counter::AudioMs,
    Counter::VideoMs,
    Counter::UserAudioMs,
    Counter::UserVideoMs,
    Counter::Participants,
    Counter::Recorded,
    Counter::Transcribed,
    Counter::Recordings,
    Counter::RecordingMs,
    Counter::WithoutParticipants,
    Counter::Unconnected,
];

/// The bytes of a ledger entry.
pub fn encode_entry(value: &Entry) -> Vec<u8> {
    let mut wire = Writer(Vec::with_capacity(64));
    entry(&mut wire, &mut value.clone()).expect("values keep the rules that a reader checks");
    wire.0
}

/// The ledger entry in these bytes.
///
/// # Errors
/// Bytes that are no such record, or one of a newer version.
pub fn decode_entry(bytes: &[u8]) -> Result<Entry, Malformed> {
    let mut wire = Reader(bytes);
    let mut value = BLANK_ENTRY;
    entry(&mut wire, &mut value)?;
    wire.end()?;
    Ok(value)
}

/// Phase and due time of the ledger entry in these bytes, which stand at its beginning.
///
/// # Errors
/// Bytes that are no such record, or one of a newer version.
pub fn peek_entry(bytes: &[u8]) -> Result<(Phase, Moment), Malformed> {
    let (mut phase, mut due) = (Phase::Open, Moment::MAX);
    entry_head(&mut Reader(bytes), &mut phase, &mut due)?;
    Ok((phase, due))
}

/// The bytes of an app's state.
pub fn encode_saved(value: &Saved) -> Vec<u8> {
    let mut wire = Writer(Vec::with_capacity(1024));
    saved(&mut wire, &mut value.clone()).expect("values keep the rules that a reader checks");
    wire.0
}

/// The app's state in these bytes.
///
/// # Errors
/// Bytes that are no such record, or one of a newer version.
pub fn decode_saved(bytes: &[u8]) -> Result<Saved, Malformed> {
    let mut wire = Reader(bytes);
    let mut value = Saved { progress: blank_progress(), totals: Arc::default() };
    saved(&mut wire, &mut value)?;
    wire.end()?;
    Ok(value)
}

const BLANK_KIND: Kind =
    Kind { call_type: CallType::Other, mode: Mode::Other, receiver: ReceiverType::Other };

const BLANK_ENTRY: Entry = Entry {
    phase: Phase::Open,
    due: Moment::MAX,
    kind: BLANK_KIND,
    status: Status::Unknown,
    counted: false,
    first_final: None,
    posted: Amounts([0; _]),
    newest: Amounts([0; _]),
    people_present: 0,
    corrected: 0,
    unknown: UnknownWords::from_bits(0),
};

fn blank_progress() -> Progress {
    Progress {
        epoch: Timestamp(0),
        epoch_settled: false,
        floor: Timestamp(0),
        complete: false,
        read: ReadTime { by_age: Vec::new() },
        order: Order::default(),
    }
}

/// The version of a record; a later one than ours may mean anything.
fn version(wire: &mut impl Wire, ours: u8) -> Result<u8, Malformed> {
    let mut version = ours;
    wire.byte(&mut version)?;
    match version {
        0 => Err(Malformed::Value),
        known if known <= ours => Ok(known),
        found => Err(Malformed::Newer { found, known: ours }),
    }
}

fn entry(wire: &mut impl Wire, value: &mut Entry) -> Result<(), Malformed> {
    entry_head(wire, &mut value.phase, &mut value.due)?;
    kind(wire, &mut value.kind)?;
    status(wire, &mut value.status)?;
    wire.flag(&mut value.counted)?;
    first_final(wire, &mut value.first_final)?;
    wire.counts(&mut value.posted.0)?;
    amounts_below(wire, &value.posted, &mut value.newest)?;
    wire.small(&mut value.people_present)?;
    wire.small(&mut value.corrected)?;
    let mut unknown = value.unknown.bits();
    wire.byte(&mut unknown)?;
    value.unknown = UnknownWords::from_bits(unknown);
    Ok(())
}

fn entry_head(wire: &mut impl Wire, phase: &mut Phase, due: &mut Moment) -> Result<(), Malformed> {
    version(wire, ENTRY_VERSION)?;
    let (mut code, mut until) = match *phase {
        Phase::Open => (0, Moment::MAX),
        Phase::Settling { until } => (1, until),
        Phase::Settled => (2, Moment::MAX),
        Phase::GivenUp => (3, Moment::MAX),
    };
    wire.byte(&mut code)?;
    if code == 1 {
        wire.signed(&mut until.0)?;
    }
    *phase = match code {
        0 => Phase::Open,
        1 => Phase::Settling { until },
        2 => Phase::Settled,
        3 => Phase::GivenUp,
        _ => return Err(Malformed::Value),
    };
    let mut is_planned = *due != Moment::MAX;
    wire.flag(&mut is_planned)?;
    if is_planned {
        wire.signed(&mut due.0)?;
    }
    Ok(())
}

fn kind(wire: &mut impl Wire, value: &mut Kind) -> Result<(), Malformed> {
    wire.one_of(&mut value.call_type, &CallType::ALL)?;
    wire.one_of(&mut value.mode, &Mode::ALL)?;
    wire.one_of(&mut value.receiver, &ReceiverType::ALL)
}

fn status(wire: &mut impl Wire, value: &mut Status) -> Result<(), Malformed> {
    let mut code = match *value {
        Status::Initiated => 0,
        Status::Ongoing => 1,
        Status::Unknown => 2,
        Status::Final(_) => 3,
    };
    wire.byte(&mut code)?;
    *value = match (code, *value) {
        (0, _) => Status::Initiated,
        (1, _) => Status::Ongoing,
        (2, _) => Status::Unknown,
        (3, before) => {
            let mut outcome =
                if let Status::Final(outcome) = before { outcome } else { Outcome::Other };
            wire.one_of(&mut outcome, &Outcome::ALL)?;
            Status::Final(outcome)
        }
        _ => return Err(Malformed::Value),
    };
    Ok(())
}

fn first_final(wire: &mut impl Wire, value: &mut Option<FirstFinal>) -> Result<(), Malformed> {
    let mut is_final = value.is_some();
    wire.flag(&mut is_final)?;
    if is_final {
        let blank = FirstFinal { outcome: Outcome::Other, seen_at: Timestamp(0) };
        let first = value.get_or_insert(blank);
        wire.one_of(&mut first.outcome, &Outcome::ALL)?;
        wire.signed(&mut first.seen_at.0)?;
    }
    Ok(())
}

/// Amounts by how far they lie below others that they mostly equal.
fn amounts_below(
    wire: &mut impl Wire,
    above: &Amounts,
    value: &mut Amounts,
) -> Result<(), Malformed> {
    let mut below = Amounts(std::array::from_fn(|i| above.0[i].wrapping_sub(value.0[i])));
    wire.counts(&mut below.0)?;
    value.0 = std::array::from_fn(|i| above.0[i].wrapping_sub(below.0[i]));
    Ok(())
}

fn saved(wire: &mut impl Wire, value: &mut Saved) -> Result<(), Malformed> {
    version(wire, SAVED_VERSION)?;
    progress(wire, &mut value.progress)?;
    totals(wire, Arc::make_mut(&mut value.totals))
}

fn progress(wire: &mut impl Wire, value: &mut Progress) -> Result<(), Malformed> {
    wire.signed(&mut value.epoch.0)?;
    wire.flag(&mut value.epoch_settled)?;
    wire.signed(&mut value.floor.0)?;
    wire.flag(&mut value.complete)?;
    read_time(wire, &mut value.read)?;
    wire.signed(&mut value.order.against_newest_first_s)?;
    wire.signed(&mut value.order.against_oldest_first_s)
}

fn read_time(wire: &mut impl Wire, value: &mut ReadTime) -> Result<(), Malformed> {
    wire.list(&mut value.by_age, &(0, Spans::default()), |wire, (age, read)| {
        wire.signed(age)?;
        spans(wire, read)
    })?;
    let is_rising = value.by_age.is_sorted_by(|(age, _), (next, _)| age < next);
    if is_rising && !value.by_age.is_empty() { Ok(()) } else { Err(Malformed::Value) }
}

/// Each end of a span by its distance from the end before it.
fn spans(wire: &mut impl Wire, value: &mut Spans) -> Result<(), Malformed> {
    let mut ends = value.iter().collect();
    let mut before = 0_i64;
    wire.list(&mut ends, &Span::second(Timestamp(0)), |wire, span| {
        for end in [&mut span.from, &mut span.to] {
            let mut step = end.0.wrapping_sub(before);
            wire.signed(&mut step)?;
            end.0 = before.wrapping_add(step);
            before = end.0;
        }
        Ok(())
    })?;
    let n_spans = ends.len();
    *value = ends.into_iter().collect();
    // Spans that overlap, touch or are empty would be fewer now.
    if value.len() == n_spans { Ok(()) } else { Err(Malformed::Value) }
}

/// Sums in either direction.
pub(super) fn totals(wire: &mut impl Wire, value: &mut Totals) -> Result<(), Malformed> {
    let mut by_kind = std::mem::take(&mut value.by_kind).into_iter().collect();
    wire.list(&mut by_kind, &(BLANK_KIND, Tally::default()), |wire, (of, counts)| {
        kind(wire, of)?;
        tally(wire, counts)
    })?;
    value.by_kind = by_kind.into_iter().collect();
    let mut by_type = value.distributions.to_vec();
    wire.list(&mut by_type, &Distributions::default(), distributions)?;
    value.distributions = by_type.try_into().map_err(|_| Malformed::Value)?;
    wire.unsigned(&mut value.corrections)?;
    wire.unsigned(&mut value.abandoned)?;
    wire.unsigned(&mut value.reconcile_differences)?;
    wire.counts(&mut value.unknown)
}

fn tally(wire: &mut impl Wire, value: &mut Tally) -> Result<(), Malformed> {
    tally_part(wire, value, Outcome::ALL.map(Counter::Calls))?;
    tally_part(wire, value, Outcome::ALL.map(Counter::Entries))?;
    tally_part(wire, value, PLAIN_COUNTERS)
}

fn tally_part<const N: usize>(
    wire: &mut impl Wire,
    value: &mut Tally,
    counters: [Counter; N],
) -> Result<(), Malformed> {
    let mut counts = counters.map(|counter| value.get(counter));
    wire.counts(&mut counts)?;
    for (counter, count) in counters.into_iter().zip(counts) {
        value.0[counter.index()] = count;
    }
    Ok(())
}

fn distributions(wire: &mut impl Wire, value: &mut Distributions) -> Result<(), Malformed> {
    histogram(wire, &mut value.duration_s)?;
    histogram(wire, &mut value.answer_s)?;
    histogram(wire, &mut value.people)
}

fn histogram(wire: &mut impl Wire, value: &mut Histogram) -> Result<(), Malformed> {
    wire.counts(&mut value.counts)?;
    wire.unsigned(&mut value.sum)?;
    wire.unsigned(&mut value.native_zero)?;
    let mut native = std::mem::take(&mut value.native).into_iter().collect();
    wire.list(&mut native, &(0, 0), |wire, (bucket, count)| {
        wire.small(bucket)?;
        wire.unsigned(count)
    })?;
    value.native = native.into_iter().collect();
    Ok(())
}

#[cfg(test)]
mod tests;
