//! Since when an app counts: what a first start begins with, and what a later one may not change.

use std::sync::Arc;

use crate::call::Timestamp;
use crate::config::settings::CountFrom;
use crate::sweep::{Order, Progress, ReadTime, Saved};

use super::words::date;

/// Counters of an epoch further back than this are absent until everything since then was read:
/// otherwise `increase()` would see the whole history as new. Seconds.
const SHOWN_AT_ONCE_S: i64 = 600;

/// The state of an app that was never read. `now` is the local clock.
pub(super) fn first_start(
    from: CountFrom,
    lookback_s: i64,
    recent_window_s: i64,
    now: Timestamp,
) -> Saved {
    let (epoch, epoch_settled) = match from {
        CountFrom::Now => (now, false),
        CountFrom::Ago(seconds) => (now.plus_s(-seconds), false),
        CountFrom::At(at) => (at, true),
    };
    let progress = Progress {
        epoch,
        epoch_settled,
        floor: epoch.min(now.plus_s(-recent_window_s)),
        complete: epoch >= now.plus_s(-SHOWN_AT_ONCE_S),
        read: ReadTime::new(lookback_s),
        order: Order::default(),
    };
    Saved { progress, totals: Arc::default() }
}

/// Why the configured `count.from` cannot be kept, if it cannot. `since` is what the state says.
pub(super) fn conflict(
    from: CountFrom,
    since: Option<Timestamp>,
    now: Timestamp,
) -> Option<String> {
    let CountFrom::At(wanted) = from else { return None };
    match since {
        Some(since) if since != wanted => Some(format!(
            "the state counts since {}, but count.from says {}: \
             remove count.from to go on counting, or start anew with another --state.path",
            date(since),
            date(wanted),
        )),
        // A day of grace, since the local clock may be wrong.
        None if wanted > now.plus_s(86_400) => Some(format!(
            "count.from says {}, which lies in the future: nothing would be counted",
            date(wanted),
        )),
        Some(_) | None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_760_000_000);

    #[test]
    fn a_first_start_reads_back_over_the_recent_window() {
        let saved = first_start(CountFrom::Now, 86_400, 3600, NOW);
        assert_eq!(saved.progress.epoch, NOW);
        assert_eq!(saved.progress.floor, NOW.plus_s(-3600));
        assert!(saved.progress.complete, "the counters stand at 0 from the first scrape");
    }

    #[test]
    fn an_epoch_in_the_past_is_shown_only_once_it_was_read() {
        assert!(first_start(CountFrom::Ago(600), 86_400, 3600, NOW).progress.complete);
        let saved = first_start(CountFrom::Ago(7200), 86_400, 3600, NOW);
        assert!(!saved.progress.complete);
        assert_eq!(saved.progress.floor, NOW.plus_s(-7200));
    }

    #[test]
    fn a_date_that_differs_from_the_state_is_refused_with_what_to_do() {
        let at = |seconds| CountFrom::At(NOW.plus_s(seconds));
        assert_eq!(conflict(CountFrom::Now, Some(NOW), NOW), None);
        assert_eq!(conflict(CountFrom::Ago(5), Some(NOW), NOW), None);
        assert_eq!(conflict(at(0), Some(NOW), NOW), None);
        assert_eq!(
            conflict(at(-60), Some(NOW), NOW).as_deref(),
            Some(
                "the state counts since 2025-10-09T08:53:20Z, but count.from says \
                 2025-10-09T08:52:20Z: remove count.from to go on counting, or start anew with \
                 another --state.path"
            )
        );
        assert!(conflict(at(200_000), None, NOW).is_some_and(|why| why.contains("future")));
    }
}
