//! The catalog: one row per metric, and nothing about a metric anywhere else.
//!
//! A row has the name, the type, the labels, the HELP and where the value comes from. The order of
//! the rows is the order of the text; what is taken at the scrape stands last.

mod counted;
mod current;
mod polling;
mod process;

use super::samples::Samples;
use super::sums::Sums;
use super::{Breakdown, Moment, ProcessStats, ProcessView};

/// One row: a metric with all its series.
#[derive(Clone, Copy)]
pub struct Family {
    /// Name.
    pub name: &'static str,
    /// Type.
    pub kind: FamilyType,
    /// Labels in the order in which they are written.
    pub labels: &'static [Label],
    /// The HELP text: what the value is, from which API field, how fresh. No backslash, quote or
    /// newline, so that it stands the same in every format.
    pub help: &'static str,
    pub(super) source: Source,
}

/// What kind of metric it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FamilyType {
    /// Only rises.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Always 1; the labels tell.
    Info,
    /// Counts in buckets.
    Histogram,
}

impl FamilyType {
    /// The word after `# TYPE` in the text format, which has no type for information.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge | Self::Info => "gauge",
            Self::Histogram => "histogram",
        }
    }

    /// The word after `# TYPE` in OpenMetrics.
    pub(super) const fn open_metrics_word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Counter | Self::Gauge | Self::Histogram => self.word(),
        }
    }
}

/// Where the values come from; that also says what they are about and when they are taken.
#[derive(Clone, Copy)]
pub(super) enum Source {
    /// Of an app, durable: its counters began with the epoch, whatever was restarted since.
    Counted(fn(&Sums<'_>, &mut Samples<'_>)),
    /// Of an app, rendered when the app changed; its counters began with the process.
    App(fn(&Sums<'_>, &mut Samples<'_>)),
    /// Of the exporter, rendered when it changed.
    Process(fn(&ProcessView, &mut Samples<'_>)),
    /// Of an app, taken at the scrape, in milliseconds; shown in seconds.
    AppLive(fn(&LiveFacts, Moment) -> u64),
    /// Of the exporter, taken at the scrape.
    ProcessLive(fn(&ProcessStats) -> Option<f64>),
}

/// What is needed of an app to answer for the moment of a scrape.
#[derive(Clone, Debug, Default)]
pub(super) struct LiveFacts {
    /// The value of `cometchat_app`.
    pub(super) name: Box<str>,
    /// Up to when every call was seen, on the API's clock.
    pub(super) covered_until: Moment,
    /// Local clock less the API's.
    pub(super) skew_ms: i64,
}

impl LiveFacts {
    /// How far behind the app is, in milliseconds.
    pub(super) fn lag_ms(&self, now: Moment) -> u64 {
        let api_now = now.plus_ms(self.skew_ms.saturating_neg());
        u64::try_from(api_now.since_ms(self.covered_until)).unwrap_or_default()
    }
}

impl Family {
    /// Whether its series belong to an app, not to the exporter.
    pub const fn is_per_app(&self) -> bool {
        matches!(self.source, Source::Counted(_) | Source::App(_) | Source::AppLive(_))
    }

    /// Whether it is taken at the scrape, so that a hung poll shows.
    pub const fn is_live(&self) -> bool {
        matches!(self.source, Source::AppLive(_) | Source::ProcessLive(_))
    }

    /// The name of the family in OpenMetrics, which leaves out what the type says already.
    pub(super) fn base_name(&self) -> &'static str {
        let suffix = match self.kind {
            FamilyType::Counter => "_total",
            FamilyType::Info => "_info",
            FamilyType::Gauge | FamilyType::Histogram => "",
        };
        self.name.strip_suffix(suffix).unwrap_or(self.name)
    }

    /// The unit, where the name ends with one.
    pub(super) fn unit(&self) -> Option<&'static str> {
        let (_, last) = self.base_name().rsplit_once('_')?;
        ["seconds", "bytes"].into_iter().find(|unit| *unit == last)
    }
}

/// Every metric, in the order of the text.
pub fn families() -> impl Iterator<Item = &'static Family> {
    [
        counted::FAMILIES,
        current::FAMILIES,
        polling::FAMILIES,
        process::FAMILIES,
        polling::LIVE_FAMILIES,
        process::LIVE_FAMILIES,
    ]
    .into_iter()
    .flatten()
}

/// A label name. Each has a closed set of values, but for those that name an app and a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the name that it says")]
pub enum Label {
    CometchatApp,
    CallType,
    Mode,
    ReceiverType,
    Status,
    State,
    Field,
    AppId,
    ApiRegion,
    Endpoint,
    Code,
    Error,
    Reason,
    Version,
    Revision,
    RustVersion,
    Shard,
    Shards,
}

impl Label {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CometchatApp => "cometchat_app",
            Self::CallType => "call_type",
            Self::Mode => "mode",
            Self::ReceiverType => "receiver_type",
            Self::Status => "status",
            Self::State => "state",
            Self::Field => "field",
            Self::AppId => "app_id",
            Self::ApiRegion => "api_region",
            Self::Endpoint => "endpoint",
            Self::Code => "code",
            Self::Error => "error",
            Self::Reason => "reason",
            Self::Version => "version",
            Self::Revision => "revision",
            Self::RustVersion => "rust_version",
            Self::Shard => "shard",
            Self::Shards => "shards",
        }
    }

    pub(super) fn is_shown(self, breakdown: Breakdown) -> bool {
        match self {
            Self::CallType => breakdown.call_type,
            Self::Mode => breakdown.mode,
            Self::ReceiverType => breakdown.receiver_type,
            Self::CometchatApp
            | Self::Status
            | Self::State
            | Self::Field
            | Self::AppId
            | Self::ApiRegion
            | Self::Endpoint
            | Self::Code
            | Self::Error
            | Self::Reason
            | Self::Version
            | Self::Revision
            | Self::RustVersion
            | Self::Shard
            | Self::Shards => true,
        }
    }
}

const APP: &[Label] = &[Label::CometchatApp];
const APP_KIND: &[Label] =
    &[Label::CometchatApp, Label::CallType, Label::Mode, Label::ReceiverType];
const APP_KIND_STATUS: &[Label] =
    &[Label::CometchatApp, Label::CallType, Label::Mode, Label::ReceiverType, Label::Status];

const fn row(
    kind: FamilyType,
    name: &'static str,
    labels: &'static [Label],
    help: &'static str,
    source: Source,
) -> Family {
    Family { name, kind, labels, help, source }
}
