//! The dashboards against the types that Grafana publishes, by the compiler of TypeScript.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use super::{NAMES, root};
use crate::process::Folder;
use crate::prometheus::tool;

/// Faults that must be found: a value, a name of an option, a name of a property.
const FAULTS: [(&str, &str); 3] = [
    ("\"drawStyle\": \"line\"", "\"drawStyle\": \"lines\""),
    ("\"reduceOptions\"", "\"reduceOption\""),
    ("\"unit\": \"cpm\"", "\"units\": \"cpm\""),
];

#[test]
fn the_dashboards_are_of_the_types_that_grafana_publishes() {
    let packages = std::env::var("GRAFANA_TYPES");
    let packages = packages.expect("needs GRAFANA_TYPES: run tests/run, which brings it");
    let folder = Folder::new();
    symlink(format!("{packages}/node_modules"), folder.path().join("node_modules")).unwrap();
    let types = fs::read_to_string(root("tests/tools/dashboard_types.ts")).unwrap();
    folder.config("dashboard_types.ts", &types);
    let typed = |json: &str| {
        let head = "import type { Dashboard } from './dashboard_types';";
        format!("{head}\nexport const dashboard: Dashboard = {json}")
    };
    let mut files = Vec::new();
    for name in NAMES {
        let json = fs::read_to_string(root(&format!("grafana/{name}.json"))).unwrap();
        files.push(folder.config(&format!("{name}.ts"), &typed(&json)));
    }
    let calls = fs::read_to_string(root("grafana/calls.json")).unwrap();
    for (idx, (right, wrong)) in FAULTS.iter().enumerate() {
        let broken = typed(&calls.replacen(right, wrong, 1));
        files.push(folder.config(&format!("broken{idx}.ts"), &broken));
    }
    let output = Command::new(tool("NODE", "node"))
        .arg("node_modules/typescript/lib/tsc.js")
        .args(["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022"])
        .args(["--module", "esnext", "--moduleResolution", "bundler", "--pretty", "false"])
        .args(files)
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let of_files: Vec<&str> = said.lines().filter(|line| line.contains(": error TS")).collect();
    let (found, wrong): (Vec<&str>, Vec<&str>) =
        of_files.iter().partition(|line| line.starts_with("broken"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (idx, fault) in FAULTS.iter().enumerate() {
        let file = format!("broken{idx}.ts");
        assert!(found.iter().any(|line| line.starts_with(&file)), "{fault:?}: {said}");
    }
}
