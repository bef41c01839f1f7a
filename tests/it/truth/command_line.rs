//! What keeps an exporter from starting on a state file: one sentence, and exit code 1.

use super::stage::{Setting, Stage};
use crate::process::{Program, exporter_args, until};
use std::time::Duration;

#[test]
fn a_state_that_counts_from_another_date_is_refused() {
    let stage = Stage::new(Setting { world: &["--seed=12"], ..Setting::default() });
    let exporter = stage.exporter();
    until("the first poll", Duration::from_secs(30), || {
        exporter.scrape().sum("cometchat_up", &[]).filter(|&up| up == 1.0)
    });
    exporter.program.ends_on("TERM");

    let text = std::fs::read_to_string(&stage.config).unwrap();
    let other = text.replace("from: now", "from: 2026-01-31T00:00:00Z");
    assert_ne!(text, other);
    let other = stage.folder.config("other.yaml", &other);
    let (code, said) = Program::start(&exporter_args(&other)).ends();
    assert_eq!(code, Some(1), "{said}");
    let parts = [
        "app `under test`: the state counts since ",
        ", but count.from says 2026-01-31T00:00:00Z: remove count.from to go on counting, \
         or start anew with another --state.path",
    ];
    assert!(parts.iter().all(|part| said.contains(part)), "{said}");

    // The refusal has changed nothing: the state still serves the first configuration.
    stage.exporter().program.ends_on("TERM");
}

#[test]
fn a_second_exporter_on_the_same_state_file_is_refused() {
    let stage = Stage::new(Setting { world: &["--seed=13"], ..Setting::default() });
    let first = stage.exporter();
    let (code, said) = Program::start(&exporter_args(&stage.config)).ends();
    assert_eq!(code, Some(1), "{said}");
    let sentence = format!(
        "state file {} is in use by another exporter: stop it or give this one another \
         --state.path",
        stage.folder.state().display()
    );
    assert!(said.contains(&sentence), "{said}");
    first.program.ends_on("TERM");
}
