//! What a state file holds, read without taking it: an exporter may be at work on it.
//!
//! No lock is taken and no byte is written, so that neither a running exporter nor one that starts
//! this moment notices.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::{Database, ReadableDatabase as _, ReadableTable as _, ReadableTableMetadata as _};

use super::guarded;
use super::open;
use super::tables::{APPS, CALLS, Fault, SAVED};
use crate::call::Timestamp;
use crate::store::{AppId, StoreError, codec};

/// A file under change may be caught between two writes: then it is read anew.
const ATTEMPTS: u32 = 3;

/// What a state file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The version of its tables; `None` where there are none yet.
    pub format: Option<u64>,
    /// Its length.
    pub size_bytes: u64,
    /// How many calls it knows by id.
    pub n_calls: u64,
    /// Since when each app is counted.
    pub apps: Vec<(AppId, Timestamp)>,
}

/// Reads a state file and checks all of it.
///
/// # Errors
/// What opening it would say, but that it is held.
pub fn inspect(path: &Path) -> Result<Inspection, StoreError> {
    let attempt = || guarded(|| read(path), || Fault::Panic.at(path));
    let mut outcome = attempt();
    for _ in 1..ATTEMPTS {
        match &outcome {
            Err(StoreError::Damaged { .. }) if holder(path).is_some() => outcome = attempt(),
            _ => break,
        }
    }
    outcome
}

fn read(path: &Path) -> Result<Inspection, StoreError> {
    let by_name = |error: io::Error| StoreError::from_io(path, &error);
    let file = File::open(path).map_err(by_name)?;
    let size_bytes = file.metadata().map_err(by_name)?.len();
    let mut inspection = Inspection { format: None, size_bytes, n_calls: 0, apps: Vec::new() };
    if size_bytes == 0 {
        return Ok(inspection);
    }
    let mut builder = open::builder();
    builder.set_check_integrity_on_open(true);
    let database = builder.create_with_backend(Aside::new(file, size_bytes));
    let database = database.map_err(|error| open::at(path, error))?;
    inspection.format = open::format(path, &database)?;
    if inspection.format.is_some() {
        contents(&database, &mut inspection).map_err(|fault| fault.at(path))?;
    }
    Ok(inspection)
}

fn contents(database: &Database, inspection: &mut Inspection) -> Result<(), Fault> {
    let transaction = database.begin_read()?;
    let saved = transaction.open_table(SAVED)?;
    for app in transaction.open_table(APPS)?.iter()? {
        let (id, number) = app?;
        let (app_id, on_behalf_of) = id.value();
        let id = AppId { app_id: app_id.into(), on_behalf_of: on_behalf_of.map(Into::into) };
        if let Some(saved) = saved.get(number.value())? {
            let saved = codec::decode_saved(saved.value())?;
            inspection.apps.push((id, saved.progress.epoch));
        }
    }
    inspection.n_calls = transaction.open_table(CALLS)?.len()?;
    Ok(())
}

/// Who holds a state file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The number of the process, unless it lives where it cannot be seen from here.
    pub pid: Option<u32>,
    /// The name of its program.
    pub program: Option<String>,
}

/// Who holds the file, as far as the system tells: Linux does, of processes that can be seen.
pub fn holder(path: &Path) -> Option<Holder> {
    let pid = lock(&fs::read_to_string("/proc/locks").ok()?, inode(path)?)?;
    let command = pid.and_then(|pid| fs::read_to_string(format!("/proc/{pid}/cmdline")).ok());
    let program = command.and_then(|command| {
        let name = command.split('\0').next().and_then(|path| path.rsplit('/').next());
        name.filter(|name| !name.is_empty()).map(str::to_owned)
    });
    Some(Holder { pid, program })
}

#[cfg(unix)]
fn inode(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    Some(fs::metadata(path).ok()?.ino())
}

#[cfg(not(unix))]
fn inode(_: &Path) -> Option<u64> {
    None
}

/// Whether a lock lies on a file, and of which process, out of `/proc/locks`.
fn lock(locks: &str, inode: u64) -> Option<Option<u32>> {
    let of_file = |line: &str| -> Option<Option<u32>> {
        let words: Vec<&str> = line.split_whitespace().filter(|word| *word != "->").collect();
        let (pid, file) = (words.get(4)?, words.get(5)?);
        let is_it = file.rsplit(':').next()?.parse() == Ok(inode);
        // A lock of a range belongs to an open file and not to a process, so that it has no number.
        is_it.then(|| pid.parse().ok().filter(|pid| *pid > 0))
    };
    locks.lines().filter_map(of_file).reduce(Option::or)
}

/// The size of a page of what was written.
const PAGE_BYTES: usize = 4096;

/// The file as it is, with everything that is written kept aside in memory.
#[derive(Debug)]
struct Aside(Mutex<Pages>);

