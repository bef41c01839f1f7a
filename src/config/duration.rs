//! Durations as Prometheus writes them: `30s`, `1h30m`, `1d`; units in falling order, no blanks,
//! no fractions.

/// Units from the largest to the smallest, each with its length in milliseconds.
const UNITS: [(&str, i64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Why a text is not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not the grammar.
    #[error("must be a duration such as 30s, 5m or 1h30m")]
    Grammar,
    /// More milliseconds than fit.
    #[error("must be a duration of less than 292 million years")]
    TooLong,
}

/// Reads a duration; the result is in milliseconds and never negative.
///
/// # Errors
/// What is no duration in this grammar, or too long a one.
pub fn parse(text: &str) -> Result<i64, DurationError> {
    match text {
        "0" => return Ok(0),
        "" => return Err(DurationError::Grammar),
        _ => {}
    }
    let (mut rest, mut units, mut total_ms) = (text, &UNITS[..], 0_i64);
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit()).ok_or(DurationError::Grammar)?;
        let (number, tail) = rest.split_at(number_end);
        let unit_end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, after) = tail.split_at(unit_end);
        let unit_idx =
            units.iter().position(|(name, _)| *name == unit).ok_or(DurationError::Grammar)?;
        if number.is_empty() {
            return Err(DurationError::Grammar);
        }
        total_ms = (number.parse::<i64>().ok())
            .and_then(|n| n.checked_mul(units[unit_idx].1))
            .and_then(|part_ms| part_ms.checked_add(total_ms))
            .ok_or(DurationError::TooLong)?;
        (rest, units) = (after, &units[unit_idx + 1..]);
    }
    Ok(total_ms)
}

/// Writes a duration of `ms` milliseconds, the way Prometheus does: years and weeks only where
/// nothing is left over.
pub fn format(ms: i64) -> String {
    if ms <= 0 {
        return "0s".to_owned();
    }
    let (mut rest_ms, mut text) = (ms, String::new());
    for (unit, unit_ms) in UNITS {
        let must_be_exact = matches!(unit, "y" | "w");
        if rest_ms < unit_ms || (must_be_exact && rest_ms % unit_ms != 0) {
            continue;
        }
        text.push_str(&format!("{}{unit}", rest_ms / unit_ms));
        rest_ms %= unit_ms;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_grammar_is_that_of_prometheus() {
        for (text, ms) in [
            ("0", 0),
            ("0s", 0),
            ("30s", 30_000),
            ("100ms", 100),
            ("1h30m", 5_400_000),
            ("1y2w3d4h5m6s7ms", 33_019_506_007),
            ("90m", 5_400_000),
            ("007s", 7_000),
        ] {
            assert_eq!(parse(text), Ok(ms), "{text}");
        }
        for text in [
            "", "90", "00", "s", "-5s", "+5s", "1.5h", "1h 30m", " 1h", "1h ", "30m1h", "1h1h",
            "1S", "1M", "2 hours", "1h30", "٣s", "5µs", "1ms1s", "now",
        ] {
            assert_eq!(parse(text), Err(DurationError::Grammar), "{text}");
        }
        for text in ["9223372036854775807s", "99999999999999999999ms", "292471209y292471209w"] {
            assert_eq!(parse(text), Err(DurationError::TooLong), "{text}");
        }
    }

    #[test]
    fn the_shortest_usual_spelling_is_written() {
        for (ms, text) in
            [(0, "0s"), (7_200_000, "2h"), (604_800_000, "1w"), (90_061_001, "1d1h1m1s1ms")]
        {
            assert_eq!(format(ms), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(ms in prop_oneof![0..100_000_i64, 0..=i64::MAX]) {
            prop_assert_eq!(parse(&format(ms)), Ok(ms));
        }

        #[test]
        fn what_is_read_is_the_sum_of_its_parts(parts in proptest::array::uniform7(proptest::option::of(0..5_000_i64))) {
            let (mut text, mut sum) = (String::new(), 0);
            for (part, (unit, unit_ms)) in parts.iter().zip(UNITS) {
                if let Some(n) = part {
                    text.push_str(&format!("{n}{unit}"));
                    sum += n * unit_ms;
                }
            }
            prop_assume!(!text.is_empty());
            prop_assert_eq!(parse(&text), Ok(sum));
            prop_assert_eq!(parse(&format(sum)), Ok(sum));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*") {
            let _ = parse(&text);
        }
    }
}
