//! Figures as the page writes them.

use std::fmt;

use crate::metrics::Moment;

/// Seconds, in the two greatest units that fit.
pub(super) struct Span(pub(super) u64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let two = |f: &mut fmt::Formatter<'_>, great: u64, unit, small: u64, less| match small {
            0 => write!(f, "{great}\u{a0}{unit}"),
            _ => write!(f, "{great}\u{a0}{unit} {small}\u{a0}{less}"),
        };
        let (minutes, hours, days) = (self.0 / 60, self.0 / 3600, self.0 / 86_400);
        match self.0 {
            0..60 => write!(f, "{}\u{a0}s", self.0),
            60..3600 => two(f, minutes, "min", self.0 % 60, "s"),
            3600..86_400 => two(f, hours, "h", minutes % 60, "min"),
            _ => two(f, days, "d", hours % 24, "h"),
        }
    }
}

/// A number with its thousands apart.
pub(super) struct Grouped(pub(super) u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (idx, digit) in digits.chars().enumerate() {
            if idx > 0 && (digits.len() - idx).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// A part of a whole in percent.
pub(super) struct Share(pub(super) u64, pub(super) u64);

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (u128::from(self.0) * 100).checked_div(self.1.into()) {
            None => f.write_str("–"),
            Some(percent) => write!(f, "{percent} %"),
        }
    }
}

/// A size in bytes.
pub(super) struct Bytes(pub(super) u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = |unit: u64| (self.0 / unit, self.0 % unit * 10 / unit);
        let (unit, name) = match self.0 {
            0..1024 => return write!(f, "{} B", self.0),
            1024..1_048_576 => (1 << 10, "KiB"),
            1_048_576..1_073_741_824 => (1 << 20, "MiB"),
            _ => (1 << 30, "GiB"),
        };
        let (whole, tenth) = tenths(unit);
        write!(f, "{whole}.{tenth} {name}")
    }
}

/// A moment in UTC.
pub(super) struct Clock(pub(super) Moment);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0.floor().0) {
            Ok(at) => {
                let text = at.to_string();
                write!(f, "{} UTC", text.trim_end_matches('Z').replace('T', " "))
            }
            Err(_) => f.write_str("an unknown time"),
        }
    }
}

impl Clock {
    /// Without the day.
    pub(super) fn time(&self) -> String {
        let text = self.to_string();
        text.split_once(' ').map_or(text.clone(), |(_, time)| time.to_owned())
    }
}

/// `1 app`, `2 apps`.
pub(super) fn plural(n: usize, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}
