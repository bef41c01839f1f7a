//! What was counted, over time: every counter and histogram of calls, with a time at each sample.
//!
//! OpenMetrics wants all samples of a family together, and in it all samples of a series. So the
//! values are laid out by series first: on a [`Sheet`], as many series at once as memory allows.

use std::ops::Range;
use std::sync::Arc;

use super::catalog::{Family, Source, families};
use super::open_metrics;
use super::samples::{Context, Sample, Samples};
use super::sums::Sums;
use super::{AppView, Breakdown, Format, Health};
use crate::call::Timestamp;
use crate::ledger::{OpenCalls, Totals};

/// An app in the past: its name, and what it had counted at the end.
#[derive(Clone, Copy, Debug)]
pub struct PastApp<'a> {
    /// The label `cometchat_app`.
    pub name: &'a str,
    /// The sums at the last sample.
    pub end: &'a Arc<Totals>,
}

/// Every series that there is at the end, in the order in which they are written.
///
/// A series that appears later in what an exporter serves (a label that is `other`) is there from the
/// first sample on: otherwise `increase()` would miss its first call.
pub struct Past {
    breakdown: Breakdown,
    names: Vec<Box<str>>,
    series: Vec<Series>,
}

impl std::fmt::Debug for Past {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Past of {} series", self.series.len())
    }
}

/// A counter, or a histogram with all its lines.
struct Series {
    family_idx: usize,
    family: &'static Family,
    app_idx: usize,
    /// Of all lines, its first one.
    line: usize,
    labels: Vec<Box<str>>,
    /// What stands before the value, for each line of a sample.
    heads: Vec<Box<[u8]>>,
}

/// The values of some series at each sample.
#[derive(Debug)]
pub struct Sheet {
    range: Range<usize>,
    n_samples: usize,
    /// Line by line, in each line sample by sample.
    values: Vec<f64>,
}

