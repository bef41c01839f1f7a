//! What configuration reads from outside: environment variables and files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The most that is read of one file, in bytes: far above 10,000 apps, far below the memory.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// The world outside, as an argument, so that tests can bring their own.
pub trait Surroundings {
    /// The value of an environment variable; bytes that are not UTF-8 are replaced.
    fn variable(&self, name: &str) -> Option<String>;

    /// The text of a file.
    fn read(&self, path: &Path) -> io::Result<String>;
}

/// The environment and the files of this process.
#[derive(Clone, Copy, Debug)]
pub struct Process;

impl Surroundings for Process {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
    }

    fn read(&self, path: &Path) -> io::Result<String> {
        let mut text = String::new();
        let n_bytes = File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
        if n_bytes as u64 > FILE_BYTES_MAX {
            return Err(io::Error::other("it is longer than 16 MiB"));
        }
        Ok(text)
    }
}
