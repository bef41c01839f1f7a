//! A ratchet against becoming slow: instructions and allocations of the hot paths, counted by valgrind
//! and held against `benches/instructions.txt`.
//!
//! `cargo run --release --example instructions`. It starts itself under valgrind, with each path
//! repeated so often and twice as often: the difference is free of start and set-up. Unlike a time, such
//! a count is the same in every run. With `UPDATE_EXPECT=1` it writes the table anew; CONTRIBUTING.md
//! says when.

#![expect(clippy::unwrap_used, reason = "a bench that cannot do its work has nothing to measure")]
#![expect(clippy::print_stdout, reason = "the comparison is what one asks it for")]

#[expect(dead_code, reason = "of what the benches share")]
#[path = "../setup/ledger.rs"]
mod ledger;
mod paths;
#[expect(dead_code, reason = "of what the benches share")]
#[path = "../setup/reading.rs"]
mod reading;
#[path = "../setup/serving.rs"]
mod serving;
#[path = "../setup/showing.rs"]
mod showing;
mod table;

use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::process::{Child, Command, ExitCode, Stdio};

use paths::HotPath;
use table::{Row, Table};
use tempfile::TempDir;

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions.txt");
/// Which one built this.
const COMPILER: &str = concat!("rustc ", env!("RUSTC_VERSION"));
const RENEW: &str = "UPDATE_EXPECT=1 cargo run --release --example instructions";

/// Prints `==1== Collected : 123`.
const INSTRUCTIONS: [&str; 2] = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
/// Prints `==1== Total:     1,234 bytes in 123 blocks`.
const ALLOCATIONS: [&str; 2] = ["--tool=dhat", "--dhat-out-file=/dev/null"];

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    if let [name, n_times] = arguments.as_slice() {
        let path = paths::ALL.iter().find(|path| path.name == name).unwrap();
        repeat(path, n_times.parse().unwrap());
        return ExitCode::SUCCESS;
    }
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        println!("the table holds for Linux on x86-64; nothing was counted");
        return ExitCode::SUCCESS;
    }
    // For the files of all: what is forgotten is not removed.
    let scratch = TempDir::new().unwrap();
    let counted: Vec<_> = paths::ALL.iter().map(|path| count(path, &scratch)).collect();
    if env::var_os("UPDATE_EXPECT").is_some() {
        let table = Table { compiler: COMPILER.into(), rows: counted };
        File::create(TABLE).unwrap().write_all(table.write().as_bytes()).unwrap();
        return ExitCode::SUCCESS;
    }
    judge(&counted)
}

fn repeat(path: &HotPath, n_times: usize) {
    let mut work = (path.set_up)();
    again_and_again(&mut work, n_times);
    // What was set up and not used would be dropped, and that would be counted.
    std::mem::forget(work);
}

/// A function of its own, so that a profile can leave out what was set up.
#[inline(never)]
fn again_and_again(work: &mut dyn FnMut(), n_times: usize) {
    (0..n_times).for_each(|_| work());
}

/// Counts one path, in four processes at once.
fn count(path: &HotPath, scratch: &TempDir) -> Row {
    let n_times = path.n_times;
    let runs = [(INSTRUCTIONS, "Collected : "), (ALLOCATIONS, " bytes in ")].map(|(tool, mark)| {
        let start = |n_times: usize| {
            let mut command = Command::new("valgrind");
            command.args(tool).arg(env::current_exe().unwrap());
            command.args([path.name, &n_times.to_string()]).env("TMPDIR", scratch.path());
            command.stderr(Stdio::piped()).spawn().expect("valgrind is not installed")
        };
        ([start(n_times), start(2 * n_times)], mark)
    });
    let [instructions, allocations] = runs.map(|(children, mark)| {
        let [once, twice] = children.map(|child| counted(child, mark));
        (twice - once) / n_times as u64
    });
    Row { name: path.name.to_owned(), instructions, allocations }
}

/// The count that stands behind `mark`, once the process has ended.
fn counted(child: Child, mark: &str) -> u64 {
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "valgrind ended with {}: {said}", output.status);
    // Of several the first is the total.
    let (_, count) = said.lines().find_map(|line| line.split_once(mark)).unwrap();
    count.split(' ').next().unwrap().replace(',', "").parse().unwrap()
}

fn judge(counted: &[Row]) -> ExitCode {
    let table = Table::parse(&fs::read_to_string(TABLE).unwrap()).unwrap();
    let all = table.compare(counted);
    all.lines.iter().for_each(|line| println!("{line}"));
    if !all.gains.is_empty() {
        println!("\nThe table may be lowered, so that this stays won: {RENEW}");
        all.gains.iter().for_each(|line| println!("  {line}"));
    }
    if all.faults.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("\nAgainst benches/instructions.txt, which allows for a tenth more:");
    all.faults.iter().for_each(|line| println!("  {line}"));
    if table.compiler != COMPILER {
        println!("The table was made with {}, and this is {COMPILER}.", table.compiler);
    }
    println!(
        "Make it as cheap as it was. Where it is worth that, say why in the commit, and renew"
    );
    println!("the table: {RENEW}");
    ExitCode::FAILURE
}
