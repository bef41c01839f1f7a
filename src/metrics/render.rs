//! From the catalog to bytes: per app, joined, and at the scrape.

use std::ops::Range;
use std::sync::OnceLock;

use super::catalog::{Family, FamilyType, LiveFacts, Source, families};
use super::samples::{Context, Samples, seconds};
use super::snapshot::Snapshot;
use super::sums::Sums;
use super::{AppView, Breakdown, Format, Moment, ProcessStats, ProcessView};

/// What the configuration says of how metrics are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The breakdown labels.
    pub breakdown: Breakdown,
    /// The start of the process, where it is to be told since when counters count.
    pub created_from: Option<Moment>,
}

impl From<Breakdown> for Shown {
    fn from(breakdown: Breakdown) -> Self {
        Self { breakdown, created_from: None }
    }
}

/// Rendered samples, family by family, without what heads a family: what is joined by copying.
#[derive(Clone, Debug, Default)]
struct Rendered {
    bytes: Box<[u8]>,
    /// Where the samples of each row of the catalog stand; empty where it has none. Of one that is
    /// taken at the scrape it is the sample without its value.
    ranges: Vec<Range<usize>>,
}

/// One rendering per format, each made when it is first asked for.
#[derive(Clone, Debug, Default)]
struct Renderings([OnceLock<Rendered>; Format::ALL.len()]);

/// The metrics of one app, and what its lag at a scrape is computed from.
#[derive(Clone, Debug, Default)]
pub struct AppLines {
    app: Option<Box<Snapshot>>,
    shown: Shown,
    facts: LiveFacts,
    renderings: Renderings,
}

/// The metrics of the exporter itself.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    process: Option<ProcessView>,
    created_from: Option<Moment>,
    renderings: Renderings,
}

/// Takes what is to be shown of one app; to be called when it changed.
pub fn render_app(app: &AppView<'_>, shown: impl Into<Shown>) -> AppLines {
    let facts = LiveFacts {
        name: app.name.into(),
        covered_until: app.covered_until.unwrap_or(app.epoch).start(),
        skew_ms: app.skew_ms.unwrap_or_default(),
    };
    let app = Some(Box::new(Snapshot::new(app)));
    AppLines { app, shown: shown.into(), facts, renderings: Renderings::default() }
}

/// Takes what is to be shown of the exporter itself; to be called when it changed.
pub fn render_process(process: &ProcessView, shown: impl Into<Shown>) -> Lines {
    let created_from = shown.into().created_from;
    Lines { process: Some(*process), created_from, renderings: Renderings::default() }
}

/// Joins the metrics of apps and of the exporter: all but those that [`live`] adds.
pub fn join<'a>(
    apps: impl Iterator<Item = &'a AppLines>,
    process: &'a Lines,
    format: Format,
) -> Joined<'a> {
    let parts = apps.map(|app| app.rendered(format)).chain([process.rendered(format)]).collect();
    Joined { parts, format }
}

/// The renderings of several in an order that Prometheus takes.
///
/// A family must be one block, which is why renderings are kept by family and copied.
#[derive(Debug)]
pub struct Joined<'a> {
    parts: Vec<&'a Rendered>,
    format: Format,
}

impl Joined<'_> {
    /// All of it.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.n_bytes_about() + 16 * 1024);
        self.each_piece(|piece| out.extend_from_slice(piece));
        out
    }

    /// About how many bytes it has: without what frames each family, and with the heads of what
    /// [`live`] adds.
    pub fn n_bytes_about(&self) -> usize {
        self.parts.iter().map(|rendered| rendered.bytes.len()).sum()
    }

    /// All of it piece by piece, so that it need not stand in memory as a whole.
    pub fn each_piece(&self, mut take: impl FnMut(&[u8])) {
        for (family_idx, family) in families().enumerate().filter(|(_, it)| !it.is_live()) {
            let pieces = || self.parts.iter().filter_map(|rendered| rendered.of(family_idx));
            if pieces().next().is_some() {
                let [head, tail] = self.format.frame(family, pieces().map(<[u8]>::len).sum());
                take(&head);
                pieces().for_each(&mut take);
                take(&tail);
            }
        }
    }
}

