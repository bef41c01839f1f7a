//! What the ledger costs: records, commits, lookups and a start, with 1,000,000 calls in the file.

#![expect(clippy::unwrap_used, reason = "a bench that cannot do its work has nothing to measure")]
#![expect(clippy::print_stdout, reason = "the size of a call is one of the figures")]

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use cometchat_exporter::call::{
    Amounts, CallKey, CallType, Kind, Mode, Moment, Outcome, ReceiverType, Status, Timestamp,
    UnknownWords,
};
use cometchat_exporter::ledger::{Entry, FirstFinal, Phase, Totals};
use cometchat_exporter::store::{AppId, FileStore, MemoryStore, Store, codec};
use cometchat_exporter::sweep::{Changes, Order, Progress, ReadTime, Saved, Span};
use divan::Bencher;
use divan::counter::ItemsCount;
use tempfile::TempDir;

const N_CALLS: u32 = 1_000_000;
const PAGE: u32 = 100;
const EPOCH: Timestamp = Timestamp(1_700_000_000);

fn main() {
    divan::main();
}

#[divan::bench]
fn encode_entry(bencher: Bencher<'_, '_>) {
    let entry = entry(7);
    bencher.bench_local(|| codec::encode_entry(black_box(&entry)));
}

#[divan::bench]
fn decode_entry(bencher: Bencher<'_, '_>) {
    let bytes = codec::encode_entry(&entry(7));
    bencher.bench_local(|| codec::decode_entry(black_box(&bytes)));
}

#[divan::bench]
fn peek_entry(bencher: Bencher<'_, '_>) {
    let bytes = codec::encode_entry(&entry(7));
    bencher.bench_local(|| codec::peek_entry(black_box(&bytes)));
}

#[divan::bench]
fn commit_100_new_rows_in_memory(bencher: Bencher<'_, '_>) {
    let store = MemoryStore::new();
    commit_new_rows(bencher, &store, 0);
}

#[divan::bench(min_time = 2)]
fn commit_100_new_rows_to_an_empty_file(bencher: Bencher<'_, '_>) {
    let folder = TempDir::new().unwrap();
    let store = FileStore::open(folder.path().join("state.redb")).unwrap();
    commit_new_rows(bencher, &store, 0);
}

#[divan::bench(min_time = 2)]
fn commit_100_new_rows_to_a_full_file(bencher: Bencher<'_, '_>) {
    let (_folder, path) = full_file();
    commit_new_rows(bencher, &FileStore::open(path).unwrap(), N_CALLS);
}

fn commit_new_rows(bencher: Bencher<'_, '_>, store: &dyn Store, n_known: u32) {
    let app = app();
    let mut at = n_known;
    bencher
        .counter(ItemsCount::new(PAGE))
        .with_inputs(|| {
            at += PAGE;
            changes(at..at + PAGE)
        })
        .bench_local_refs(|changes| store.commit(&app, changes).unwrap());
}

#[divan::bench(min_time = 2)]
fn commit_100_rows_anywhere_in_a_full_file(bencher: Bencher<'_, '_>) {
    let (_folder, path) = full_file();
    let (store, app) = (FileStore::open(path).unwrap(), app());
    let mut at = 0_u32;
    let anywhere = || {
        let idx = (0..PAGE).map(|_| {
            at = at.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            at % N_CALLS
        });
        changes(idx)
    };
    bencher
        .counter(ItemsCount::new(PAGE))
        .with_inputs(anywhere)
        .bench_local_refs(|changes| store.commit(&app, changes).unwrap());
}

#[divan::bench]
fn look_up_100_of_1_000_000_calls(bencher: Bencher<'_, '_>) {
    let (_folder, path) = full_file();
    let (store, app) = (FileStore::open(path).unwrap(), app());
    let mut at = 0;
    bencher.counter(ItemsCount::new(PAGE)).bench_local(|| {
        at = (at + 7_919) % i64::from(N_CALLS - PAGE);
        let from = EPOCH.plus_s(at);
        let mut n_calls = 0;
        let span = Span::new(from, from.plus_s(PAGE.into()));
        store.calls(&app, span, &mut |_, _| n_calls += 1).unwrap();
        assert_eq!(n_calls, PAGE);
    });
}

