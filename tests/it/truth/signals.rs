//! SIGTERM and SIGINT end every command soon and with code 0, whatever it is doing.

use std::net::TcpListener;
use std::path::PathBuf;

use crate::process::{Exporter, Folder, Program, exporter_args};

/// An exporter of an API that never answers.
fn config(silent: &TcpListener, folder: &Folder) -> PathBuf {
    let text = format!(
        "state: {{ path: {} }}\n\
         apps: [{{ app_id: sim, base_url: 'http://{}/v3', api_key: k }}]\n",
        folder.state().display(),
        silent.local_addr().unwrap(),
    );
    folder.config("exporter.yaml", &text)
}

/// Starts each command and waits until it is at work.
fn at_work(silent: &TcpListener, folder: &Folder) -> [Program; 3] {
    let run = Exporter::start(&config(silent, folder)).program;
    // From here on a request is under way.
    let (_asked, _) = silent.accept().unwrap();
    let mut demo = Program::start(&DEMO);
    demo.says("Prometheus job:");
    let mut simulate = Program::start(&SIMULATE);
    simulate.says("truth:");
    [run, demo, simulate]
}

const DEMO: [&str; 2] = ["demo", "--web.listen-address=127.0.0.1:0"];
const SIMULATE: [&str; 2] = ["simulate", "--web.listen-address=127.0.0.1:0"];

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

#[test]
fn a_signal_right_after_the_first_line_is_no_crash() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = Folder::new();
    let mut run = Program::start(&exporter_args(&config(&silent, &folder)));
    run.logs("starting cometchat-exporter");
    run.ends_on("TERM");
    let mut simulate = Program::start(&SIMULATE);
    simulate.says("A simulated app");
    simulate.ends_on("TERM");
}
