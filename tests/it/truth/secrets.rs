//! The API key of an app shows nowhere: not over HTTP, in the log, to `ps`, or in the state file.
#![expect(clippy::disallowed_methods, reason = "a test writes files as it likes")]

use super::stage::{Setting, Stage};
use crate::process::{Exporter, http};

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
    for path in ["/", "/metrics", "/config", "/api/v1/status", "/-/healthy", "/-/ready", "/none"] {
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
