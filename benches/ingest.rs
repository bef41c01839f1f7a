//! What taking calls in costs: bytes to rows, rows to a committed ledger, and a poll with nothing new.
//!
//! `cargo bench --bench ingest`. Items are calls, so the throughput reads as calls per second.

#![expect(clippy::unwrap_used, reason = "a bench that cannot do its work has nothing to measure")]

#[path = "setup/reading.rs"]
mod reading;

use std::hint::black_box;

use cometchat_exporter::api::decode;
use cometchat_exporter::store::{FileStore, MemoryStore};
use cometchat_exporter::sweep::Page;
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use reading::{INTERVAL_MS, N_CALLS, NOW, OLD, PAGE, Reader, Rows, YOUNG, bodies, body, decoded};
use tempfile::TempDir;

fn main() {
    divan::main();
}

#[divan::bench]
fn decode_a_page(bencher: Bencher<'_, '_>) {
    decode_page(bencher, Rows::Full);
}

#[divan::bench]
fn decode_a_lean_page(bencher: Bencher<'_, '_>) {
    decode_page(bencher, Rows::Lean);
}

fn decode_page(bencher: Bencher<'_, '_>, rows: Rows) {
    let body = body(0..PAGE, OLD, rows);
    bencher
        .counter(ItemsCount::new(PAGE))
        .counter(BytesCount::of_slice(&body))
        .bench_local(|| decode::page(black_box(&body), NOW).unwrap());
}

/// A first read of calls that were decoded before: planning, counting and a ledger in memory.
#[divan::bench(args = [OLD, YOUNG], sample_count = 20)]
fn count_in_memory(bencher: Bencher<'_, '_>, age_s: i64) {
    let pages: Vec<Page> = bodies(N_CALLS, age_s).iter().map(|body| decoded(body)).collect();
    bencher
        .counter(ItemsCount::new(N_CALLS))
        .with_inputs(|| (Reader::new(MemoryStore::new()), pages.clone()))
        .bench_local_values(|(mut reader, mut pages)| {
            reader.read(|number| match pages.get_mut(number) {
                // The search for the first page asks for these again.
                Some(page) if number < 3 => page.clone(),
                Some(page) => std::mem::take(page),
                None => Page::default(),
            });
            assert_eq!(reader.n_counted(), u64::from(N_CALLS));
            reader
        });
}

/// A first read from bytes to a ledger in memory.
#[divan::bench(args = [OLD, YOUNG], sample_count = 20)]
fn read_in_memory(bencher: Bencher<'_, '_>, age_s: i64) {
    let bodies = bodies(N_CALLS, age_s);
    bencher
        .counter(ItemsCount::new(N_CALLS))
        .with_inputs(|| Reader::new(MemoryStore::new()))
        .bench_local_values(|mut reader| {
            reader.read_bodies(&bodies);
            assert_eq!(reader.n_counted(), u64::from(N_CALLS));
            reader
        });
}

/// A first read from bytes to a file, each page a commit that is durable before the next request.
#[divan::bench(args = [OLD, YOUNG], sample_count = 10)]
fn read_durably(bencher: Bencher<'_, '_>, age_s: i64) {
    let bodies = bodies(N_CALLS, age_s);
    bencher
        .counter(ItemsCount::new(N_CALLS))
        .with_inputs(|| {
            let folder = TempDir::new().unwrap();
            let store = FileStore::open(folder.path().join("state.redb")).unwrap();
            (Reader::new(store), folder)
        })
        .bench_local_values(|(mut reader, folder)| {
            reader.read_bodies(&bodies);
            assert_eq!(reader.n_counted(), u64::from(N_CALLS));
            (reader, folder)
        });
}

/// The head asked for again, and what else falls due with time, while no call begins.
#[divan::bench]
fn poll_with_nothing_new(bencher: Bencher<'_, '_>) {
    let bodies = bodies(N_CALLS, YOUNG);
    let mut reader = Reader::new(MemoryStore::new());
    reader.read_bodies(&bodies);
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| {
        reader.now = reader.now.plus_ms(INTERVAL_MS);
        reader.read_bodies(&bodies);
    });
}
