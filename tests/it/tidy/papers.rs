//! Metrics, fixtures and documents that belong to each other.

use std::collections::BTreeSet;

use cometchat_exporter::metrics::catalog::families;
use cometchat_exporter::sim::{Fault, Quirk};

use super::none;
use super::source::{files, read, sources};

/// Ends of the names of fixtures that a test takes by its end.
const BY_END: [&str; 4] = [".ok.yaml", ".ok.txt", ".bad.yaml", ".bad.txt"];

fn data_names() -> Vec<String> {
    let name = |path: std::path::PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    files("tests/data").into_iter().map(name).collect()
}

#[test]
fn every_metric_is_documented_and_stands_in_a_golden_file() {
    let page = read("docs/metrics.md").unwrap();
    let golden: String = data_names()
        .iter()
        .filter(|name| name.ends_with(".prom"))
        .filter_map(|name| read(&format!("tests/data/{name}")))
        .collect();
    let shown: BTreeSet<_> =
        golden.lines().filter_map(|line| line.split(['{', ' ']).next()).collect();
    let mut violations = Vec::new();
    for name in families().map(|family| family.name) {
        if !page.contains(&format!("`{name}`")) {
            violations.push(format!("{name}: not in docs/metrics.md"));
        }
        if !shown.contains(name) && !shown.contains(format!("{name}_count").as_str()) {
            violations.push(format!("{name}: no sample in tests/data/*.prom"));
        }
    }
    none(&violations, "add it; UPDATE_EXPECT=1 cargo test renews both");
}

#[test]
fn every_switch_of_the_simulator_is_documented_in_the_same_words() {
    let page = read("docs/simulator.md").unwrap();
    let quirks = Quirk::ALL.iter().map(|&(_, name, about)| (name, about));
    let faults = Fault::ALL.iter().map(|&(_, name, about)| (name, about));
    let rows = quirks.chain(faults).map(|(name, about)| format!("| `{name}` | {about} |"));
    let violations: Vec<_> = rows.filter(|row| !page.contains(row)).collect();
    none(&violations, "add the row to docs/simulator.md");
}

/// A row of `docs/troubleshooting.md` begins with what is read, with dots for what differs.
#[test]
fn every_message_that_is_explained_is_one_of_ours() {
    let ours = sources().into_iter().filter(|source| source.path.starts_with("src/"));
    // Texts that go over several lines, as one.
    let joined = |text: &str| text.split("\\\n").map(str::trim_start).collect::<String>();
    let code: String = ours.map(|source| joined(&source.text)).collect();
    let page = read("docs/troubleshooting.md").unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let cells = rows.filter_map(|row| row.split(" | ").next());
    let messages = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let parts: Vec<&str> =
        messages.flat_map(|it| it.split('…')).map(str::trim).filter(|it| it.len() > 3).collect();
    assert!(parts.len() > 80, "the rows were not found: {parts:?}");
    let violations: Vec<_> =
        parts.into_iter().filter(|it| !code.contains(it)).map(str::to_owned).collect();
    none(&violations, "say in docs/troubleshooting.md what the exporter says");
}

#[test]
fn every_fixture_is_used() {
    let code: String = sources().into_iter().map(|source| source.text).collect();
    let unused = |name: &String| {
        !BY_END.iter().any(|end| name.ends_with(end)) && !code.contains(name.as_str())
    };
    let violations: Vec<_> = data_names().into_iter().filter(unused).collect();
    none(&violations, "use the fixture in tests/data, or remove it");
}
