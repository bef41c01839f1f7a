//! What the reading will cost, and how fresh the numbers will be.

use super::facts::Facts;
use super::findings::{Finding, Means, Verdict, finding};
use crate::sweep::Page;

/// Requests a minute that the exporter lets itself make.
#[expect(clippy::cast_precision_loss, reason = "a limit is small")]
pub(super) fn budget(facts: &Facts, means: Means) -> f64 {
    facts.quota.limit.unwrap_or(means.rate_limit) as f64 * means.rate_limit_share
}

/// Requests a minute by calls a day, as `docs/operations.md` has them measured at an interval of
/// 30 seconds.
const COST: [(f64, f64); 4] =
    [(0.0, 4.0), (10_000.0, 3.7), (100_000.0, 31.1), (1_000_000.0, 362.0)];

/// What the reading costs, requests a minute.
fn requests_a_minute(calls_a_day: f64, interval_s: f64) -> f64 {
    let after = COST.iter().position(|(calls, _)| *calls > calls_a_day).unwrap_or(COST.len() - 1);
    let ((x0, y0), (x1, y1)) = (COST[after.max(1) - 1], COST[after.max(1)]);
    let at_30_s = y0 + (y1 - y0) * (calls_a_day - x0) / (x1 - x0);
    // The heads of the list, 2 a minute at 30 s, come as often as the interval says.
    at_30_s - 2.0 + 60.0 / interval_s
}

/// Calls a day, if the newest page is like the rest of the day.
#[expect(clippy::cast_precision_loss, reason = "a page is small, and a rate is rough")]
fn calls_a_day(facts: &Facts) -> Option<f64> {
    let times = facts.calls().iter().map(|call| call.key.initiated_at);
    let (oldest, newest) = (times.clone().min()?, times.max()?);
    let span_s = newest.since_s(oldest).max(1) as f64;
    (facts.calls().len() >= 10).then(|| facts.calls().len() as f64 * 86_400.0 / span_s)
}

/// What an ordinary day costs, and the first read.
pub(super) fn cost(facts: &Facts, means: Means) -> Vec<Finding> {
    let Some(calls_a_day) = calls_a_day(facts) else {
        return vec![finding(
            "cost",
            Verdict::Note,
            "too few calls to tell what the reading costs",
        )];
    };
    let (wanted, budget) = (requests_a_minute(calls_a_day, means.interval_s), budget(facts, means));
    let interval_s = means.interval_s;
    let text = format!(
        "about {} calls a day need about {wanted:.0} requests a minute, of {budget:.0}",
        rounded(calls_a_day)
    );
    let mut all = vec![if wanted <= budget {
        let text = format!("{text}; the numbers are about {interval_s:.0} s behind the API");
        finding("cost", Verdict::Ok, text)
    } else {
        finding("cost", Verdict::Warn, format!("{text}; new calls show in time, changes come late"))
            .advise(
                "raise poll.rate_limit_share or poll.interval, or ask CometChat for a higher limit",
            )
    }];
    all.extend(first_read(facts, means, calls_a_day, budget - wanted.min(budget * 0.9)));
    all
}

/// How long the reading of the past takes, with the requests a minute that are left for it.
#[expect(clippy::cast_precision_loss, reason = "rough figures")]
fn first_read(facts: &Facts, means: Means, calls_a_day: f64, spare: f64) -> Option<Finding> {
    if means.read_back_s < 600 {
        return None;
    }
    let n_calls = calls_a_day * means.read_back_s as f64 / 86_400.0;
    let page_rows = facts.first.as_ref().map_or(1, Page::n_rows).max(1) as f64;
    let minutes = n_calls / page_rows / spare.max(0.01);
    let time = if minutes < 90.0 {
        format!("{:.0} minutes", minutes.ceil())
    } else {
        format!("{:.0} hours", (minutes / 60.0).ceil())
    };
    let text = format!(
        "count.from lies in the past: about {} calls, about {time}; until then the counters of the app are absent",
        rounded(n_calls)
    );
    Some(finding("first read", Verdict::Note, text))
}

/// Two digits, since the rest is made up.
fn rounded(number: f64) -> String {
    if number < 100.0 {
        return format!("{number:.0}");
    }
    let unit = 10_f64.powf(number.log10().floor() - 1.0);
    format!("{:.0}", (number / unit).round() * unit)
}
