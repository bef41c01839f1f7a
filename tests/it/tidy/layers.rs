//! Which module may know which, and which foreign crate.

use super::none;
use super::source::{Source, has_word, sources};

/// A module, and the modules that it may import.
const EDGES: [(&str, &[&str]); 11] = [
    ("call", &[]),
    ("ledger", &["call"]),
    ("sweep", &["call", "ledger"]),
    ("metrics", &["call", "ledger"]),
    ("clock", &["call"]),
    ("api", &["call", "sweep"]),
    ("store", &["call", "ledger", "sweep"]),
    ("web", &["metrics"]),
    ("sim", &["call"]),
    ("config", &["call", "ledger", "sweep", "metrics", "api", "store", "web", "sim"]),
    ("main", &["app", "config", "api"]),
];

/// A crate, and the modules that may use it: swapping one touches one place.
const FENCES: [(&str, &[&str]); 16] = [
    ("reqwest", &["api"]),
    ("hyper", &["web", "sim"]),
    ("hyper_util", &["web", "sim"]),
    ("http_body_util", &["web", "sim"]),
    ("prometheus", &["metrics"]),
    ("flate2", &["web"]),
    ("zstd", &["web"]),
    ("clap", &["config", "main"]),
    ("clap_complete", &["config"]),
    ("clap_mangen", &["config"]),
    ("serde_saphyr", &["config"]),
    ("redb", &["store"]),
    ("rustix", &["web"]),
    ("tracing_subscriber", &["app"]),
    ("tracing_logfmt", &["app"]),
    ("anyhow", &["app"]),
];

/// What a pure module has no use for.
const IMPURE: [&str; 12] = [
    "async",
    "tokio",
    "tracing",
    "std::fs",
    "std::net",
    "std::env",
    "std::io",
    "std::process",
    "std::thread",
    "std::time",
    "now()",
    "SystemTime",
];

/// What makes sums depend on the order of reading, or runs differ from each other.
const UNSTABLE: [&str; 4] = ["f64", "f32", "HashMap", "HashSet"];

fn production() -> Vec<Source> {
    sources().into_iter().filter(|source| source.path.starts_with("src/")).collect()
}

#[test]
fn modules_import_only_what_lies_below_them() {
    let mut violations = Vec::new();
    for source in production() {
        let Some((_, allowed)) = EDGES.iter().find(|(module, _)| *module == source.module()) else {
            assert!(
                matches!(source.module(), "app" | "lib"),
                "{}: a new top-level module: give it a line in tests/it/tidy/layers.rs",
                source.path
            );
            continue;
        };
        for imported in imports(&source) {
            if imported != source.module() && !allowed.contains(&imported.as_str()) {
                violations.push(format!("{} imports {imported}", source.path));
            }
        }
    }
    none(&violations, "pass the value in, or let `app` join the two");
}

/// The top-level modules that a file names, by a path from the root of the crate.
fn imports(source: &Source) -> Vec<String> {
    let code: Vec<_> = source.text.lines().map(|line| line.trim_start()).collect();
    let code: Vec<_> = code.into_iter().filter(|line| !line.starts_with("//")).collect();
    let code = code.join("\n");
    let ups = "super::".repeat(source.depth());
    let mut found = Vec::new();
    for root in ["crate::", "cometchat_exporter::", &ups] {
        for (at, _) in code.match_indices(root) {
            let before = &code[..at];
            if root == ups && before.ends_with("super::")
                || before.ends_with(|char: char| char.is_alphanumeric() || char == '_')
            {
                continue;
            }
            found.extend(first_names(&code[at + root.len()..]));
        }
    }
    // A macro or an item at the root is no module.
    found.retain(|name| EDGES.iter().any(|(module, _)| module == name) || name == "app");
    found
}

/// The names at the head of a path, or of each path in `{…}`.
fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim_start()
            .chars()
            .take_while(|char| char.is_alphanumeric() || *char == '_')
            .collect()
    };
    let Some(list) = path.strip_prefix('{') else { return vec![name(path)] };
    let mut names = vec![name(list)];
    let mut depth = 1;
    for (at, char) in list.char_indices() {
        match char {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => names.push(name(&list[at + 1..])),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

#[test]
fn imports_are_found_however_they_are_written() {
    let text = "use crate::call::{Moment, Kind};\nuse crate::{ledger::{A, sweep}, store};\n\
                // use crate::app;\nlet x = super::super::web::y();\nuse super::api;\n";
    let source = Source { path: "src/sim/world.rs".into(), text: text.into() };
    assert_eq!(imports(&source), ["call", "ledger", "store", "web"]);
}

#[test]
fn foreign_crates_stay_behind_their_fences() {
    let mut violations = Vec::new();
    for source in production() {
        for (foreign, allowed) in FENCES {
            let path = format!("{foreign}::");
            let uses = |(_, line): (usize, &str)| {
                line.match_indices(&path).any(|(at, _)| {
                    !line[..at]
                        .ends_with(|char: char| char.is_alphanumeric() || "_:".contains(char))
                })
            };
            if !allowed.contains(&source.module()) && source.code().any(uses) {
                violations.push(format!("{} uses {foreign}", source.path));
            }
        }
    }
    none(&violations, "let the module that owns the crate offer what is needed");
}

#[test]
fn the_core_has_no_clock_no_input_and_no_output() {
    let mut violations = Vec::new();
    for source in production().iter().filter(|source| !source.is_test()) {
        let words = match source.module() {
            "call" | "ledger" | "sweep" => [&IMPURE[..], &UNSTABLE].concat(),
            "metrics" => IMPURE.to_vec(),
            _ => continue,
        };
        for (number, line) in source.code() {
            for word in words.iter().filter(|word| has_word(line, word)) {
                violations.push(format!("{}:{number}: {word}", source.path));
            }
        }
    }
    none(&violations, "take the value as an argument; use integers and ordered maps");
}
