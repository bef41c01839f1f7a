//! The command `doctor`: asks the API a dozen times and says what it found, and what to mend.

mod asking;
mod cost;
mod facts;
mod findings;

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use crate::api::{BODY_BYTES_MAX, Client, Options, Proxies, Transport};
use crate::clock::Clock;
use crate::config::Settings;
use crate::config::cli::{DoctorArgs, Output};
use crate::config::settings::{AppSettings, CountFrom, StateSettings};
use crate::sweep::{Budget, BudgetOptions};

use super::key_file;
use asking::Asker;
use findings::{Finding, Means, Verdict, findings};

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
            None => finding.text,
        };
        let verdict = finding.verdict.word();
        Self { subject: finding.subject, verdict, text, advice: finding.advice }
    }
}

/// Examines the apps one after another, and says each line as it comes. Returns whether all of them
/// can be read.
///
/// # Errors
/// An app that is asked for and is not configured, or what keeps anything from being asked.
pub async fn doctor(
    settings: &Settings,
    args: &DoctorArgs,
    say: &mut dyn FnMut(&str),
) -> anyhow::Result<bool> {
    let names = || settings.apps.iter().map(|app| app.name.as_str());
    if let Some(unknown) = args.apps.iter().find(|name| !names().any(|known| known == *name)) {
        let known = names().collect::<Vec<_>>().join(", ");
        anyhow::bail!("no app is named `{unknown}`; there are: {known}");
    }
    let timeout = Duration::from_millis(settings.poll.timeout_ms);
    let transport = Transport::new(timeout, Proxies::Environment)?;
    let is_text = args.output == Output::Text;
    let state = state(&settings.state);
    let mut is_well = state.verdict < Verdict::Fail;
    if is_text {
        say(&shown("the exporter", std::slice::from_ref(&state)));
    }
    let mut report = Report {
        version: env!("CARGO_PKG_VERSION"),
        state: Line { text: "checked".to_owned(), ..Line::of(state, None) },
        apps: Vec::new(),
    };
    for (idx, app) in settings.apps.iter().enumerate() {
        if !args.apps.is_empty() && !args.apps.contains(&app.name) {
            continue;
        }
        let findings = examine(settings, app, &transport).await;
        is_well &= findings.iter().all(|finding| finding.verdict < Verdict::Fail);
        if is_text {
            let head = format!("app `{}` ({})", app.name, app.api_region.label());
            say(&shown(&head, &findings));
        }
        let findings = findings.into_iter().map(|finding| Line::of(finding, Some(app)));
        let (app, region) = (idx + 1, app.api_region.label());
        report.apps.push(AppReport { app, region, findings: findings.collect() });
    }
    if !is_text {
        say(&serde_json::to_string_pretty(&report)?);
    }
    Ok(is_well)
}

async fn examine(settings: &Settings, app: &AppSettings, transport: &Transport) -> Vec<Finding> {
    let client = key_file::read(&app.key).and_then(|key| {
        let options = Options {
            base_url: app.base_url.clone(),
            key,
            on_behalf_of: app.on_behalf_of.clone(),
            body_bytes_max: BODY_BYTES_MAX,
        };
        Ok(Client::new(options, transport)?)
    });
    let client = match client {
        Ok(client) => client,
        Err(error) => {
            let text = format!("{error:#}");
            return vec![Finding { subject: "access", verdict: Verdict::Fail, text, advice: None }];
        }
    };
    let (poll, clock) = (settings.poll, Clock::system());
    // The exporter may be running meanwhile, on the other half.
    let options = BudgetOptions {
        limit_per_minute: poll.rate_limit_per_minute.into(),
        share_ppm: poll.share_ppm() / 2,
    };
    let budget = Budget::new(options, clock.steady());
    let asker = Asker { client, budget, clock, per_page: poll.per_page };
    let facts = asker.ask().await;
    findings(&facts, means(settings, clock))
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

/// What can be said of the state file without touching it: an exporter may be at work on it.
fn state(state: &StateSettings) -> Finding {
    let finding = |verdict, text| Finding { subject: "state", verdict, text, advice: None };
    let path = match state {
        StateSettings::Memory => {
            return finding(Verdict::Note, "in memory: counters start at 0 with each start".into());
        }
        StateSettings::File(path) => path,
    };
    let shown = path.display();
    match std::fs::metadata(path) {
        Ok(file) if file.is_file() => {
            finding(Verdict::Ok, format!("{shown} is there, {} bytes", file.len()))
        }
        Ok(_) => Finding {
            advice: Some("add the name of a file to --state.path".into()),
            ..finding(Verdict::Fail, format!("{shown} is no file"))
        },
        Err(_) => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            if folder.is_none_or(std::path::Path::is_dir) {
                return finding(Verdict::Ok, format!("{shown} will be created at the first start"));
            }
            Finding {
                advice: Some("create the folder, or give another --state.path".into()),
                ..finding(Verdict::Fail, format!("{shown}: there is no such folder"))
            }
        }
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
