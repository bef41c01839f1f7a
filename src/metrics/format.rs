//! The formats that Prometheus reads, and what holds for each.

use super::catalog::{Family, FamilyType};
use super::plain::Batch;
use super::samples::Sample;
use super::{Moment, open_metrics, plain, protobuf};

/// A format of `/metrics`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The text format 0.0.4, which everybody reads.
    Text,
    /// The text format OpenMetrics 1.0.0.
    OpenMetrics,
    /// Messages `io.prometheus.client.MetricFamily`, each behind its length: the only format with
    /// native histograms.
    Protobuf,
}

impl Format {
    /// Each, the most common one first.
    pub const ALL: [Self; 3] = [Self::Text, Self::OpenMetrics, Self::Protobuf];

    /// Position in [`Self::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The `Content-Type`.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; \
                 encoding=delimited"
            }
        }
    }

    /// What stands behind the last family.
    pub(super) const fn end(self) -> &'static [u8] {
        match self {
            Self::OpenMetrics => b"# EOF\n",
            Self::Text | Self::Protobuf => b"",
        }
    }

    /// What stands before and behind the samples of a family, which have `n_bytes`.
    pub(super) fn frame(self, family: &Family, n_bytes: usize) -> [Vec<u8>; 2] {
        match self {
            Self::Text => [plain::head(family), Vec::new()],
            Self::OpenMetrics => [open_metrics::head(family), Vec::new()],
            Self::Protobuf => protobuf::frame(family, n_bytes),
        }
    }

    /// Appends a sample of a family, or puts it into the batch that is to be written last.
    pub(super) fn write_sample(
        self,
        family: &Family,
        sample: &Sample<'_>,
        batch: &mut Batch,
        out: &mut Vec<u8>,
    ) {
        match self {
            Self::Text => batch.push(family, sample),
            Self::OpenMetrics => open_metrics::write_sample(family, sample, out),
            Self::Protobuf => protobuf::write_sample(family, sample, out),
        }
    }

    /// Whether the value stands at the end of a sample: nothing tells behind it since when it counts.
    pub(super) fn ends_with_value(self, family: &Family, created: Option<Moment>) -> bool {
        self == Self::Text || family.kind != FamilyType::Counter || created.is_none()
    }

    /// How many bytes such a value takes, if it is 0.
    pub(super) const fn zero_len(self) -> usize {
        match self {
            Self::Text | Self::OpenMetrics => "0\n".len(),
            Self::Protobuf => size_of::<f64>(),
        }
    }

    /// Appends another value in the place of that 0.
    pub(super) fn write_value(self, value: f64, out: &mut Vec<u8>) {
        match self {
            // Both write it as Rust does.
            Self::Text | Self::OpenMetrics => open_metrics::line(out, format_args!("{value}")),
            Self::Protobuf => out.extend_from_slice(&value.to_le_bytes()),
        }
    }
}
