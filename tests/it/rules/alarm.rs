//! One alert goes the whole way: a key that is refused, Prometheus, Alertmanager, and a receiver that
//! is told when it begins and when it ends.
#![expect(clippy::disallowed_methods, reason = "a test writes files as it likes")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::{Value, json};

use super::{RULES, text};
use crate::process::http::get;
use crate::process::{Folder, Program, until_ok};
use crate::prometheus::{Prometheus, free_address, scrapes, start_exporter, tool};

/// Takes what is posted, and answers 200: the path and the body of each.
fn receive() -> (String, Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, receiver) = channel();
    thread::spawn(move || {
        // It ends with the test, when nobody listens to it any more.
        for stream in listener.incoming().map_while(Result::ok) {
            if let Some(posted) = take(&stream)
                && sender.send(posted).is_err()
            {
                return;
            }
        }
    });
    (address, receiver)
}

fn take(mut stream: &TcpStream) -> Option<(String, Value)> {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            break;
        }
        head.push(line.to_lowercase());
    }
    let length = head.iter().find_map(|line| line.strip_prefix("content-length:"))?;
    let mut body = vec![0; length.trim().parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").ok()?;
    Some((head.first()?.split(' ').nth(1)?.to_owned(), serde_json::from_slice(&body).ok()?))
}

