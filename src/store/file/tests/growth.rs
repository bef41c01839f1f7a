//! How large the file grows: as large as the calls of a lookback need, however long it runs.

use super::*;

const PAGE: i64 = 100;

/// Commits a page of new calls, and lets those leave that are older than `n_known` calls.
fn commit(store: &FileStore, page_idx: i64, n_known: i64) {
    let new = page_idx * PAGE..(page_idx + 1) * PAGE;
    let mut changes = changes(new.clone());
    changes.calls.extend(new.map(|idx| (key(idx - n_known), None)));
    store.commit(&app("a"), &changes).unwrap();
}

#[test]
fn a_file_stops_growing_when_its_calls_do() {
    let (_folder, path) = folder();
    let store = FileStore::open(&path).unwrap();
    let n_known = 5_000;
    let turn = n_known / PAGE;
    let sizes: Vec<u64> = (0..20)
        .map(|turns| {
            (turns * turn..(turns + 1) * turn).for_each(|idx| commit(&store, idx, n_known));
            store.size_bytes()
        })
        .collect();
    assert_eq!(calls(&store, &app("a"), EVER).len(), 5_000);
    assert!(sizes[19] <= sizes[2] * 11 / 10, "{sizes:?}");
}

#[test]
fn a_file_that_is_mostly_empty_is_made_smaller_at_the_next_start() {
    let (_folder, path) = folder();
    let store = FileStore::open(&path).unwrap();
    for from in (0..60_000).step_by(2_000) {
        store.commit(&app("a"), &changes(from..from + 2_000)).unwrap();
    }
    let leave = |range: std::ops::Range<i64>| range.map(|idx| (key(idx), None)).collect();
    let saved = changes([]).saved;
    store.commit(&app("a"), &Changes { calls: leave(100..60_000), saved }).unwrap();
    let before = store.size_bytes();
    drop(store);
    let store = FileStore::open(&path).unwrap();
    let after = store.size_bytes();
    assert!(after < before / 4, "{before} bytes, then {after}");
    assert_eq!(calls(&store, &app("a"), EVER).len(), 100);
}
