//! What can be said of the state file without taking it: an exporter may be at work on it.

use std::path::Path;

use super::findings::{Finding, Verdict, finding};
use crate::app::app_task::id_of;
use crate::app::{epoch, words};
use crate::call::Timestamp;
use crate::config::settings::{AppSettings, CountFrom, StateSettings};
use crate::store::StoreError;
use crate::store::file::inspect::{Holder, Inspection, holder, inspect};

/// What was found.
pub(super) struct State {
    finding: Finding,
    /// What the file holds, if there is one that can be read.
    inspection: Option<Inspection>,
}

impl State {
    /// Looks at the file.
    pub(super) fn look(state: &StateSettings) -> Self {
        let (finding, inspection) = match state {
            StateSettings::Memory => {
                let text = "in memory: counters start at 0 with each start";
                (finding("state", Verdict::Note, text), None)
            }
            StateSettings::File(path) => file(path),
        };
        Self { finding, inspection }
    }

    /// What is to be said of the file itself.
    pub(super) const fn finding(&self) -> &Finding {
        &self.finding
    }

    /// Since when an app is counted, where the file can tell.
    pub(super) fn of_app(
        &self,
        app: &AppSettings,
        from: CountFrom,
        now: Timestamp,
    ) -> Option<Finding> {
        let inspection = self.inspection.as_ref()?;
        let id = id_of(app);
        let epoch = inspection.apps.iter().find(|(of, _)| *of == id).map(|(_, epoch)| *epoch);
        Some(match (epoch, epoch::conflict(from, epoch, now)) {
            (_, Some(why)) => {
                // Its advice stands behind the colon, as in the log.
                let (what, advice) = why.rsplit_once(": ").unwrap_or((&why, ""));
                finding("counting", Verdict::Fail, what).advise(advice)
            }
            (Some(epoch), None) => {
                finding("counting", Verdict::Ok, format!("calls since {}", words::date(epoch)))
            }
            (None, None) => {
                finding("counting", Verdict::Note, "begins with the first start of the exporter")
            }
        })
    }
}

fn file(path: &Path) -> (Finding, Option<Inspection>) {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let shown = path.display();
    match std::fs::metadata(&path) {
        Ok(file) if file.is_dir() => {
            let fails = finding("state", Verdict::Fail, format!("{shown} is a folder"));
            (fails.advise("add the name of a file to --state.path"), None)
        }
        Ok(file) if file.len() > 0 => read(&path),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => read(&path),
        Ok(_) | Err(_) if path.parent().is_none_or(Path::is_dir) => {
            let text = format!("{shown} will be created at the first start");
            (finding("state", Verdict::Ok, text), None)
        }
        Ok(_) | Err(_) => {
            let text = format!("{shown}: there is no such folder");
            let fails = finding("state", Verdict::Fail, text);
            (fails.advise("create the folder, or give another --state.path"), None)
        }
    }
}

fn read(path: &Path) -> (Finding, Option<Inspection>) {
    let held = holder(path);
    let by = held.as_ref().map(in_words).unwrap_or_default();
    match inspect(path) {
        Ok(inspection) => {
            let text = format!(
                "{}: format {}, {} MB, {} calls known by id{by}",
                path.display(),
                inspection.format.unwrap_or_default(),
                megabytes(inspection.size_bytes),
                inspection.n_calls
            );
            (finding("state", Verdict::Ok, text), Some(inspection))
        }
        Err(StoreError::Damaged { .. }) if held.is_some() => {
            let text = format!("{}{by}, and changes while it is read", path.display());
            (finding("state", Verdict::Note, text), None)
        }
        Err(error) => (finding("state", Verdict::Fail, error.to_string()), None),
    }
}

fn in_words(holder: &Holder) -> String {
    match (holder.pid, &holder.program) {
        (Some(pid), Some(program)) => format!("; in use by process {pid} ({program})"),
        (Some(pid), None) => format!("; in use by process {pid}"),
        (None, _) => "; in use by a process that cannot be seen from here".to_owned(),
    }
}

/// With one digit behind the point.
fn megabytes(bytes: u64) -> String {
    let tenths = bytes.div_ceil(100_000);
    format!("{}.{}", tenths / 10, tenths % 10)
}
