//! The real binary in a folder of its own, and the words that a person reads.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::thread;

use crate::process::http::{Answer, get};
use crate::process::{self, Exporter, Program, until_ok};

/// A key that looks like a real one. No text may ever show it.
pub(super) const KEY: &str = "5ec7e70123456789abcdef0123456789abcdef01";

/// A folder that the binary is started in.
pub(super) struct Folder(process::Folder);

impl Folder {
    pub(super) fn empty() -> Self {
        Self(process::Folder::new())
    }

    /// With a key in the file `key`.
    pub(super) fn with_key() -> Self {
        let folder = Self::empty();
        folder.write("key", KEY);
        folder
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        self.0.config(name, text);
    }

    /// Runs the binary to its end: the exit code, and all that it says.
    #[track_caller]
    pub(super) fn run(&self, args: &[&str]) -> (Option<i32>, String) {
        let (code, text) = Program::spawn(&mut self.binary(args)).ends();
        (code, told(&text, self.0.path()))
    }

    fn binary(&self, args: &[&str]) -> Command {
        let mut command = process::binary(args);
        // Where there is no network, the resolver gives up before the exporter's patience ends.
        command.env("RES_OPTIONS", "timeout:1 attempts:1").current_dir(self.0.path());
        command
    }
}

/// What a person reads, without what is different each time.
fn told(text: &str, folder: &Path) -> String {
    assert!(!text.contains(KEY), "a key shows: {text}");
    let folder = folder.canonicalize().unwrap();
    let lines = text.lines().filter(|line| !line.contains("CA certificates")).map(|line| {
        let line = match line.strip_prefix("ts=").and_then(|line| line.split_once(' ')) {
            Some((_, rest)) => rest,
            None => line,
        };
        masked(&line.replace(&*folder.to_string_lossy(), "DIR")) + "\n"
    });
    lines.collect()
}

/// Covers ports, the moment of the start, and the words of the system's resolver.
fn masked(line: &str) -> String {
    let line = cover(line, "127.0.0.1:", &['/', ':', '"']);
    let line = cover(&line, "calls since ", &['"']);
    cover(&line, "host not found (", &[')'])
}

/// Puts dots in place of what stands between `before` and the next of `after`.
fn cover(text: &str, before: &str, after: &[char]) -> String {
    let mut parts = text.split(before);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |shown, part| {
        let end = part.find(after).unwrap_or(part.len());
        shown + before + "..." + &part[end..]
    })
}

/// An exporter that listens.
pub(super) struct Running<'a> {
    exporter: Exporter,
    folder: &'a Folder,
}

impl<'a> Running<'a> {
    /// Starts one and waits until it listens.
    #[track_caller]
    pub(super) fn start(folder: &'a Folder, args: &[&str]) -> Self {
        Self { exporter: Exporter::spawn(&mut folder.binary(args)), folder }
    }

    /// Fetches a path.
    #[track_caller]
    pub(super) fn get(&self, path: &str) -> Answer {
        let answer = get(self.exporter.address, path).unwrap();
        for text in [&answer.head, &answer.body] {
            assert!(!text.contains(KEY), "a key shows at {path}: {text}");
        }
        answer
    }

    /// Fetches a path until `is_there`.
    #[track_caller]
    pub(super) fn wait_for(&self, path: &str, is_there: impl Fn(&str) -> bool) -> String {
        until_ok(path, || {
            let text = self.get(path).body;
            if is_there(&text) { Ok(text) } else { Err(text) }
        })
    }

    /// Ends it at once; returns its log.
    #[track_caller]
    pub(super) fn end(self) -> String {
        told(&self.exporter.program.dies(), self.folder.0.path())
    }
}

/// The value of a series in an exposition.
pub(super) fn value(metrics: &str, series: &str) -> Option<u64> {
    metrics.lines().find_map(|line| line.strip_prefix(series))?.trim().parse().ok()
}

/// What the page says is wrong, app by app, without how long ago things were.
pub(super) fn troubles(page: &str) -> String {
    let troubles = page.split("<p class=\"error\">").skip(1);
    let troubles = troubles.map(|rest| rest.split("<br>").next().unwrap());
    troubles.map(masked).collect::<Vec<_>>().join("\n")
}

/// An API that refuses every key, and repeats it in its answer; returns its base URL.
pub(super) fn refusing_api() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut line = String::new();
            while stream.read_line(&mut line).unwrap() > 2 {
                line.clear();
            }
            let body = format!(
                "{{\"error\":{{\"message\":\"The key {KEY} does not exist.\",\
                 \"code\":\"AUTH_ERR_APIKEY_NOT_FOUND\"}}}}"
            );
            let head = "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n\
                        Connection: close\r\nContent-Length";
            write!(stream.get_mut(), "{head}: {}\r\n\r\n{body}", body.len()).unwrap();
        }
    });
    format!("http://{address}/v3")
}
