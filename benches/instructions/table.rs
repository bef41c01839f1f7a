//! The table of what the hot paths cost: read, written, and held against what was counted.

use std::fmt::Write;

/// How far a count may rise above the table.
const TOLERANCE_PERCENT: u64 = 10;

/// What the paths cost when the table was made.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// Which one, and its version.
    pub(crate) compiler: String,
    pub(crate) rows: Vec<Row>,
}

/// What one repetition of a path costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) instructions: u64,
    pub(crate) allocations: u64,
}

/// What came of a comparison, line by line.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// Every path: what the table says, what was counted, the difference.
    pub(crate) lines: Vec<String>,
    /// What must not be.
    pub(crate) faults: Vec<String>,
    /// What the table may be lowered by.
    pub(crate) gains: Vec<String>,
}

impl Table {
    /// The compiler, the names of the columns, and a line for each path. Nothing where a line is
    /// no such.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let compiler = lines.next()?.to_owned();
        let rows = lines.skip(1).map(Row::parse).collect::<Option<_>>()?;
        Some(Self { compiler, rows })
    }

    pub(crate) fn write(&self) -> String {
        let Self { compiler, rows } = self;
        let mut text =
            format!("{compiler}\n{:<34}{:>13}{:>13}\n", "", "instructions", "allocations");
        for Row { name, instructions, allocations } in rows {
            let [instructions, allocations] = [*instructions, *allocations].map(grouped);
            // Writing to memory cannot fail.
            let _ = writeln!(text, "{name:<34}{instructions:>13}{allocations:>13}");
        }
        text
    }

    /// Holds what was counted against the table.
    pub(crate) fn compare(&self, counted: &[Row]) -> Comparison {
        let mut all = Comparison::default();
        for now in counted {
            let Some(before) = self.rows.iter().find(|row| row.name == now.name) else {
                all.faults.push(format!("{} is not in the table", now.name));
                continue;
            };
            let counts = [
                all.count(now, "instructions", before.instructions, now.instructions),
                all.count(now, "allocations", before.allocations, now.allocations),
            ];
            all.lines.push(format!("{:<34}{}", now.name, counts.concat()));
        }
        let is_gone = |row: &&Row| !counted.iter().any(|now| now.name == row.name);
        let gone = self.rows.iter().filter(is_gone);
        all.faults
            .extend(gone.map(|row| format!("{} is in the table and was not counted", row.name)));
        all
    }
}

impl Row {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let name = words.next()?.to_owned();
        let mut count = || words.next()?.replace('_', "").parse().ok();
        Some(Self { name, instructions: count()?, allocations: count()? })
    }
}

impl Comparison {
    fn count(&mut self, row: &Row, what: &str, before: u64, now: u64) -> String {
        let is_fault = now * 100 > before * (100 + TOLERANCE_PERCENT);
        let is_gain = now * 100 < before * (100 - TOLERANCE_PERCENT);
        #[expect(clippy::cast_precision_loss, reason = "what is judged is whole")]
        let percent = (now as f64 / before as f64 - 1.0) * 100.0;
        let [before, now] = [before, now].map(grouped);
        let said = format!("{} takes {now} {what} in place of {before}: {percent:+.1} %", row.name);
        match (is_fault, is_gain) {
            (true, _) => self.faults.push(said),
            (_, true) => self.gains.push(said),
            _ => {}
        }
        format!("{before:>13}{now:>13}{percent:>+7.1} %")
    }
}

/// `1_234_567`.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group));
    groups.collect::<Vec<_>>().join("_")
}
