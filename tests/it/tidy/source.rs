//! Files of the project as text.

use std::fs;
use std::path::{Path, PathBuf};

/// A file of Rust.
pub(super) struct Source {
    /// Relative to the root, with `/`: `src/ledger/posting.rs`.
    pub(super) path: String,
    pub(super) text: String,
}

impl Source {
    /// The top-level module: `ledger`, or `main` and `lib`; of a test or a bench: its folder.
    pub(super) fn module(&self) -> &str {
        let inner = self.path.strip_prefix("src/").unwrap_or(&self.path);
        inner.split(['/', '.']).next().unwrap()
    }

    /// How many modules deep the file lies below the root of the crate: 1 for `src/ledger.rs`.
    pub(super) fn depth(&self) -> usize {
        self.path.matches('/').count()
    }

    /// Whether the whole file is for tests.
    pub(super) fn is_test(&self) -> bool {
        !self.path.starts_with("src/")
            || self.path.ends_with("/tests.rs")
            || self.path.contains("/tests/")
    }

    /// The numbered lines that are neither comments nor in a module for tests at the end.
    pub(super) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate();
        let without_tests = lines.scan(false, |in_tests, (idx, line)| {
            *in_tests |= line == "mod tests {";
            (!*in_tests).then_some((idx + 1, line))
        });
        without_tests.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

/// The root of the project.
pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of a file below the root, if it is there.
pub(super) fn read(path: &str) -> Option<String> {
    fs::read_to_string(root().join(path)).ok()
}

/// All files below a folder, in order.
pub(super) fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// Every file of Rust.
pub(super) fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    for path in ["src", "tests", "benches"].into_iter().flat_map(files) {
        if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let path = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
            sources.push(Source { path, text });
        }
    }
    assert!(sources.len() > 100, "the sources were not found");
    sources
}

/// Whether `text` holds `word`, and not as a part of a longer one.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    let in_word = |char: char| char.is_alphanumeric() || char == '_';
    text.match_indices(word).any(|(at, _)| {
        !text[..at].ends_with(in_word) && !text[at + word.len()..].starts_with(in_word)
    })
}

#[test]
fn words_are_found_whole() {
    assert!(has_word("async fn", "async"));
    assert!(has_word("use std::fs;", "std::fs"));
    assert!(!has_word("use std::fspace;", "std::fs"));
    assert!(!has_word("is_async()", "async"));
}
