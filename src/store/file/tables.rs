//! The tables of the state file, and what is read from and written to them.

use std::path::Path;

use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};

use super::super::codec::{self, Malformed};
use super::super::{AppId, StoreError};
use crate::call::{CallKey, Timestamp};
use crate::sweep::{Changes, Saved, Span};

/// What the file is: the name of the program, and the version of these tables.
pub(super) const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");
/// Number of each app, so that its id does not stand in the key of each call.
pub(super) const APPS: TableDefinition<'static, (&str, Option<&str>), u32> =
    TableDefinition::new("apps");
/// Progress and totals by app.
pub(super) const SAVED: TableDefinition<'static, u32, &[u8]> = TableDefinition::new("saved");
/// Calls by app, `initiatedAt` and session id: what is written together lies together.
pub(super) const CALLS: TableDefinition<'static, (u32, i64, &str), &[u8]> =
    TableDefinition::new("calls");

/// What goes wrong with an open file.
pub(super) enum Fault {
    /// The database says so.
    Database(redb::Error),
    /// The database works, and holds bytes that are no record.
    Record(Malformed),
    /// The database panicked.
    Panic,
}

impl Fault {
    pub(super) fn at(self, path: &Path) -> StoreError {
        match self {
            Self::Database(error) => StoreError::from_database(path, error),
            Self::Record(error) => StoreError::from_record(path, error),
            Self::Panic => StoreError::Damaged {
                path: path.to_owned(),
                why: "the database cannot make sense of it".to_owned(),
            },
        }
    }
}

impl<E: Into<redb::Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Database(error.into())
    }
}

impl From<Malformed> for Fault {
    fn from(error: Malformed) -> Self {
        Self::Record(error)
    }
}

/// One commit, encoded before it waits for its turn.
#[derive(Debug)]
pub(super) struct Write {
    app: AppId,
    calls: Vec<(CallKey, Option<Vec<u8>>)>,
    saved: Vec<u8>,
}

impl Write {
    pub(super) fn new(app: &AppId, changes: &Changes) -> Self {
        let encode = |(key, entry): &(CallKey, Option<_>)| {
            (key.clone(), entry.as_ref().map(codec::encode_entry))
        };
        Self {
            app: app.clone(),
            calls: changes.calls.iter().map(encode).collect(),
            saved: codec::encode_saved(&changes.saved),
        }
    }
}

pub(super) fn load(database: &Database, app: &AppId) -> Result<Option<Saved>, Fault> {
    let transaction = database.begin_read()?;
    let Some(number) = transaction.open_table(APPS)?.get(app_key(app))? else {
        return Ok(None);
    };
    let saved = transaction.open_table(SAVED)?.get(number.value())?;
    Ok(saved.map(|saved| codec::decode_saved(saved.value())).transpose()?)
}

pub(super) fn each_call(
    database: &Database,
    app: &AppId,
    span: Span,
    mut each: impl FnMut(Timestamp, &str, &[u8]) -> Result<(), Malformed>,
) -> Result<(), Fault> {
    let transaction = database.begin_read()?;
    let Some(number) = transaction.open_table(APPS)?.get(app_key(app))? else {
        return Ok(());
    };
    if span.is_empty() {
        return Ok(());
    }
    let [from, to] = [span.from, span.to].map(|end| (number.value(), end.0, ""));
    for call in transaction.open_table(CALLS)?.range(from..to)? {
        let (key, call) = call?;
        let (_, initiated_at, session_id) = key.value();
        each(Timestamp(initiated_at), session_id, call.value())?;
    }
    Ok(())
}

pub(super) fn write(
    database: &Database,
    writes: &mut dyn Iterator<Item = &Write>,
) -> Result<(), Fault> {
    let transaction = database.begin_write()?;
    {
        let mut apps = transaction.open_table(APPS)?;
        let mut saved = transaction.open_table(SAVED)?;
        let mut calls = transaction.open_table(CALLS)?;
        for write in writes {
            let known = apps.get(app_key(&write.app))?.map(|number| number.value());
            let number = if let Some(number) = known {
                number
            } else {
                let next = u32::try_from(apps.len()?).map_err(|_| Malformed::Value)?;
                apps.insert(app_key(&write.app), next)?;
                next
            };
            saved.insert(number, &*write.saved)?;
            for (key, call) in &write.calls {
                let key = (number, key.initiated_at.0, &*key.session_id);
                match call {
                    Some(call) => calls.insert(key, &**call)?,
                    None => calls.remove(key)?,
                };
            }
        }
    }
    transaction.commit()?;
    Ok(())
}

fn app_key(app: &AppId) -> (&str, Option<&str>) {
    (&app.app_id, app.on_behalf_of.as_deref())
}
