//! What the log, the page and the metrics are told of an app.

use tracing::{info, warn};

use super::super::board::Remarks;
use super::super::words;
use super::Poller;
use crate::call::Moment;
use crate::metrics::{AppView, Latency};
use crate::sweep::ReadingBack;
use crate::web::{AppEntry, FirstRead};

/// A long first read is told of this often.
const TELL_EVERY_MS: i64 = 60_000;

impl Poller {
    pub(super) fn tell_success(&mut self, wall: Moment) {
        let name = self.task.name();
        let sweep = &self.seated().sweep;
        if let Some(trouble) = &self.trouble {
            let away = words::seconds(wall.since_ms(trouble.since) / 1000);
            info!(app.name = name, "app `{name}` is read again, after {away}");
        } else if !self.tried {
            let known = sweep.n_known();
            let more = sweep.reading_back().map_or("", |_| ", and the past follows");
            info!(app.name = name, "app `{name}` is read: {known} calls known{more}");
        }
        let order = sweep.progress().order;
        if !self.order_warned && order.slack_s() > 0 && !order.is_known() {
            warn!(
                app.name = name,
                "app `{name}`: the API lists calls in no order by initiatedAt; \
                 calls may be missed or found late"
            );
            self.order_warned = true;
        }
    }

    /// A long first read says now and then how far it is.
    pub(super) fn tell_reading_back(&mut self) {
        let steady = self.task.clock.steady();
        if steady.since_ms(self.told_at) < TELL_EVERY_MS {
            return;
        }
        if let Some(it) = self.seated().sweep.reading_back() {
            let name = self.task.name();
            info!(app.name = name, "app `{name}`: {}", self.reading_back(it));
            self.told_at = steady;
        }
    }

    /// How far a long first read is, in words.
    fn reading_back(&self, it: ReadingBack) -> String {
        let milli_per_minute = self.task.budget().milli_per_minute();
        let latency_ms = self.task.health().latency.get("list").map_or(0, Latency::mean_ms);
        format!(
            "reading back to {}: {} of about {} calls, {} left at this pace",
            words::date(it.to),
            it.n_read,
            it.n_about,
            words::seconds(left_s(it.n_requests_left, milli_per_minute, latency_ms)),
        )
    }

    pub(super) fn show(&mut self) {
        self.task.board.show(self.entry());
        self.is_shown = true;
        self.shown_at = self.task.clock.steady();
    }

    /// What is to be shown of the app now. Everything in it is durable.
    fn entry(&self) -> AppEntry {
        let task = &self.task;
        let sweep = &self.seated().sweep;
        let progress = sweep.progress();
        let now = self.skew.api_time(task.clock.wall());
        let lag_s = now.floor().since_s(progress.covered_until());
        let is_read = !progress.read.covered().is_empty();
        let mut health = task.health().clone();
        health.budget_milli_per_minute = task.budget().milli_per_minute().max(0).unsigned_abs();
        let examples = task.examples();
        let view = AppView {
            name: task.name(),
            app_id: &task.settings.app_id,
            api_region: task.settings.api_region.label(),
            totals: progress.complete.then(|| sweep.totals()),
            open: sweep.open_calls(),
            recent: self.recent.as_ref().map(|it| &it.0).filter(|_| lag_s <= task.recent_window_s),
            epoch: progress.epoch,
            covered_until: is_read.then(|| progress.covered_until()),
            skew_ms: self.skew.local_ahead_ms(),
            tracked_calls: sweep.n_known() as u64,
            health: &health,
            examples: examples.as_ref(),
        };
        let reading_back = sweep.reading_back();
        let remarks = Remarks {
            tried: self.tried,
            trouble: self.trouble.clone(),
            note: reading_back.map(|it| self.reading_back(it)),
            first_read: reading_back.map(|it| FirstRead { n_read: it.n_read, n_about: it.n_about }),
            at: task.clock.wall(),
        };
        task.board.entry(task, &view, remarks)
    }
}

/// Seconds that so many requests take. They read one page after the other, so that a large budget is
/// not spent where answers take their time.
fn left_s(n_requests: u64, milli_per_minute: i64, latency_ms: u64) -> i64 {
    let by_budget_ms = 60_000_000 / milli_per_minute.max(1).unsigned_abs();
    let left_ms = n_requests.saturating_mul(by_budget_ms.max(latency_ms));
    i64::try_from(left_ms / 1000).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::left_s;

    #[test]
    fn what_is_left_takes_as_long_as_the_budget_and_the_answers_want() {
        assert_eq!(left_s(1_000, 100_000, 200), 600, "the free plan: a request in 0.6 s");
        assert_eq!(left_s(1_000, 4_000_000, 5), 15, "the paid plan, and answers at once");
        assert_eq!(left_s(1_000, 4_000_000, 200), 200, "the paid plan, and usual answers");
    }
}
