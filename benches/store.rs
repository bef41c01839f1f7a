//! What the ledger costs: records, commits, lookups and a start, with 1,000,000 calls in the file.

#![expect(clippy::unwrap_used, reason = "a bench that cannot do its work has nothing to measure")]
#![expect(clippy::print_stdout, reason = "the size of a call is one of the figures")]

#[path = "setup/ledger.rs"]
mod ledger;

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use cometchat_exporter::ledger::Phase;
use cometchat_exporter::store::{FileStore, MemoryStore, Store, codec};
use cometchat_exporter::sweep::Span;
use divan::Bencher;
use divan::counter::ItemsCount;
use ledger::{EPOCH, EVER, PAGE, app, changes, entry, key};
use tempfile::TempDir;

const N_CALLS: u32 = 1_000_000;

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
        store
            .glance(&app, EVER, &mut |glimpse| {
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
