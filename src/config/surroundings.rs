//! What configuration reads from outside: environment variables and files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The most that is read of one file, in bytes: far above 10,000 apps, far below the memory.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// The most that is read of a file that holds a key. CometChat's have 40 characters.
const KEY_BYTES_MAX: u64 = 4 << 10;

/// The world outside, as an argument, so that tests can bring their own.
pub trait Surroundings {
    /// The value of an environment variable; bytes that are not UTF-8 are replaced.
    fn variable(&self, name: &str) -> Option<String>;

    /// The text of a file.
    ///
    /// # Errors
    /// A file that cannot be read, or is too long for a configuration.
    fn read(&self, path: &Path) -> io::Result<String>;

    /// The text of a file that holds a key and nothing else.
    ///
    /// # Errors
    /// A file that cannot be read, or is too long for a key.
    fn read_key(&self, path: &Path) -> io::Result<String> {
        self.read(path)
    }
}

/// The environment and the files of this process.
#[derive(Clone, Copy, Debug)]
pub struct Process;

impl Surroundings for Process {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
    }

    fn read(&self, path: &Path) -> io::Result<String> {
        read_up_to(path, FILE_BYTES_MAX, "it is longer than 16 MiB")
    }

    fn read_key(&self, path: &Path) -> io::Result<String> {
        read_up_to(path, KEY_BYTES_MAX, "it is longer than 4 KiB, as no key is")
    }
}

fn read_up_to(path: &Path, n_bytes_max: u64, too_long: &str) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(n_bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > n_bytes_max {
        return Err(io::Error::other(too_long));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::other("stream did not contain valid UTF-8"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Process, Surroundings};

    #[test]
    fn a_key_is_read_from_a_short_file_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        for (n_bytes, is_read) in [(0, true), (4096, true), (4097, false), (100_000, false)] {
            #[expect(clippy::disallowed_methods, reason = "a test's own file")]
            std::fs::write(&path, "k".repeat(n_bytes)).unwrap();
            assert_eq!(Process.read_key(&path).is_ok(), is_read, "{n_bytes}");
        }
        // A file without an end.
        #[cfg(unix)]
        assert!(Process.read_key(Path::new("/dev/zero")).is_err());
    }
}