#[derive(Debug)]
struct Pages {
    file: File,
    /// How much of the file counts: what lies beyond was cut off.
    file_bytes: u64,
    len: u64,
    written: BTreeMap<u64, Vec<u8>>,
}

impl Aside {
    fn new(file: File, len: u64) -> Self {
        Self(Mutex::new(Pages { file, file_bytes: len, len, written: BTreeMap::new() }))
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    /// The bytes of the file; zeros behind its end.
    fn of_file(&mut self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let n_there = usize::try_from(self.file_bytes.saturating_sub(offset)).unwrap_or(usize::MAX);
        let (there, beyond) = out.split_at_mut(n_there.min(out.len()));
        beyond.fill(0);
        self.file.seek(SeekFrom::Start(offset))?;
        self.file.read_exact(there)
    }

    /// Calls `each` with the number of every page that a range touches, the place of the range's
    /// part in the page, and its place in the range.
    fn parts(
        offset: u64,
        n_bytes: usize,
        mut each: impl FnMut(u64, std::ops::Range<usize>, std::ops::Range<usize>) -> io::Result<()>,
    ) -> io::Result<()> {
        let page_bytes = PAGE_BYTES as u64;
        let mut done = 0;
        while done < n_bytes {
            let at = offset + done as u64;
            let from = usize::try_from(at % page_bytes).unwrap_or(0);
            let n = (PAGE_BYTES - from).min(n_bytes - done);
            each(at / page_bytes, from..from + n, done..done + n)?;
            done += n;
        }
        Ok(())
    }
}

impl redb::StorageBackend for Aside {
    fn len(&self) -> io::Result<u64> {
        Ok(self.pages().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut pages = self.pages();
        if offset + out.len() as u64 > pages.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        pages.of_file(offset, out)?;
        Pages::parts(offset, out.len(), |page, from, to| {
            if let Some(written) = pages.written.get(&page) {
                out[to].copy_from_slice(&written[from]);
            }
            Ok(())
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut pages = self.pages();
        if len < pages.len {
            pages.file_bytes = pages.file_bytes.min(len);
            let n_pages = len.div_ceil(PAGE_BYTES as u64);
            pages.written.retain(|page, _| *page < n_pages);
            let rest = usize::try_from(len % PAGE_BYTES as u64).unwrap_or(0);
            if let Some(last) = pages.written.get_mut(&(len / PAGE_BYTES as u64)) {
                last[rest..].fill(0);
            }
        }
        pages.len = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut pages = self.pages();
        Pages::parts(offset, data.len(), |page, to, from| {
            if !pages.written.contains_key(&page) {
                let mut bytes = vec![0; PAGE_BYTES];
                pages.of_file(page * PAGE_BYTES as u64, &mut bytes)?;
                pages.written.insert(page, bytes);
            }
            if let Some(bytes) = pages.written.get_mut(&page) {
                bytes[to].copy_from_slice(&data[from]);
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_a_lock_is_found_by_the_file() {
        let locks = "\
1: FLOCK  ADVISORY  WRITE 15577 fe:00:5464068 0 EOF
4: OFDLCK ADVISORY  WRITE -1 fe:00:10290021 0 4611686018427387903
6: FLOCK  ADVISORY  WRITE 15655 fe:00:10290021 0 EOF
6: -> FLOCK  ADVISORY  WRITE 15999 fe:00:77 0 EOF
7: OFDLCK ADVISORY  WRITE -1 fe:00:88 0 EOF
";
        assert_eq!(lock(locks, 10_290_021), Some(Some(15_655)));
        assert_eq!(lock(locks, 88), Some(None), "held, by whom cannot be seen");
        assert_eq!(lock(locks, 5), None);
    }

    #[test]
    fn what_is_kept_aside_is_read_back_over_the_file_and_the_file_stays() {
        use redb::StorageBackend as _;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let original: Vec<u8> = (0..10_000u32).map(|n| n.to_le_bytes()[0]).collect();
        #[expect(clippy::disallowed_methods, reason = "a test's own file")]
        fs::write(&path, &original).unwrap();
        let aside = Aside::new(File::open(&path).unwrap(), 10_000);
        let mut expected = original.clone();
        for (at, bytes) in [(4_000, vec![1; 5_000]), (0, vec![2; 3]), (9_990, vec![3; 10])] {
            aside.write(at as u64, &bytes).unwrap();
            expected[at..at + bytes.len()].copy_from_slice(&bytes);
        }
        aside.set_len(6_000).unwrap();
        aside.set_len(12_000).unwrap();
        expected[6_000..].fill(0);
        expected.resize(12_000, 0);
        let mut seen = vec![9; 12_000];
        aside.read(0, &mut seen).unwrap();
        assert_eq!(seen, expected);
        assert!(aside.read(11_999, &mut [0; 2]).is_err(), "beyond the end");
        assert_eq!(fs::read(&path).unwrap(), original);
    }
}
