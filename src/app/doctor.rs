//! The command `doctor`: asks the API and says what it found, and what to fix.

mod asking;
mod cost;
mod facts;
mod fields;
mod findings;
mod state;

use std::fmt::Write as _;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use serde::Serialize;

use crate::api::{BODY_BYTES_MAX, Client, Options, Proxies, Transport};
use crate::call::Moment;
use crate::clock::Clock;
use crate::config::Settings;
use crate::config::cli::{DoctorArgs, Output};
use crate::config::settings::{AppSettings, CountFrom, StateSettings};
use crate::sweep::Budget;

use super::{key_file, output, words};
use asking::{Asker, N_QUESTIONS};
use findings::{Finding, Means, Verdict, finding, findings};
use state::State;

/// How many apps are asked side by side.
const GROUPS_AT_ONCE: usize = 8;

/// What was found, for a report of a bug: no key, no id of an app, a user, a group or a session.
#[derive(Serialize)]
struct Report {
    version: &'static str,
    state: Line,
    apps: Vec<AppReport>,
}

#[derive(Serialize)]
struct AppReport {
    /// The place of the app in the configuration, from 1.
    app: usize,
    region: &'static str,
    findings: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    subject: &'static str,
    verdict: &'static str,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

impl Line {
    fn of(finding: Finding, app: Option<&AppSettings>) -> Self {
        // What went wrong quotes addresses and paths; all else is in words of our own.
        let quotes = finding.verdict >= Verdict::Warn && is_quoting(finding.subject);
        let text = match app.filter(|_| quotes) {
            Some(app) => without_ids(&finding.text, app),
            None => finding.text.clone(),
        };
        Self { text, ..Self::verbatim(finding) }
    }

    fn of_state(finding: &Finding, state: &StateSettings) -> Self {
        let mut line = Self::verbatim(finding.clone());
        if let StateSettings::File(path) = state {
            let absolute = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            for shown in [absolute.display().to_string(), path.display().to_string()] {
                line.text = line.text.replace(&shown, "FILE");
            }
        }
        line
    }

    fn verbatim(finding: Finding) -> Self {
        let Finding { subject, verdict, text, advice } = finding;
        Self { subject, verdict: verdict.word(), text, advice }
    }
}

/// Examines the apps, those with different app ids side by side, and says what was found of each.
/// Returns whether all of them can be read.
///
/// # Errors
/// An app that is asked for and is not configured, what keeps anything from being asked, or an
/// output that nobody reads.
pub async fn doctor(settings: &Settings, args: &DoctorArgs) -> anyhow::Result<bool> {
    let chosen = settings.chosen(&args.apps)?;
    let timeout = Duration::from_millis(settings.poll.timeout_ms);
    let transport = Transport::new(timeout, Proxies::Environment)?;
    let is_text = args.output == Output::Text;
    let groups = groups(chosen);
    output::remark(&announcement(settings, &groups, args.time_limit_s));
    let state = State::look(&settings.state);
    let state_line = Line::of_state(state.finding(), &settings.state);
    let mut is_well = state.finding().verdict < Verdict::Fail;
    if is_text {
        output::say(&shown("the exporter", std::slice::from_ref(state.finding())))?;
    }
    let clock = Clock::system();
    let until = clock.steady().plus_ms(args.time_limit_s.saturating_mul(1000));
    let visit = Visit { settings, transport: &transport, state: &state, clock, until };
    let mut apps = Vec::new();
    let mut visits = stream::iter(&groups).map(|group| visit.group(group)).buffered(GROUPS_AT_ONCE);
    while let Some(found) = visits.next().await {
        for (idx, app, findings) in found {
            is_well &= findings.iter().all(|finding| finding.verdict < Verdict::Fail);
            let region = app.api_region.label();
            if is_text {
                output::say(&shown(&format!("\napp `{}` ({region})", app.name), &findings))?;
            }
            let findings = findings.into_iter().map(|finding| Line::of(finding, Some(app)));
            apps.push(AppReport { app: idx + 1, region, findings: findings.collect() });
        }
    }
    if !is_text {
        apps.sort_by_key(|report| report.app);
        let report = Report { version: env!("CARGO_PKG_VERSION"), state: state_line, apps };
        output::say(&(serde_json::to_string_pretty(&report)? + "\n"))?;
    }
    Ok(is_well)
}

/// Apps of one budget, each with its place in the configuration: they share it while the exporter
/// runs, too, and so are asked one after another.
type Group<'a> = Vec<(usize, &'a AppSettings)>;

fn groups(apps: Group<'_>) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (idx, app) in apps {
        match groups.iter_mut().find(|group| group[0].1.budget_name() == app.budget_name()) {
            Some(group) => group.push((idx, app)),
            None => groups.push(vec![(idx, app)]),
        }
    }
    groups
}

