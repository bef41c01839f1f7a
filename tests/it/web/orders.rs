//! `/-/reload` and `/-/quit` behind a password, on the real binary.

use super::world::hash;
use crate::process::{Exporter, Folder, http};

/// `a` and its password `b`, and a wrong one.
const LOGIN: &str = "Authorization: Basic YTpi";
const WRONG: &str = "Authorization: Basic YTpj";

fn config(names: &[&str]) -> String {
    let app = |name: &&str| {
        format!("  - {{ app_id: {name}, base_url: 'http://127.0.0.1:1/v3', api_key: k }}\n")
    };
    format!("state: {{ path: memory }}\napps:\n{}", names.iter().map(app).collect::<String>())
}

#[test]
fn without_the_password_nothing_is_reloaded_and_nothing_ends() {
    let folder = Folder::new();
    let path = folder.config("config.yaml", &config(&["one"]));
    let users = format!("basic_auth_users: {{ a: {} }}\n", hash("b"));
    let web = format!("--web.config.file={}", folder.config("web.yaml", &users).display());
    let exporter = Exporter::start_with(&path, &[&web, "--web.enable-lifecycle"]);
    folder.config("config.yaml", &config(&["one", "two"]));
    let ask = |method: &str, path: &str, line: &str| {
        http::ask_with(method, exporter.address, path, line).unwrap()
    };
    let shown = || ask("GET", "/config", LOGIN).body;
    let before = shown();
    assert!(before.contains("one") && !before.contains("two"), "{before}");
    for method in ["POST", "PUT", "GET"] {
        for path in ["/-/reload", "/-/quit"] {
            for line in ["Accept: */*", WRONG, "Authorization: Bearer YTpi"] {
                let answer = ask(method, path, line);
                assert_eq!(answer.status, 401, "{method} {path}, {line}: {}", answer.body);
            }
        }
    }
    assert_eq!(shown(), before);
    let answer = ask("POST", "/-/reload", LOGIN);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(shown().contains("two"));
    assert_eq!(ask("POST", "/-/quit", LOGIN).status, 200);
    exporter.program.ends_soon("POST /-/quit");
}
