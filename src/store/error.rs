//! Why the state could not be read or written, by what is done next.

use std::io;
use std::path::{Path, PathBuf};

use super::codec::Malformed;

/// What is wrong with the state. Each says what happened, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Somebody else must stop first.
    #[error(
        "state file {} is in use by another exporter: stop it or give this one another --state.path",
        path.display()
    )]
    Held {
        /// The state file.
        path: PathBuf,
    },
    /// This process must start again: what it remembers is older than the file.
    #[error(
        "state file {} was taken over by another exporter while it could not be used; \
         restart this one, or give it another --state.path",
        path.display()
    )]
    TakenOver {
        /// The state file.
        path: PathBuf,
    },
    /// The file or its folder must be made writable, or there is no space; trying again is right.
    #[error("cannot use state file {}: {why}; {advice}", path.display())]
    Unwritable {
        /// The state file.
        path: PathBuf,
        /// What the system said.
        why: String,
        /// What to do.
        advice: String,
    },
    /// There is a file, and it is something else.
    #[error(
        "{} is no state file of cometchat-exporter ({why}); it is left as it is: \
         give another --state.path",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        why: String,
    },
    /// The file does not hold what was written to it.
    #[error(
        "state file {} is damaged ({why}); it is left as it is: put a backup in its place, \
         or move it away and start anew, with the counters at 0",
        path.display()
    )]
    Damaged {
        /// The state file.
        path: PathBuf,
        /// Where it was noticed.
        why: String,
    },
    /// A later version wrote it.
    #[error(
        "state file {} was written by a newer version of cometchat-exporter \
         (format {found}, this one knows {known}); use that version or give another --state.path",
        path.display()
    )]
    Newer {
        /// The state file.
        path: PathBuf,
        /// The version in the file.
        found: u64,
        /// The newest that this program reads.
        known: u64,
    },
}

impl StoreError {
    /// From what the operating system said about the file.
    pub(super) fn from_io(path: &Path, error: &io::Error) -> Self {
        let folder = path.parent().unwrap_or(path).display();
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the kinds of I/O errors are open-ended; those named are the ones with a cure"
        )]
        let advice = match error.kind() {
            io::ErrorKind::NotFound => {
                format!("create the folder {folder}, or give another --state.path")
            }
            io::ErrorKind::NotADirectory => {
                format!("{folder} is no folder: give another --state.path")
            }
            io::ErrorKind::IsADirectory => {
                "--state.path names a folder: add the name of a file".to_owned()
            }
            io::ErrorKind::PermissionDenied => format!(
                "let the user of this process write the file and its folder {folder} (chown), \
                 or give another --state.path"
            ),
            io::ErrorKind::ReadOnlyFilesystem => {
                format!("mount {folder} writable, or give another --state.path")
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                format!("make room in {folder}; writing is tried again")
            }
            _ => format!("check the disk under {folder}; writing is tried again"),
        };
        let why = error.to_string();
        // The number of the system's error helps nobody who has its words.
        let why = why.split_once(" (os error").map_or(&*why, |(words, _)| words).to_owned();
        Self::Unwritable { path: path.to_owned(), why, advice }
    }

    /// From what the database said about the file.
    pub(super) fn from_database(path: &Path, error: redb::Error) -> Self {
        let path = path.to_owned();
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the database's errors are open-ended; what is left can only come from bytes \
                      that it did not write"
        )]
        match error {
            redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => {
                Self::Held { path }
            }
            redb::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
                Self::Foreign { path, why: error.to_string() }
            }
            redb::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Self::Damaged { path, why: "it is shorter than it was".to_owned() }
            }
            redb::Error::Io(error) => Self::from_io(&path, &error),
            redb::Error::PreviousIo
            | redb::Error::DatabaseClosed
            | redb::Error::TransactionPoisoned => Self::Unwritable {
                path,
                why: "an earlier write failed".to_owned(),
                advice: "it is opened anew at the next try".to_owned(),
            },
            redb::Error::UpgradeRequired(version) => {
                Self::Foreign { path, why: format!("a database of file format {version}") }
            }
            other => Self::Damaged { path, why: other.to_string() },
        }
    }

    /// From bytes that are no record.
    pub(super) fn from_record(path: &Path, error: Malformed) -> Self {
        let path = path.to_owned();
        match error {
            Malformed::Newer { found, known } => {
                Self::Newer { path, found: found.into(), known: known.into() }
            }
            Malformed::Short | Malformed::Long | Malformed::Value => {
                Self::Damaged { path, why: error.to_string() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(path: &str, kind: io::ErrorKind, expected: Expect) {
        expected.assert_eq(&StoreError::from_io(Path::new(path), &kind.into()).to_string());
    }

    #[test]
    fn each_cause_with_a_cure_names_it() {
        check(
            "/data/state.redb",
            io::ErrorKind::NotFound,
            expect![
                "cannot use state file /data/state.redb: entity not found; create the folder /data, or give another --state.path"
            ],
        );
        check(
            "/data/state.redb",
            io::ErrorKind::PermissionDenied,
            expect![
                "cannot use state file /data/state.redb: permission denied; let the user of this process write the file and its folder /data (chown), or give another --state.path"
            ],
        );
        check(
            "/data/state.redb",
            io::ErrorKind::ReadOnlyFilesystem,
            expect![
                "cannot use state file /data/state.redb: read-only filesystem or storage medium; mount /data writable, or give another --state.path"
            ],
        );
        check(
            "/data/state.redb",
            io::ErrorKind::StorageFull,
            expect![
                "cannot use state file /data/state.redb: no storage space; make room in /data; writing is tried again"
            ],
        );
        check(
            "/data/state.redb",
            io::ErrorKind::Other,
            expect![
                "cannot use state file /data/state.redb: other error; check the disk under /data; writing is tried again"
            ],
        );
    }

    #[test]
    fn a_record_of_a_later_version_calls_for_that_version() {
        let error = StoreError::from_record(
            Path::new("state.redb"),
            Malformed::Newer { found: 3, known: 1 },
        );
        expect!["state file state.redb was written by a newer version of cometchat-exporter (format 3, this one knows 1); use that version or give another --state.path"].assert_eq(&error.to_string());
    }
}
