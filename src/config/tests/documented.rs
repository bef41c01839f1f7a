//! Whatever can be set is in `docs/configuration.md`.

use std::path::Path;

use clap::CommandFactory;

use crate::config::cli::Cli;
use crate::config::keys;

#[test]
fn every_flag_and_key_is_documented() {
    let page = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md"),
    )
    .expect("the page is there");
    let mut missing = Vec::new();
    let root = Cli::command();
    for command in std::iter::once(&root).chain(root.get_subcommands()) {
        for flag in command.get_arguments().filter_map(|argument| argument.get_long()) {
            missing.push(format!("`--{flag}"));
        }
        missing.push(format!("`{}", command.get_name()));
    }
    for section in keys::SECTIONS {
        for (key, _) in section.keys {
            let prefix = if section.name == "apps" { "apps[]" } else { section.name };
            missing.push(format!("`{prefix}.{key}`"));
        }
    }
    for variable in ["APP_ID", "REGION", "API_KEY_FILE", "API_KEY"] {
        missing.push(format!("`COMETCHAT_{variable}`"));
    }
    missing.retain(|word| !page.contains(word.as_str()));
    assert!(missing.is_empty(), "not in docs/configuration.md: {missing:?}");
}
