//! The crates that others wrote: which may be shipped, and whether each is needed.

use std::collections::BTreeSet;
use std::process::Command;

use super::none;
use super::source::{read, root, sources};

const ALLOWED: [&str; 8] = [
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Zlib",
];

/// What a user is shipped, and what is built on the way.
const BUILT: &str = "--edges=normal,build";
const SHIPPED: &str = "--edges=normal,no-proc-macro";

/// Crates of which two versions are built, since their users have not agreed yet.
const TWICE: [&str; 2] = ["getrandom", "syn"];

fn cargo_tree(edges: &str, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--prefix=none", edges])
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Whether each part of a licence that holds has an alternative that is allowed.
fn is_allowed(licence: &str) -> bool {
    let alternatives = |part: &str| -> bool {
        part.replace('/', " OR ")
            .split(" OR ")
            .any(|name| ALLOWED.contains(&name.trim_matches(|char| " ()".contains(char))))
    };
    licence.split(" AND ").all(alternatives)
}

#[test]
fn licences_are_read_as_written() {
    for good in ["MIT", "MIT/Apache-2.0", "(MIT OR Apache-2.0) AND Unicode-3.0", "0BSD OR MIT"] {
        assert!(is_allowed(good), "{good}");
    }
    for bad in ["", "MPL-2.0", "MIT AND GPL-3.0-only", "(MIT OR ISC) AND OpenSSL"] {
        assert!(!is_allowed(bad), "{bad}");
    }
}

#[test]
fn every_crate_may_be_shipped() {
    let tree = cargo_tree(BUILT, &["--format={p}|{l}|"]);
    let mut violations = Vec::new();
    for line in tree.lines().filter(|line| !line.trim().is_empty()) {
        let mut fields = line.split('|');
        let (package, licence) = (fields.next().unwrap(), fields.next().unwrap());
        if !is_allowed(licence) {
            violations.push(format!("{package}: `{licence}`"));
        }
    }
    violations.sort();
    violations.dedup();
    none(&violations, "use another crate, or allow the licence in tests/it/tidy/crates.rs");
}

#[test]
fn every_crate_that_is_shipped_is_named_with_its_licence() {
    let targets = ["x86_64", "aarch64"].map(|cpu| format!("--target={cpu}-unknown-linux-gnu"));
    let tree = cargo_tree(SHIPPED, &[&targets[0], &targets[1], "--format={p}|{l}|"]);
    let row = |line: &str| {
        let (package, licence) = line.split_once('|')?;
        let (name, _) = package.split_once(' ')?;
        let licence = licence.trim_end_matches(" (*)").trim_end_matches('|');
        (name != env!("CARGO_PKG_NAME")).then(|| format!("| `{name}` | {licence} |"))
    };
    let shipped: BTreeSet<String> = tree.lines().filter_map(row).collect();
    let page = read("THIRD_PARTY.md").unwrap();
    let named: BTreeSet<String> =
        page.lines().filter(|line| line.starts_with("| `")).map(str::to_owned).collect();
    let violations: Vec<_> = shipped.symmetric_difference(&named).cloned().collect();
    none(&violations, "python3 tests/tools/third_party.py > THIRD_PARTY.md");
    let count = format!("\n{} crates are in the program", shipped.len());
    assert!(page.contains(&count), "THIRD_PARTY.md says another number than {}", shipped.len());
}

#[test]
fn no_crate_is_built_in_two_versions() {
    let tree = cargo_tree(BUILT, &["--duplicates", "--depth=0"]);
    let name = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    let mut violations: Vec<_> = tree.lines().map(name).filter(|name| !name.is_empty()).collect();
    violations.retain(|name| !TWICE.contains(&name.as_str()));
    violations.dedup();
    none(&violations, "bring the users to one version (`cargo tree --duplicates` names them)");
}

#[test]
fn every_dependency_is_used_and_explained() {
    let reasons = read("CONTRIBUTING.md").unwrap();
    let manifest = read("Cargo.toml").unwrap();
    let code: String = sources().into_iter().map(|source| source.text).collect();
    let mut violations = Vec::new();
    for section in ["[dependencies]", "[dev-dependencies]"] {
        let (_, rest) = manifest.split_once(&format!("\n{section}\n")).unwrap();
        let lines = rest.lines().take_while(|line| !line.starts_with('['));
        for (name, _) in lines.filter_map(|line| line.split_once(" = ")) {
            if !code.contains(&format!("{}::", name.replace('-', "_"))) {
                violations.push(format!("{name}: not used"));
            }
            if !reasons.contains(&format!("\n| `{name}` ")) {
                violations.push(format!("{name}: not in the table of CONTRIBUTING.md"));
            }
        }
    }
    none(&violations, "take it out of Cargo.toml, or say why it is there");
}