#[divan::bench(sample_count = 20)]
fn start_with_1_000_000_calls_after_a_kill(bencher: Bencher<'_, '_>) {
    let app = app();
    bencher.with_inputs(full_file).bench_local_refs(|(_, path)| {
        let store = FileStore::open(&*path).unwrap();
        let (mut n_calls, mut n_open) = (0, 0);
        let ever = Span::new(Timestamp::MIN, Timestamp::MAX);
        store
            .glance(&app, ever, &mut |glimpse| {
                n_calls += 1;
                n_open += u32::from(glimpse.phase == Phase::Open);
            })
            .unwrap();
        assert_eq!(n_calls, N_CALLS);
        (store, n_open)
    });
}

#[divan::bench(sample_count = 20)]
fn open_1_000_000_calls_after_a_kill(bencher: Bencher<'_, '_>) {
    bencher.with_inputs(full_file).bench_local_refs(|(_, path)| FileStore::open(&*path).unwrap());
}

/// The file of an app with 100,000 calls a day, of which those of a day are known, over 30 days.
#[divan::bench(sample_count = 1, sample_size = 1)]
fn thirty_days_of_100_000_calls() {
    const PER_DAY: u32 = 100_000;
    let folder = TempDir::new().unwrap();
    let store = FileStore::open(folder.path().join("state.redb")).unwrap();
    for day in 0..30 {
        for from in (day * PER_DAY..(day + 1) * PER_DAY).step_by(PAGE as usize) {
            let mut changes = changes(from..from + PAGE);
            let old = (from..from + PAGE).filter_map(|idx| idx.checked_sub(PER_DAY));
            changes.calls.extend(old.map(|idx| (key(idx), None)));
            store.commit(&app(), &changes).unwrap();
        }
        if [0, 1, 2, 9, 19, 29].contains(&day) {
            println!("after day {}: {} bytes", day + 1, store.size_bytes());
        }
    }
}

/// A copy of a file with all calls, as a kill leaves it.
fn full_file() -> (TempDir, PathBuf) {
    static FULL: LazyLock<TempDir> = LazyLock::new(|| {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("state.redb");
        let store = FileStore::open(&path).unwrap();
        for from in (0..N_CALLS).step_by(10_000) {
            store.commit(&app(), &changes(from..from + 10_000)).unwrap();
        }
        // Copied while it is open.
        fs::copy(&path, killed(folder.path())).unwrap();
        println!("{} bytes for each of {N_CALLS} calls", store.size_bytes() / u64::from(N_CALLS));
        folder
    });
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state.redb");
    fs::copy(killed(FULL.path()), &path).unwrap();
    (folder, path)
}

fn killed(folder: &Path) -> PathBuf {
    folder.join("killed.redb")
}

fn app() -> AppId {
    AppId { app_id: "0123456789abcdef".into(), on_behalf_of: None }
}

fn changes(idx: impl IntoIterator<Item = u32>) -> Changes {
    let progress = Progress {
        epoch: EPOCH,
        epoch_settled: true,
        floor: EPOCH,
        complete: true,
        read: ReadTime::new(86_400),
        order: Order::default(),
    };
    Changes {
        calls: idx.into_iter().map(|idx| (key(idx), Some(entry(idx)))).collect(),
        saved: Saved { progress, totals: Totals::default() },
    }
}

fn key(idx: u32) -> CallKey {
    let session_id = format!("v1.us.0123456789abcdef.{idx:013x}").into();
    CallKey { initiated_at: EPOCH.plus_s(idx.into()), session_id }
}

/// One call in a hundred is still open; a tenth is settled.
fn entry(idx: u32) -> Entry {
    let ended_at = EPOCH.plus_s(i64::from(idx) + 600);
    let until = ended_at.plus_s(7200).start();
    let is_open = idx.is_multiple_of(100);
    let (phase, due) = match idx % 10 {
        _ if is_open => (Phase::Open, ended_at.start()),
        1 => (Phase::Settled, Moment::MAX),
        _ => (Phase::Settling { until }, until),
    };
    let mut amounts = Amounts::default();
    for (place, amount) in (0..).zip(&mut amounts.0) {
        *amount = u64::from(idx % 600) * 1000 * (place % 3);
    }
    let first_final = FirstFinal { outcome: Outcome::Ended, seen_at: ended_at };
    Entry {
        phase,
        due,
        kind: Kind { call_type: CallType::Video, mode: Mode::Call, receiver: ReceiverType::User },
        status: if is_open { Status::Ongoing } else { Status::Final(Outcome::Ended) },
        counted: true,
        first_final: (!is_open).then_some(first_final),
        posted: amounts,
        newest: amounts,
        people_present: u32::from(is_open) * 2,
        corrected: 0,
        unknown: UnknownWords::default(),
    }
}
