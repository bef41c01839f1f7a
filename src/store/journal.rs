//! A long reading of the past, kept until it is written out: one file that only grows.
//!
//! A record holds what was found since the one before it, and all that is needed to go on behind it.
//! A kill in the middle of a record leaves a torn end, which the next start cuts off: what it held
//! is read from the API again.

mod record;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{AppId, MemoryStore, Store};
use crate::ledger::{Rules, Steps, Timetable, Totals};
use crate::sweep::{Changes, Saved};
use record::{HEAD_BYTES, Head};

/// Samples whose sums are in memory at once while the journal is read.
const SAMPLES_AT_ONCE: u32 = 512;

/// What the file begins with.
const MARK: &[u8; 8] = b"ccebf\0\0\x01";
/// Where the first record stands.
const BEGIN: u64 = MARK.len() as u64;

/// What a journal is of: it goes on only under the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// The app.
    pub app: AppId,
    /// The samples that are made.
    pub timetable: Timetable,
    /// What counts.
    pub rules: Rules,
}

/// What is wrong with a journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process is at it.
    #[error("{} is in use by another backfill: let that one end", .0.display())]
    Held(PathBuf),
    /// It is something else, or of a later version.
    #[error(
        "{} is no journal of a backfill by this version of cometchat-exporter: \
         it is left as it is; move it away to start anew",
        .0.display()
    )]
    Foreign(PathBuf),
    /// It would be a mixture.
    #[error(
        "{} was begun for another app or under other settings: remove it to start anew",
        .0.display()
    )]
    Different(PathBuf),
    /// The system said no.
    #[error("cannot use {}: {error}; whatever it holds is kept", path.display())]
    Io {
        /// The journal.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    heading: Heading,
    /// Where each record stands, and which samples it has.
    records: Vec<(u64, Head)>,
    end: u64,
}

