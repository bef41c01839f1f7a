//! Whatever is cut off, a journal goes on from a whole record.
#![expect(clippy::disallowed_methods, reason = "a test damages files as it likes")]

use expect_test::expect;
use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::call::Timestamp;
use crate::ledger::FailureStatuses;
use crate::store::strategies;
use crate::store::tests::calls;
use crate::sweep::Span;

const EVERYTHING: Span = Span::new(Timestamp::MIN, Timestamp::MAX);
const N_SAMPLES: usize = 3000;

fn heading() -> Heading {
    let epoch = Timestamp(1000);
    let app = AppId { app_id: "app".into(), on_behalf_of: Some("ada".into()) };
    let timetable = Timetable { from: epoch, to: Timestamp(9000), step_s: 7 };
    let failures = FailureStatuses { abandoned: true, ..FailureStatuses::default() };
    Heading { app, timetable, rules: Rules { epoch, settle_s: 1, max_open_s: 2, failures } }
}

fn open(path: &Path) -> (Journal, Option<Saved>, MemoryStore) {
    let ledger = MemoryStore::new();
    let (journal, saved) = Journal::open(path, heading(), &ledger).unwrap();
    (journal, saved, ledger)
}

/// The sums at each sample.
fn sums(journal: &Journal) -> Vec<Totals> {
    let mut sums = Vec::new();
    journal
        .each_sum(N_SAMPLES, &mut |samples, totals| {
            assert_eq!(samples.start, sums.len(), "in order, without a hole");
            sums.resize(samples.end, Totals::clone(totals));
        })
        .unwrap();
    assert_eq!(sums.len(), N_SAMPLES);
    sums
}

fn steps() -> impl Strategy<Value = Steps> {
    let sample = 1_u32..2999;
    prop::collection::btree_map(sample, strategies::totals(), 0..4).prop_map(|mut steps| {
        // So that sums of them stay numbers that a record can hold.
        let small = |value: &mut u64| *value %= 1000;
        for totals in steps.values_mut() {
            totals.by_kind.values_mut().for_each(|tally| tally.0.iter_mut().for_each(small));
            for of_type in &mut totals.distributions {
                for it in [&mut of_type.duration_s, &mut of_type.answer_s, &mut of_type.people] {
                    it.counts.iter_mut().for_each(small);
                    it.native.values_mut().for_each(small);
                    small(&mut it.native_zero);
                }
            }
            totals.unknown.iter_mut().for_each(small);
        }
        Steps(steps)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// A kill may cut the file anywhere. What is found again after that is the same as without.
    #[test]
    fn it_goes_on_wherever_it_was_cut(
        records in vec((steps(), strategies::changes()), 1..5),
        cut in any::<prop::sample::Index>(),
    ) {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("journal");
        let (mut whole, _, whole_ledger) = open(&path);
        for (steps, changes) in &records {
            whole.append(steps, changes).unwrap();
            whole_ledger.commit(&heading().app, changes).unwrap();
        }
        let expected = sums(&whole);
        drop(whole);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..cut.index(bytes.len())]).unwrap();
        let (mut journal, saved, ledger) = open(&path);
        let n_kept = journal.records.len();
        let last = n_kept.checked_sub(1).map(|idx| &records[idx].1.saved);
        prop_assert_eq!(saved.as_ref(), last);
        for (steps, changes) in &records[n_kept..] {
            journal.append(steps, changes).unwrap();
            ledger.commit(&heading().app, changes).unwrap();
        }
        prop_assert!(sums(&journal) == expected);
        drop(journal);
        prop_assert_eq!(std::fs::read(&path).unwrap(), bytes);
        let (again, saved, ledger) = open(&path);
        prop_assert_eq!(again.records.len(), records.len());
        prop_assert_eq!(saved.as_ref(), records.last().map(|(_, changes)| &changes.saved));
        let known = calls(&ledger, &heading().app, EVERYTHING);
        prop_assert_eq!(known, calls(&whole_ledger, &heading().app, EVERYTHING));
    }
}

#[test]
fn one_that_is_held_different_or_foreign_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("journal");
    assert_eq!(Journal::heading_of(&path).unwrap(), None);
    let refusal = |heading| {
        let error = Journal::open(&path, heading, &MemoryStore::new()).unwrap_err().to_string();
        error.replace(&path.display().to_string(), "PATH")
    };
    let (held, ..) = open(&path);
    expect!["PATH is in use by another backfill: let that one end"].assert_eq(&refusal(heading()));
    drop(held);
    let mut other = heading();
    other.rules.settle_s = 3;
    expect!["PATH was begun for another app or under other settings: remove it to start anew"]
        .assert_eq(&refusal(other));
    std::fs::write(&path, "# HELP somebody's history").unwrap();
    expect!["PATH is no journal of a backfill by this version of cometchat-exporter: it is left as it is; move it away to start anew"]
    .assert_eq(&refusal(heading()));
    assert_eq!(std::fs::read(&path).unwrap(), b"# HELP somebody's history");
}

#[test]
fn a_whole_record_of_another_version_is_no_torn_end() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("journal");
    let (mut journal, ..) = open(&path);
    let later = b"as a later version writes it";
    journal.write(Head::of(0, 0, later), later).unwrap();
    drop(journal);
    let bytes = std::fs::read(&path).unwrap();
    let opened = Journal::open(&path, heading(), &MemoryStore::new());
    assert!(matches!(opened, Err(JournalError::Foreign(_))));
    assert!(std::fs::read(&path).unwrap() == bytes, "it is left as it is");
}
