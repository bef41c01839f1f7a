//! Programs as processes, the real binary above all: their output, their end, and HTTP to them.
//!
//! Whatever runs ends with its test, and whatever is waited for has a deadline.
#![expect(clippy::disallowed_methods, reason = "real processes live in real time, on real files")]

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub(crate) mod http;
pub(crate) mod samples;
mod unheard;

/// Longer than anything takes on a busy machine; only a failure waits for it.
const PATIENCE: Duration = Duration::from_secs(120);
/// The contract: a signal ends every command within this.
const END: Duration = Duration::from_secs(5);

/// Asks again and again until there is an answer; fails after `limit`.
#[track_caller]
pub(crate) fn until<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    attempt(what, limit, || ask().ok_or_else(|| "nothing".to_owned()))
}

/// Tries again and again until it is `Ok`; a failure shows the last `Err`.
#[track_caller]
pub(crate) fn until_ok<T>(what: &str, ask: impl FnMut() -> Result<T, String>) -> T {
    attempt(what, PATIENCE, ask)
}

#[track_caller]
fn attempt<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Result<T, String>) -> T {
    let began = Instant::now();
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(seen) => {
                assert!(began.elapsed() < limit, "not within {limit:?}: {what}; seen: {seen}");
            }
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// The binary with these arguments, and nothing else in its environment.
pub(crate) fn binary<S: AsRef<OsStr>>(args: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cometchat-exporter"));
    command.args(args).env_clear().stdin(Stdio::null());
    command
}

/// What a process has written to one of its outputs so far.
struct Stream {
    text: Arc<Mutex<String>>,
    reader: JoinHandle<()>,
}

impl Stream {
    fn follow(output: impl Read + Send + 'static) -> Self {
        let text = Arc::<Mutex<String>>::default();
        let written = Arc::clone(&text);
        let reader = thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                *written.lock().unwrap() += &(line + "\n");
            }
        });
        Self { text, reader }
    }

    fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }
}

/// What follows `mark` in the first line that has it.
fn after(text: &str, mark: &str) -> Option<String> {
    text.lines().find_map(|line| Some(line.split_once(mark)?.1.trim().to_owned()))
}

/// A running program. It is killed when dropped.
pub(crate) struct Program {
    child: Child,
    stdout: Stream,
    stderr: Stream,
}

impl Program {
    /// Starts the binary with no environment but its arguments.
    #[track_caller]
    pub(crate) fn start<S: AsRef<OsStr>>(args: &[S]) -> Self {
        Self::spawn(&mut binary(args))
    }

