//! The page at `/`: is each app read, how far behind is it, and what to do where something is
//! wrong. It is whole without its script, which only sorts, searches and fetches newer figures.

use std::fmt::Write;
use std::sync::LazyLock;

use super::escaped::Escaped;
use super::history::{Counts, MINUTES, Minute, OUTCOMES};
use super::status::Progress;
use super::{Site, View};
use crate::metrics::{Moment, Shard};

mod chart;
mod hash;
mod rows;
mod words;

use words::{Bytes, Clock, Grouped, Share, Span, plural};

const TEMPLATE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

/// Nothing from elsewhere; the one style and the one script by their hashes.
pub(super) static SECURITY_POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; connect-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash::source(STYLE),
        hash::source(SCRIPT)
    )
});

/// Renders the page. `now` is the local clock.
pub(super) fn render(site: &Site, view: &View, now: Moment) -> String {
    let apps = rows::sorted(view, now);
    let n_bad = apps.iter().filter(|app| app.state == Progress::Failing).count();
    let window = Span(view.exporter().recent_window_s).to_string();
    let title = match n_bad {
        0 => "cometchat-exporter".to_owned(),
        n => format!("({n}) cometchat-exporter"),
    };
    let none = if apps.is_empty() { "<p>This exporter reads no app.</p>" } else { "" };
    fill(&[
        ("title", title),
        ("style", STYLE.into()),
        ("version", Escaped(site.version).to_string()),
        ("links", links(site)),
        ("summary", summary(view, &apps)),
        ("window", window),
        ("apps", apps.iter().enumerate().map(|(rank, app)| app.html(rank, now)).collect()),
        ("none", none.into()),
        ("facts", facts(view)),
        ("now", Clock(now).to_string()),
        ("script", SCRIPT.into()),
    ])
}

/// The template with its marks replaced; what a value holds is not looked at again.
fn fill(values: &[(&str, String)]) -> String {
    let mut html = String::with_capacity(64 << 10);
    let mut pieces = TEMPLATE.split("{{");
    html.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (mark, rest) = piece.split_once("}}").expect("a mark is closed");
        let value = values.iter().find(|(name, _)| *name == mark);
        html.push_str(&value.expect("every mark of the template has a value").1);
        html.push_str(rest);
    }
    html
}

/// Relative to the page, so that they are right behind any proxy.
fn links(site: &Site) -> String {
    let metrics = site.telemetry_path.trim_start_matches('/');
    let link = |to: &str, word: &str| format!("<a href=\"./{}\">{word}</a>", Escaped(to));
    [
        link(metrics, "Metrics"),
        link("api/v1/status", "Status"),
        link("config", "Config"),
        link("-/healthy", "Health"),
        link("-/ready", "Readiness"),
    ]
    .concat()
}

