//! Rows of how the polling of an app goes.

use super::FamilyType::{Counter, Gauge, Histogram, Info};
use super::Source::{App, AppLive, Process};
use super::{APP, Family, Label, row};
use crate::metrics::health::LATENCY_BOUNDS_MS;
use crate::metrics::samples::{Spread, seconds, signed_seconds, whole};

pub(super) const FAMILIES: &[Family] = &[
    row(
        Info,
        "cometchat_app_info",
        &[Label::CometchatApp, Label::AppId, Label::ApiRegion],
        "Always 1; names the CometChat app and the region of its API, as configured.",
        App(|sums, out| out.labelled(&[sums.app.app_id, sums.app.api_region], 1.0)),
    ),
    row(
        Gauge,
        "cometchat_up",
        APP,
        "1 when the newest try to read the newest calls from the API succeeded, else 0. Polled \
         in the background.",
        App(|sums, out| out.one(whole(u64::from(sums.app.health.up)))),
    ),
    row(
        Gauge,
        "cometchat_last_success_timestamp_seconds",
        APP,
        "When the newest calls were last read from the API with success, as a Unix time; absent \
         before that. Polled in the background.",
        App(|sums, out| {
            out.one(sums.app.health.last_success.map(|moment| signed_seconds(moment.0)));
        }),
    ),
    row(
        Gauge,
        "cometchat_poll_duration_seconds",
        APP,
        "How long the newest poll of the API took, in seconds; absent before the first. Polled \
         in the background.",
        App(|sums, out| out.one(sums.app.health.poll_duration_ms.map(seconds))),
    ),
    row(
        Gauge,
        "cometchat_covered_until_timestamp_seconds",
        APP,
        "Up to which `initiatedAt` every call has been seen, as a Unix time; before the first \
         read the time from which calls count. Polled in the background.",
        App(|sums, out| {
            let until = sums.app.covered_until.unwrap_or(sums.app.epoch);
            out.one(signed_seconds(until.start().0));
        }),
    ),
    row(
        Gauge,
        "cometchat_count_from_timestamp_seconds",
        APP,
        "The counters count exactly the calls with `initiatedAt` at or after this Unix time.",
        App(|sums, out| out.one(signed_seconds(sums.app.epoch.start().0))),
    ),
    row(
        Gauge,
        "cometchat_poll_interval_seconds",
        &[],
        "Time between polls of the API, in seconds, as configured.",
        Process(|process, out| out.one(seconds(process.poll_interval_ms))),
    ),
    row(
        Counter,
        "cometchat_api_requests_total",
        &[Label::CometchatApp, Label::Endpoint, Label::Code],
        "Requests to the Calls API since the start of the exporter, by HTTP status, or by why \
         there was no readable answer: timeout, connect, body. Sent in the background.",
        App(|sums, out| {
            for ((endpoint, code), &n) in &sums.app.health.requests {
                out.labelled(&[endpoint, code], whole(n));
            }
        }),
    ),
    row(
        Counter,
        "cometchat_api_errors_total",
        &[Label::CometchatApp, Label::Error],
        "Answers of the Calls API with an error since the start of the exporter, by \
         `error.code`; codes that its documentation does not list count as other. Polled in the \
         background.",
        App(|sums, out| {
            for (error, &n) in &sums.app.health.errors {
                out.labelled(&[error], whole(n));
            }
        }),
    ),
    row(
        Histogram,
        "cometchat_api_request_duration_seconds",
        &[Label::CometchatApp, Label::Endpoint],
        "Time from sending a request to the Calls API until its answer was read or given up, in \
         seconds, since the start of the exporter. Sent in the background.",
        App(|sums, out| {
            for (endpoint, latency) in &sums.app.health.latency {
                let bounds = LATENCY_BOUNDS_MS.iter().map(|&ms| seconds(ms)).chain([f64::INFINITY]);
                let mut below = 0;
                let cumulative = bounds.zip(latency.counts).map(|(bound, n)| {
                    below += n;
                    (bound, below)
                });
                let spread = Spread {
                    cumulative: cumulative.collect(),
                    sum: seconds(latency.sum_ms),
                    examples: Vec::new(),
                    native: None,
                };
                out.spread(Some(endpoint), &spread);
            }
        }),
    ),
    row(
        Gauge,
        "cometchat_api_rate_limit",
        APP,
        "Requests per minute that the API allows the app, from its rate limit headers; absent \
         until it says so. Polled in the background.",
        App(|sums, out| out.one(sums.app.health.rate_limit.map(whole))),
    ),
    row(
        Gauge,
        "cometchat_api_rate_limit_remaining",
        APP,
        "Requests that the app has left in its current minute, shared with your own use of the \
         API, from its rate limit headers; absent until it says so. Polled in the background.",
        App(|sums, out| out.one(sums.app.health.rate_limit_remaining.map(whole))),
    ),
    row(
        Gauge,
        "cometchat_api_budget_requests_per_minute",
        APP,
        "Requests per minute that the exporter lets itself use: the configured share of the \
         app's rate limit.",
        App(|sums, out| out.one(seconds(sums.app.health.budget_milli_per_minute))),
    ),
    row(
        Counter,
        "cometchat_api_budget_wait_seconds_total",
        APP,
        "Time that polls in the background waited for the request budget, in seconds, since the \
         start of the exporter.",
        App(|sums, out| out.one(seconds(sums.app.health.budget_wait_ms))),
    ),
    row(
        Counter,
        "cometchat_pages_truncated_total",
        APP,
        "Walks through the pages of the call list that were cut at the cap on pages, since the \
         start of the exporter. Polled in the background.",
        App(|sums, out| out.one(whole(sums.app.health.pages_truncated))),
    ),
    row(
        Counter,
        "cometchat_app_restarts_total",
        APP,
        "Times that the polling of the app, which runs in the background, failed or hung and was \
         started again, since the start of the exporter. Nothing is lost by it.",
        App(|sums, out| out.one(whole(sums.app.health.restarts))),
    ),
    row(
        Gauge,
        "cometchat_api_clock_skew_seconds",
        APP,
        "Local clock less the clock of the API by its `Date` header, in seconds; absent until it \
         says so. Polled in the background.",
        App(|sums, out| out.one(sums.app.skew_ms.map(signed_seconds))),
    ),
    row(
        Counter,
        "cometchat_records_invalid_total",
        &[Label::CometchatApp, Label::Reason],
        "Rows of the API that could not be read in whole or in part, each once, since the start \
         of the exporter; the rest of their page counts. Polled in the background.",
        App(|sums, out| {
            for (reason, &n) in &sums.app.health.invalid {
                out.labelled(&[reason], whole(n));
            }
        }),
    ),
    row(
        Gauge,
        "cometchat_tracked_calls",
        APP,
        "Calls that the exporter knows by `sessionId` and `initiatedAt`, because they are \
         recent, open or may still change. Polled in the background.",
        App(|sums, out| out.one(whole(sums.app.tracked_calls))),
    ),
];

pub(super) const LIVE_FAMILIES: &[Family] = &[row(
    Gauge,
    "cometchat_poll_lag_seconds",
    APP,
    "How far behind the exporter is: the API's clock at the scrape less the time up to which \
     every call has been seen, in seconds. Calls are polled in the background.",
    AppLive(|facts, now| facts.lag_ms(now)),
)];
