//! The API key of an app shows nowhere: not over HTTP, in the log, to `ps`, or in the state file. (Of
//! the passwords of the web side, and its private key, see `web/walk.rs`.)
#![expect(clippy::disallowed_methods, reason = "a test writes files as it likes")]

use super::stage::{Setting, Stage};
use crate::process::{Exporter, binary, exporter_args, http, until_ok};

/// Everything that is served, and what is not.
pub(crate) const PATHS: [&str; 7] =
    ["/", "/metrics", "/config", "/api/v1/status", "/-/healthy", "/-/ready", "/none"];

#[test]
fn no_key_shows_anywhere() {
    let stage = Stage::new(Setting { world: &["--seed=31"], ..Setting::default() });
    let key = stage.simulator.key.clone();
    let file = stage.folder.config("key", &key);
    let from_file = format!("api_key_file: {}", file.display());
    let inline = std::fs::read_to_string(&stage.config).unwrap();
    // One that works, from a file; and one that is refused, with the same letters in it.
    let wrong = format!("wrong-{key}");
    let text = inline.replace(&format!("api_key: {key}"), &from_file)
        + &format!(
            "  - {{ name: locked, app_id: b, base_url: '{}', api_key: {wrong} }}\n",
            stage.simulator.base_url
        );
    assert!(text.contains(&from_file));
    std::fs::write(&stage.config, &text).unwrap();
    let flags = ["--log.level=trace", "--web.enable-lifecycle"];
    let mut exporter = Exporter::start_with(&stage.config, &flags);
    stage.wait_for_calls(&exporter, 20.0);
    exporter.program.logs("app `locked`: GET ");
    let shows = |what: &str, text: &str| assert!(!text.contains(&key), "{what}:\n{text}");
    // An inline key where a duration should be, and one beside its file.
    for bad in [
        text.replace("interval: 1s", &format!("interval: {{ api_key: {key} }}")),
        text.replace(&from_file, &format!("{from_file}, api_key: {key}")),
        text.replace("api_key:", "api_kee:"),
    ] {
        assert_ne!(bad, text);
        std::fs::write(&stage.config, &bad).unwrap();
        let answer = http::ask("POST", exporter.address, "/-/reload").unwrap();
        assert_eq!(answer.status, 500, "{bad}");
        shows("a refused reload", &answer.body);
    }
    for path in PATHS {
        shows(path, &http::get(exporter.address, path).unwrap().body);
    }
    let process = format!("/proc/{}", exporter.program.id());
    for name in ["cmdline", "environ"] {
        let bytes = std::fs::read(format!("{process}/{name}")).unwrap();
        shows(name, &String::from_utf8_lossy(&bytes));
    }
    let log = exporter.program.log();
    assert!(log.contains("level=debug") || log.contains("level=trace"), "{log}");
    shows("the log", &log);
    exporter.program.ends_on("TERM");
    let state = std::fs::read(stage.folder.state()).unwrap();
    let is_key = |bytes: &[u8]| bytes == key.as_bytes();
    assert!(!state.windows(key.len()).any(is_key), "the state file holds the key");
}

#[test]
fn no_key_that_came_as_a_variable_shows_anywhere() {
    let stage = Stage::new(Setting { world: &["--seed=32"], ..Setting::default() });
    let key = stage.simulator.key.clone();
    let file = stage.folder.config("empty.yaml", "poll: { interval: 1s }\n");
    let args: Vec<String> = exporter_args(&file)
        .into_iter()
        .chain([
            "--cometchat.app-id=sim".into(),
            format!("--cometchat.base-url={}", stage.simulator.base_url),
            format!("--state.path={}", stage.folder.state().display()),
            "--log.level=trace".into(),
            "--web.enable-lifecycle".into(),
        ])
        .collect();
    // One that the API takes, and one that it refuses, with the same letters in it.
    for (key_in_use, is_up) in [(key.clone(), "1"), (format!("wrong-{key}"), "0")] {
        let exporter = Exporter::spawn(binary(&args).env("COMETCHAT_API_KEY", &key_in_use));
        let up = format!("\ncometchat_up{{cometchat_app=\"sim\"}} {is_up}\n");
        until_ok("the first answer of the API", || {
            let metrics = http::get(exporter.address, "/metrics")?.body;
            let is_tried = metrics.contains("\ncometchat_api_requests_total");
            if is_tried && metrics.contains(&up) { Ok(()) } else { Err(metrics) }
        });
        let shows = |what: &str, text: &str| assert!(!text.contains(&key), "{what}:\n{text}");
        let answer = http::ask("POST", exporter.address, "/-/reload").unwrap();
        shows("a reload", &answer.body);
        for path in PATHS {
            shows(path, &http::get(exporter.address, path).unwrap().body);
        }
        // The system shows the environment to the user of the process, and to nobody else.
        let cmdline = std::fs::read(format!("/proc/{}/cmdline", exporter.program.id())).unwrap();
        shows("cmdline", &String::from_utf8_lossy(&cmdline));
        shows("the log", &exporter.program.ends_on("TERM"));
        let state = std::fs::read(stage.folder.state()).unwrap();
        let is_key = |bytes: &[u8]| bytes == key.as_bytes();
        assert!(!state.windows(key.len()).any(is_key), "the state file holds the key");
    }
}
