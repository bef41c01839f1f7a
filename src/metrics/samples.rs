//! The samples of one family on their way into text.

use std::iter;

use prometheus::proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric};

use super::Breakdown;
use super::catalog::{Family, FamilyType};
use crate::call::Kind;

/// Takes the samples of one family; a row of the catalog fills it.
///
/// Rows know nothing of the encoder's types: another encoder is another such sink.
pub(super) struct Samples<'a> {
    family: &'static Family,
    names: Vec<&'static str>,
    app: Option<&'a str>,
    breakdown: Breakdown,
    metrics: Vec<Metric>,
}

impl<'a> Samples<'a> {
    /// `app` is the value of the label that stands first in the families of an app.
    pub(super) fn new(family: &'static Family, app: Option<&'a str>, breakdown: Breakdown) -> Self {
        let shown = family.labels.iter().filter(|label| label.is_shown(breakdown));
        let names = shown.map(|label| label.name()).collect();
        Self { family, names, app, breakdown, metrics: Vec::new() }
    }

    pub(super) fn into_metrics(self) -> Vec<Metric> {
        self.metrics
    }

    /// The only sample of an app or of the process; nothing where there is no value.
    pub(super) fn one(&mut self, value: impl Into<Option<f64>>) {
        if let Some(value) = value.into() {
            self.push(iter::empty(), value);
        }
    }

    /// A sample with the values of the labels that follow `cometchat_app`.
    pub(super) fn labelled(&mut self, values: &[&str], value: f64) {
        self.push(values.iter().copied(), value);
    }

    /// A sample of a breakdown; `last` is the value of the label that follows it, if one does.
    pub(super) fn of_kind<'v>(&mut self, kind: Kind, last: impl Into<Option<&'v str>>, value: f64) {
        let shown = self.breakdown;
        let labels = shown.call_type.then(|| kind.call_type.label()).into_iter();
        let labels = labels.chain(shown.mode.then(|| kind.mode.label()));
        let labels = labels.chain(shown.receiver_type.then(|| kind.receiver.label()));
        self.push(labels.chain(last.into()), value);
    }

    /// A histogram; `cumulative` ends at the greatest finite bound.
    pub(super) fn histogram(
        &mut self,
        label: Option<&str>,
        cumulative: impl Iterator<Item = (f64, u64)>,
        count: u64,
        sum: f64,
    ) {
        let mut histogram = Histogram::default();
        histogram.set_bucket(cumulative.map(bucket).collect());
        histogram.set_sample_count(count);
        histogram.set_sample_sum(sum);
        let mut metric = self.metric(label.into_iter());
        metric.set_histogram(histogram);
        self.metrics.push(metric);
    }

    fn push<'v>(&mut self, values: impl Iterator<Item = &'v str>, value: f64) {
        let mut metric = self.metric(values);
        if self.family.kind == FamilyType::Counter {
            let mut counter = Counter::default();
            counter.set_value(value);
            metric.set_counter(counter);
        } else {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
        }
        self.metrics.push(metric);
    }

    fn metric<'v>(&self, values: impl Iterator<Item = &'v str>) -> Metric {
        let mut labels = Vec::with_capacity(self.names.len());
        let values = self.app.map(String::from).into_iter().chain(values.map(String::from));
        labels.extend(self.names.iter().zip(values).map(|(name, value)| {
            let mut label = LabelPair::default();
            label.set_name((*name).into());
            label.set_value(value);
            label
        }));
        debug_assert_eq!(labels.len(), self.names.len(), "labels of {}", self.family.name);
        Metric::from_label(labels)
    }
}

fn bucket((upper_bound, count): (f64, u64)) -> Bucket {
    let mut bucket = Bucket::default();
    bucket.set_upper_bound(upper_bound);
    bucket.set_cumulative_count(count);
    bucket
}

/// A whole number as a sample value.
#[expect(clippy::cast_precision_loss, reason = "sample values are floats, exact up to 2^53")]
pub(super) const fn whole(n: u64) -> f64 {
    n as f64
}

/// Milliseconds as seconds.
pub(super) const fn seconds(ms: u64) -> f64 {
    whole(ms) / 1000.0
}

/// Milliseconds as seconds, before the Unix epoch too.
#[expect(clippy::cast_precision_loss, reason = "sample values are floats, exact up to 2^53")]
pub(super) const fn signed_seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}
