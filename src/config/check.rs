//! What `check-config` says.

use serde::Serialize;

use super::cli::{CheckArgs, Output};
use super::fault::{Fault, Faults};
use super::load::{Loaded, load};
use super::settings::{CountFrom, KeySource, Settings, StateSettings};
use super::surroundings::Surroundings;
use crate::metrics::Shard;

/// The outcome of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What to print, without a line break at its end.
    pub text: String,
    /// Whether nothing is wrong with the configuration.
    pub is_valid: bool,
}

/// The same for a program.
#[derive(Serialize)]
struct JsonReport<'a> {
    valid: bool,
    faults: Vec<JsonFault<'a>>,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct JsonFault<'a> {
    line: Option<u64>,
    column: Option<u64>,
    message: &'a str,
}

/// Checks a configuration without starting anything.
pub fn check(args: &CheckArgs, around: &dyn Surroundings) -> Report {
    let loaded = load(&args.run, around);
    let is_valid = loaded.is_ok();
    let text = match args.output {
        Output::Text => text(loaded),
        Output::Json => json(loaded),
    };
    Report { text, is_valid }
}

fn text(loaded: Result<Loaded, Faults>) -> String {
    match loaded {
        Ok(loaded) => {
            let mut lines = vec!["the configuration is valid".to_owned()];
            lines.extend(summary(&loaded.settings));
            lines.extend(notes(loaded).into_iter().map(|note| format!("note: {note}")));
            lines.join("\n")
        }
        Err(faults) => faults.to_string(),
    }
}

fn json(loaded: Result<Loaded, Faults>) -> String {
    let (notes, faults) = match loaded {
        Ok(loaded) => (notes(loaded), None),
        Err(faults) => (Vec::new(), Some(faults)),
    };
    let faults: Vec<_> = faults.iter().flat_map(Faults::iter).map(json_fault).collect();
    let report = JsonReport { valid: faults.is_empty(), faults, notes };
    serde_json::to_string_pretty(&report).expect("names of fields and text make JSON")
}

fn json_fault(fault: &Fault) -> JsonFault<'_> {
    let (line, column) = fault.place.map(|place| (place.line, place.column)).unzip();
    JsonFault { line, column, message: &fault.text }
}

fn summary(settings: &Settings) -> [String; 2] {
    let state = match &settings.state {
        StateSettings::Memory => "memory, so counters start at 0 with each start".to_owned(),
        StateSettings::File(path) => path.display().to_string(),
    };
    let names: Vec<_> = settings.apps.iter().map(|app| app.name.as_str()).collect();
    let apps = match settings.shard {
        Shard { count: 1, .. } => format!("apps: {}", names.len()),
        shard if names.is_empty() => format!("apps in shard {shard}: none"),
        shard => format!("apps in shard {shard}: {} ({})", names.len(), names.join(", ")),
    };
    [apps, format!("state: {state}")]
}

fn notes(loaded: Loaded) -> Vec<String> {
    let Loaded { settings, notices: mut notes, .. } = loaded;
    if !matches!(settings.count.from, CountFrom::At(_)) {
        notes.push(
            "count.from is relative to the start of each exporter; two replicas need a date, \
             such as 2026-01-31T00:00:00Z"
                .to_owned(),
        );
    }
    let n_inline =
        settings.apps.iter().filter(|app| matches!(app.key, KeySource::Inline(_))).count();
    if n_inline > 0 {
        notes.push(format!(
            "{n_inline} of {} API keys are given inline; a file is better, and is read again when it changes",
            settings.apps.len()
        ));
    }
    notes
}
