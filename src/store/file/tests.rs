//! What lies at the path, what a kill leaves, and what many writers make of it.

mod growth;
mod inspect;
mod power;

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Barrier};
use std::thread;

use expect_test::{Expect, expect};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use redb::StorageBackend;
use redb::backends::FileBackend;
use tempfile::TempDir;

use super::*;
use crate::call::Timestamp;
use crate::store::strategies;
use crate::store::tests::calls;

const EVER: Span = Span::new(Timestamp::MIN, Timestamp::MAX);

fn app(app_id: &str) -> AppId {
    AppId { app_id: app_id.into(), on_behalf_of: None }
}

fn key(idx: i64) -> CallKey {
    CallKey { initiated_at: Timestamp(idx), session_id: format!("session-{idx}").into() }
}

/// Changes with the calls of these numbers, all different.
fn changes(idx: impl IntoIterator<Item = i64>) -> Changes {
    let mut runner = TestRunner::deterministic();
    let mut entry = || strategies::entry().new_tree(&mut runner).unwrap().current();
    let calls = idx.into_iter().map(|idx| (key(idx), Some(entry()))).collect();
    let saved = strategies::saved().new_tree(&mut runner).unwrap().current();
    Changes { calls, saved }
}

fn folder() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state.redb");
    (folder, path)
}

/// Checks the error of opening the path, with the path's folder as `DIR`.
#[track_caller]
fn refused(folder: &TempDir, path: &Path, expected: Expect) {
    let error = FileStore::open(path).expect_err("opening must fail").to_string();
    expected.assert_eq(&error.replace(folder.path().to_str().unwrap(), "DIR"));
}

#[test]
fn a_new_file_is_new_once() {
    let (_folder, path) = folder();
    assert!(FileStore::open(&path).unwrap().is_new());
    assert!(!FileStore::open(&path).unwrap().is_new());
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "session ids are nobody else's business");
}

#[test]
fn an_empty_file_is_a_new_one() {
    let (_folder, path) = folder();
    fs::write(&path, "").unwrap();
    assert!(FileStore::open(&path).unwrap().is_new());
    assert!(!FileStore::open(&path).unwrap().is_new());
}

