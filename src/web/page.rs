//! The page at `/`: every app, how far behind it is, and what to do where something is wrong.

use std::fmt::{self, Write};

use super::{AppEntry, Site, View};
use crate::metrics::Moment;

/// No script, no image, no frame, nothing from elsewhere; the one style by its hash.
pub(super) const SECURITY_POLICY: &str = "default-src 'none'; \
    style-src 'sha256-6FflAlhp0sNTwgJVfbA00rcgZjRQXT2G7SrloEAO/w4='; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = "
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; }
nav a { margin-right: 1rem; }
table { border-collapse: collapse; margin-top: 1.5rem; width: 100%; }
th, td { border-bottom: 1px solid #8886; padding: .4rem .8rem .4rem 0; text-align: left; vertical-align: top; }
.down { color: #d33; font-weight: bold; }
.quiet { opacity: .7; }
";

/// Renders the page. `now` is the local clock.
pub(super) fn render(site: &Site, view: &View, now: Moment) -> String {
    let mut html = String::new();
    write_page(&mut html, site, view, now).expect("a string takes all that is written to it");
    html
}

fn write_page(html: &mut String, site: &Site, view: &View, now: Moment) -> fmt::Result {
    let (version, metrics) = (Escaped(site.version), Escaped(&site.telemetry_path));
    let prefix = Escaped(&site.link_prefix);
    write!(
        html,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>cometchat-exporter</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>cometchat-exporter <span class=\"quiet\">{version}</span></h1>\n\
         <p>Counts the calls of CometChat apps for Prometheus.</p>\n\
         <nav><a href=\"{prefix}{metrics}\">Metrics</a>\
         <a href=\"{prefix}/-/healthy\">Health</a>\
         <a href=\"{prefix}/-/ready\">Readiness</a></nav>\n\
         <table>\n<thead><tr><th>App</th><th>Up</th><th>Behind</th><th>State</th></tr></thead>\n\
         <tbody>\n"
    )?;
    for app in view.apps() {
        write_row(html, app, now)?;
    }
    html.push_str("</tbody>\n</table>\n");
    if view.apps().next().is_none() {
        html.push_str("<p>This exporter reads no app.</p>\n");
    }
    html.push_str("</body>\n</html>\n");
    Ok(())
}

fn write_row(html: &mut String, app: &AppEntry, now: Moment) -> fmt::Result {
    let up = match (app.up, app.tried) {
        (true, _) => "<td>yes</td>",
        (false, true) => "<td class=\"down\">no</td>",
        (false, false) => "<td>not yet read</td>",
    };
    let (name, lag) = (Escaped(app.lines.name()), Span(app.lines.lag_ms(now) / 1000));
    write!(html, "<tr><td>{name}</td>{up}<td>{lag}</td><td>")?;
    if let Some(trouble) = &app.trouble {
        let since_ms = now.since_ms(trouble.since);
        let since = Span(u64::try_from(since_ms).unwrap_or_default() / 1000);
        write!(html, "{}<br>For {since}.<br>", Escaped(&trouble.what))?;
    }
    if let Some(note) = &app.note {
        write!(html, "{}", Escaped(note))?;
    }
    html.push_str("</td></tr>\n");
    Ok(())
}

/// Text that cannot become markup, in elements and in quoted attributes.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for char in self.0.chars() {
            match char {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// Seconds, in the two greatest units that fit.
struct Span(u64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (minutes, hours, days) = (self.0 / 60, self.0 / 3600, self.0 / 86_400);
        match self.0 {
            0..60 => write!(f, "{} s", self.0),
            60..3600 => write!(f, "{minutes} min {} s", self.0 % 60),
            3600..86_400 => write!(f, "{hours} h {} min", minutes % 60),
            _ => write!(f, "{days} d {} h", hours % 24),
        }
    }
}

#[cfg(test)]
mod tests;
