//! The state file through losses of power.
//!
//! A kill leaves all that was written; a loss of power does not. Here the file lies on a disk that
//! keeps what was synced and, of the writes since, whichever it likes, whole or torn, in any order.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard};

use redb::DatabaseError;

use super::*;
use crate::ledger::Totals;
use crate::store::file::open;

/// Writes shorter than this reach the disk whole or not at all.
const SECTOR_BYTES: usize = 512;

#[derive(Clone, Debug)]
enum Effect {
    Write {
        offset: usize,
        bytes: Vec<u8>,
    },
    SetLen(usize),
    Sync,
    /// The store said that the commit with this number is durable.
    Published(u64),
}

/// What a file holds, and all that was done to it since it was opened.
#[derive(Debug, Default)]
struct Medium {
    bytes: Vec<u8>,
    effects: Vec<Effect>,
}

#[derive(Clone, Debug, Default)]
struct Disk(Arc<Mutex<Medium>>);

impl Disk {
    fn with(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(Medium { bytes, effects: Vec::new() })))
    }

    fn medium(&self) -> MutexGuard<'_, Medium> {
        self.0.lock().unwrap()
    }

    fn note(&self, effect: Effect) {
        let mut medium = self.medium();
        apply(&mut medium.bytes, &effect);
        medium.effects.push(effect);
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.medium().bytes.len() as u64)
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        out.copy_from_slice(&self.medium().bytes[offset..offset + out.len()]);
        Ok(())
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.note(Effect::SetLen(len.try_into().unwrap()));
        Ok(())
    }
    fn sync_data(&self) -> io::Result<()> {
        self.note(Effect::Sync);
        Ok(())
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.note(Effect::Write { offset: offset.try_into().unwrap(), bytes: data.to_owned() });
        Ok(())
    }
}

fn apply(bytes: &mut Vec<u8>, effect: &Effect) {
    match effect {
        Effect::Write { offset, bytes: data } => {
            bytes.resize(bytes.len().max(offset + data.len()), 0);
            bytes[*offset..offset + data.len()].copy_from_slice(data);
        }
        Effect::SetLen(len) => bytes.resize(*len, 0),
        Effect::Sync | Effect::Published(_) => {}
    }
}

/// Small numbers by SplitMix64: a seed means the same losses for ever.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) >> 1).unwrap() % n
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for idx in (1..items.len()).rev() {
            items.swap(idx, self.below(idx + 1));
        }
    }
}

/// What is left of `effects` after a loss of power: all up to the last sync, and of the rest what
/// the disk had got round to.
fn cut(start: &[u8], effects: &[Effect], random: &mut Random) -> Vec<u8> {
    let synced = effects.iter().rposition(|effect| matches!(effect, Effect::Sync)).unwrap_or(0);
    let mut bytes = start.to_owned();
    for effect in &effects[..synced] {
        apply(&mut bytes, effect);
    }
    let mut rest: Vec<Effect> = effects[synced..].iter().flat_map(|e| pieces(e, random)).collect();
    let (kept, of) = [(0, 1), (1, 1), (1, 2), (9, 10), (1, 10)][random.below(5)];
    rest.retain(|_| random.below(of) < kept);
    if random.below(2) == 0 {
        random.shuffle(&mut rest);
    }
    for effect in &rest {
        apply(&mut bytes, effect);
    }
    bytes
}

/// A write in the sectors that reach the disk each by itself, at times.
fn pieces(effect: &Effect, random: &mut Random) -> Vec<Effect> {
    let Effect::Write { offset, bytes } = effect else { return vec![effect.clone()] };
    if random.below(2) == 0 {
        return vec![effect.clone()];
    }
    let piece = |(idx, piece): (usize, &[u8])| Effect::Write {
        offset: offset + idx * SECTOR_BYTES,
        bytes: piece.to_owned(),
    };
    bytes.chunks(SECTOR_BYTES).enumerate().map(piece).collect()
}

fn open(disk: &Disk) -> Result<FileStore, StoreError> {
    let path = PathBuf::from("state.redb");
    let database: Result<Database, DatabaseError> =
        open::builder().set_check_integrity_on_open(true).create_with_backend(disk.clone());
    let opened = guarded(|| open::take(&path, database), || Fault::Panic.at(&path))?;
    Ok(FileStore {
        path,
        is_new: opened.is_new,
        holder: opened.holder,
        database: RwLock::new(Some(opened.database)),
        writes: Group::new(),
        n_transactions: AtomicU64::new(0),
    })
}

/// The calls that are known after the commit with this number.
fn known(number: u64) -> Range<i64> {
    let number = i64::try_from(number).unwrap();
    (number - 20).max(0)..number
}

/// Adds a call, changes one, and lets one leave.
fn commit(store: &FileStore, number: u64) {
    let totals = Totals { abandoned: number, ..Totals::default() };
    let mut changes = changes([]);
    changes.saved.totals = totals.into();
    let range = known(number);
    let known = known(number - 1);
    let added = self::changes([range.end - 1, (range.end - 2).max(0)]);
    changes.calls.extend(added.calls);
    if known.start < range.start {
        changes.calls.push((key(known.start), None));
    }
    store.commit(&app("a"), &changes).unwrap();
}

/// The number of the newest commit that the file holds, after checking that it holds all of it.
fn newest(store: &FileStore) -> u64 {
    let number = store.load(&app("a")).unwrap().map_or(0, |saved| saved.totals.abandoned);
    let keys: Vec<_> = calls(store, &app("a"), EVER).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, known(number).map(key).collect::<Vec<_>>(), "the calls of commit {number}");
    number
}

/// One life of the exporter after another, each ended by a loss of power.
fn lives(seed: u64, n_lives: usize, n_cuts: usize) -> usize {
    let mut random = Random(seed);
    // A file gets its name when it is whole: losses begin after that.
    let created = Disk::default();
    drop(open(&created).unwrap());
    let mut bytes = created.medium().bytes.clone();
    let mut n_unpublished = 0;
    for life in 0..n_lives {
        let disk = Disk::with(bytes.clone());
        let store = open(&disk).unwrap();
        let first = newest(&store);
        for number in first + 1..=first + 3 {
            commit(&store, number);
            disk.note(Effect::Published(number));
        }
        drop(store);
        let effects = disk.medium().effects.clone();
        let mut next = None;
        for idx in 0..n_cuts {
            let done = &effects[..=random.below(effects.len())];
            let left = cut(&bytes, done, &mut random);
            let promised = done.iter().rev().find_map(|effect| match effect {
                Effect::Published(number) => Some(*number),
                Effect::Write { .. } | Effect::SetLen(_) | Effect::Sync => None,
            });
            let promised = promised.unwrap_or(first);
            let context = format!("seed {seed}, life {life}, cut {idx} after {}", done.len());
            let store = open(&Disk::with(left.clone()));
            let found = newest(&store.unwrap_or_else(|error| panic!("{context}: {error}")));
            assert!(
                found == promised || found == promised + 1,
                "{context}: commit {promised} was published, and the file holds {found}"
            );
            n_unpublished += usize::from(found > promised);
            next = Some(left);
        }
        bytes = next.unwrap();
    }
    n_unpublished
}

#[test]
fn what_was_published_survives_any_loss_of_power() {
    let threads: Vec<_> = (0..4).map(|seed| thread::spawn(move || lives(seed, 125, 20))).collect();
    let n_unpublished: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    // Losses between the last write and the answer of the store are among them.
    assert_ne!(n_unpublished, 0);
}
