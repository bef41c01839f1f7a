//! The real binary as a process of its own: its output, its end, and HTTP to it.
#![expect(clippy::disallowed_methods, reason = "real processes live in real time, on real files")]

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) mod http;
pub(crate) mod samples;

/// How long a process may take to say that it has started, on a machine that is busy.
const START: Duration = Duration::from_secs(30);
/// The contract: a signal ends every command within this.
const END: Duration = Duration::from_secs(5);

/// Asks again and again until there is an answer; fails after `limit`.
#[track_caller]
pub(crate) fn until<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed() < limit, "not within {limit:?}: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The lines that a process has written so far.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn follow(output: impl Read + Send + 'static) -> Self {
        let lines = Self::default();
        let written = lines.clone();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                written.0.lock().unwrap().push(line);
            }
        });
        lines
    }

    /// What follows `mark` in the first line that has it.
    fn after(&self, mark: &str) -> Option<String> {
        let lines = self.0.lock().unwrap();
        lines.iter().find_map(|line| Some(line.split_once(mark)?.1.trim().to_owned()))
    }

    fn text(&self) -> String {
        self.0.lock().unwrap().join("\n")
    }
}

/// A running command of the binary. It is killed when dropped.
pub(crate) struct Program {
    child: Child,
    stdout: Lines,
    stderr: Lines,
}

impl Program {
    /// Starts the binary with no environment but its arguments.
    pub(crate) fn start<S: AsRef<std::ffi::OsStr>>(args: &[S]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_cometchat-exporter"))
            .args(args)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = Lines::follow(child.stdout.take().unwrap());
        let stderr = Lines::follow(child.stderr.take().unwrap());
        Self { child, stdout, stderr }
    }

    /// What follows `mark` in a line of standard output.
    #[track_caller]
    pub(crate) fn says(&mut self, mark: &str) -> String {
        let stdout = self.stdout.clone();
        self.wait_for(mark, || stdout.after(mark))
    }

    /// What follows `mark` in a line of the log.
    #[track_caller]
    pub(crate) fn logs(&mut self, mark: &str) -> String {
        let stderr = self.stderr.clone();
        self.wait_for(mark, || stderr.after(mark))
    }

    #[track_caller]
    fn wait_for(&mut self, mark: &str, mut line: impl FnMut() -> Option<String>) -> String {
        let stderr = self.stderr.clone();
        until(&format!("a line with `{mark}`"), START, || {
            let found = line();
            let ended = self.child.try_wait().unwrap();
            let goes_on = found.is_some() || ended.is_none();
            assert!(goes_on, "it ended before it said `{mark}`:\n{}", stderr.text());
            found
        })
    }

    /// The log so far.
    pub(crate) fn log(&self) -> String {
        self.stderr.text()
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
    #[track_caller]
    pub(crate) fn ends_on(self, signal: &str) {
        self.signal(signal);
        self.ends_soon(signal);
    }

    /// Expects the end that the contract names after whatever asked for it.
    #[track_caller]
    pub(crate) fn ends_soon(mut self, why: &str) {
        let began = Instant::now();
        let code = self.exit_code(why);
        assert_eq!(code, Some(0), "{why}:\n{}", self.log());
        assert!(began.elapsed() <= END, "{why} took {:?}:\n{}", began.elapsed(), self.log());
    }

    /// Ends the process at whatever instruction it is, as `kill -9` does.
    pub(crate) fn dies(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Expects the program to end by itself: its exit code, and what it said.
    #[track_caller]
    pub(crate) fn fails(mut self) -> (Option<i32>, String) {
        let code = self.exit_code("the end by itself");
        // The pipe may still hold the last line.
        let text = until("words about it", END, || {
            Some(self.stderr.text()).filter(|text| !text.is_empty())
        });
        (code, text)
    }

    #[track_caller]
    fn exit_code(&mut self, what: &str) -> Option<i32> {
        let status = until(what, START, || self.child.try_wait().unwrap());
        status.code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("--- log of process {}\n{}", self.child.id(), self.stderr.text());
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
        let mut program = Program::start(&args);
        let address = program.logs("listening on ");
        let address = address.trim_end_matches('"').parse().unwrap();
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

/// A folder for the files of one test, with a configuration in it.
pub(crate) struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// The state file of the test.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state.redb")
    }

    /// Writes a configuration and returns where it is.
    pub(crate) fn config(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}
