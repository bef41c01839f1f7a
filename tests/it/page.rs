//! The page in a real browser: see `tests/tools/browser.py` for what is looked at.

use std::net::TcpListener;
use std::process::Command;

use crate::process::http::get;
use crate::process::{Exporter, Folder, Program, until_ok};
use crate::prometheus::tool;

/// A key that is found wherever it should not be.
const KEY: &str = "0123abcd4567ef890123abcd4567ef890123abcd";
/// Names that would be markup, if they were not escaped.
const NAMES: [&str; 3] = ["<img src=x onerror=alert(1)>", "a & 'b' \"c\"", "zeta"];

fn look(address: &str, names: &[&str]) {
    let output = Command::new(tool("PYTHON", "python3"))
        .arg("tests/tools/browser.py")
        .arg(tool("CHROMIUM", "chromium"))
        .arg(format!("http://{address}/"))
        .args(names)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn until_state(address: &str, state: &str, n_apps: usize) -> String {
    until_ok("the states", || {
        let text = get(address, "/api/v1/status")?.body;
        let expected = format!("\"state\": \"{state}\"");
        if text.matches(&expected).count() == n_apps { Ok(text) } else { Err(text) }
    })
}

#[test]
fn the_page_of_an_exporter_that_reads() {
    let mut program = Program::start(&["demo", "--web.listen-address=127.0.0.1:0"]);
    let page = program.says("Page:           http://");
    let address = page.trim_end_matches('/');
    until_state(address, "ok", 1);
    look(address, &["demo"]);
}

#[test]
fn the_page_of_a_first_start() {
    // It takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let api = silent.local_addr().unwrap();
    let folder = Folder::new();
    let app =
        |name| format!("  - {{ app_id: {name}, base_url: 'http://{api}/v3', api_key: {KEY} }}\n");
    let names = ["alpha", "beta"];
    let config = format!(
        "state: {{ path: memory }}\npoll: {{ timeout: 5m }}\napps:\n{}",
        names.map(app).concat()
    );
    let exporter = Exporter::start(&folder.config("config.yaml", &config));
    let address = exporter.address.to_string();
    until_state(&address, "starting", names.len());
    look(&address, &names);
    let page = get(exporter.address, "/").unwrap().body;
    let told = page.matches("The first answer of the API is awaited.").count();
    assert_eq!(told, names.len(), "{page}");
}

#[test]
fn the_page_of_a_long_first_read() {
    let mut simulator = Program::start(&[
        "simulate",
        "--web.listen-address=127.0.0.1:0",
        "--history=30d",
        "--calls-per-day=20000",
        "--rate-limit=120",
    ]);
    let url = simulator.says("base URL:");
    let folder = Folder::new();
    let config = format!(
        "state: {{ path: memory }}\ncount: {{ from: 30d }}\n\
         apps: [{{ name: long, app_id: simulated, base_url: '{url}', api_key: simulated-key }}]\n"
    );
    let exporter = Exporter::start(&folder.config("config.yaml", &config));
    let address = exporter.address.to_string();
    let status = until_state(&address, "reading_back", 1);
    assert!(status.contains("left at this pace"), "{status}");
    look(&address, &["long"]);
    let page = get(exporter.address, "/").unwrap().body;
    assert!(page.contains("</progress> ") && page.contains("left at this pace"), "{page}");
}

#[test]
fn the_page_of_an_exporter_whose_api_is_down() {
    let folder = Folder::new();
    let mut config = String::from("state: { path: memory }\napps:\n");
    for (n, name) in NAMES.iter().enumerate() {
        config += &format!(
            "  - name: {name:?}\n    app_id: app{n}\n    base_url: http://127.0.0.1:1/v3\n    \
             api_key: {KEY}\n    on_behalf_of: somebody\n"
        );
    }
    let exporter = Exporter::start(&folder.config("config.yaml", &config));
    let address = exporter.address.to_string();
    let status = until_state(&address, "failing", NAMES.len());
    assert!(status.contains("connection refused: check base_url"), "{status}");
    look(&address, &NAMES);

    // What is shown as the configuration is one, and nothing shows the key or the user.
    let shown = get(exporter.address, "/config").unwrap().body;
    let check = format!("--config.file={}", folder.config("shown.yaml", &shown).display());
    let check = Command::new(env!("CARGO_BIN_EXE_cometchat-exporter"))
        .args(["check-config", &check])
        .output()
        .unwrap();
    assert!(check.status.success(), "{shown}{}", String::from_utf8_lossy(&check.stderr));
    for name in NAMES {
        assert!(shown.contains(&format!("name: {name:?}\n")), "{shown}");
    }
    assert_eq!(shown.matches("on_behalf_of: \"<user-1>\"\n").count(), NAMES.len(), "{shown}");
    for text in [shown, status, get(exporter.address, "/").unwrap().body] {
        assert!(!text.contains(KEY) && !text.contains("somebody"), "{text}");
    }
}
