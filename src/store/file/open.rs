//! Opening the state file, creating it so that a kill leaves none or a whole one, and telling what
//! else may lie there.

use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use redb::{Builder, Database, ReadableDatabase, ReadableTableMetadata, TableError};

use super::super::StoreError;
use super::tables::{APPS, CALLS, Fault, META, SAVED};

/// All memory that the ledger takes. Whatever is not in it comes out of the cache of the system, which
/// takes little longer. The default of the database is 1 GiB.
const CACHE_BYTES: usize = 8 << 20;
/// A smaller file is left as it is.
const COMPACT_FROM_BYTES: u64 = 8 << 20;
/// A file with more than this for each call is mostly empty: a call takes about a quarter of it.
const CALL_BYTES_MAX: u64 = 1 << 10;
/// The version of the tables. A record has a version of its own.
pub(super) const FORMAT: u64 = 1;
/// The key in [`META`] by which we know our own files.
const FORMAT_KEY: &str = "cometchat-exporter";

/// The key in [`META`] under which each holder leaves a number of its own.
const HOLDER_KEY: &str = "holder";

/// A file that is ours until it is closed.
pub(super) struct Opened {
    pub(super) database: Database,
    /// Whether nothing was there before.
    pub(super) is_new: bool,
    /// A random number that stands in the file until somebody else opens it.
    pub(super) holder: u64,
}

/// Opens what is there and checks it, or creates it.
pub(super) fn open_or_create(path: &Path) -> Result<Opened, StoreError> {
    match fs::metadata(path) {
        Ok(file) if file.is_dir() => {
            Err(StoreError::from_io(path, &io::ErrorKind::IsADirectory.into()))
        }
        // Somebody made room for the file, as is done to mount a single file into a container.
        Ok(file) if file.len() == 0 => take(path, builder().create(path)),
        Ok(_) => open_whole(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(path),
        Err(error) => Err(StoreError::from_io(path, &error)),
    }
}

/// Opens a file after checking all of it.
fn open_whole(path: &Path) -> Result<Opened, StoreError> {
    let mut opened = take(path, builder().set_check_integrity_on_open(true).open(path))?;
    compact(&mut opened.database, path).map_err(|fault| fault.at(path))?;
    Ok(opened)
}

/// Gives back what the file took when it held many more calls, as after a long outage.
fn compact(database: &mut Database, path: &Path) -> Result<(), Fault> {
    let file_bytes = fs::metadata(path).map_or(0, |file| file.len());
    let n_calls = database.begin_read()?.open_table(CALLS)?.len()?;
    if file_bytes > COMPACT_FROM_BYTES.max(n_calls.saturating_mul(CALL_BYTES_MAX)) {
        database.compact()?;
    }
    Ok(())
}

/// Opens the file after an error. It was ours, so one that is gone is not created, and one that
/// somebody else has taken since holds more than its former holder knows.
pub(super) fn open_again(path: &Path, holder: u64) -> Result<Database, StoreError> {
    if !fs::exists(path).map_err(|error| StoreError::from_io(path, &error))? {
        return Err(StoreError::Unwritable {
            path: path.to_owned(),
            why: "it was there and is gone".to_owned(),
            advice: "put it back, or restart the exporter to start anew, with the counters at 0"
                .to_owned(),
        });
    }
    let database = builder().open(path).map_err(|error| at(path, error))?;
    let found = value(&database, HOLDER_KEY).map_err(|fault| fault.at(path))?;
    if found == Some(holder) {
        Ok(database)
    } else {
        Err(StoreError::TakenOver { path: path.to_owned() })
    }
}

/// Creates the file under another name and renames it when it is whole.
///
/// The lock goes with the file, not with its name: of two exporters that start at once, one finds
/// the unfinished file locked, or finds after locking its own that the other one is there.
fn create(path: &Path) -> Result<Opened, StoreError> {
    let unfinished = unfinished(path);
    let by_name = |error: io::Error| StoreError::from_io(path, &error);
    let database = match builder().create(&unfinished) {
        // What a kill left behind may be unreadable, and holds nothing yet.
        Err(redb::DatabaseError::Storage(redb::StorageError::Io(error)))
            if error.kind() == io::ErrorKind::InvalidData =>
        {
            fs::remove_file(&unfinished).map_err(by_name)?;
            builder().create(&unfinished)
        }
        other => other,
    };
    let opened = take(path, database)?;
    if fs::exists(path).map_err(by_name)? {
        drop(opened);
        return open_whole(path);
    }
    // It will hold session ids, which are nobody else's business.
    fs::set_permissions(&unfinished, Permissions::from_mode(0o600)).map_err(by_name)?;
    fs::rename(&unfinished, path).map_err(by_name)?;
    sync_folder(path).map_err(by_name)?;
    Ok(Opened { is_new: true, ..opened })
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".new");
    name.into()
}

/// Makes the new name last through a loss of power.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(path))?.sync_all()
}

pub(super) fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

pub(super) fn at(path: &Path, error: redb::DatabaseError) -> StoreError {
    StoreError::from_database(path, error.into())
}

/// Makes a database ours, if it is one of our files or has no tables yet.
pub(super) fn take(
    path: &Path,
    database: Result<Database, redb::DatabaseError>,
) -> Result<Opened, StoreError> {
    let database = database.map_err(|error| at(path, error))?;
    let is_new = format(path, &database)?.is_none();
    let holder = RandomState::new().hash_one(path);
    sign(&database, holder).map_err(|fault| fault.at(path))?;
    Ok(Opened { database, is_new, holder })
}

/// The version of the tables, which is ours; `None` where there are none yet.
pub(super) fn format(path: &Path, database: &Database) -> Result<Option<u64>, StoreError> {
    match value(database, FORMAT_KEY).map_err(|fault| fault.at(path))? {
        Some(FORMAT) => Ok(Some(FORMAT)),
        None if is_blank(database).map_err(|fault| fault.at(path))? => Ok(None),
        Some(found) if found > FORMAT => {
            Err(StoreError::Newer { path: path.to_owned(), found, known: FORMAT })
        }
        Some(_) | None => {
            let why = "a database of another program".to_owned();
            Err(StoreError::Foreign { path: path.to_owned(), why })
        }
    }
}

fn is_blank(database: &Database) -> Result<bool, Fault> {
    Ok(database.begin_read()?.list_tables()?.next().is_none())
}

/// A value of [`META`], if there is such a table at all.
fn value(database: &Database, key: &str) -> Result<Option<u64>, Fault> {
    match database.begin_read()?.open_table(META) {
        Ok(meta) => Ok(meta.get(key)?.map(|value| value.value())),
        Err(TableError::Storage(error)) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

/// Writes whose file this is, and makes sure that all tables are there.
fn sign(database: &Database, holder: u64) -> Result<(), Fault> {
    let transaction = database.begin_write()?;
    {
        let mut meta = transaction.open_table(META)?;
        meta.insert(FORMAT_KEY, FORMAT)?;
        meta.insert(HOLDER_KEY, holder)?;
    }
    transaction.open_table(APPS)?;
    transaction.open_table(SAVED)?;
    transaction.open_table(CALLS)?;
    transaction.commit()?;
    Ok(())
}