/// The rules as they are shipped, but evaluated each second and without `for`: the test would
/// otherwise take as long as a person waits for an alert.
pub(crate) fn write_hasty_rules(folder: &Path) {
    for file in RULES {
        let hasty: String = text(file)
            .lines()
            .filter(|line| !line.trim_start().starts_with("for: "))
            .map(|line| match line.split_once("interval: ") {
                Some((indent, _)) if indent.trim().is_empty() => format!("{indent}interval: 1s\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        fs::write(folder.join(Path::new(file).file_name().unwrap()), hasty).unwrap();
    }
}

/// Alertmanager with the configuration as it is shipped, but told at once.
fn start_alertmanager(folder: &Path, receiver: &str) -> (Program, String) {
    let config = text("prometheus/alertmanager.yml")
        .replace("localhost:9099", receiver)
        .replace("group_wait: 30s", "group_wait: 0s")
        .replace("group_interval: 5m", "group_interval: 1s");
    let file = folder.join("alertmanager.yml");
    fs::write(&file, config).unwrap();
    let mut program = Program::spawn(
        Command::new(tool("ALERTMANAGER", "prometheus-alertmanager")).env_clear().args([
            &format!("--config.file={}", file.display()),
            &format!("--storage.path={}", folder.join("alertmanager").display()),
            "--web.listen-address=127.0.0.1:0",
            "--cluster.listen-address=",
        ]),
    );
    let address = program.logs("msg=\"Listening on\" address=");
    (program, address)
}

fn post(address: &str, path: &str, body: &Value) -> Result<(), String> {
    let body = body.to_string();
    let head = format!(
        "POST {path} HTTP/1.0\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut answer = String::new();
    let mut ask = || -> std::io::Result<()> {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all((head.clone() + &body).as_bytes())?;
        stream.read_to_string(&mut answer).map(drop)
    };
    ask().map_err(|error| error.to_string())?;
    if answer.contains(" 200 ") { Ok(()) } else { Err(answer) }
}

/// Waits for a message about the alert that says so; others may come before.
fn told(messages: &Receiver<(String, Value)>, status: &str) -> (String, Value) {
    until_ok(&format!("a message that it is {status}"), || {
        let (path, message) = messages.try_recv().map_err(|error| error.to_string())?;
        let alerts = message["alerts"].as_array().unwrap();
        let fits = |alert: &&Value| {
            alert["labels"]["alertname"] == "CometChatKeyRefused" && alert["status"] == status
        };
        let alert = alerts.iter().find(fits).cloned();
        alert.map(|alert| (path, alert)).ok_or_else(|| message.to_string())
    })
}

/// The names of the alerts of an app that Alertmanager holds back.
fn inhibited(alertmanager: &str, app: &str) -> Result<Vec<Value>, String> {
    let answer = get(alertmanager, "/api/v2/alerts")?.body;
    let alerts: Vec<Value> = serde_json::from_str(&answer).map_err(|_| answer.clone())?;
    let is_held =
        |alert: &Value| alert["status"]["inhibitedBy"].as_array().is_some_and(|by| !by.is_empty());
    let of_app = alerts.into_iter().filter(|alert| alert["labels"]["cometchat_app"] == app);
    Ok(of_app.filter(is_held).map(|alert| alert["labels"]["alertname"].clone()).collect())
}

/// Every rule can be evaluated on the exporter's real series.
fn check_rules(prometheus: &Prometheus) {
    until_ok("a first evaluation of every rule", || {
        let data = prometheus.api("/api/v1/rules")?;
        let groups = data["groups"].as_array().unwrap();
        let rules: Vec<_> =
            groups.iter().flat_map(|group| group["rules"].as_array().unwrap()).collect();
        let failed: Vec<_> = rules.iter().filter(|rule| rule["health"] == "err").collect();
        assert!(failed.is_empty() && rules.len() > 50, "{} rules, {failed:?}", rules.len());
        let is_done = rules.iter().all(|rule| rule["health"] == "ok");
        if is_done { Ok(()) } else { Err("some are not evaluated yet".to_owned()) }
    });
}

#[test]
fn a_refused_key_reaches_a_person_and_so_does_its_end() {
    let folder = Folder::new();
    let api = free_address();
    let _world =
        Program::start(&["simulate", &format!("--web.listen-address={api}"), "--history=0s"]);
    until_ok("the simulated API", || get(&api, "/truth").map(drop));
    let exporter = start_exporter(&folder, &api);
    let (receiver, messages) = receive();
    let (_alertmanager, alertmanager) = start_alertmanager(folder.path(), &receiver);
    write_hasty_rules(folder.path());
    let config = scrapes(&exporter.address.to_string())
        + "global: {evaluation_interval: 1s}\n\
           rule_files: [cometchat.rules.yml, cometchat.alerts.yml]\n"
        + &format!(
            "alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{alertmanager}']}}]}}]}}\n"
        );
    let prometheus = Prometheus::start(&tool("PROMETHEUS", "prometheus"), &folder, &config);
    until_ok("an app that is read", || match prometheus.value("cometchat_up", None)? {
        1.0 => Ok(()),
        other => Err(other.to_string()),
    });

    fs::write(folder.path().join("key"), "revoked").unwrap();
    let (path, alert) = told(&messages, "firing");
    assert_eq!(path, "/on-call", "it is critical");
    assert_eq!(alert["labels"]["cometchat_app"], "simulated", "{alert}");
    let description = alert["annotations"]["description"].as_str().unwrap();
    assert!(description.starts_with("The Calls API has refused simulated "), "{alert}");
    let runbook = alert["annotations"]["runbook_url"].as_str().unwrap();
    assert!(runbook.ends_with("docs/runbooks.md#cometchatkeyrefused"), "{alert}");

    let on_calls =
        |app: &str| json!({ "labels": { "alertname": "CometChatNoCalls", "cometchat_app": app } });
    let both = json!([on_calls("simulated"), on_calls("another")]);
    until_ok("Alertmanager", || post(&alertmanager, "/api/v2/alerts", &both));
    until_ok("an alert on calls that is held back", || {
        let held = inhibited(&alertmanager, "simulated")?;
        if held.contains(&json!("CometChatNoCalls")) { Ok(()) } else { Err(format!("{held:?}")) }
    });
    assert_eq!(inhibited(&alertmanager, "another"), Ok(vec![]), "its app is read");

    check_rules(&prometheus);

    fs::write(folder.path().join("key"), "simulated-key").unwrap();
    told(&messages, "resolved");
}
