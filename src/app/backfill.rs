//! The command `backfill`: past calls as OpenMetrics with times, for a Prometheus without history.
//!
//! First everything is read, by the planner and the rule of counting that the exporter has, into a
//! journal for each app; then it is written out. A kill at any moment costs no more than what was
//! read since the last record of the journal: the same command goes on.

mod reading;
mod telling;
mod writing;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::bail;
use futures_util::future::join_all;

use crate::api::{Proxies, Transport};
use crate::call::Timestamp;
use crate::clock::Clock;
use crate::config::Settings;
use crate::config::cli::BackfillArgs;
use crate::config::settings::{AppSettings, CountFrom};
use crate::ledger::{Counter, Timetable};
use crate::metrics::catalog::families;
use crate::store::{Heading, Journal};
use crate::sweep::Budget;

use super::app_task::id_of;
use super::words;
use reading::{Bound, Reader};
use telling::Teller;

/// A year of minutes. What is in memory at once grows with it.
const SAMPLES_MAX: usize = 600_000;

/// Reads past calls and writes them.
///
/// # Errors
/// What keeps it from going on. What was read is kept: the same command goes on from there.
pub async fn backfill(settings: &Settings, args: &BackfillArgs) -> anyhow::Result<()> {
    let apps: Vec<_> = settings.chosen(&args.apps)?.into_iter().map(|(_, app)| app).collect();
    check_labels(&args.labels)?;
    let (clock, timeout) = (Clock::system(), Duration::from_millis(settings.poll.timeout_ms));
    let transport = Transport::new(timeout, Proxies::Environment)?;
    let options = settings.poll.budget_beside();
    let mut budgets = BTreeMap::new();
    let paths = journal_paths(args.output.as_deref(), &apps);
    let mut readers = Vec::new();
    for (app, path) in apps.iter().zip(paths) {
        // Apps that share a limit share the budget.
        let budget = budgets
            .entry(app.budget_name())
            .or_insert_with(|| Arc::new(Mutex::new(Budget::new(options, clock.steady()))));
        readers.push((Reader::new(app, &transport, Arc::clone(budget), clock)?, path));
    }
    let timetable = timetable(settings, args, &mut readers).await?;
    let teller = Teller::new(apps.len(), clock);
    let bound = bound(settings, timetable);
    let reading = join_all(readers.into_iter().enumerate().map(|(idx, (reader, path))| {
        let (teller, app) = (&teller, apps[idx]);
        let heading = Heading { app: id_of(app), timetable, rules: bound.options.rules };
        async move {
            let tell = |standing| teller.note(idx, standing);
            let read = reader.read(&path, heading, bound, &tell).await;
            // The others go on, which may take hours.
            read.inspect_err(|error| teller.say(&format!("app `{}`: {error:#}", app.name))).ok()
        }
    }));
    let journals: Option<Vec<Journal>> = tokio::select! {
        journals = reading => journals.into_iter().collect(),
        () = teller.tell() => None,
    };
    let Some(journals) = journals else {
        bail!("not all was read, so that nothing is written; run it again to go on");
    };
    teller.end();
    let past = writing::Output {
        apps: apps.iter().map(|app| app.name.as_str()).zip(&journals).collect(),
        breakdown: settings.breakdown,
        labels: &args.labels,
        timetable,
    };
    let written = past.write_to(args.output.as_deref(), &teller)?;
    for journal in journals {
        journal.remove()?;
    }
    teller.say(&farewell(args, timetable, &written));
    Ok(())
}

/// A label of our own must not come twice.
fn check_labels(labels: &[(String, String)]) -> anyhow::Result<()> {
    let own = families().flat_map(|family| family.labels).map(|label| label.name());
    let own: Vec<&str> = own.chain(["le"]).collect();
    for (idx, (name, _)) in labels.iter().enumerate() {
        let is_twice = labels[..idx].iter().any(|(other, _)| other == name);
        if is_twice || own.contains(&name.as_str()) {
            bail!(
                "--label={name}: the metrics have this label already, or it is given twice; \
                 choose another name"
            );
        }
    }
    Ok(())
}

