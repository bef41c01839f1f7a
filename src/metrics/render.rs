//! From the catalog to text of format 0.0.4: per app, joined, and at the scrape.

use std::ops::Range;

use prometheus::TextEncoder;
use prometheus::proto::{Metric, MetricFamily, MetricType};

use super::catalog::{Family, FamilyType, LiveFacts, Source, families};
use super::samples::{Samples, seconds};
use super::sums::Sums;
use super::{AppView, Breakdown, Moment, ProcessStats, ProcessView};

/// The `Content-Type` of what [`join`] and [`live`] return.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Rendered samples, family by family, without HELP and TYPE: what is joined by copying.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    text: String,
    /// Where the samples of each row of the catalog stand in `text`; empty where it has none.
    ranges: Vec<Range<usize>>,
}

/// The rendered samples of one app, and what its lag at a scrape is computed from.
#[derive(Clone, Debug, Default)]
pub struct AppLines {
    lines: Lines,
    facts: LiveFacts,
}

/// Renders one app; to be called when it changed.
pub fn render_app(app: &AppView<'_>, breakdown: Breakdown) -> AppLines {
    let sums = Sums::new(app, breakdown);
    let lines = Lines::render(|family| {
        let Source::App(fill) = family.source else { return Vec::new() };
        let mut samples = Samples::new(family, Some(app.name), breakdown);
        fill(&sums, &mut samples);
        samples.into_metrics()
    });
    let facts = LiveFacts {
        name: app.name.into(),
        covered_until: app.covered_until.unwrap_or(app.epoch).start(),
        skew_ms: app.skew_ms.unwrap_or_default(),
    };
    AppLines { lines, facts }
}

/// Renders the exporter itself; to be called when it changed.
pub fn render_process(process: &ProcessView) -> Lines {
    Lines::render(|family| {
        let Source::Process(fill) = family.source else { return Vec::new() };
        let mut samples = Samples::new(family, None, Breakdown::default());
        fill(process, &mut samples);
        samples.into_metrics()
    })
}

/// Joins what was rendered into one exposition: all metrics but those that [`live`] adds.
///
/// A family must be one block, which is why the lines are kept by family and copied.
pub fn join<'a>(apps: impl Iterator<Item = &'a AppLines> + Clone, process: &'a Lines) -> String {
    let all = || apps.clone().map(|app| &app.lines).chain([process]);
    let n_bytes = all().map(|lines| lines.text.len()).sum::<usize>();
    let mut text = String::with_capacity(n_bytes + 16 * 1024);
    for (family_idx, family) in families().enumerate() {
        let mut header = Some(family);
        for samples in all().filter_map(|lines| lines.of(family_idx)) {
            if let Some(family) = header.take() {
                write_header(family, &mut text);
            }
            text.push_str(samples);
        }
    }
    text
}

/// Renders what is taken at the scrape: how far each app is behind, and the process values. `now`
/// is the local clock. The text goes behind that of [`join`].
pub fn live<'a>(
    apps: impl Iterator<Item = &'a AppLines> + Clone,
    stats: &ProcessStats,
    now: Moment,
) -> String {
    let mut text = String::new();
    for family in families() {
        let metrics = match family.source {
            Source::App(_) | Source::Process(_) => continue,
            Source::AppLive(value_ms) => apps
                .clone()
                .flat_map(|AppLines { facts, .. }| {
                    let mut samples = Samples::new(family, Some(&facts.name), Breakdown::default());
                    samples.one(seconds(value_ms(facts, now)));
                    samples.into_metrics()
                })
                .collect(),
            Source::ProcessLive(value) => {
                let mut samples = Samples::new(family, None, Breakdown::default());
                samples.one(value(stats));
                samples.into_metrics()
            }
        };
        if !metrics.is_empty() {
            write_header(family, &mut text);
            encode(family, metrics, &mut text);
        }
    }
    text
}

impl AppLines {
    /// The name of the app.
    pub fn name(&self) -> &str {
        &self.facts.name
    }

    /// How far the app is behind at `now` on the local clock, in milliseconds.
    pub fn lag_ms(&self, now: Moment) -> u64 {
        self.facts.lag_ms(now)
    }
}

impl Lines {
    fn render(mut metrics_of: impl FnMut(&'static Family) -> Vec<Metric>) -> Self {
        let mut text = String::new();
        let ranges = families()
            .map(|family| match metrics_of(family) {
                metrics if metrics.is_empty() => 0..0,
                metrics => encode(family, metrics, &mut text),
            })
            .collect();
        text.shrink_to_fit();
        Self { text, ranges }
    }

    fn of(&self, family_idx: usize) -> Option<&str> {
        let range = self.ranges.get(family_idx)?;
        self.text.get(range.clone()).filter(|samples| !samples.is_empty())
    }
}

fn write_header(family: &Family, text: &mut String) {
    let Family { name, help, .. } = family;
    for part in ["# HELP ", name, " ", help, "\n# TYPE ", name, " ", family.kind.word(), "\n"] {
        text.push_str(part);
    }
}

/// Appends the samples and returns where they stand. The encoder writes a TYPE line first, and no
/// HELP where there is none; that line is taken out again.
fn encode(family: &Family, metrics: Vec<Metric>, text: &mut String) -> Range<usize> {
    let mut encoded = MetricFamily::default();
    encoded.set_name(family.name.into());
    encoded.set_field_type(match family.kind {
        FamilyType::Counter => MetricType::COUNTER,
        FamilyType::Gauge => MetricType::GAUGE,
        FamilyType::Histogram => MetricType::HISTOGRAM,
    });
    encoded.set_metric(metrics);
    let start = text.len();
    TextEncoder::new()
        .encode_utf8(&[encoded], text)
        .expect("a named family with samples is written to a string");
    let type_line = text[start..].find('\n').map_or(0, |end| end + 1);
    text.drain(start..start + type_line);
    start..text.len()
}