/// What is going to happen, and how long it takes.
fn announcement(settings: &Settings, groups: &[Group<'_>], time_limit_s: i64) -> String {
    let budget = Budget::new(settings.poll.budget_beside(), Moment(0));
    let n_apps: usize = groups.iter().map(Vec::len).sum();
    let n_longest = groups.iter().map(Vec::len).max().unwrap_or(0) as u64;
    let n_rounds = groups.len().div_ceil(GROUPS_AT_ONCE) as u64;
    // Two requests are in the bucket at the start; an answer takes a part of a second.
    let n_waits = (n_longest * u64::from(N_QUESTIONS)).saturating_sub(2);
    let milli = budget.milli_per_minute().max(1).unsigned_abs();
    let wait_s = n_waits * 60_000 / milli * n_rounds;
    let expected = words::seconds(i64::try_from(wait_s + 5).unwrap_or(i64::MAX));
    let apps = if n_apps == 1 { "1 app".to_owned() } else { format!("{n_apps} apps") };
    format!(
        "Asking the API of {apps}, each about {N_QUESTIONS} times, by half of the budget \
         ({} requests a minute, until it states a limit): about {expected}, at most {}.",
        shown_milli(milli),
        words::seconds(time_limit_s)
    )
}

/// Thousandths as a number with the digits that matter.
fn shown_milli(milli: u64) -> String {
    if milli >= 10_000 || milli.is_multiple_of(1000) {
        return (milli / 1000).to_string();
    }
    format!("{}.{:03}", milli / 1000, milli % 1000).trim_end_matches('0').to_owned()
}

/// What the examination of every app needs.
struct Visit<'a> {
    settings: &'a Settings,
    transport: &'a Transport,
    state: &'a State,
    clock: Clock,
    /// When the time is up, by the steady clock.
    until: Moment,
}

impl Visit<'_> {
    async fn group<'a>(&self, group: &Group<'a>) -> Vec<(usize, &'a AppSettings, Vec<Finding>)> {
        let mut budget = Budget::new(self.settings.poll.budget_beside(), self.clock.steady());
        let mut found = Vec::new();
        for &(idx, app) in group {
            let mut findings = self.app(app, &mut budget).await;
            let now = self.clock.wall().floor();
            findings.extend(self.state.of_app(app, self.settings.count.from, now));
            found.push((idx, app, findings));
        }
        found
    }

    async fn app(&self, app: &AppSettings, budget: &mut Budget) -> Vec<Finding> {
        let client = key_file::read(&app.key).and_then(|key| {
            let options = Options {
                base_url: app.base_url.clone(),
                key,
                on_behalf_of: app.on_behalf_of.clone(),
                body_bytes_max: BODY_BYTES_MAX,
            };
            Ok(Client::new(options, self.transport)?)
        });
        let client = match client {
            Ok(client) => client,
            Err(error) => return vec![finding("access", Verdict::Fail, format!("{error:#}"))],
        };
        let per_page = self.settings.poll.per_page;
        let asker = Asker { client, budget, clock: self.clock, until: self.until, per_page };
        findings(&asker.ask().await, means(self.settings, self.clock))
    }
}

#[expect(clippy::cast_precision_loss, reason = "an interval is small")]
fn means(settings: &Settings, clock: Clock) -> Means {
    let now = clock.wall().floor();
    Means {
        rate_limit: settings.poll.rate_limit_per_minute.into(),
        rate_limit_share: settings.poll.rate_limit_share,
        interval_s: settings.poll.interval_ms as f64 / 1000.0,
        read_back_s: match settings.count.from {
            CountFrom::Now => 0,
            CountFrom::Ago(seconds) => seconds,
            CountFrom::At(at) => now.since_s(at).max(0),
        },
    }
}

fn shown(head: &str, findings: &[Finding]) -> String {
    let mut text = format!("{head}\n");
    for Finding { subject, verdict, text: what, advice } in findings {
        let _ = writeln!(text, "  {:<5} {subject:<11} {what}", verdict.word());
        if let Some(advice) = advice {
            let _ = writeln!(text, "  {:<17} -> {advice}", "");
        }
    }
    text
}

/// Whether a finding about this repeats what an exchange or a key file said.
fn is_quoting(subject: &str) -> bool {
    matches!(subject, "access" | "unfinished")
}

/// The app's own names do not belong into a report.
fn without_ids(text: &str, app: &AppSettings) -> String {
    let mut text = text.replace(&app.base_url, "BASE_URL").replace(&app.app_id, "APP_ID");
    if let Some(uid) = app.on_behalf_of.as_deref().filter(|uid| !uid.is_empty()) {
        text = text.replace(uid, "UID");
    }
    match text.split_once("GET http") {
        // An address that a host name was found out for.
        Some((before, after)) => {
            let rest = after.split_once(": ").map_or("", |(_, rest)| rest);
            format!("{before}GET URL: {rest}")
        }
        None => text,
    }
}

#[cfg(test)]
mod tests;