    /// Starts any program.
    #[track_caller]
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let stdout = Stream::follow(child.stdout.take().unwrap());
        let stderr = Stream::follow(child.stderr.take().unwrap());
        Self { child, stdout, stderr }
    }

    /// What follows `mark` in a line of standard output.
    #[track_caller]
    pub(crate) fn says(&mut self, mark: &str) -> String {
        self.wait_for(mark, |program| after(&program.stdout.text(), mark))
    }

    /// What follows `mark` in a line of the log.
    #[track_caller]
    pub(crate) fn logs(&mut self, mark: &str) -> String {
        self.wait_for(mark, |program| after(&program.log(), mark))
    }

    #[track_caller]
    fn wait_for(&mut self, mark: &str, line: impl Fn(&Self) -> Option<String>) -> String {
        until_ok(&format!("a line with `{mark}`"), || {
            let found = line(self);
            let ended = self.child.try_wait().unwrap();
            let goes_on = found.is_some() || ended.is_none();
            assert!(goes_on, "it ended before it said `{mark}`:\n{}", self.output());
            found.ok_or_else(|| self.output())
        })
    }

    /// The log so far.
    pub(crate) fn log(&self) -> String {
        self.stderr.text()
    }

    /// All that it has written so far: standard output, then the log.
    pub(crate) fn output(&self) -> String {
        self.stdout.text() + &self.log()
    }

    /// How many lines of the log hold `mark` so far.
    pub(crate) fn n_logged(&self, mark: &str) -> usize {
        self.log().lines().filter(|line| line.contains(mark)).count()
    }

    /// The number of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, by its name without SIG.
    #[track_caller]
    pub(crate) fn signal(&self, signal: &str) {
        // The standard library can only kill.
        let kill = format!("kill -{signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Sends SIGTERM or SIGINT, and expects the end that the contract names: soon, with code 0.
    /// Returns all that it wrote.
    #[track_caller]
    pub(crate) fn ends_on(self, signal: &str) -> String {
        self.signal(signal);
        self.ends_soon(signal)
    }

    /// Expects the end that the contract names after whatever asked for it.
    #[track_caller]
    pub(crate) fn ends_soon(self, why: &str) -> String {
        let began = Instant::now();
        let (status, output) = self.ended(why);
        assert_eq!(status.code(), Some(0), "{why}:\n{output}");
        assert!(began.elapsed() <= END, "{why} took {:?}:\n{output}", began.elapsed());
        output
    }

    /// Ends the process at whatever instruction it is, as `kill -9` does. Returns all that it wrote.
    #[track_caller]
    pub(crate) fn dies(mut self) -> String {
        self.child.kill().unwrap();
        self.ended("SIGKILL").1
    }

    /// Expects the program to end by itself: its exit code, and all that it wrote.
    #[track_caller]
    pub(crate) fn ends(self) -> (Option<i32>, String) {
        let (status, output) = self.ended("the end by itself");
        (status.code(), output)
    }

    #[track_caller]
    fn ended(mut self, what: &str) -> (ExitStatus, String) {
        let status = until_ok(what, || self.child.try_wait().unwrap().ok_or_else(|| self.output()));
        // The pipes may still hold the last lines.
        until_ok("the last line", || {
            let is_over = self.stdout.reader.is_finished() && self.stderr.reader.is_finished();
            if is_over { Ok(()) } else { Err(self.output()) }
        });
        (status, self.output())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("--- output of process {}\n{}", self.child.id(), self.output());
        }
    }
}

/// A running exporter.
pub(crate) struct Exporter {
    pub(crate) program: Program,
    /// Where it serves.
    pub(crate) address: SocketAddr,
}

impl Exporter {
    /// Starts the exporter with this configuration, and waits until it listens.
    #[track_caller]
    pub(crate) fn start(config: &Path) -> Self {
        Self::start_with(config, &[])
    }

    /// The same with further flags.
    #[track_caller]
    pub(crate) fn start_with(config: &Path, flags: &[&str]) -> Self {
        let flags = flags.iter().map(|flag| (*flag).to_owned());
        let args: Vec<String> = exporter_args(config).into_iter().chain(flags).collect();
        Self::spawn(&mut binary(&args))
    }

    /// The same by a command of the test's own.
    #[track_caller]
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut program = Program::spawn(command);
        let line = program.logs("listening on ");
        // By the format of the log, more of the line may follow.
        let address = line.split(['"', ' ']).next().unwrap().parse().unwrap();
        Self { program, address }
    }

    /// One scrape.
    #[track_caller]
    pub(crate) fn scrape(&self) -> samples::Samples {
        let answer = http::get(self.address, "/metrics").unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        samples::Samples::parse(&answer.body)
    }
}

/// The arguments of an exporter that listens on a free port.
pub(crate) fn exporter_args(config: &Path) -> [String; 2] {
    let config = format!("--config.file={}", config.display());
    [config, "--web.listen-address=127.0.0.1:0".to_owned()]
}

/// A folder for the files of one test.
pub(crate) struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The state file of the test.
    pub(crate) fn state(&self) -> PathBuf {
        self.path().join("state.redb")
    }

    /// Writes a configuration, or any other file, and returns where it is.
    pub(crate) fn config(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}