impl Past {
    /// `extra` are labels and their values that every series gets, those that a scrape would add.
    pub fn new(apps: &[PastApp<'_>], breakdown: Breakdown, extra: &[(String, String)]) -> Self {
        let (mut series, mut line) = (Vec::new(), 0);
        for (family_idx, family) in families().enumerate() {
            for (app_idx, app) in apps.iter().enumerate() {
                fill(family, app.name, app.end, breakdown, &mut |sample| {
                    let labels = values_of(sample).map(Into::into).collect();
                    let heads = open_metrics::heads(family, sample, extra);
                    let n_lines = heads.len();
                    series.push(Series { family_idx, family, app_idx, line, labels, heads });
                    line += n_lines;
                });
            }
        }
        let names = apps.iter().map(|app| app.name.into()).collect();
        Self { breakdown, names, series }
    }

    /// How many series Prometheus will see.
    pub fn n_series(&self) -> usize {
        self.series.iter().map(|series| series.heads.len()).sum()
    }

    /// Sheets to be filled and written one after another. None but those of one series holds more
    /// than `n_values_max` values.
    pub fn sheets(&self, n_samples: usize, n_values_max: usize) -> Vec<Range<usize>> {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        let mut n_values = 0;
        for (idx, series) in self.series.iter().enumerate() {
            let more = series.heads.len().saturating_mul(n_samples);
            n_values += more;
            match ranges.last_mut() {
                Some(range) if n_values <= n_values_max => range.end = idx + 1,
                Some(_) | None => {
                    n_values = more;
                    ranges.push(idx..idx + 1);
                }
            }
        }
        ranges
    }

    /// An empty sheet: everything is 0.
    pub fn sheet(&self, range: Range<usize>, n_samples: usize) -> Sheet {
        let n_lines: usize = self.series[range.clone()].iter().map(|it| it.heads.len()).sum();
        Sheet { range, n_samples, values: vec![0.0; n_lines * n_samples] }
    }

    /// The apps that have series on a sheet.
    pub fn apps_on(&self, sheet: &Sheet) -> Vec<usize> {
        let mut apps: Vec<usize> =
            self.series[sheet.range.clone()].iter().map(|series| series.app_idx).collect();
        apps.sort_unstable();
        apps.dedup();
        apps
    }

    /// Notes that an app had counted `totals` at each of `samples`.
    pub fn note(
        &self,
        sheet: &mut Sheet,
        app_idx: usize,
        samples: Range<usize>,
        totals: &Arc<Totals>,
    ) {
        let on_sheet = &self.series[sheet.range.clone()];
        let Some(top) = on_sheet.first().map(|series| series.line) else { return };
        for family in
            on_sheet.chunk_by(|a, b| (a.family_idx, a.app_idx) == (b.family_idx, b.app_idx))
        {
            if family[0].app_idx != app_idx {
                continue;
            }
            // Both come in one order. What stands on another sheet is not found here.
            let mut rest = family;
            let name = &self.names[app_idx];
            fill(family[0].family, name, totals, self.breakdown, &mut |sample| {
                let is_it = |series: &Series| {
                    values_of(sample).eq(series.labels.iter().map(|label| &**label))
                };
                if let Some(nth) = rest.iter().position(is_it) {
                    sheet.set(rest[nth].line - top, samples.clone(), sample);
                    rest = &rest[nth + 1..];
                }
            });
        }
    }

    /// Writes a sheet, in pieces.
    ///
    /// # Errors
    /// Those of `write`.
    pub fn write<E>(
        &self,
        sheet: &Sheet,
        at: impl Fn(usize) -> Timestamp,
        write: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut before = sheet.range.start.checked_sub(1).map(|idx| self.series[idx].family_idx);
        let (mut line, mut out) = (0, Vec::with_capacity(PIECE_BYTES + 4096));
        for series in &self.series[sheet.range.clone()] {
            if before != Some(series.family_idx) {
                out.extend_from_slice(&open_metrics::head(series.family));
            }
            before = Some(series.family_idx);
            for sample in 0..sheet.n_samples {
                for (nth, head) in series.heads.iter().enumerate() {
                    let value = sheet.values[(line + nth) * sheet.n_samples + sample];
                    open_metrics::write_dated(head, value, at(sample), &mut out);
                }
                if out.len() >= PIECE_BYTES {
                    write(&out)?;
                    out.clear();
                }
            }
            line += series.heads.len();
        }
        write(&out)
    }

    /// What stands behind the last sheet.
    pub const fn end() -> &'static [u8] {
        Format::OpenMetrics.end()
    }
}

/// So much is written at once, bytes.
const PIECE_BYTES: usize = 64 * 1024;

impl Sheet {
    fn set(&mut self, line: usize, samples: Range<usize>, sample: &Sample<'_>) {
        for (nth, value) in open_metrics::values(sample).into_iter().enumerate() {
            let start = (line + nth) * self.n_samples;
            self.values[start..start + self.n_samples][samples.clone()].fill(value);
        }
    }
}

/// The values of the labels that tell the series of a family and an app from each other.
fn values_of<'s>(sample: &'s Sample<'_>) -> impl Iterator<Item = &'s str> {
    sample.labels.iter().map(|(_, value)| *value)
}

/// Gives every series of a family that tells what was counted.
fn fill(
    family: &'static Family,
    name: &str,
    totals: &Arc<Totals>,
    breakdown: Breakdown,
    each: &mut dyn FnMut(&Sample<'_>),
) {
    let Source::Counted(fill) = family.source else { return };
    let (open, health) = (OpenCalls::default(), Health::default());
    let view = AppView {
        name,
        app_id: "",
        api_region: "",
        totals: Some(totals),
        open: &open,
        recent: None,
        epoch: Timestamp::MIN,
        covered_until: None,
        skew_ms: None,
        tracked_calls: 0,
        health: &health,
        examples: None,
    };
    let context = Context { format: Format::OpenMetrics, app: Some(name), breakdown };
    fill(&Sums::new(&view, breakdown), &mut Samples::visit(family, context, each));
}
