//! The real binary in a folder of its own, with nothing of ours in its environment.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A key that looks like a real one. No text may ever show it.
pub(super) const KEY: &str = "5ec7e70123456789abcdef0123456789abcdef01";

/// How often, and how many times, something is looked at until it has happened: for a minute, which
/// is far more than anything takes.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const LOOKS_MAX: u32 = 3_000;

/// A folder that the binary is started in.
pub(super) struct Folder(tempfile::TempDir);

impl Folder {
    pub(super) fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// With a key in the file `key`.
    pub(super) fn with_key() -> Self {
        let folder = Self::empty();
        folder.write("key", KEY);
        folder
    }

    #[expect(clippy::disallowed_methods, reason = "a test writes files as it likes")]
    pub(super) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).unwrap();
    }

    /// Runs the binary to its end: the exit code, and all that it says.
    pub(super) fn run(&self, args: &[&str]) -> (Option<i32>, String) {
        let mut child = Ended(self.spawn(args));
        let (stdout, stderr) = (read(child.0.stdout.take()), read(child.0.stderr.take()));
        let status = (0..LOOKS_MAX).find_map(|_| {
            let status = child.0.try_wait().unwrap();
            if status.is_none() {
                thread::sleep(LOOK_EVERY);
            }
            status
        });
        drop(child);
        let text = stdout.join().unwrap() + &stderr.join().unwrap();
        (status.and_then(|status| status.code()), told(&text, self.0.path()))
    }

    fn spawn(&self, args: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_cometchat-exporter"))
            .args(args)
            .current_dir(self.0.path())
            .env_clear()
            // Where there is no network, the resolver gives up before the exporter's patience ends.
            .env("RES_OPTIONS", "timeout:1 attempts:1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

/// A process that does not outlive its test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ended_before = self.0.kill();
        let _reaped = self.0.wait();
    }
}

fn read(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    let mut pipe = pipe.unwrap();
    thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).unwrap();
        text
    })
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
pub(super) struct Running {
    child: Ended,
    address: SocketAddr,
    log: JoinHandle<String>,
    folder: std::path::PathBuf,
}

impl Running {
    /// Starts one and waits until it listens.
    #[track_caller]
    pub(super) fn start(folder: &Folder, args: &[&str]) -> Self {
        let mut child = Ended(folder.spawn(args));
        let stderr = BufReader::new(child.0.stderr.take().unwrap());
        let (sender, receiver) = mpsc::channel();
        let log = thread::spawn(move || {
            let mut text = String::new();
            for line in stderr.lines().map_while(Result::ok) {
                if let Some((_, address)) = line.split_once("listening on ") {
                    let _nobody_waits = sender.send(address.trim_end_matches('"').to_owned());
                }
                text += &line;
                text.push('\n');
            }
            text
        });
        let address =
            receiver.recv_timeout(LOOK_EVERY * LOOKS_MAX).expect("it listens").parse().unwrap();
        Self { child, address, log, folder: folder.0.path().to_owned() }
    }

    /// Fetches a path: the whole answer.
    pub(super) fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert!(!text.contains(KEY), "a key shows at {path}: {text}");
        text
    }

    /// Fetches a path until `is_there`.
    #[track_caller]
    pub(super) fn wait_for(&self, path: &str, is_there: impl Fn(&str) -> bool) -> String {
        for _ in 0..LOOKS_MAX {
            let text = self.get(path);
            if is_there(&text) {
                return text;
            }
            thread::sleep(LOOK_EVERY);
        }
        unreachable!("still not there: {}", self.get(path));
    }

    /// Ends it at once; returns its log.
    pub(super) fn end(self) -> String {
        drop(self.child);
        told(&self.log.join().unwrap(), &self.folder)
    }
}

/// The value of a series in an exposition.
pub(super) fn value(metrics: &str, series: &str) -> Option<u64> {
    metrics.lines().find_map(|line| line.strip_prefix(series))?.trim().parse().ok()
}

/// The rows of the table on the page, without how long ago things were.
pub(super) fn rows(page: &str) -> String {
    let rows = page.lines().filter(|line| line.starts_with("<tr><td>"));
    let rows = rows.map(|row| cover(&cover(row, "no</td><td>", &['<']), "For ", &['.']));
    rows.map(|row| masked(&row)).collect::<Vec<_>>().join("\n")
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
