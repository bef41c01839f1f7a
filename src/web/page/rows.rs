//! The rows of the page, one app each.

use std::fmt::Write;

use super::super::escaped::Escaped;
use super::super::history::{Counts, Minute};
use super::super::status::{self, Progress};
use super::super::{AppEntry, FirstRead, View};
use super::chart;
use super::words::{Clock, Grouped, Share, Span};
use crate::metrics::Moment;

/// Seconds of lag above which an app that calls itself ok is shown as behind.
const BEHIND_S: u64 = 300;

/// An app as the page sees it.
pub(super) struct Row<'a> {
    pub(super) entry: &'a AppEntry,
    /// As in the status.
    pub(super) state: Progress,
    pub(super) lag_s: u64,
    pub(super) minutes: Vec<Minute>,
}

/// The apps: failing, behind, starting, reading back, ok; within each by name, as people count:
/// `a2` before `a10`.
pub(super) fn sorted(view: &View, now: Moment) -> Vec<Row<'_>> {
    let row = |entry| Row {
        entry,
        state: status::progress(entry),
        lag_s: entry.lines.lag_ms(now) / 1000,
        minutes: entry.facts.history.minutes(now),
    };
    let mut rows: Vec<_> = view.apps().map(row).collect();
    rows.sort_by(|a, b| {
        let key = |row: &Row<'_>| {
            let is_well = row.state != Progress::Failing && !row.is_behind();
            (is_well, row.state)
        };
        let names = || natural(a.entry.lines.name()).cmp(&natural(b.entry.lines.name()));
        key(a).cmp(&key(b)).then_with(names)
    });
    rows
}

/// The pieces of a name with its numbers as numbers, so far as these fit.
fn natural(name: &str) -> Vec<(u64, &str)> {
    let mut pieces = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let at = rest.find(|char: char| char.is_ascii_digit()).unwrap_or(rest.len());
        let (text, more) = rest.split_at(at);
        let end = more.find(|char: char| !char.is_ascii_digit()).unwrap_or(more.len());
        let (digits, more) = more.split_at(end);
        pieces.push((0, text));
        let number = if digits.is_empty() { 0 } else { digits.parse().unwrap_or(u64::MAX) };
        pieces.push((number, digits));
        rest = more;
    }
    pieces
}

impl Row<'_> {
    fn is_behind(&self) -> bool {
        self.lag_s > BEHIND_S && self.state == Progress::Ok
    }

    /// Whether its open calls are not known yet, so that 0 would be no number of them.
    pub(super) fn is_unread(&self) -> bool {
        self.entry.facts.last_success.is_none() && self.entry.facts.open == 0
    }

    fn badge(&self) -> (&'static str, &'static str) {
        match self.state {
            Progress::Failing => ("bad", "✕ failing"),
            Progress::Starting => ("warn", "○ starting"),
            Progress::ReadingBack => ("warn", "◐ reading back"),
            Progress::Ok if self.is_behind() => ("warn", "▲ behind"),
            Progress::Ok => ("ok", "✓ read"),
        }
    }

    /// The app as a part of the table, with what its script sorts by.
    pub(super) fn html(&self, rank: usize, now: Moment) -> String {
        let (facts, name) = (&self.entry.facts, Escaped(self.entry.lines.name()));
        let (class, word) = self.badge();
        let recent = facts.recent.as_ref();
        let calls = recent.map_or(0, Counts::all);
        let dash = || "–".to_owned();
        let shown_calls = recent.map_or_else(dash, |it| Grouped(it.all()).to_string());
        let answered = recent.map_or_else(dash, |it| Share(it.calls[0], it.all()).to_string());
        let media = recent.map_or_else(dash, |it| format!("{} min", Grouped(it.media_ms / 60_000)));
        let asked = self.requests_per_minute();
        let budget = Grouped(facts.budget_milli_per_minute / 1000);
        let shown_open = if self.is_unread() { dash() } else { Grouped(facts.open).to_string() };
        let chart = chart::bars("Calls per minute, answered ones dark", &self.minutes, |it| {
            (it.calls, it.ended)
        });
        let (app_id, region) = (Escaped(&facts.app_id), Escaped(&facts.api_region));
        let (lag_s, open) = (self.lag_s, facts.open);
        format!(
            "<tbody data-name=\"{name}\" data-id=\"{app_id}\" data-rank=\"{rank}\" \
             data-lag=\"{lag_s}\" data-calls=\"{calls}\" data-open=\"{open}\">\
             <tr class=\"app\"><th scope=\"row\">{name}<small>{app_id} · {region}</small></th>\
             <td class=\"state {class}\">{word}</td>\
             <td class=\"n\" data-label=\"Behind\">{}</td>\
             <td class=\"n\" data-label=\"Open\">{shown_open}</td>\
             <td class=\"n\" data-label=\"Calls\">{shown_calls}</td>\
             <td class=\"n\" data-label=\"Answered\">{answered}</td>\
             <td class=\"n\" data-label=\"Media\">{media}</td>\
             <td class=\"n\" data-label=\"Requests\">{asked} of {budget}/min</td>\
             <td class=\"chart\">{chart}</td></tr>{}</tbody>\n",
            Span(lag_s),
            self.why(now)
        )
    }

    fn requests_per_minute(&self) -> String {
        let n: u64 = self.minutes.iter().map(|minute| u64::from(minute.requests)).sum();
        let tenths = n * 10 / (self.minutes.len() as u64).max(1);
        format!("{}.{}", tenths / 10, tenths % 10)
    }

    /// What is wrong, since when and what to do; and what it is busy with.
    fn why(&self, now: Moment) -> String {
        let mut html = String::new();
        if let Some(trouble) = &self.entry.trouble {
            let for_s = u64::try_from(now.since_ms(trouble.since)).unwrap_or(0) / 1000;
            let last = self.entry.facts.last_success.map_or_else(
                || "It was not read since the start.".into(),
                |at| format!("It was last read at {}.", Clock(at)),
            );
            let _ = write!(
                html,
                "<p class=\"error\">{}<br><small>For {}, since {}. {last}</small></p>",
                Escaped(&trouble.what),
                Span(for_s),
                Clock(trouble.since)
            );
        }
        if let Some(note) = &self.entry.note {
            let bar = self.entry.first_read.map(progress).unwrap_or_default();
            let _ = write!(html, "<p>{bar}{}</p>", Escaped(note));
        } else if self.state == Progress::Starting {
            html += "<p>The first answer of the API is awaited.</p>";
        }
        if html.is_empty() {
            html
        } else {
            format!("<tr class=\"why\"><td colspan=\"9\">{html}</td></tr>")
        }
    }
}

/// How far a first read is, as a bar and in percent.
fn progress(FirstRead { n_read, n_about }: FirstRead) -> String {
    let done = n_read.min(n_about);
    let (max, share) = (n_about.max(1), Share(done, n_about));
    format!(
        "<progress aria-label=\"first read\" max=\"{max}\" value=\"{done}\"></progress> \
         {share} · "
    )
}
