//! What the ratchet of the hot paths makes of its counts.

#[path = "../../benches/instructions/table.rs"]
mod table;

use std::fs;

use table::{Comparison, Row, Table};

fn row(name: &str, instructions: u64, allocations: u64) -> Row {
    Row { name: name.into(), instructions, allocations }
}

/// Holds paths against a table in which `decode` takes 1,000 instructions and 20 allocations.
fn compare(counted: &[Row]) -> Comparison {
    Table { compiler: "rustc".into(), rows: vec![row("decode", 1000, 20)] }.compare(counted)
}

#[test]
fn a_count_may_rise_by_a_tenth_and_no_more() {
    let all = compare(&[row("decode", 1100, 22)]);
    assert_eq!((all.faults.len(), all.gains.len()), (0, 0));
    assert_eq!(
        compare(&[row("decode", 2000, 20)]).faults,
        ["decode takes 2_000 instructions in place of 1_000: +100.0 %"]
    );
    assert_eq!(
        compare(&[row("decode", 1000, 23)]).faults,
        ["decode takes 23 allocations in place of 20: +15.0 %"]
    );
}

#[test]
fn a_count_that_fell_by_more_than_a_tenth_is_told_and_is_no_fault() {
    let all = compare(&[row("decode", 899, 18)]);
    assert_eq!(all.gains, ["decode takes 899 instructions in place of 1_000: -10.1 %"]);
    assert_eq!(all.faults.len(), 0);
}

#[test]
fn a_path_without_a_row_and_a_row_without_a_path_are_faults() {
    let faults = ["render is not in the table", "decode is in the table and was not counted"];
    assert_eq!(compare(&[row("render", 1, 1)]).faults, faults);
}

#[test]
fn every_path_has_a_line_with_both_differences() {
    let lines = compare(&[row("decode", 1_234, 19)]).lines;
    let words: Vec<_> = lines[0].split_whitespace().collect();
    assert_eq!(words, ["decode", "1_000", "1_234", "+23.4", "%", "20", "19", "-5.0", "%"]);
}

#[test]
fn the_table_reads_as_it_was_written() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions.txt");
    let text = fs::read_to_string(path).unwrap();
    let table = Table::parse(&text).unwrap();
    assert!(table.rows.len() > 10 && table.compiler.starts_with("rustc "), "{table:?}");
    assert_eq!(table.write(), text);
    assert_eq!(Table::parse("rustc\ncolumns\nname 1 x\n"), None);
}
