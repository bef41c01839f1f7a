//! An API whose list is one fixed page, on a fixed day: its clock starts at noon.
#![expect(clippy::disallowed_methods, reason = "its clock goes on from noon")]

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// 2025-06-15T12:00:00Z.
const NOON_S: u64 = 1_749_988_800;

/// A list without any call.
const EMPTY: &str = r#"{"data":[]}"#;

/// Serves until the process of the test ends.
pub(super) struct SmallApi {
    address: SocketAddr,
    key: Arc<Mutex<Option<String>>>,
}

impl SmallApi {
    /// Answers every request for the first page, or for a single call, with `body`.
    pub(super) fn new(status: &str, body: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let key = Arc::new(Mutex::new(None));
        let (status, body, seen, began) =
            (status.to_owned(), body.to_owned(), Arc::clone(&key), Instant::now());
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOON_S) + began.elapsed();
                // A client that went away is no concern of the API.
                let _ = answer(&stream, &status, &body, now, &seen);
            }
        });
        Self { address, key }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The key that a request has carried.
    pub(super) fn key_seen(&self) -> Option<String> {
        self.key.lock().unwrap().clone()
    }
}

fn answer(
    mut stream: &TcpStream,
    status: &str,
    body: &str,
    now: SystemTime,
    key: &Mutex<Option<String>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let target = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("apikey: ") {
            *key.lock().unwrap() = Some(value.to_owned());
        }
    }
    let is_first = ["page=0&", "page=1&", "/calls/"].iter().any(|part| target.contains(part));
    let body = if is_first || status != "200 OK" { body } else { EMPTY };
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\n\
         date: {}\r\nx-rate-limit: 20000\r\nx-rate-limit-remaining: 19990\r\n\
         content-length: {}\r\n\r\n{body}",
        httpdate::fmt_http_date(now),
        body.len(),
    )
}
