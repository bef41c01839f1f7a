//! Everything that is wrong with a configuration, collected so that one run names it all.

use std::fmt;

/// A place in the configuration file, both numbers from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: u64,
    /// The column, in characters.
    pub column: u64,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where in the file; absent for a flag, a variable and what is missing altogether.
    pub place: Option<Place>,
    /// The whole line to show, with its origin in front.
    pub text: String,
}

/// All that is wrong, in the order of the file; never empty. It shows as one fault a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// The faults, one by one.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (fault_idx, fault) in self.0.iter().enumerate() {
            let separator = if fault_idx == 0 { "" } else { "\n" };
            write!(f, "{separator}{}", fault.text)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// Collects faults while the configuration is read.
pub(super) struct Collector {
    /// The configuration file as it was named, empty without one.
    file: String,
    faults: Vec<Fault>,
}

impl Collector {
    pub(super) fn new(file: String) -> Self {
        Self { file, faults: Vec::new() }
    }

    /// A fault at a place in the configuration file.
    pub(super) fn at(&mut self, place: Place, sentence: impl fmt::Display) {
        let text = format!("{}: {sentence}", self.spot(place));
        self.faults.push(Fault { place: Some(place), text });
    }

    /// A fault that has no place in the file; the sentence names the flag or variable.
    pub(super) fn plain(&mut self, sentence: impl fmt::Display) {
        self.faults.push(Fault { place: None, text: sentence.to_string() });
    }

    /// How a place is written: `file:line:column`.
    pub(super) fn spot(&self, Place { line, column }: Place) -> String {
        format!("{}:{line}:{column}", self.file)
    }

    /// How many faults there are so far.
    pub(super) fn len(&self) -> usize {
        self.faults.len()
    }

    /// Takes over what was found in another file.
    pub(super) fn take_over(&mut self, others: &Faults) {
        for fault in others.iter() {
            self.plain(&fault.text);
        }
    }

    /// The name of the configuration file.
    pub(super) fn file(&self) -> &str {
        &self.file
    }

    /// `value` where nothing was wrong, else everything that was. A missing value is a fault that
    /// somebody reported.
    pub(super) fn finish<T>(mut self, value: Option<T>) -> Result<T, Faults> {
        match value {
            Some(value) if self.faults.is_empty() => Ok(value),
            _ => {
                debug_assert!(!self.faults.is_empty(), "what is missing was reported");
                // Faults with a place first, then the others in the order in which they were found.
                self.faults.sort_by_key(|fault| (fault.place.is_none(), fault.place));
                Err(Faults(self.faults))
            }
        }
    }
}

/// `text` in backticks, fit for one line of a terminal: what does not print is escaped, what is long
/// is cut.
///
/// Where an indent or a quote is wrong, YAML takes `api_key: …` for a part of the value before it:
/// such a value is not shown at all.
pub(super) fn quoted(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    let may_hold_a_key = text.split_whitespace().collect::<String>().contains("key:");
    if may_hold_a_key {
        return "`…` (not shown: it holds `key:`)".to_owned();
    }
    let mut shown = String::new();
    for c in text.chars().take(CHARS_MAX) {
        match c {
            '"' | '\'' | '\\' => shown.push(c),
            _ => shown.extend(c.escape_debug()),
        }
    }
    let rest = if text.chars().nth(CHARS_MAX).is_some() { "…" } else { "" };
    format!("`{shown}{rest}`")
}