#[test]
fn what_a_killed_creation_leaves_is_no_obstacle() {
    for left in [vec![], vec![0; 5000], b"half".to_vec()] {
        let (folder, path) = folder();
        fs::write(folder.path().join("state.redb.new"), left).unwrap();
        assert!(FileStore::open(&path).unwrap().is_new());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[test]
fn a_file_has_one_holder() {
    let (folder, path) = folder();
    let first = FileStore::open(&path).unwrap();
    refused(
        &folder,
        &path,
        expect![
            "state file DIR/state.redb is in use by another exporter: stop it or give this one another --state.path"
        ],
    );
    drop(first);
    FileStore::open(&path).unwrap();
}

#[test]
fn of_many_that_create_one_file_one_holds_it() {
    let (_folder, path) = folder();
    let start = Barrier::new(8);
    let opened: Vec<_> = thread::scope(|scope| {
        let open = || {
            start.wait();
            FileStore::open(&path)
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let holder: Vec<_> = opened.iter().filter_map(|result| result.as_ref().ok()).collect();
    assert_eq!(holder.len(), 1);
    for refusal in opened.iter().filter_map(|result| result.as_ref().err()) {
        assert_eq!(refusal, &StoreError::Held { path: path.clone() });
    }
    holder[0].commit(&app("a"), &changes(0..3)).unwrap();
    drop(opened);
    assert_eq!(calls(&FileStore::open(&path).unwrap(), &app("a"), EVER).len(), 3);
}

#[test]
fn a_path_that_cannot_be_used_says_what_to_do() {
    let (folder, path) = folder();
    refused(
        &folder,
        &folder.path().join("missing/state.redb"),
        expect![
            "cannot use state file DIR/missing/state.redb: No such file or directory; create the folder DIR/missing, or give another --state.path"
        ],
    );
    refused(
        &folder,
        folder.path(),
        expect![
            "cannot use state file DIR: is a directory; --state.path names a folder: add the name of a file"
        ],
    );
    drop(FileStore::open(&path).unwrap());
    refused(
        &folder,
        &path.join("state.redb"),
        expect![
            "cannot use state file DIR/state.redb/state.redb: Not a directory; DIR/state.redb is no folder: give another --state.path"
        ],
    );
    assert!(!folder.path().join("missing").exists());
}

#[test]
fn a_file_of_something_else_is_left_as_it_is() {
    let (folder, path) = folder();
    fs::write(&path, "apps:\n  - name: production\n").unwrap();
    refused(
        &folder,
        &path,
        expect![
            "DIR/state.redb is no state file of cometchat-exporter (Not a redb database: magic number mismatch); it is left as it is: give another --state.path"
        ],
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "apps:\n  - name: production\n");

    fs::remove_file(&path).unwrap();
    let other = Database::create(&path).unwrap();
    let transaction = other.begin_write().unwrap();
    transaction.open_table(redb::TableDefinition::<u64, u64>::new("theirs")).unwrap();
    transaction.commit().unwrap();
    drop(other);
    refused(
        &folder,
        &path,
        expect![
            "DIR/state.redb is no state file of cometchat-exporter (a database of another program); it is left as it is: give another --state.path"
        ],
    );
}

#[test]
fn a_file_of_a_newer_version_says_so() {
    let (folder, path) = folder();
    drop(FileStore::open(&path).unwrap());
    let newer = Database::create(&path).unwrap();
    let transaction = newer.begin_write().unwrap();
    transaction.open_table(tables::META).unwrap().insert("cometchat-exporter", 2).unwrap();
    transaction.commit().unwrap();
    drop(newer);
    refused(
        &folder,
        &path,
        expect![
            "state file DIR/state.redb was written by a newer version of cometchat-exporter (format 2, this one knows 1); use that version or give another --state.path"
        ],
    );
}

#[test]
fn a_truncated_file_is_damaged() {
    let (_folder, path) = folder();
    let store = FileStore::open(&path).unwrap();
    store.commit(&app("a"), &changes(0..2000)).unwrap();
    drop(store);
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    for part in [10, 4, 2] {
        let whole = file.metadata().unwrap().len();
        file.set_len(whole * (part - 1) / part).unwrap();
        let error = FileStore::open(&path).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    }
}

/// A file changed while it was closed either fails to open or holds what was committed: the older
/// of two commits at worst, as after a loss of power.
#[test]
fn a_flipped_bit_never_passes_for_a_number() {
    let (_folder, path) = folder();
    let store = FileStore::open(&path).unwrap();
    let (first, second) = (changes(0..300), changes(100..500));
    store.commit(&app("a"), &first).unwrap();
    let after_first = (store.load(&app("a")).unwrap(), calls(&store, &app("a"), EVER));
    store.commit(&app("a"), &second).unwrap();
    let after_second = (store.load(&app("a")).unwrap(), calls(&store, &app("a"), EVER));
    drop(store);
    let bytes = fs::read(&path).unwrap();
    let in_use: Vec<_> = (0..bytes.len()).filter(|&place| bytes[place] != 0).collect();
    let mut n_refused = 0;
    for &place in in_use.iter().step_by(in_use.len() / 150) {
        let mut changed = bytes.clone();
        changed[place] ^= 1 << (place % 8);
        fs::write(&path, &changed).unwrap();
        match FileStore::open(&path) {
            Err(StoreError::Damaged { .. } | StoreError::Foreign { .. }) => n_refused += 1,
            Err(error) => panic!("byte {place}: {error}"),
            Ok(store) => {
                let saved = store.load(&app("a")).unwrap();
                let found = (saved, calls(&store, &app("a"), EVER));
                assert!(found == after_second || found == after_first, "byte {place}");
            }
        }
    }
    assert_ne!(n_refused, 0);
}

#[test]
fn a_kill_leaves_whole_commits() {
    let (folder, path) = folder();
    let store = FileStore::open(&path).unwrap();
    let mut committed = changes([]);
    for idx in 0..20 {
        committed = changes(idx * 10..idx * 10 + 10);
        store.commit(&app("a"), &committed).unwrap();
    }
    // What is on the disk while the file is open is what a kill would leave.
    let killed = folder.path().join("killed.redb");
    fs::copy(&path, &killed).unwrap();
    let killed = FileStore::open(&killed).unwrap();
    assert_eq!(killed.load(&app("a")).unwrap(), Some(committed.saved));
    assert_eq!(calls(&killed, &app("a"), EVER), calls(&store, &app("a"), EVER));
    assert_eq!(calls(&killed, &app("a"), EVER).len(), 200);
}

#[test]
fn many_writers_share_transactions_and_all_is_durable() {
    const N_THREADS: u32 = 16;
    const N_COMMITS: u32 = 20;
    let (folder, path) = folder();
    let store = &FileStore::open(&path).unwrap();
    let write = |thread_idx: u32| {
        let app = app(&format!("app-{}", thread_idx % 8));
        for idx in 0..N_COMMITS {
            store.commit(&app, &changes([(thread_idx * N_COMMITS + idx).into()])).unwrap();
        }
    };
    thread::scope(|scope| {
        store.writes.hold_until(16, || {
            for thread_idx in 0..N_THREADS {
                scope.spawn(move || write(thread_idx));
            }
        });
    });
    // The first commits of all threads were one transaction.
    assert!(store.n_transactions() <= u64::from(N_THREADS * (N_COMMITS - 1)) + 1);
    // What is on the disk while the file is open is what a kill would leave.
    let killed = folder.path().join("killed.redb");
    fs::copy(&path, &killed).unwrap();
    let killed = FileStore::open(killed).unwrap();
    for idx in 0..8 {
        assert_eq!(calls(&killed, &app(&format!("app-{idx}")), EVER).len(), 2 * 20);
    }
}

/// A disk that can be full.
#[derive(Debug)]
struct Disk {
    file: FileBackend,
    is_full: Arc<AtomicBool>,
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if self.is_full.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.write(offset, data)
    }
    fn close(&self) -> io::Result<()> {
        self.file.close()
    }
}

/// A store with ten calls, on a disk that is full until its file is opened again.
fn store_on_a_full_disk(path: &Path) -> FileStore {
    let store = FileStore::open(path).unwrap();
    store.commit(&app("a"), &changes(0..10)).unwrap();
    *store.database.write().unwrap() = None;
    let file = fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    let is_full = Arc::new(AtomicBool::new(false));
    let disk = Disk { file: FileBackend::new(file).unwrap(), is_full: Arc::clone(&is_full) };
    let database = Database::builder().create_with_backend(disk).unwrap();
    *store.database.write().unwrap() = Some(database);
    is_full.store(true, Ordering::Relaxed);
    store
}

#[test]
fn after_a_full_disk_it_goes_on_by_itself() {
    let (folder, path) = folder();
    let store = store_on_a_full_disk(&path);
    let error = store.commit(&app("a"), &changes(10..20)).unwrap_err().to_string();
    expect!["cannot use state file DIR/state.redb: no storage space; make room in DIR; writing is tried again"].assert_eq(&error.replace(folder.path().to_str().unwrap(), "DIR"));
    assert_eq!(calls(&store, &app("a"), EVER).len(), 10);
    store.commit(&app("a"), &changes(10..20)).unwrap();
    assert_eq!(calls(&store, &app("a"), EVER).len(), 20);
}

#[test]
fn a_file_that_is_gone_is_not_replaced_by_an_empty_one() {
    let (folder, path) = folder();
    let store = store_on_a_full_disk(&path);
    store.commit(&app("a"), &changes(10..20)).unwrap_err();
    fs::remove_file(&path).unwrap();
    let error = store.commit(&app("a"), &changes(10..20)).unwrap_err().to_string();
    expect!["cannot use state file DIR/state.redb: it was there and is gone; put it back, or restart the exporter to start anew, with the counters at 0"].assert_eq(&error.replace(folder.path().to_str().unwrap(), "DIR"));
    assert!(!path.exists());
}

#[test]
fn a_file_that_another_has_taken_meanwhile_is_lost_to_its_former_holder() {
    let (folder, path) = folder();
    let store = store_on_a_full_disk(&path);
    store.commit(&app("a"), &changes(10..20)).unwrap_err();
    let other = FileStore::open(&path).unwrap();
    other.commit(&app("a"), &changes(20..30)).unwrap();
    let held = store.commit(&app("a"), &changes(10..20)).unwrap_err();
    assert_eq!(held, StoreError::Held { path: path.clone() });
    drop(other);
    let error = store.commit(&app("a"), &changes(10..20)).unwrap_err().to_string();
    expect!["state file DIR/state.redb was taken over by another exporter while it could not be used; restart this one, or give it another --state.path"].assert_eq(&error.replace(folder.path().to_str().unwrap(), "DIR"));
    assert_eq!(calls(&FileStore::open(&path).unwrap(), &app("a"), EVER).len(), 20);
}

#[test]
fn a_panic_of_the_caller_stays_a_panic_and_harms_nothing() {
    let (_folder, path) = folder();
    let store = FileStore::open(&path).unwrap();
    store.commit(&app("a"), &changes(0..3)).unwrap();
    let panicking = || store.calls(&app("a"), EVER, &mut |_, _| panic!("the caller's"));
    let panic = panic::catch_unwind(AssertUnwindSafe(panicking)).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"the caller's"));
    assert_eq!(calls(&store, &app("a"), EVER).len(), 3);
}
