//! The text format 0.0.4, as the encoder of the `prometheus` crate writes it.

use prometheus::TextEncoder;
use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType,
};

use super::catalog::{Family, FamilyType};
use super::samples::{Sample, Spread, Value};

/// HELP and TYPE.
pub(super) fn head(family: &Family) -> Vec<u8> {
    let (name, kind) = (family.name, family.kind.word());
    ["# HELP ", name, " ", family.help, "\n# TYPE ", name, " ", kind, "\n"].concat().into()
}

/// Samples of one family that wait to be encoded together: a call of the encoder costs as much as
/// some samples do.
#[derive(Default)]
pub(super) struct Batch(Vec<Metric>);

impl Batch {
    pub(super) fn push(&mut self, family: &Family, sample: &Sample<'_>) {
        self.0.push(metric(family, sample));
    }

    /// Appends their lines.
    pub(super) fn write(self, family: &Family, out: &mut Vec<u8>) {
        if self.0.is_empty() {
            return;
        }
        let mut all = MetricFamily::default();
        all.set_name(family.name.to_owned());
        all.set_field_type(match family.kind {
            FamilyType::Counter => MetricType::COUNTER,
            FamilyType::Gauge | FamilyType::Info => MetricType::GAUGE,
            FamilyType::Histogram => MetricType::HISTOGRAM,
        });
        all.set_metric(self.0);
        let encoded = TextEncoder::new().encode_to_string(&[all]);
        let encoded = encoded.expect("a family with a name and a metric can be encoded");
        // What heads the family is written once for all apps.
        let samples = encoded.split_once('\n').map_or("", |(_type, samples)| samples);
        out.extend_from_slice(samples.as_bytes());
    }
}

fn metric(family: &Family, sample: &Sample<'_>) -> Metric {
    let labels = sample.labels.iter().map(|(name, value)| {
        let mut label = LabelPair::default();
        label.set_name((*name).to_owned());
        label.set_value((*value).to_owned());
        label
    });
    let mut metric = Metric::from_label(labels.collect());
    match sample.value {
        Value::Spread(spread) => metric.set_histogram(histogram(spread)),
        Value::Number(value, _) if family.kind == FamilyType::Counter => {
            let mut counter = Counter::default();
            counter.set_value(value);
            metric.set_counter(counter);
        }
        Value::Number(value, _) => {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
        }
    }
    metric
}

fn histogram(spread: &Spread<'_>) -> Histogram {
    let bucket = |&(upper_bound, count): &(f64, u64)| {
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(upper_bound);
        bucket.set_cumulative_count(count);
        bucket
    };
    // The encoder adds the infinite one.
    let finite = spread.cumulative.iter().filter(|(bound, _)| bound.is_finite());
    let mut histogram = Histogram::default();
    histogram.set_bucket(finite.map(bucket).collect());
    histogram.set_sample_count(spread.count());
    histogram.set_sample_sum(spread.sum);
    histogram
}
