//! Programs as processes: started, waited for with a deadline, and ended with the test.
#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    reason = "a test has a deadline for what runs beside it, and fails by panicking"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Longer than anything takes on a busy machine; only a failure waits for it.
const DEADLINE: Duration = Duration::from_secs(120);

/// A running program. Dropped, it is killed.
pub(crate) struct Program {
    child: Child,
    output: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

impl Program {
    /// The exporter with these arguments and nothing else in its environment.
    pub(crate) fn exporter(arguments: &[&str]) -> Self {
        Self::start(Command::new(env!("CARGO_BIN_EXE_cometchat-exporter")).args(arguments))
    }

    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let output = Arc::new(Mutex::new(String::new()));
        let readers = vec![
            collect(child.stdout.take().unwrap(), Arc::clone(&output)),
            collect(child.stderr.take().unwrap(), Arc::clone(&output)),
        ];
        Self { child, output, readers }
    }

    /// What it has printed so far, both streams together.
    pub(crate) fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// Waits until it has printed `mark`, and returns the word behind it.
    pub(crate) fn word_after(&mut self, mark: &str) -> String {
        until(&format!("`{mark}` in its output"), || {
            let output = self.output();
            let (_, rest) = output.split_once(mark).ok_or_else(|| output.clone())?;
            let (line, _) = rest.split_once('\n').ok_or_else(|| output.clone())?;
            assert!(self.child.try_wait().unwrap().is_none(), "it has ended: {output}");
            Ok(line.trim().split([' ', '"']).next().unwrap().to_owned())
        })
    }

    /// Asks it to end by SIGTERM, and returns how it ended and all that it printed.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        let kill = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        let status = until("its end", || {
            self.child.try_wait().unwrap().ok_or_else(|| "it still runs".to_owned())
        });
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        (status, self.output())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Fails for one that has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("--- output of a program under test\n{}", self.output());
        }
    }
}

fn collect(stream: impl Read + Send + 'static, output: Arc<Mutex<String>>) -> JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            *output.lock().unwrap() += &(line + "\n");
        }
    })
}

/// Tries again and again until it is `Ok`; fails with the last `Err` once the deadline is over.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut attempt: impl FnMut() -> Result<T, String>) -> T {
    let began = Instant::now();
    loop {
        match attempt() {
            Ok(value) => return value,
            Err(seen) => assert!(began.elapsed() < DEADLINE, "waited for {what}, saw: {seen}"),
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// An answer over HTTP.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// As sent, in lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Asks for a path of a server at `HOST:PORT`.
pub(crate) fn get(address: &str, path: &str) -> Result<Answer, String> {
    get_as(address, path, "*/*")
}

/// Asks for a path in a format.
pub(crate) fn get_as(address: &str, path: &str, accept: &str) -> Result<Answer, String> {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        // By this version answers come in one piece.
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\nAccept: {accept}\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    };
    let text = ask().map_err(|error| format!("{address}{path}: {error}"))?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or("no end of the head")?;
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).ok_or("no status")?;
    Ok(Answer { status, head: head.to_lowercase(), body: body.to_owned() })
}

/// The sum over the samples of a name in the text format.
pub(crate) fn sum(exposition: &str, name: &str) -> f64 {
    let of_name = |line: &&str| line.split(['{', ' ']).next() == Some(name);
    let value = |line: &str| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap();
    exposition.lines().filter(of_name).map(value).sum()
}
