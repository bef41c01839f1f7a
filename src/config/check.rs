//! What `check-config` says.

use super::cli::RunArgs;
use super::load::load;
use super::settings::{CountFrom, KeySource, Settings, StateSettings};
use super::surroundings::Surroundings;

/// The outcome of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What to print, without a line break at its end.
    pub text: String,
    /// Whether nothing is wrong with the configuration.
    pub is_valid: bool,
}

/// Checks a configuration without starting anything.
pub fn check(args: &RunArgs, around: &dyn Surroundings) -> Report {
    match load(args, around) {
        Ok(loaded) => {
            let mut lines = vec!["the configuration is valid".to_owned()];
            lines.extend(summary(&loaded.settings));
            let notes = loaded.notices.into_iter().chain(notes(&loaded.settings));
            lines.extend(notes.map(|note| format!("note: {note}")));
            Report { text: lines.join("\n"), is_valid: true }
        }
        Err(faults) => Report { text: faults.to_string(), is_valid: false },
    }
}

fn summary(settings: &Settings) -> [String; 2] {
    let state = match &settings.state {
        StateSettings::Memory => "memory, so counters start at 0 with each start".to_owned(),
        StateSettings::File(path) => path.display().to_string(),
    };
    [format!("apps: {}", settings.apps.len()), format!("state: {state}")]
}

fn notes(settings: &Settings) -> Vec<String> {
    let mut notes = Vec::new();
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
