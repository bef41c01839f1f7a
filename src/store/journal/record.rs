//! The bytes of a record of the journal.

use crate::call::{CallKey, Outcome, Timestamp};
use crate::ledger::{FailureStatuses, Rules, Steps, Timetable, Totals};
use crate::store::AppId;
use crate::store::codec::{self, Malformed};
use crate::store::wire::{Reader, Wire, Writer};
use crate::sweep::Changes;

use super::Heading;

/// The bytes of a [`Head`].
pub(super) const HEAD_BYTES: usize = 20;

/// What stands before a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The length of the record.
    pub(super) n_bytes: u32,
    /// The first sample that it adds to.
    pub(super) first: u32,
    /// The last one.
    pub(super) last: u32,
    /// FNV-1a of the record.
    hash: u64,
}

impl Head {
    pub(super) fn of(first: u32, last: u32, bytes: &[u8]) -> Self {
        let n_bytes = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        Self { n_bytes, first, last, hash: hash(bytes) }
    }

    pub(super) fn fits(self, bytes: &[u8]) -> bool {
        self == Self::of(self.first, self.last, bytes)
    }

    pub(super) fn to_bytes(self) -> [u8; HEAD_BYTES] {
        let mut bytes = [0; HEAD_BYTES];
        bytes[..4].copy_from_slice(&self.n_bytes.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.first.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.last.to_le_bytes());
        bytes[12..].copy_from_slice(&self.hash.to_le_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: [u8; HEAD_BYTES]) -> Self {
        let small = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
        let hash = u64::from_le_bytes(std::array::from_fn(|i| bytes[12 + i]));
        Self { n_bytes: small(0), first: small(4), last: small(8), hash }
    }
}

fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

pub(super) fn encode_heading(value: &Heading) -> Vec<u8> {
    let mut wire = Writer(Vec::new());
    heading(&mut wire, &mut value.clone()).expect("values keep the rules that a reader checks");
    wire.0
}

pub(super) fn decode_heading(bytes: &[u8]) -> Result<Heading, Malformed> {
    let mut wire = Reader(bytes);
    let epoch = Timestamp(0);
    let mut value = Heading {
        app: AppId { app_id: Box::default(), on_behalf_of: None },
        timetable: Timetable { from: epoch, to: epoch, step_s: 1 },
        rules: Rules { epoch, settle_s: 0, max_open_s: 0, failures: FailureStatuses::default() },
    };
    heading(&mut wire, &mut value)?;
    wire.end()?;
    Ok(value)
}

fn heading(wire: &mut impl Wire, value: &mut Heading) -> Result<(), Malformed> {
    text(wire, &mut value.app.app_id)?;
    let mut is_on_behalf = value.app.on_behalf_of.is_some();
    wire.flag(&mut is_on_behalf)?;
    if is_on_behalf {
        text(wire, value.app.on_behalf_of.get_or_insert_default())?;
    }
    let Timetable { from, to, step_s } = &mut value.timetable;
    for number in [&mut from.0, &mut to.0, step_s] {
        wire.signed(number)?;
    }
    let Rules { epoch, settle_s, max_open_s, failures } = &mut value.rules;
    for number in [&mut epoch.0, settle_s, max_open_s] {
        wire.signed(number)?;
    }
    for idx in 0..Outcome::ALL.len() {
        wire.flag(&mut failures.outcomes[idx])?;
    }
    wire.flag(&mut failures.unconnected)?;
    wire.flag(&mut failures.abandoned)
}

fn text(wire: &mut impl Wire, value: &mut Box<str>) -> Result<(), Malformed> {
    let mut bytes = value.as_bytes().to_vec();
    wire.list(&mut bytes, &0, |wire, byte| wire.byte(byte))?;
    *value = String::from_utf8(bytes).map_err(|_| Malformed::Value)?.into();
    Ok(())
}

/// The bytes of what was found, and of the state behind it.
pub(super) fn encode(steps: &Steps, changes: &Changes) -> Vec<u8> {
    let mut wire = Writer(Vec::new());
    let result = put(&mut wire, steps, changes);
    result.expect("values keep the rules that a reader checks");
    wire.0
}

fn put(wire: &mut Writer, steps: &Steps, changes: &Changes) -> Result<(), Malformed> {
    wire.length(steps.0.len())?;
    for (sample, more) in &steps.0 {
        wire.small(&mut sample.clone())?;
        codec::totals(wire, &mut more.clone())?;
    }
    blob(wire, codec::encode_saved(&changes.saved))?;
    wire.length(changes.calls.len())?;
    for (key, entry) in &changes.calls {
        wire.signed(&mut key.initiated_at.0.clone())?;
        text(wire, &mut key.session_id.clone())?;
        blob(wire, entry.as_ref().map(codec::encode_entry).unwrap_or_default())?;
    }
    Ok(())
}

fn blob(wire: &mut impl Wire, mut bytes: Vec<u8>) -> Result<Vec<u8>, Malformed> {
    wire.list(&mut bytes, &0, |wire, byte| wire.byte(byte))?;
    Ok(bytes)
}

/// Gives what was found, by sample.
pub(super) fn each_step(bytes: &[u8], each: &mut dyn FnMut(u32, &Totals)) -> Result<(), Malformed> {
    steps(&mut Reader(bytes), each)
}

fn steps(wire: &mut Reader<'_>, each: &mut dyn FnMut(u32, &Totals)) -> Result<(), Malformed> {
    for _ in 0..wire.length(0)? {
        let (mut sample, mut more) = (0, Totals::default());
        wire.small(&mut sample)?;
        codec::totals(wire, &mut more)?;
        each(sample, &more);
    }
    Ok(())
}

/// The state behind the record with these bytes.
pub(super) fn decode(bytes: &[u8]) -> Result<Changes, Malformed> {
    let mut wire = Reader(bytes);
    steps(&mut wire, &mut |_, _| {})?;
    let saved = codec::decode_saved(&blob(&mut wire, Vec::new())?)?;
    let mut calls = Vec::new();
    for _ in 0..wire.length(0)? {
        let mut key = CallKey { initiated_at: Timestamp(0), session_id: Box::default() };
        wire.signed(&mut key.initiated_at.0)?;
        text(&mut wire, &mut key.session_id)?;
        let entry = blob(&mut wire, Vec::new())?;
        let entry = (!entry.is_empty()).then(|| codec::decode_entry(&entry)).transpose()?;
        calls.push((key, entry));
    }
    wire.end()?;
    Ok(Changes { calls, saved })
}