/// Renders what is taken at the scrape: how far each app is behind, and the process values. `now`
/// is the local clock. It goes behind what [`join`] returns, and ends the exposition.
pub fn live<'a>(
    apps: impl Iterator<Item = &'a AppLines> + Clone,
    process: &Lines,
    stats: &ProcessStats,
    now: Moment,
    format: Format,
) -> Vec<u8> {
    let started_at = stats.started_at_ms.and_then(|ms| i64::try_from(ms).ok()).map(Moment);
    let created = process.created_from.map(|start| started_at.unwrap_or(start));
    let context = Context { format, app: None, breakdown: Breakdown::default() };
    // Room for a line of each app, and for the heads and the process values: to grow takes longer than
    // to write.
    let n_bytes_about = 64 * (apps.clone().count() + 1);
    let mut out = Vec::with_capacity(n_bytes_about + 4096);
    let mut written = Vec::with_capacity(n_bytes_about);
    for (family_idx, family) in families().enumerate() {
        written.clear();
        match family.source {
            Source::Counted(_) | Source::App(_) | Source::Process(_) => continue,
            Source::AppLive(value_ms) => {
                for app in apps.clone() {
                    if let Some(head) = app.rendered(format).of(family_idx) {
                        written.extend_from_slice(head);
                        format.write_value(seconds(value_ms(&app.facts, now)), &mut written);
                    }
                }
            }
            Source::ProcessLive(value) => {
                let Some(value) = value(stats) else { continue };
                match process.rendered(format).of(family_idx) {
                    Some(head) if format.ends_with_value(family, created) => {
                        written.extend_from_slice(head);
                        format.write_value(value, &mut written);
                    }
                    _ => Samples::write(family, context, created, &mut written, |samples| {
                        samples.one(value);
                    }),
                }
            }
        }
        if !written.is_empty() {
            let [head, tail] = format.frame(family, written.len());
            [&head, &written, &tail].into_iter().for_each(|piece| out.extend_from_slice(piece));
        }
    }
    out.extend_from_slice(format.end());
    out
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

    /// Renders now, so that the next scrape in this format need not.
    pub fn prepare(&self, format: Format) {
        self.rendered(format);
    }

    fn rendered(&self, format: Format) -> &Rendered {
        self.renderings.get(format, |format| {
            let Some(app) = &self.app else { return Rendered::default() };
            let (view, Shown { breakdown, created_from }) = (app.view(), self.shown);
            let sums = Sums::new(&view, breakdown);
            let context = Context { format, app: Some(view.name), breakdown };
            let epoch = created_from.map(|_| view.epoch.start());
            Rendered::new(|family, out| {
                let (fill, created) = match family.source {
                    Source::Counted(fill) => (fill, epoch),
                    Source::App(fill) => (fill, created_from),
                    Source::AppLive(_) => {
                        debug_assert_eq!(family.kind, FamilyType::Gauge, "its value comes last");
                        return write_without_value(family, context, out);
                    }
                    Source::Process(_) | Source::ProcessLive(_) => return,
                };
                Samples::write(family, context, created, out, |samples| fill(&sums, samples));
            })
        })
    }
}

impl Lines {
    /// Renders now, so that the next scrape in this format need not.
    pub fn prepare(&self, format: Format) {
        self.rendered(format);
    }

    fn rendered(&self, format: Format) -> &Rendered {
        self.renderings.get(format, |format| {
            let Some(process) = &self.process else { return Rendered::default() };
            let context = Context { format, app: None, breakdown: Breakdown::default() };
            Rendered::new(|family, out| match family.source {
                Source::Process(fill) => {
                    let created = self.created_from;
                    Samples::write(family, context, created, out, |samples| fill(process, samples));
                }
                Source::ProcessLive(_) => write_without_value(family, context, out),
                Source::Counted(_) | Source::App(_) | Source::AppLive(_) => {}
            })
        })
    }
}

/// Appends the sample of a number that is taken at the scrape, all but its value, which stands last.
fn write_without_value(family: &'static Family, context: Context<'_>, out: &mut Vec<u8>) {
    Samples::write(family, context, None, out, |samples| samples.one(0.0));
    out.truncate(out.len() - context.format.zero_len());
}

impl Renderings {
    fn get(&self, format: Format, render: impl FnOnce(Format) -> Rendered) -> &Rendered {
        self.0[format.index()].get_or_init(|| render(format))
    }
}

impl Rendered {
    fn new(mut write: impl FnMut(&'static Family, &mut Vec<u8>)) -> Self {
        let mut bytes = Vec::new();
        let ranges = families()
            .map(|family| {
                let start = bytes.len();
                write(family, &mut bytes);
                start..bytes.len()
            })
            .collect();
        // A copy, as what shrinks in its place leaves holes that nothing fits into.
        Self { bytes: Box::from(bytes.as_slice()), ranges }
    }

    fn of(&self, family_idx: usize) -> Option<&[u8]> {
        let range = self.ranges.get(family_idx)?;
        self.bytes.get(range.clone()).filter(|samples| !samples.is_empty())
    }
}
