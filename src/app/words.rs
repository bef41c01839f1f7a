//! Times and durations as they stand in log lines and on the page.

use jiff::SignedDuration;

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
    let duration = SignedDuration::from_secs(seconds.max(0));
    duration::format(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
}
