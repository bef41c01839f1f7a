//! Looking into a state file without taking it.

use super::*;
use crate::store::file::inspect::{Inspection, inspect};

/// Looking at the path says what opening it would say.
#[track_caller]
fn says_what_opening_says(path: &Path) {
    let before = fs::read(path).unwrap();
    let said = inspect(path).unwrap_err();
    assert!(fs::read(path).unwrap() == before, "not a byte was written");
    assert_eq!(said, FileStore::open(path).unwrap_err());
}

#[test]
fn a_file_in_use_is_read_and_stays_in_use() {
    let (_folder, path) = folder();
    let store = FileStore::open(&path).unwrap();
    let (first, second) = (changes(0..300), changes(300..400));
    store.commit(&app("a"), &first).unwrap();
    store.commit(&app("b"), &second).unwrap();
    let before = fs::read(&path).unwrap();
    let expected = Inspection {
        format: Some(1),
        size_bytes: store.size_bytes(),
        n_calls: 400,
        apps: vec![(app("a"), first.saved.progress.epoch), (app("b"), second.saved.progress.epoch)],
    };
    assert_eq!(inspect(&path), Ok(expected));
    assert!(fs::read(&path).unwrap() == before, "not a byte was written");
    assert!(matches!(FileStore::open(&path), Err(StoreError::Held { .. })));
    store.commit(&app("a"), &changes(400..500)).unwrap();
    drop(store);
    assert_eq!(inspect(&path).unwrap().n_calls, 500);
    assert!(!FileStore::open(&path).unwrap().is_new());
}

#[test]
fn an_empty_file_holds_nothing() {
    let (_folder, path) = folder();
    fs::write(&path, "").unwrap();
    let nothing = Inspection { format: None, size_bytes: 0, n_calls: 0, apps: Vec::new() };
    assert_eq!(inspect(&path), Ok(nothing));
}

#[test]
fn a_file_that_cannot_be_used_is_named_as_opening_names_it() {
    let (_folder, path) = folder();
    fs::write(&path, "apps:\n  - name: production\n").unwrap();
    says_what_opening_says(&path);
    fs::remove_file(&path).unwrap();
    let store = FileStore::open(&path).unwrap();
    store.commit(&app("a"), &changes(0..2000)).unwrap();
    drop(store);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    says_what_opening_says(&path);
    fs::write(&path, &whole).unwrap();
    let newer = Database::create(&path).unwrap();
    let transaction = newer.begin_write().unwrap();
    transaction.open_table(tables::META).unwrap().insert("cometchat-exporter", 2).unwrap();
    transaction.commit().unwrap();
    drop(newer);
    says_what_opening_says(&path);
}
