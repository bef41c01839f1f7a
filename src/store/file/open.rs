//! Opening the state file, creating it so that a kill leaves none or a whole one, and telling what
//! else may lie there.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use redb::{Builder, Database, ReadableDatabase, TableError};

use super::super::StoreError;
use super::tables::{APPS, CALLS, Fault, META, SAVED};

/// All memory that the ledger takes. The database's own default is 1 GiB.
const CACHE_BYTES: usize = 32 << 20;
/// The version of the tables. A record has a version of its own.
const FORMAT: u64 = 1;
/// The key in [`META`] by which we know our own files.
const FORMAT_KEY: &str = "cometchat-exporter";

/// Opens what is there and checks it, or creates it; `true` for a new one.
pub(super) fn open_or_create(path: &Path) -> Result<(Database, bool), StoreError> {
    match fs::metadata(path) {
        Ok(file) if file.is_dir() => {
            Err(StoreError::from_io(path, &io::ErrorKind::IsADirectory.into()))
        }
        // Somebody made room for the file, as is done to mount a single file into a container.
        Ok(file) if file.len() == 0 => {
            let database = builder().create(path).map_err(|error| at(path, error))?;
            let is_new = expect_format(path, &database)?;
            Ok((database, is_new))
        }
        Ok(_) => open_whole(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(path),
        Err(error) => Err(StoreError::from_io(path, &error)),
    }
}

/// Opens a file after checking all of it.
fn open_whole(path: &Path) -> Result<(Database, bool), StoreError> {
    let mut builder = builder();
    builder.set_check_integrity_on_open(true);
    let database = builder.open(path).map_err(|error| at(path, error))?;
    let is_new = expect_format(path, &database)?;
    Ok((database, is_new))
}

/// Opens the file after an error. It was ours, so one that is gone is not created.
pub(super) fn open_again(path: &Path) -> Result<Database, StoreError> {
    if !fs::exists(path).map_err(|error| StoreError::from_io(path, &error))? {
        return Err(StoreError::Unwritable {
            path: path.to_owned(),
            why: "it was there and is gone".to_owned(),
            advice: "put it back, or restart the exporter to start anew, with the counters at 0"
                .to_owned(),
        });
    }
    let database = builder().open(path).map_err(|error| at(path, error))?;
    expect_format(path, &database)?;
    Ok(database)
}

/// Creates the file under another name and renames it when it is whole.
///
/// The lock goes with the file, not with its name: of two exporters that start at once, one finds
/// the unfinished file locked, or finds after locking its own that the other one is there.
fn create(path: &Path) -> Result<(Database, bool), StoreError> {
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
    }
    .map_err(|error| at(path, error))?;
    expect_format(path, &database)?;
    if fs::exists(path).map_err(by_name)? {
        drop(database);
        return open_whole(path);
    }
    fs::rename(&unfinished, path).map_err(by_name)?;
    sync_folder(path).map_err(by_name)?;
    Ok((database, true))
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".new");
    name.into()
}

/// Makes the new name last through a loss of power.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

fn at(path: &Path, error: redb::DatabaseError) -> StoreError {
    StoreError::from_database(path, error.into())
}

/// Writes the format into a database without tables, `true`; else checks it.
fn expect_format(path: &Path, database: &Database) -> Result<bool, StoreError> {
    let found = format(database).map_err(|fault| fault.at(path))?;
    match found {
        Found::Nothing => {
            initialise(database).map_err(|fault| fault.at(path))?;
            Ok(true)
        }
        Found::Format(FORMAT) => Ok(false),
        Found::Format(found) if found > FORMAT => {
            Err(StoreError::Newer { path: path.to_owned(), found, known: FORMAT })
        }
        Found::Format(_) | Found::Other => Err(StoreError::Foreign {
            path: path.to_owned(),
            why: "a database of another program".to_owned(),
        }),
    }
}

enum Found {
    Nothing,
    Format(u64),
    Other,
}

fn format(database: &Database) -> Result<Found, Fault> {
    let transaction = database.begin_read()?;
    if transaction.list_tables()?.next().is_none() {
        return Ok(Found::Nothing);
    }
    match transaction.open_table(META) {
        Ok(meta) => {
            let format = meta.get(FORMAT_KEY)?.map(|format| format.value());
            Ok(format.map_or(Found::Other, Found::Format))
        }
        Err(TableError::Storage(error)) => Err(error.into()),
        Err(_) => Ok(Found::Other),
    }
}

fn initialise(database: &Database) -> Result<(), Fault> {
    let transaction = database.begin_write()?;
    transaction.open_table(META)?.insert(FORMAT_KEY, FORMAT)?;
    transaction.open_table(APPS)?;
    transaction.open_table(SAVED)?;
    transaction.open_table(CALLS)?;
    transaction.commit()?;
    Ok(())
}
