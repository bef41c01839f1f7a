//! Commands whose output nobody reads any more, as in `doctor | head`.

use std::process::Stdio;

use super::{Folder, binary};

/// The output has no reader from the start; what else was said is returned.
#[track_caller]
fn unheard(args: &[&str]) -> String {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = binary(args);
    let output = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    let output = output.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{args:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_command_whose_output_nobody_reads_ends_quietly() {
    let folder = Folder::new();
    let text = "state: {path: memory}\napps: [{app_id: x, region: us, api_key: k}]\n";
    let config = format!("--config.file={}", folder.config("exporter.yaml", text).display());
    for args in [
        &["completions", "bash"][..],
        &["man"],
        &["config-schema"],
        &["check-config", &config],
        &["simulate", "--web.listen-address=127.0.0.1:0"],
    ] {
        assert_eq!(unheard(args), "", "{args:?}");
    }
    // It asks nobody: the first line is about the state.
    let said = unheard(&["doctor", &config]);
    assert!(said.starts_with("Asking the API") && said.lines().count() == 1, "{said}");
    let said = unheard(&["demo", "--web.listen-address=127.0.0.1:0"]);
    assert!(!said.contains("panicked") && !said.contains("roken pipe"), "{said}");
}
