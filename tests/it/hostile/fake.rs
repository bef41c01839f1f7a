//! An API of a few lines: answers a request with whatever a test says, byte by byte.
#![expect(clippy::disallowed_methods, reason = "its calls hang on the time of the day")]

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::process::samples::Samples;
use crate::process::{Exporter, Folder, until};

const PATIENCE: Duration = Duration::from_secs(30);

/// A request as it arrived.
pub(super) struct Asked {
    /// Without the query.
    pub(super) path: String,
    query: String,
    pub(super) key: String,
}

impl Asked {
    /// Whether this stands in the query.
    pub(super) fn has(&self, text: &str) -> bool {
        self.query.contains(text)
    }

    /// A number in the query.
    pub(super) fn number(&self, name: &str) -> Option<usize> {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == name).find_map(|(_, value)| value.parse().ok())
    }
}

/// What to answer.
pub(super) struct Reply {
    pub(super) status: u16,
    /// Header lines, each with its line end.
    pub(super) headers: String,
    pub(super) body: String,
}

impl Reply {
    pub(super) fn json(body: &Value) -> Self {
        Self::text(200, "application/json", &body.to_string())
    }

    pub(super) fn text(status: u16, content_type: &str, body: &str) -> Self {
        let headers = format!("Content-Type: {content_type}\r\n");
        Self { status, headers, body: body.to_owned() }
    }

    pub(super) fn error(status: u16, code: &str) -> Self {
        let body = json!({ "error": { "code": code, "message": "the key abc***xyz" } });
        Self::text(status, "application/json", &body.to_string())
    }
}

/// The API; it ends when dropped.
pub(super) struct FakeApi {
    pub(super) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    is_over: Arc<AtomicBool>,
}

impl FakeApi {
    pub(super) fn start(answer: impl Fn(&Asked) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, is_over) = <(Arc<Mutex<Vec<Asked>>>, Arc<AtomicBool>)>::default();
        let (log, over) = (Arc::clone(&asked), Arc::clone(&is_over));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                // Of a connection that was given up nothing is expected.
                if let Some(asked) = stream.ok().and_then(|stream| converse(&stream, &answer)) {
                    log.lock().unwrap().push(asked);
                }
            }
        });
        Self { address, asked, is_over }
    }

    /// How many requests have been answered.
    pub(super) fn n_asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// The number of every page that was asked for.
    pub(super) fn pages(&self) -> Vec<Option<usize>> {
        self.asked.lock().unwrap().iter().map(|asked| asked.number("page")).collect()
    }

    /// Every path that was asked for, without the query.
    pub(super) fn paths(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|asked| asked.path.clone()).collect()
    }
}

impl Drop for FakeApi {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // Wakes the one that waits for a connection.
        let _ = TcpStream::connect(self.address);
    }
}

/// One request and its answer.
fn converse(mut stream: &TcpStream, answer: impl Fn(&Asked) -> Reply) -> Option<Asked> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let target = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let mut fields = headers.iter().filter_map(|line| line.split_once(':'));
    let key = fields.find(|(name, _)| name.eq_ignore_ascii_case("apikey"));
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let asked = Asked {
        path: path.to_owned(),
        query: query.to_owned(),
        key: key.map(|(_, key)| key.trim().to_owned()).unwrap_or_default(),
    };
    let Reply { status, headers, body } = answer(&asked);
    let head = format!("HTTP/1.1 {status} X\r\n{headers}Connection: close\r\n");
    let length = body.len();
    write!(stream, "{head}Content-Length: {length}\r\n\r\n{body}").ok()?;
    Some(asked)
}

/// Seconds since the Unix epoch.
pub(super) fn now_s() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed()
}

/// An ended call of 60 s between two people, `ago_s` seconds ago; the tests change what they test.
pub(super) fn call(session_id: &str, ago_s: i64) -> Value {
    let at = now_s() - ago_s;
    let person = |uid: &str| {
        json!({
            "uid": uid, "isJoined": true, "state": "ended", "joinedAt": at + 5, "leftAt": at + 65,
            "totalAudioMinutes": 1, "totalVideoMinutes": 0, "totalDuration": 1,
        })
    };
    json!({
        "sessionId": session_id, "initiatedAt": at, "startedAt": at + 5, "endedAt": at + 65,
        "status": "ended", "type": "audio", "mode": "call", "receiverType": "user",
        "totalAudioMinutes": 1, "totalVideoMinutes": 0, "totalParticipants": 2,
        "hasRecording": false, "participants": [person("ada"), person("bo")],
    })
}