impl Journal {
    /// What the journal at this path is of; `None` where there is none yet.
    ///
    /// # Errors
    /// A file that is something else, or cannot be read.
    pub fn heading_of(path: &Path) -> Result<Option<Heading>, JournalError> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(path)(error)),
        };
        let mut file = BufReader::new(file);
        let mut mark = Vec::new();
        (&mut file).take(MARK.len() as u64).read_to_end(&mut mark).map_err(failed(path))?;
        if !MARK.starts_with(&mark) {
            return Err(JournalError::Foreign(path.into()));
        }
        // One that was killed before the first record was whole has not begun.
        let Some((_, bytes)) = read_record(&mut file).map_err(failed(path))? else {
            return Ok(None);
        };
        let heading = record::decode_heading(&bytes);
        heading.map(Some).map_err(|_| JournalError::Foreign(path.into()))
    }

    /// Opens the journal, or begins one. Puts the ledger of its end into `ledger`, and returns the
    /// state to go on from.
    ///
    /// # Errors
    /// A file that another process holds, that is something else, that was begun under other
    /// settings, or that cannot be read or written.
    pub fn open(
        path: &Path,
        heading: Heading,
        ledger: &MemoryStore,
    ) -> Result<(Self, Option<Saved>), JournalError> {
        let begun = Self::heading_of(path)?;
        if begun.as_ref().is_some_and(|begun| *begun != heading) {
            return Err(JournalError::Different(path.into()));
        }
        let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path);
        let file = file.map_err(failed(path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::Held(path.into())),
            Err(TryLockError::Error(error)) => return Err(failed(path)(error)),
        }
        let mut journal =
            Self { file, path: path.into(), heading, records: Vec::new(), end: BEGIN };
        let saved = if begun.is_some() {
            journal.replay(ledger)?
        } else {
            journal.file.set_len(0).map_err(failed(path))?;
            journal.file.write_all(MARK).map_err(failed(path))?;
            let bytes = record::encode_heading(&journal.heading);
            journal.write(Head::of(0, 0, &bytes), &bytes)?;
            None
        };
        Ok((journal, saved))
    }

    fn replay(&mut self, ledger: &MemoryStore) -> Result<Option<Saved>, JournalError> {
        let failed = failed(&self.path);
        let mut reader = BufReader::new(&self.file);
        reader.seek(SeekFrom::Start(BEGIN)).map_err(&failed)?;
        let (mut end, mut saved) = (BEGIN, None);
        while let Some((head, bytes)) = read_record(&mut reader).map_err(&failed)? {
            if end > BEGIN {
                // Its hash is right: it is no torn end, but of another version.
                let decoded = record::decode(&bytes);
                let changes = decoded.map_err(|_| JournalError::Foreign(self.path.clone()))?;
                // A ledger in memory takes whatever it is given.
                let _ = ledger.commit(&self.heading.app, &changes);
                saved = Some(changes.saved);
                self.records.push((end, head));
            }
            end += HEAD_BYTES as u64 + u64::from(head.n_bytes);
        }
        drop(reader);
        self.file.set_len(end).map_err(&failed)?;
        self.end = end;
        Ok(saved)
    }

    /// Makes durable what was found since the last time, and the state behind it.
    ///
    /// # Errors
    /// A disk that is full or broken; the journal ends where it did before.
    pub fn append(&mut self, steps: &Steps, changes: &Changes) -> Result<(), JournalError> {
        let bytes = record::encode(steps, changes);
        let first = steps.0.first_key_value().map_or(u32::MAX, |(sample, _)| *sample);
        let last = steps.0.last_key_value().map_or(0, |(sample, _)| *sample);
        let head = Head::of(first, last, &bytes);
        let at = self.end;
        self.write(head, &bytes)?;
        self.records.push((at, head));
        Ok(())
    }

    fn write(&mut self, head: Head, bytes: &[u8]) -> Result<(), JournalError> {
        let record = [&head.to_bytes()[..], bytes].concat();
        let written = self.file.write_all(&record).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // A torn record in the middle would cost all that stands behind it.
            let _ = self.file.set_len(self.end);
            return Err(failed(&self.path)(error));
        }
        self.end += record.len() as u64;
        Ok(())
    }

    /// Gives the sums at each sample, in order, as far as there are `n_samples`: `each` gets the
    /// samples that have the same sums.
    ///
    /// # Errors
    /// A file that cannot be read, or was changed by something else.
    pub fn each_sum(
        &self,
        n_samples: usize,
        each: &mut dyn FnMut(Range<usize>, &Arc<Totals>),
    ) -> Result<(), JournalError> {
        let mut sums = Arc::<Totals>::default();
        let mut since = 0;
        let mut window = 0..SAMPLES_AT_ONCE;
        while (window.start as usize) < n_samples {
            for (sample, more) in self.steps(&window)?.0 {
                let sample = (sample as usize).min(n_samples);
                if sample > since {
                    each(since..sample, &sums);
                }
                Arc::make_mut(&mut sums).merge(&more);
                since = sample;
            }
            window = window.end..window.end.saturating_add(SAMPLES_AT_ONCE);
        }
        if since < n_samples {
            each(since..n_samples, &sums);
        }
        Ok(())
    }

    fn steps(&self, window: &Range<u32>) -> Result<Steps, JournalError> {
        let failed = failed(&self.path);
        let mut steps = Steps::default();
        let mut file = &self.file;
        for (at, head) in &self.records {
            if head.first >= window.end || head.last < window.start {
                continue;
            }
            file.seek(SeekFrom::Start(*at)).map_err(&failed)?;
            let read = read_record(&mut file).map_err(&failed)?;
            let decoded = read.and_then(|(_, bytes)| {
                record::each_step(&bytes, &mut |sample, more| {
                    if window.contains(&sample) {
                        steps.merge(sample, more);
                    }
                })
                .ok()
            });
            decoded.ok_or_else(|| JournalError::Foreign(self.path.clone()))?;
        }
        Ok(steps)
    }

    /// Ends the journal: what it was for is written.
    ///
    /// # Errors
    /// A file that cannot be removed.
    pub fn remove(self) -> Result<(), JournalError> {
        std::fs::remove_file(&self.path).map_err(failed(&self.path))
    }
}

/// The next record; `None` where there is no whole one.
fn read_record(file: &mut impl Read) -> io::Result<Option<(Head, Vec<u8>)>> {
    let mut head = [0; HEAD_BYTES];
    if !fill(file, &mut head)? {
        return Ok(None);
    }
    let head = Head::from_bytes(head);
    let mut bytes = Vec::new();
    // No more memory than there are bytes.
    file.take(head.n_bytes.into()).read_to_end(&mut bytes)?;
    Ok(head.fits(&bytes).then_some((head, bytes)))
}

fn fill(file: &mut impl Read, bytes: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> JournalError + use<> {
    let path = path.to_owned();
    move |error| JournalError::Io { path: path.clone(), error }
}

#[cfg(test)]
mod tests;
