//! Records survive the round trip, stay as they are from version to version, and never panic.

use std::sync::Arc;

use expect_test::{Expect, expect};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::store::strategies;

proptest! {
    #[test]
    fn an_entry_survives_the_round_trip(entry in strategies::entry()) {
        let bytes = encode_entry(&entry);
        prop_assert_eq!(peek_entry(&bytes), Ok((entry.phase, entry.due)));
        prop_assert_eq!(decode_entry(&bytes), Ok(entry));
    }

    #[test]
    fn the_state_of_an_app_survives_the_round_trip(saved in strategies::saved()) {
        prop_assert_eq!(decode_saved(&encode_saved(&saved)), Ok(saved));
    }

    #[test]
    fn bytes_of_anything_give_a_record_or_an_error(mut bytes in vec(any::<u8>(), 0..200)) {
        for version in [1, 2] {
            bytes.insert(0, version);
            let _entry = (decode_entry(&bytes), peek_entry(&bytes));
            let _saved = decode_saved(&bytes);
        }
    }

    #[test]
    fn a_changed_byte_gives_another_record_or_an_error(
        saved in strategies::saved(), place in any::<prop::sample::Index>(), by in 1..=255_u8,
    ) {
        let mut bytes = encode_saved(&saved);
        let place = place.index(bytes.len());
        bytes[place] ^= by;
        prop_assert_ne!(decode_saved(&bytes), Ok(saved));
    }

    #[test]
    fn a_record_cut_short_is_an_error(
        entry in strategies::entry(), length in any::<prop::sample::Index>(),
    ) {
        let bytes = encode_entry(&entry);
        let length = length.index(bytes.len());
        prop_assert_eq!(decode_entry(&bytes[..length]), Err(Malformed::Short));
    }
}

#[test]
fn a_record_with_more_after_it_is_an_error() {
    let mut bytes = encode_entry(&BLANK_ENTRY);
    bytes.push(0);
    assert_eq!(decode_entry(&bytes), Err(Malformed::Long));
}

#[test]
fn a_record_of_a_later_version_says_so() {
    let mut bytes = encode_entry(&BLANK_ENTRY);
    bytes[0] = 2;
    let newer = Malformed::Newer { found: 2, known: 1 };
    assert_eq!(decode_entry(&bytes), Err(newer));
    assert_eq!(peek_entry(&bytes), Err(newer));
}

#[test]
fn a_length_beyond_the_bytes_takes_no_memory() {
    let mut wire = Reader(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 7]);
    let mut items = Vec::new();
    let read = wire.list(&mut items, &0, Wire::byte);
    assert_eq!((read, items.as_slice()), (Err(Malformed::Short), [7, 0].as_slice()));
}

#[test]
fn a_shorter_list_of_counts_is_one_of_an_earlier_version() {
    let mut counts = [9, 9, 9];
    Reader(&[2, 1, 2]).counts(&mut counts).unwrap();
    assert_eq!(counts, [1, 2, 0]);
}

#[test]
fn read_time_without_an_age_is_no_read_time() {
    let saved = Saved { progress: blank_progress(), totals: Arc::default() };
    assert_eq!(decode_saved(&encode_wrong(saved)), Err(Malformed::Value));
}

/// What a writer makes of a value that no part of the program makes.
fn encode_wrong(mut value: Saved) -> Vec<u8> {
    let mut wire = Writer(Vec::new());
    let _refused = saved(&mut wire, &mut value);
    wire.0
}

#[test]
fn every_counter_has_its_place() {
    let mut counters: Vec<_> = Outcome::ALL.map(Counter::Calls).to_vec();
    counters.extend(Outcome::ALL.map(Counter::Entries));
    counters.extend(PLAIN_COUNTERS);
    counters.sort_unstable();
    counters.dedup();
    assert_eq!(counters.len(), Counter::COUNT);
}

#[test]
fn the_bytes_stay_as_they_are() {
    let mut entry = BLANK_ENTRY;
    check(&encode_entry(&entry), expect!["01 00 00 02 03 02 02 00 00 00 00 00 00 00"]);
    entry.phase = Phase::Settling { until: Moment(1_700_007_200_000) };
    entry.due = Moment(1_700_007_200_000);
    entry.kind =
        Kind { call_type: CallType::Video, mode: Mode::Call, receiver: ReceiverType::User };
    entry.status = Status::Final(Outcome::Ended);
    entry.counted = true;
    entry.first_final =
        Some(FirstFinal { outcome: Outcome::Ended, seen_at: Timestamp(1_700_000_000) });
    entry.posted = Amounts([60_000, 0, 2, 0, 0, 0, 0, 0, 1]);
    entry.newest = Amounts([50_000, 0, 3, 0, 0, 0, 0, 0, 1]);
    entry.people_present = 2;
    entry.corrected = 0b10;
    entry.unknown = UnknownWords::from_bits(0b1);
    check(
        &encode_entry(&entry),
        expect![
            "01 01 80 94 9a 85 fa 62 01 80 94 9a 85 fa 62 01 00 00 03 00 01 01 00 80 c4 9f d5 0c 09 e0 d4 03 00 02 00 00 00 00 00 01 03 90 4e 00 ff ff ff ff ff ff ff ff ff 01 02 02 01"
        ],
    );

    let mut progress = blank_progress();
    progress.epoch = Timestamp(1_700_000_000);
    progress.read = ReadTime::new(300);
    progress.read.add(Span::new(Timestamp(1_700_000_000), Timestamp(1_700_000_060)), Moment::MAX);
    let mut totals = Totals::default();
    totals.by_kind.entry(entry.kind).or_default().add(Counter::Calls(Outcome::Busy), 3);
    totals.distributions[1].duration_s.observe(61);
    totals.unknown[0] = 1;
    check(
        &encode_saved(&Saved { progress, totals: totals.into() }),
        expect![
            "01 80 c4 9f d5 0c 00 00 00 03 00 01 80 c4 9f d5 0c 78 f0 01 01 80 c4 9f d5 0c 78 d8 04 01 80 c4 9f d5 0c 78 00 00 01 01 00 00 05 00 00 00 00 03 00 00 03 00 00 00 00 00 00 00 00 00 00 00 00 05 00 00 00 00 01 3d 00 01 30 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01 01"
        ],
    );
}

fn check(bytes: &[u8], expected: Expect) {
    let hex: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    expected.assert_eq(&hex.join(" "));
}
