//! SIGTERM and SIGINT end every command soon and with code 0, whatever it is doing.

use std::net::TcpListener;

use crate::process::{Exporter, Folder, Program};

/// Starts each command and waits until it is at work; the listener is an API that never answers.
fn at_work(silent: &TcpListener, folder: &Folder) -> [Program; 3] {
    let config = folder.config(
        "exporter.yaml",
        &format!(
            "state: {{ path: {} }}\n\
             apps: [{{ app_id: sim, base_url: 'http://{}/v3', api_key: k }}]\n",
            folder.state().display(),
            silent.local_addr().unwrap(),
        ),
    );
    let run = Exporter::start(&config).program;
    // From here on a request is under way.
    let (_asked, _) = silent.accept().unwrap();
    let mut demo = Program::start(&["demo", "--web.listen-address=127.0.0.1:0"]);
    demo.says("Metrics:");
    let mut simulate = Program::start(&["simulate", "--web.listen-address=127.0.0.1:0"]);
    simulate.says("truth:");
    [run, demo, simulate]
}

fn check(signal: &str) {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = Folder::new();
    for program in at_work(&silent, &folder) {
        program.ends_on(signal);
    }
}

#[test]
fn sigterm_ends_every_command() {
    check("TERM");
}

#[test]
fn sigint_ends_every_command() {
    check("INT");
}
