//! Whatever can be set is in `docs/configuration.md`.

use std::path::Path;

use clap::CommandFactory;

use crate::config::SCHEMA;
use crate::config::cli::Cli;
use crate::config::keys;
use crate::config::settings::{CountSettings, PollSettings, RECENT_WINDOW_S, StateSettings};

use super::{World, args, load};

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
    std::fs::read_to_string(path).expect("the page is there")
}

#[test]
fn every_flag_and_key_is_documented() {
    let page = page();
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

#[test]
fn the_schema_has_every_key_and_no_other() {
    let schema: serde_json::Value = serde_json::from_str(SCHEMA).expect("it is JSON");
    let names = |properties: &serde_json::Value| -> Vec<String> {
        let mut names: Vec<String> =
            properties.as_object().expect("an object").keys().cloned().collect();
        names.sort_unstable();
        names
    };
    let sorted = |names: Vec<&str>| {
        let mut names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        names.sort_unstable();
        names
    };
    let sections = keys::SECTIONS.map(|section| section.name).to_vec();
    assert_eq!(names(&schema["properties"]), sorted(sections));
    for section in keys::SECTIONS {
        let of_section = &schema["properties"][section.name];
        let of_section = if section.name == "apps" { &of_section["items"] } else { of_section };
        let keys = section.keys.iter().map(|(key, _)| *key).collect();
        assert_eq!(names(&of_section["properties"]), sorted(keys), "{}", section.name);
        assert_eq!(of_section["additionalProperties"], false, "{}", section.name);
    }
}

#[test]
fn the_documented_example_is_valid_and_shows_the_defaults() {
    let page = page();
    let (_, rest) = page.split_once("```yaml\n").expect("there is an example");
    let (yaml, _) = rest.split_once("```").expect("the example ends");
    let world = World::new().file("x.yaml", yaml).file("secrets/staging", "0a1b");
    let settings = load(&args("--config.file=x.yaml"), &world).expect("it is valid").settings;
    assert_eq!(settings.apps.len(), 2);
    assert_eq!(settings.poll, PollSettings::default());
    assert_eq!(settings.count, CountSettings::default());
    assert_eq!(settings.recent_window_s, RECENT_WINDOW_S);
    assert_eq!(settings.breakdown, Default::default());
    assert!(!settings.exemplars && !settings.created);
    assert_eq!(settings.state, StateSettings::default());
}
