//! What is in `deploy/`: each way in is valid for its own tool, hardened, and made of the same rules,
//! dashboards and settings as the rest. Where a tool is not to be had, its test says so and is left out.
#![expect(clippy::disallowed_methods, reason = "a test reads files as it likes")]

mod chart;
mod compose;
mod stack;
mod systemd;

use std::env;
use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

fn root(path: &str) -> String {
    format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))
}

#[track_caller]
fn read(path: &str) -> String {
    fs::read_to_string(root(path)).map_err(|error| format!("{path}: {error}")).unwrap()
}

#[track_caller]
fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).map_err(|error| format!("{error}\n{text}")).unwrap()
}

/// A tool that a variable names and that may be missing.
fn tool(variable: &str) -> Option<Command> {
    let program = env::var(variable).ok();
    if program.is_none() {
        eprintln!("left out: {variable} is not set; tests/run brings it if it can");
    }
    program.map(Command::new)
}

/// What a tool says that must be content.
#[track_caller]
fn content(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let said = [stdout.as_slice(), &stderr].concat();
    assert!(status.success(), "{command:?}:\n{}", String::from_utf8_lossy(&said));
    String::from_utf8(stdout).unwrap()
}

/// The exporter's own word on a configuration, with the key files that only its place has put where the
/// test runs.
#[track_caller]
fn check_config(text: &str) {
    let folder = crate::process::Folder::new();
    let key = folder.config("key", "a-key");
    let is_key = |line: &str| line.contains("api_key_file:");
    let here = |line: &str| {
        let (indent, _) = line.split_once("api_key_file:").unwrap();
        format!("{indent}api_key_file: {}", key.display())
    };
    let lines = text.lines().map(|line| if is_key(line) { here(line) } else { line.to_owned() });
    let config = folder.config("config.yaml", &lines.collect::<Vec<_>>().join("\n"));
    let flag = format!("--config.file={}", config.display());
    // A state in the place of the state.
    content(&mut crate::process::binary(&["check-config", &flag, "--state.path=memory"]));
}
