//! The units, and the Debian package round them.

use std::process::Command;

use super::{check_config, content, read, root};

const UNITS: [&str; 2] = ["cometchat-exporter.service", "cometchat-exporter.socket"];
/// Of 100 at most, the fewer the better: what the unit can reach although it need not. Sockets of the
/// network and of unix weigh 9.
const EXPOSURE_MAX: &str = "12";

/// `None` where systemd is not installed.
fn analyze(args: &[&str]) -> Option<Command> {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        eprintln!("left out: there is no systemd-analyze on this machine");
        return None;
    }
    let mut command = Command::new("systemd-analyze");
    command.args(args);
    Some(command)
}

#[test]
fn systemd_understands_the_units() {
    let folder = crate::process::Folder::new();
    // The program is not installed on this machine; everything else stays as it is.
    let program = env!("CARGO_BIN_EXE_cometchat-exporter");
    let paths = UNITS.map(|name| {
        let text = read(&format!("deploy/systemd/{name}"));
        folder.config(name, &text.replace("/usr/bin/cometchat-exporter", program))
    });
    let Some(mut verify) = analyze(&["verify", "--man=no"]) else { return };
    let output = verify.args(&paths).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    // It looks at the units of the machine, too.
    let ours: Vec<_> = said.lines().filter(|line| line.contains("cometchat")).collect();
    assert!(output.status.success() && ours.is_empty(), "{said}");
}

#[test]
fn the_unit_reaches_only_what_it_needs() {
    let unit = root("deploy/systemd/cometchat-exporter.service");
    let threshold = format!("--threshold={EXPOSURE_MAX}");
    let Some(mut security) = analyze(&["security", "--offline=true", "--no-pager", &threshold])
    else {
        return;
    };
    content(security.arg(unit));
}

#[test]
fn the_example_is_a_configuration_whose_key_and_state_are_where_the_unit_puts_them() {
    let example = read("deploy/systemd/config.yaml");
    check_config(&example.replace("YOUR-APP-ID", "0123456789abcdef"));
    let unit = read("deploy/systemd/cometchat-exporter.service");
    let (_, credential) = unit.split_once("LoadCredential=").unwrap();
    let (name, _) = credential.split_once(':').unwrap();
    assert!(example.contains(&format!("/run/credentials/cometchat-exporter.service/{name}\n")));
    assert!(unit.contains("\nStateDirectory=cometchat-exporter\n"));
    assert!(example.contains("path: /var/lib/cometchat-exporter/"));
}

#[test]
fn the_socket_is_on_the_usual_port() {
    let port = "10180";
    assert!(
        read("deploy/systemd/cometchat-exporter.socket")
            .contains(&format!("ListenStream={port}\n"))
    );
    assert!(read("Dockerfile").contains(&format!("EXPOSE {port}\n")));
}
