//! From the journals to the output.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;

use super::telling::Teller;
use crate::ledger::Timetable;
use crate::metrics::{self, Breakdown, PastApp};
use crate::store::Journal;

/// Values in memory at once: 16 MB of them.
const VALUES_MAX: usize = 2_000_000;

/// Everything that was read.
pub(super) struct Output<'a> {
    /// Names, and what was found.
    pub(super) apps: Vec<(&'a str, &'a Journal)>,
    pub(super) breakdown: Breakdown,
    pub(super) labels: &'a [(String, String)],
    pub(super) timetable: Timetable,
}

/// What is in the output.
pub(super) struct Written {
    pub(super) n_calls: u64,
    pub(super) n_series: usize,
}

impl Output<'_> {
    /// Writes to the file, which appears when it is whole, or to standard output.
    pub(super) fn write_to(
        &self,
        output: Option<&Path>,
        teller: &Teller,
    ) -> anyhow::Result<Written> {
        let Some(path) = output else {
            let mut out = BufWriter::new(io::stdout().lock());
            let written = self.write(&mut out, teller)?;
            out.flush().context("standard output")?;
            return Ok(written);
        };
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let shown = path.display();
        let cannot = || {
            format!(
                "{shown} cannot be written: make room, or give another --output, and run it again"
            )
        };
        let file = File::create(&part).with_context(cannot)?;
        let mut out = BufWriter::new(file);
        let written = self.write(&mut out, teller).with_context(|| shown.to_string())?;
        out.flush()
            .and_then(|()| out.get_ref().sync_all())
            .and_then(|()| std::fs::rename(&part, path))
            .with_context(cannot)?;
        Ok(written)
    }

    fn write(&self, out: &mut dyn Write, teller: &Teller) -> anyhow::Result<Written> {
        let n_samples = self.timetable.n_samples();
        let mut ends = Vec::new();
        for (_, journal) in &self.apps {
            let mut end = Arc::default();
            journal.each_sum(n_samples, &mut |samples, totals| {
                if samples.end == n_samples {
                    end = Arc::clone(totals);
                }
            })?;
            ends.push(end);
        }
        let apps: Vec<PastApp<'_>> =
            self.apps.iter().zip(&ends).map(|(&(name, _), end)| PastApp { name, end }).collect();
        let past = metrics::Past::new(&apps, self.breakdown, self.labels);
        let ranges = past.sheets(n_samples, VALUES_MAX);
        let n_sheets = ranges.len();
        for (nth, range) in ranges.into_iter().enumerate() {
            teller.written(nth, n_sheets);
            let mut sheet = past.sheet(range, n_samples);
            for app_idx in past.apps_on(&sheet) {
                self.apps[app_idx].1.each_sum(n_samples, &mut |samples, totals| {
                    past.note(&mut sheet, app_idx, samples, totals);
                })?;
            }
            past.write(&sheet, |idx| self.timetable.at(idx), &mut |bytes| out.write_all(bytes))?;
        }
        out.write_all(metrics::Past::end())?;
        let n_calls = ends.iter().map(|end| super::n_calls(end)).sum();
        Ok(Written { n_calls, n_series: past.n_series() })
    }
}