/// A call with some fields set; `Value::Null` in `changes` is a `null` in the row.
pub(super) fn call_with(session_id: &str, ago_s: i64, changes: Value) -> Value {
    let mut call = call(session_id, ago_s);
    for (field, value) in changes.as_object().unwrap() {
        call[field] = value.clone();
    }
    call
}

/// A list whose first page, numbered 1, shows these rows; the others are empty.
pub(super) fn one_page(rows: Vec<Value>) -> impl Fn(&Asked) -> Reply {
    move |asked| match asked.number("page") {
        Some(0 | 1) => Reply::json(&json!({ "data": rows })),
        _ => Reply::json(&json!({ "data": [] })),
    }
}

/// An exporter that reads a fake API.
pub(super) struct Reading {
    pub(super) exporter: Exporter,
    pub(super) api: FakeApi,
    pub(super) folder: Folder,
}

impl Reading {
    /// Starts an exporter that counts the calls of the last five minutes; `path` ends the base URL.
    #[track_caller]
    pub(super) fn of(path: &str, answer: impl Fn(&Asked) -> Reply + Send + 'static) -> Self {
        Self::start(path, FakeApi::start(answer), "api_key: right", Folder::new())
    }

    /// The same with the key in the file `key` of the folder.
    #[track_caller]
    pub(super) fn with_key_file(api: FakeApi, key: &str) -> Self {
        let folder = Folder::new();
        let source = format!("api_key_file: {}", folder.config("key", key).display());
        Self::start("/v3", api, &source, folder)
    }

    #[track_caller]
    fn start(path: &str, api: FakeApi, key: &str, folder: Folder) -> Self {
        let text = format!(
            "poll: {{ interval: 1s, per_page: 10, settle: 1s, lookback: 10m, rate_limit: 100000, \
             rate_limit_share: 1 }}\n\
             count: {{ from: 5m }}\n\
             recent: {{ window: 5m }}\n\
             state: {{ path: memory }}\n\
             apps:\n  - {{ name: x, app_id: x, base_url: 'http://{}{path}', {key} }}\n",
            api.address
        );
        let exporter = Exporter::start(&folder.config("exporter.yaml", &text));
        Self { exporter, api, folder }
    }

    /// Waits until three more polls have succeeded, so that what is counted per sight shows.
    #[track_caller]
    pub(super) fn after_polls(&self) -> Samples {
        let mut successes = Vec::new();
        until("three polls", PATIENCE, || {
            let scrape = self.exporter.scrape();
            let success = one(&scrape, "last_success_timestamp_seconds");
            if let Some(success) = success.filter(|success| successes.last() != Some(success)) {
                successes.push(success);
            }
            (successes.len() > 3).then_some(scrape)
        })
    }

    /// Waits for a scrape that fits.
    #[track_caller]
    pub(super) fn until(&self, what: &str, fits: impl Fn(&Samples) -> bool) -> Samples {
        until(what, PATIENCE, || Some(self.exporter.scrape()).filter(&fits))
    }
}

/// The series of the app without further labels.
pub(super) fn one(scrape: &Samples, name: &str) -> Option<f64> {
    scrape.get(&format!("cometchat_{name}{{cometchat_app=\"x\"}}"))
}

/// The sum over the series of a name that have these labels, written `a="b"`.
pub(super) fn sum(scrape: &Samples, name: &str, labels: &[&str]) -> f64 {
    scrape.sum(&format!("cometchat_{name}"), labels).unwrap_or(0.0)
}

/// Checks sums by name and labels, all of them before it fails.
#[track_caller]
pub(super) fn check_sums(scrape: &Samples, expected: &[(&str, &[&str], f64)]) {
    let wrong: Vec<String> = expected
        .iter()
        .filter(|(name, labels, value)| sum(scrape, name, labels) != *value)
        .map(|(name, labels, value)| {
            format!("{name} {labels:?}: {} instead of {value}", sum(scrape, name, labels))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
