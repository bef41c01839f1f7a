//! The JSON Schema of the configuration, held against files by a validator of others.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::process::Program;
use crate::prometheus::{feed, tool};

/// Faults that a schema can see: of structure, not of meaning.
const INVALID: [&str; 5] = [
    "apps-no-list.bad.yaml",
    "empty-apps.bad.yaml",
    "top-level-list.bad.yaml",
    "unknown-key.bad.yaml",
    "wrong-shapes.bad.yaml",
];

#[test]
fn every_valid_configuration_fits_the_schema_and_others_do_not() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let is_valid = |path: &PathBuf| path.to_string_lossy().ends_with(".ok.yaml");
    let valid: Vec<PathBuf> = files.filter(is_valid).collect();
    assert!(valid.len() >= 4, "{valid:?}");
    let (code, schema) = Program::start(&["config-schema"]).ends();
    assert_eq!(code, Some(0), "{schema}");
    let mut check = Command::new(tool("PYTHON", "python3"));
    check.arg("tests/tools/check_schema.py").arg("--valid").args(valid);
    check.arg("--invalid").args(INVALID.map(|name| folder.join(name)));
    let output = feed(check.current_dir(env!("CARGO_MANIFEST_DIR")), &schema);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