fn summary(view: &View, apps: &[rows::Row<'_>]) -> String {
    let mut minutes = [Minute::default(); MINUTES];
    let (mut recent, mut today, mut since) = (None::<Counts>, None::<Counts>, None::<Moment>);
    let (mut open, mut n_minutes) = (0, 0);
    for app in apps {
        let facts = &app.entry.facts;
        open += facts.open;
        n_minutes = n_minutes.max(app.minutes.len());
        for (sum, minute) in minutes.iter_mut().rev().zip(app.minutes.iter().rev()) {
            sum.calls = sum.calls.saturating_add(minute.calls);
            sum.ended = sum.ended.saturating_add(minute.ended);
            sum.open = sum.open.saturating_add(minute.open);
            sum.requests = sum.requests.saturating_add(minute.requests);
        }
        if let Some(counts) = &facts.recent {
            recent.get_or_insert_default().add(counts);
        }
        if let Some((at, counts)) = facts.history.today() {
            today.get_or_insert_default().add(counts);
            since = since.max(Some(at));
        }
    }
    let minutes = &minutes[MINUTES - n_minutes..];
    let window = Span(view.exporter().recent_window_s);
    let mut html = apps_tile(apps);
    tile(
        &mut html,
        "Open calls now",
        &if apps.iter().all(rows::Row::is_unread) {
            "–".into()
        } else {
            Grouped(open).to_string()
        },
        "",
        &chart::titled("open calls", minutes, |minute| (minute.open, 0)),
    );
    let big = recent.as_ref().map_or("–".into(), |it| Grouped(it.all()).to_string());
    let parts = recent.as_ref().map_or("<p>not known yet</p>".into(), outcomes);
    let bars =
        chart::titled("counted per minute, answered ones dark", minutes, |it| (it.calls, it.ended));
    tile(&mut html, &format!("Finished calls, last {window}"), &big, &parts, &bars);
    let big = today.as_ref().map_or("–".into(), |it| Grouped(it.all()).to_string());
    let parts = today.as_ref().map_or("<p>not known yet</p>".into(), outcomes);
    let title = match since {
        Some(since) if since.0 % 86_400_000 != 0 => {
            format!("Counted since {} (start)", Clock(since).time())
        }
        _ => "Counted since 00:00 UTC".into(),
    };
    let asked =
        chart::titled("requests to the API per minute", minutes, |minute| (minute.requests, 0));
    tile(&mut html, &title, &big, &parts, &asked);
    html
}

fn apps_tile(apps: &[rows::Row<'_>]) -> String {
    let count = |state| apps.iter().filter(|app| app.state == state).count();
    let (bad, ok) = (count(Progress::Failing), count(Progress::Ok));
    let mut html = String::new();
    let (class, word) = match (bad, apps.len()) {
        (0, n) if ok == n => ("ok", "✓ all read".to_owned()),
        (0, _) => ("warn", "… reading".to_owned()),
        (n, _) => ("bad", format!("✕ {n} failing")),
    };
    let furthest = apps.iter().map(|app| app.lag_s).max().unwrap_or(0);
    let more = format!(
        "<ul><li>{} ok</li><li>{} reading back</li><li>{} starting</li></ul>\
         <p>furthest behind: {}</p>",
        ok,
        count(Progress::ReadingBack),
        count(Progress::Starting),
        Span(furthest)
    );
    let big = format!("<span class=\"{class}\">{word}</span>");
    tile(&mut html, &plural(apps.len(), "app"), &big, &more, "");
    html
}

fn tile(html: &mut String, title: &str, big: &str, more: &str, chart: &str) {
    write!(
        html,
        "<section class=\"tile\"><h2>{title}</h2><p class=\"big\">{big}</p>{more}{chart}</section>"
    )
    .expect("a string takes all that is written to it");
}

fn outcomes(counts: &Counts) -> String {
    let mut html = String::from("<ul>");
    for (label, n) in OUTCOMES.iter().zip(counts.calls).filter(|(_, n)| *n > 0) {
        let _ = write!(html, "<li>{label} {}</li>", Grouped(n));
    }
    let answered = Share(counts.calls[0], counts.all());
    let minutes = Grouped(counts.media_ms / 60_000);
    let _ = write!(html, "</ul><p>answered {answered} · {minutes} min of media</p>");
    html
}

fn facts(view: &View) -> String {
    let facts = view.exporter();
    let state = match (&facts.state_path, facts.state_bytes) {
        (None, _) => "State in memory: counters begin at 0 with each start.".to_owned(),
        (Some(path), bytes) => {
            let size = bytes.map_or("size not known yet".into(), |n| Bytes(n).to_string());
            format!("State file <b>{}</b>, {size}", Escaped(path))
        }
    };
    let writable = match (&facts.state_path, facts.state_writable) {
        (None, _) => String::new(),
        (Some(_), true) => ", <span class=\"ok\">✓ writable</span>.".into(),
        (Some(_), false) => ", <span class=\"bad\">✕ cannot be written</span>: reading pauses \
             until it can; look at the disk and the rights of the file."
            .into(),
    };
    let shard = match facts.shard {
        Shard { count: 1, .. } => String::new(),
        shard => format!("Shard {shard}: the other apps are read by other exporters. "),
    };
    format!("{shard}{state}{writable}")
}

#[cfg(test)]
mod tests;
