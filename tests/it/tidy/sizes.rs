//! How long things may get, and what every file has.

use super::none;
use super::source::{Source, read, sources};

const FILE_LINES_MAX: usize = 400;
const TEST_FILE_LINES_MAX: usize = 700;
const FUNCTION_LINES_MAX: usize = 70;
const README_LINES_MAX: usize = 120;
const ARCHITECTURE_LINES_MAX: usize = 150;

/// Functions that are longer, each with its reason. The list may only shrink.
const LONG_FUNCTIONS: [&str; 2] = [
    "src/sim/tests/world.rs: an_ended_call_reads_like_the_example_of_the_documents", // one document
    "tests/it/simulation/world.rs: life", // a list of fates
];

#[test]
fn files_are_short() {
    let mut violations = Vec::new();
    for source in sources() {
        let tests_begin = source.text.lines().position(|line| line == "mod tests {");
        let n_lines = tests_begin.unwrap_or(source.text.lines().count());
        let max = if source.is_test() { TEST_FILE_LINES_MAX } else { FILE_LINES_MAX };
        if n_lines > max {
            violations.push(format!("{}: {n_lines} lines, at most {max}", source.path));
        }
    }
    none(&violations, "split them by idea: `foo.rs` and `foo/`");
}

#[test]
fn functions_are_short() {
    let mut long = Vec::new();
    for source in sources() {
        for (name, n_lines) in functions(&source) {
            let id = format!("{}: {name}", source.path);
            if n_lines > FUNCTION_LINES_MAX {
                long.push((id, n_lines));
            }
        }
    }
    let is_known = |id: &str| LONG_FUNCTIONS.contains(&id);
    let violations: Vec<_> = long
        .iter()
        .filter(|(id, _)| !is_known(id))
        .map(|(id, n_lines)| format!("{id}: {n_lines} lines, at most {FUNCTION_LINES_MAX}"))
        .collect();
    none(&violations, "split them: ifs up, fors down");
    let healed: Vec<_> = LONG_FUNCTIONS
        .iter()
        .filter(|known| !long.iter().any(|(id, _)| id == *known))
        .map(|known| (*known).to_owned())
        .collect();
    none(&healed, "no longer long: take them off LONG_FUNCTIONS");
}

/// Names and lengths of functions; the format of the sources puts the end of each in the column of
/// its beginning.
fn functions(source: &Source) -> Vec<(&str, usize)> {
    let mut open: Vec<(usize, &str, usize)> = Vec::new();
    let mut found = Vec::new();
    for (idx, line) in source.text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let code = line.trim_start();
        if let Some((before, rest)) = code.split_once("fn ")
            && before.split_whitespace().all(is_qualifier)
            && !code.ends_with([';', '}'])
        {
            open.push((indent, rest.split(['(', '<']).next().unwrap_or(rest), idx));
        } else if let Some(&(begun, name, from)) = open.last()
            && begun == indent
            && code == "}"
        {
            found.push((name, idx - from + 1));
            open.pop();
        }
    }
    found
}

fn is_qualifier(word: &str) -> bool {
    word.starts_with("pub") || matches!(word, "const" | "async" | "super)")
}

#[test]
fn functions_are_measured_from_end_to_end() {
    let text = "impl X {\n    pub(super) fn a(&self) {\n        1\n    }\n    fn b() {}\n}\nfn c<T>(\n    x: T,\n) {\n}\n";
    let source = Source { path: "src/x.rs".into(), text: text.into() };
    assert_eq!(functions(&source), [("a", 3), ("c", 4)]);
}

#[test]
fn every_file_says_what_lives_there() {
    let mut violations = Vec::new();
    for source in sources() {
        let first = source.text.lines().next().unwrap_or_default();
        if !first.starts_with("//! ") {
            violations.push(source.path);
        }
    }
    none(&violations, "begin the file with a line `//! …`");
}

#[test]
fn nothing_is_left_for_later() {
    let marks = [concat!("FIX", "ME"), concat!("XX", "X"), concat!("TO", "DO")];
    let macros = [concat!("to", "do!"), concat!("db", "g!"), concat!("unimple", "mented!")];
    let mut violations = Vec::new();
    for source in sources() {
        for (idx, line) in source.text.lines().enumerate() {
            for word in marks.iter().chain(&macros).filter(|word| line.contains(*word)) {
                violations.push(format!("{}:{}: {word}", source.path, idx + 1));
            }
        }
    }
    none(&violations, "do it, or say in a sentence why not");
}

#[test]
fn the_first_pages_are_short() {
    let mut violations = Vec::new();
    for (page, max) in
        [("README.md", README_LINES_MAX), ("ARCHITECTURE.md", ARCHITECTURE_LINES_MAX)]
    {
        let n_lines = read(page).map_or(0, |text| text.lines().count());
        if n_lines > max {
            violations.push(format!("{page}: {n_lines} lines, at most {max}"));
        }
    }
    none(&violations, "move what is not for every reader to docs/");
}
