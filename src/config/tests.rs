//! The whole way from flags, variables and files to settings or faults.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use clap::Parser;
use expect_test::{Expect, expect, expect_file};

use super::cli::{CheckArgs, Cli, Command, Output, RunArgs};
use super::settings::{CountFrom, KeySource, StateSettings};
use super::*;

mod documented;
mod hostile;

/// The inline key of the fixtures, which no text may ever show.
const SECRET: &str = "hush-hush-very-secret";

/// A world of maps.
#[derive(Clone, Default)]
struct World {
    variables: BTreeMap<String, String>,
    files: BTreeMap<PathBuf, String>,
}

impl World {
    /// A few key files, and nothing else.
    fn new() -> Self {
        World::default()
            .file("/run/secrets/cometchat", "0a1b2c3d\n")
            .file("keys/staging", "4e5f")
            .file("/run/secrets/empty", " \n")
            .file("/run/secrets/two-lines", "0a1b\n2c3d\n")
    }

    fn file(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.into(), text.into());
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }
}

impl Surroundings for World {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn read(&self, path: &Path) -> io::Result<String> {
        if path.ends_with("locked") {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.files.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn args(line: &str) -> RunArgs {
    let words = std::iter::once("cometchat-exporter").chain(line.split_whitespace());
    let Ok(Command::Run(args)) = Cli::try_parse_from(words).map(Cli::into_command) else {
        unreachable!("{line}: not run")
    };
    args
}

fn load_text(yaml: &str) -> Result<Loaded, Faults> {
    load(&args("--config.file=x.yaml"), &World::new().file("x.yaml", yaml))
}

#[track_caller]
fn refused(line: &str, world: &World, expected: Expect) {
    let faults = load(&args(line), world).expect_err("it is refused");
    expected.assert_eq(&faults.to_string());
}

fn fixtures(ending: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut paths: Vec<PathBuf> = (std::fs::read_dir(folder).expect("the folder is there"))
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no fixtures *{ending}");
    paths
}

fn load_fixture(path: &Path) -> Result<Loaded, Faults> {
    let name = path.file_name().expect("it is a file").to_string_lossy();
    let text = std::fs::read_to_string(path).expect("it is text");
    load(&args(&format!("--config.file={name}")), &World::new().file(&name, &text))
}

#[test]
fn every_bad_file_is_refused_with_exactly_these_lines() {
    for path in fixtures(".bad.yaml") {
        let text = load_fixture(&path).expect_err("it is refused").to_string();
        assert!(!text.contains("very-secret"), "{}", path.display());
        expect_file![path.with_extension("txt")].assert_eq(&format!("{text}\n"));
    }
}

#[test]
fn every_good_file_gives_exactly_these_settings() {
    for path in fixtures(".ok.yaml") {
        let loaded = load_fixture(&path).expect("it is valid");
        let settings = format!("{:#?}\n", loaded.settings);
        assert!(!settings.contains("very-secret"), "{}", path.display());
        expect_file![path.with_extension("txt")].assert_eq(&settings);
    }
}

#[test]
fn nothing_configured_says_what_to_do() {
    refused(
        "",
        &World::new(),
        expect![[r#"
        nothing is configured: there is no app to read. Either
          name a file:      cometchat-exporter --config.file=config.yaml
          or give one app:  cometchat-exporter --cometchat.app-id=ID --cometchat.region=us --cometchat.api-key-file=PATH
                            (or set COMETCHAT_APP_ID, COMETCHAT_REGION and COMETCHAT_API_KEY_FILE)
          or just look:     cometchat-exporter demo"#]],
    );
    // A variable set to nothing is not set.
    refused(
        "--log.level=debug",
        &World::new().variable("COMETCHAT_APP_ID", ""),
        expect![[r#"
        nothing is configured: there is no app to read. Either
          name a file:      cometchat-exporter --config.file=config.yaml
          or give one app:  cometchat-exporter --cometchat.app-id=ID --cometchat.region=us --cometchat.api-key-file=PATH
                            (or set COMETCHAT_APP_ID, COMETCHAT_REGION and COMETCHAT_API_KEY_FILE)
          or just look:     cometchat-exporter demo"#]],
    );
}

#[test]
fn one_app_needs_no_file() {
    let line = "--cometchat.app-id=007 --cometchat.region=eu --cometchat.api-key-file=keys/staging";
    let by_flags = load(&args(line), &World::new()).expect("it is valid");
    let world = World::new()
        .variable("COMETCHAT_APP_ID", "007")
        .variable("COMETCHAT_REGION", "eu")
        .variable("COMETCHAT_API_KEY_FILE", "keys/staging");
    assert_eq!(load(&args(""), &world).expect("it is valid"), by_flags);
    let app = &by_flags.settings.apps[0];
    assert_eq!((app.name.as_str(), app.api_region.label()), ("007", "eu"));
    assert_eq!(app.base_url, "https://007.call-eu.cometchat.io/v3");
    assert!(app.key == KeySource::File("keys/staging".into()));
    assert_eq!(by_flags.settings.state, StateSettings::File("cometchat-exporter.redb".into()));
}

#[test]
fn a_flag_goes_over_a_variable() {
    let world = World::new()
        .variable("COMETCHAT_APP_ID", "not an id")
        .variable("COMETCHAT_REGION", "us")
        .variable("COMETCHAT_API_KEY", SECRET);
    let loaded =
        load(&args("--cometchat.app-id=a --cometchat.region=in"), &world).expect("it is valid");
    let app = &loaded.settings.apps[0];
    assert_eq!((app.app_id.as_str(), app.api_region.label()), ("a", "in"));
    assert!(app.key == KeySource::Inline(Secret::new(SECRET)));
    let line = "--cometchat.app-id=a --cometchat.api-key-file=keys/staging";
    let loaded = load(&args(line), &world).expect("it is valid");
    assert!(loaded.settings.apps[0].key == KeySource::File("keys/staging".into()));
}

#[test]
fn a_flag_goes_over_the_file_and_the_file_is_checked_all_the_same() {
    let yaml = "
poll: { interval: 1m }
count: { from: 7d }
state: { path: memory }
apps: [{ app_id: a, region: us, api_key_file: keys/staging }]";
    let line = "--config.file=x.yaml --poll.interval=5s --count.from=now --state.path=s.redb";
    let settings =
        load(&args(line), &World::new().file("x.yaml", yaml)).expect("it is valid").settings;
    assert_eq!((settings.poll.interval_ms, settings.count.from), (5000, CountFrom::Now));
    assert_eq!(settings.state, StateSettings::File("s.redb".into()));
    let world = World::new().file("x.yaml", &yaml.replace("1m", "soon"));
    refused(
        line,
        &world,
        expect![
            "x.yaml:2:19: poll.interval must be a duration such as 30s, 5m or 1h30m, not `soon`"
        ],
    );
}

#[test]
fn an_own_base_url_needs_no_region() {
    let line = "--cometchat.app-id=a --cometchat.api-key-file=keys/staging \
                --cometchat.base-url=http://127.0.0.1:8080/v3";
    let app = &load(&args(line), &World::new()).expect("it is valid").settings.apps[0];
    assert_eq!(
        (app.api_region.label(), app.base_url.as_str()),
        ("custom", "http://127.0.0.1:8080/v3")
    );
}

#[test]
fn what_one_app_lacks_is_listed_by_its_flag_or_variable() {
    refused(
        "--cometchat.app-id=a",
        &World::new(),
        expect![[r#"
            --cometchat.region is missing; give it, or set COMETCHAT_REGION
            --cometchat.api-key-file is missing; give it, or set COMETCHAT_API_KEY_FILE"#]],
    );
    refused(
        "--cometchat.region=us --cometchat.api-key-file=/none",
        &World::new(),
        expect![[r#"
            --cometchat.app-id is missing; give it, or set COMETCHAT_APP_ID
            --cometchat.api-key-file names `/none`, which cannot be read: no such file"#]],
    );
    let world = World::new()
        .variable("COMETCHAT_APP_ID", "a b")
        .variable("COMETCHAT_REGION", "mars")
        .variable("COMETCHAT_API_KEY", &format!("{SECRET} {SECRET}"));
    refused(
        "",
        &world,
        expect![[r#"
            COMETCHAT_APP_ID must be the app id from the CometChat dashboard (letters, digits, _ and -), not `a b`
            COMETCHAT_REGION must be us, eu or in, not `mars`
            COMETCHAT_API_KEY holds blanks, line breaks or other characters that no key has"#]],
    );
    refused(
        "",
        &world.variable("COMETCHAT_API_KEY_FILE", "/none"),
        expect![[r#"
            COMETCHAT_APP_ID must be the app id from the CometChat dashboard (letters, digits, _ and -), not `a b`
            COMETCHAT_REGION must be us, eu or in, not `mars`
            COMETCHAT_API_KEY and COMETCHAT_API_KEY_FILE are both set; keep one (the file is better)"#]],
    );
}

#[test]
fn flags_for_one_app_and_a_file_with_apps_exclude_each_other() {
    let world = World::new().file("x.yaml", "apps: [{ app_id: a, region: us, api_key: k }]");
    refused(
        "--config.file=x.yaml --cometchat.app-id=a --cometchat.region=us",
        &world,
        expect![[
            r#"--cometchat.app-id, --cometchat.region cannot stand beside a file that lists apps (x.yaml:1:7); use one of the two"#
        ]],
    );
    // A file without apps goes with them.
    let world = World::new().file("x.yaml", "poll: { interval: 1m }");
    let line = "--config.file=x.yaml --cometchat.app-id=a --cometchat.region=us \
                --cometchat.api-key-file=keys/staging";
    assert_eq!(load(&args(line), &world).expect("it is valid").settings.poll.interval_ms, 60_000);
}

#[test]
fn variables_beside_a_file_with_apps_are_ignored_with_one_notice() {
    let world = World::new()
        .file("x.yaml", "apps: [{ app_id: a, region: us, api_key: k }]")
        .variable("COMETCHAT_APP_ID", "not an id")
        .variable("COMETCHAT_API_KEY", SECRET);
    let loaded = load(&args("--config.file=x.yaml"), &world).expect("it is valid");
    assert_eq!(loaded.settings.apps[0].app_id, "a");
    assert_eq!(
        loaded.notices,
        ["COMETCHAT_APP_ID, COMETCHAT_API_KEY are ignored, since x.yaml lists apps"]
    );
}

#[test]
fn a_shard_reads_its_part_of_the_apps_and_says_so_where_that_is_none() {
    let world = World::new().file(
        "x.yaml",
        "apps: [{ app_id: alpha, region: us, api_key: k }, { app_id: beta, region: us, api_key: k }]",
    );
    let of_shard = |shard: &str| {
        let loaded = load(&args(&format!("--config.file=x.yaml {shard}")), &world);
        let Loaded { settings, notices, .. } = loaded.expect("it is valid");
        let ids: Vec<_> = settings.apps.iter().map(|app| app.app_id.clone()).collect();
        (ids.join(" "), notices.join("; "))
    };
    assert_eq!(of_shard(""), ("alpha beta".into(), String::new()));
    assert_eq!(of_shard("--shard=0/3"), ("alpha".into(), String::new()));
    assert_eq!(of_shard("--shard=2/3"), ("beta".into(), String::new()));
    let nothing =
        "no app belongs to --shard=1/3, of 2 in the configuration: nothing is read here".into();
    assert_eq!(of_shard("--shard=1/3"), (String::new(), nothing));
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    refused(
        "--config.file=/etc/none.yaml",
        &World::new(),
        expect!["/etc/none.yaml: the configuration file cannot be read: no such file"],
    );
    refused(
        "--config.file=/etc/locked",
        &World::new(),
        expect!["/etc/locked: the configuration file cannot be read: permission denied"],
    );
}

#[test]
fn a_relative_key_file_lies_beside_the_configuration() {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let file = folder.path().join("x.yaml");
    std::fs::write(&file, "apps: [{ app_id: a, region: us, api_key_file: key }]")
        .expect("the folder is writable");
    let mut args = args("");
    args.config_file = Some(file);
    assert!(load(&args, &Process).expect_err("it is refused").to_string().contains("no such file"));
    std::fs::write(folder.path().join("key"), "0a1b\n").expect("the folder is writable");
    let loaded = load(&args, &Process).expect("it is valid");
    assert!(loaded.settings.apps[0].key == KeySource::File(folder.path().join("key")));
    args.config_file = Some(folder.path().into());
    let text = load(&args, &Process).expect_err("it is refused").to_string();
    assert!(text.ends_with("cannot be read: it is a folder"), "{text}");
}

#[test]
fn check_config_says_what_is_valid_and_what_to_mind() {
    let check = |line: &str, yaml: &str| {
        let args = CheckArgs { run: args(line), output: Output::Text };
        check(&args, &World::new().file("x.yaml", yaml))
    };
    let yaml = "apps: [{ app_id: a, region: us, api_key: hush }, { app_id: b, region: us, api_key_file: keys/staging }]";
    let report = check("--config.file=x.yaml", yaml);
    assert!(report.is_valid);
    expect![[r#"
        the configuration is valid
        apps: 2
        state: cometchat-exporter.redb
        note: count.from is relative to the start of each exporter; two replicas need a date, such as 2026-01-31T00:00:00Z
        note: 1 of 2 API keys are given inline; a file is better, and is read again when it changes"#]].assert_eq(&report.text);
    let report = check(
        "--config.file=x.yaml --count.from=2026-01-31T00:00:00Z --state.path=memory",
        &yaml.replace("api_key: hush", "api_key_file: keys/staging"),
    );
    expect![[r#"
        the configuration is valid
        apps: 2
        state: memory, so counters start at 0 with each start"#]]
    .assert_eq(&report.text);
    let yaml = yaml.replace("app_id: b,", "app_id: b, name: shop,");
    let report = check("--config.file=x.yaml --state.path=memory --shard=0/2", &yaml);
    expect!["apps in shard 0/2: 1 (shop)"].assert_eq(report.text.lines().nth(1).unwrap());
    let report = check("--config.file=x.yaml", "apps: [{ app_id: a, region: us }]\nx: 1");
    assert!(!report.is_valid);
    expect![[r#"
        x.yaml:1:8: api_key_file is missing
        x.yaml:2:1: unknown key `x` at the top of the file; known are apps, poll, count, recent, metrics, state"#]].assert_eq(&report.text);
}

#[test]
fn check_config_tells_programs_the_same() {
    let check = |yaml: &str| {
        let args = CheckArgs { run: args("--config.file=x.yaml"), output: Output::Json };
        check(&args, &World::new().file("x.yaml", yaml)).text
    };
    expect![[r#"
        {
          "valid": false,
          "faults": [
            {
              "line": 1,
              "column": 8,
              "message": "x.yaml:1:8: api_key_file is missing"
            }
          ],
          "notes": []
        }"#]]
    .assert_eq(&check("apps: [{ app_id: a, region: us }]"));
    let valid = check("apps: [{ app_id: a, region: us, api_key: hush }]");
    let valid: serde_json::Value = serde_json::from_str(&valid).expect("it is JSON");
    assert_eq!((&valid["valid"], valid["notes"].as_array().map(Vec::len)), (&true.into(), Some(2)));
}

#[test]
fn five_hundred_apps_are_read_and_their_faults_too() {
    let app =
        |n: usize| format!("  - {{ app_id: app-{n}, region: us, api_key_file: keys/staging }}\n");
    let yaml: String = std::iter::once("apps:\n".to_owned()).chain((0..500).map(app)).collect();
    assert_eq!(load_text(&yaml).expect("it is valid").settings.apps.len(), 500);
    let faults = load_text(&yaml.replace("region: us", "region: mars")).expect_err("it is refused");
    assert_eq!(faults.iter().count(), 500);
}