/// One journal for each app, beside the output.
fn journal_paths(output: Option<&Path>, apps: &[&AppSettings]) -> Vec<PathBuf> {
    let base = output.unwrap_or(Path::new("cometchat-exporter-backfill"));
    let path = |(idx, app): (usize, &&AppSettings)| {
        let n_before = apps[..idx].iter().filter(|other| other.app_id == app.app_id).count();
        let nth = if n_before > 0 { format!("-{}", n_before + 1) } else { String::new() };
        let mut name = base.as_os_str().to_owned();
        name.push(format!(".{}{nth}.journal", app.app_id));
        PathBuf::from(name)
    };
    apps.iter().enumerate().map(path).collect()
}

/// The timetable of the journals that there are, if it is what is wanted now; else a new one.
async fn timetable(
    settings: &Settings,
    args: &BackfillArgs,
    readers: &mut [(Reader, PathBuf)],
) -> anyhow::Result<Timetable> {
    let from = args.from.unwrap_or(settings.count.from);
    for (_, path) in readers.iter() {
        let Some(begun) = Journal::heading_of(path)?.map(|heading| heading.timetable) else {
            continue;
        };
        let is = |wanted, at| !matches!(wanted, CountFrom::At(wanted) if wanted != at);
        if !is(from, begun.from) || !is(args.to, begun.to) || args.step_s != begun.step_s {
            bail!(
                "{} was begun with --from={} --to={} --step={}: give the same to go on, or remove \
                 it to start anew",
                path.display(),
                words::date(begun.from),
                words::date(begun.to),
                words::seconds(begun.step_s),
            );
        }
        return Ok(begun);
    }
    let Some((reader, _)) = readers.first_mut() else { bail!("no app is configured") };
    // Whatever is wrong with the key or the address is said before anything is begun.
    let now = reader.now().await?;
    let at = |when| match when {
        CountFrom::Now => now,
        CountFrom::Ago(seconds) => now.plus_s(-seconds),
        CountFrom::At(at) => at,
    };
    new_timetable(from, at(from), at(args.to), args.step_s, now)
}

fn new_timetable(
    wanted: CountFrom,
    from: Timestamp,
    to: Timestamp,
    step_s: i64,
    now: Timestamp,
) -> anyhow::Result<Timetable> {
    if wanted == CountFrom::Now {
        bail!("nothing is past yet: say since when with --from=30d or --from=2026-01-31T00:00:00Z");
    }
    if to > now {
        bail!("--to={} lies in the future: give an earlier time, or none for now", words::date(to));
    }
    if from >= to {
        bail!(
            "--from={} does not lie before --to={}: give an earlier --from",
            words::date(from),
            words::date(to)
        );
    }
    let timetable = Timetable { from, to, step_s };
    if timetable.n_samples() > SAMPLES_MAX {
        bail!(
            "{} samples of each series are more than {SAMPLES_MAX}: give a larger --step",
            timetable.n_samples()
        );
    }
    Ok(timetable)
}

fn bound(settings: &Settings, timetable: Timetable) -> Bound {
    let (poll, rules) = (settings.poll, settings.rules(timetable.from));
    Bound::new(rules, poll.per_page, poll.lookback_s)
}

fn farewell(args: &BackfillArgs, timetable: Timetable, written: &writing::Written) -> String {
    let file = args.output.as_ref().map(|path| path.display().to_string());
    let from = words::date(timetable.from);
    let mut text = format!(
        "{}: {} calls, {} series with {} samples each, {from} to {}\n\
         next: promtool tsdb create-blocks-from --max-block-duration=768h openmetrics -q {} blocks\n\
         then start the exporter with count.from: {from}",
        file.as_deref().unwrap_or("standard output"),
        written.n_calls,
        written.n_series,
        timetable.n_samples(),
        words::date(timetable.to),
        file.as_deref().unwrap_or("FILE"),
    );
    let is_given = |name: &str| args.labels.iter().any(|(given, _)| given == name);
    if !is_given("job") || !is_given("instance") {
        text += "\n--label=job=... or --label=instance=... is missing: Prometheus adds both to what \
                 it scrapes, so this history is another set of series; run it again with both";
    }
    text
}

/// Calls that were counted at all.
fn n_calls(totals: &crate::ledger::Totals) -> u64 {
    totals.sum(Counter::Initiated)
}
