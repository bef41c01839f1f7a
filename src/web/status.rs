//! The status as JSON, for programs: the facts of the page. Its fields are a promise, see
//! `docs/status-api.md`.

use serde::Serialize;

use super::history::{Counts, OUTCOMES};
use super::{AppEntry, Site, View};
use crate::metrics::Moment;

#[derive(Serialize)]
struct Status<'a> {
    version: &'a str,
    time_seconds: i64,
    recent_window_seconds: u64,
    shard: Shard,
    state: State<'a>,
    apps: Vec<App<'a>>,
}

#[derive(Serialize)]
struct Shard {
    index: u32,
    count: u32,
}

#[derive(Serialize)]
struct State<'a> {
    path: Option<&'a str>,
    size_bytes: Option<u64>,
    writable: bool,
    commit_failures: u64,
}

#[derive(Serialize)]
struct App<'a> {
    name: &'a str,
    app_id: &'a str,
    api_region: &'a str,
    state: Progress,
    up: bool,
    lag_seconds: u64,
    last_success_seconds: Option<i64>,
    error: Option<Error<'a>>,
    note: Option<&'a str>,
    counts_since_seconds: i64,
    open_calls: u64,
    counted: Option<Figures>,
    recent: Option<Figures>,
    today: Option<Today>,
    requests: u64,
    requests_failed: u64,
    budget_per_minute: f64,
    rate_limit: Option<u64>,
    rate_limit_remaining: Option<u64>,
}

#[derive(Serialize)]
struct Error<'a> {
    message: &'a str,
    since_seconds: i64,
}

#[derive(Serialize)]
struct Figures {
    calls: std::collections::BTreeMap<&'static str, u64>,
    media_seconds: u64,
}

#[derive(Serialize)]
struct Today {
    since_seconds: i64,
    #[serde(flatten)]
    figures: Figures,
}

/// How the reading of an app goes. Worst first, as people want to see them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Progress {
    Failing,
    Starting,
    ReadingBack,
    Ok,
}

/// How the reading of this app goes.
pub(super) fn progress(app: &AppEntry) -> Progress {
    match (app.up, app.tried, &app.trouble, &app.note) {
        (_, _, Some(_), _) | (false, true, None, _) => Progress::Failing,
        (_, _, None, Some(_)) => Progress::ReadingBack,
        (true, _, None, None) => Progress::Ok,
        (false, false, None, None) => Progress::Starting,
    }
}

fn figures(counts: &Counts) -> Figures {
    let calls = OUTCOMES.into_iter().zip(counts.calls).collect();
    Figures { calls, media_seconds: counts.media_ms / 1000 }
}

fn app(app: &AppEntry, now: Moment) -> App<'_> {
    let facts = &app.facts;
    let today = |(since, counts): (Moment, &Counts)| Today {
        since_seconds: since.floor().0,
        figures: figures(counts),
    };
    #[expect(clippy::cast_precision_loss, reason = "a budget is far below 2^53")]
    let budget_per_minute = facts.budget_milli_per_minute as f64 / 1000.0;
    App {
        name: app.lines.name(),
        app_id: &facts.app_id,
        api_region: &facts.api_region,
        state: progress(app),
        up: app.up,
        lag_seconds: app.lines.lag_ms(now) / 1000,
        last_success_seconds: facts.last_success.map(|at| at.floor().0),
        error: app.trouble.as_ref().map(|trouble| Error {
            message: &trouble.what,
            since_seconds: trouble.since.floor().0,
        }),
        note: app.note.as_deref(),
        counts_since_seconds: facts.counts_since_s,
        open_calls: facts.open,
        counted: facts.counted.as_ref().map(figures),
        recent: facts.recent.as_ref().map(figures),
        today: facts.history.today().map(today),
        requests: facts.requests,
        requests_failed: facts.requests_failed,
        budget_per_minute,
        rate_limit: facts.rate_limit,
        rate_limit_remaining: facts.rate_limit_remaining,
    }
}

/// The status of the apps of these names, or of all where none is given.
pub(super) fn render(site: &Site, view: &View, now: Moment, names: &[String]) -> String {
    let facts = view.exporter();
    let is_asked =
        |app: &&AppEntry| names.is_empty() || names.iter().any(|name| name == app.lines.name());
    let status = Status {
        version: site.version,
        time_seconds: now.floor().0,
        recent_window_seconds: facts.recent_window_s,
        shard: Shard { index: facts.shard.index, count: facts.shard.count },
        state: State {
            path: facts.state_path.as_deref(),
            size_bytes: facts.state_bytes,
            writable: facts.state_writable,
            commit_failures: facts.commit_failures,
        },
        apps: view.apps().filter(is_asked).map(|it| app(it, now)).collect(),
    };
    serde_json::to_string_pretty(&status).expect("text and numbers become JSON") + "\n"
}
