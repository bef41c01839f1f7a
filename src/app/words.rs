//! Times and durations as they stand in log lines and on the page.

use crate::call::Timestamp;
use crate::config::duration;

/// RFC 3339 in UTC, such as `2026-01-31T00:00:00Z`.
pub(super) fn date(at: Timestamp) -> String {
    match jiff::Timestamp::from_second(at.0) {
        Ok(time) => time.to_string(),
        Err(_) => format!("second {} of the Unix epoch", at.0),
    }
}

/// Whole seconds in the grammar of the configuration, such as `2h5m`.
pub(super) fn seconds(seconds: i64) -> String {
    duration::format(seconds.saturating_mul(1000))
}
