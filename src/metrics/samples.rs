//! The samples of one family on their way into bytes.

use std::collections::BTreeMap;
use std::iter;

use super::catalog::Family;
use super::examples::Example;
use super::plain::Batch;
use super::{Breakdown, Format, Moment};
use crate::call::Kind;

/// Takes the samples of one family; a row of the catalog fills it.
///
/// Rows know nothing of formats.
pub(super) struct Samples<'a> {
    family: &'static Family,
    context: Context<'a>,
    /// Since when the values count, where that is to be said.
    created: Option<Moment>,
    out: Out<'a>,
}

/// What becomes of a sample.
enum Out<'a> {
    /// It is written; what waits in the batch at the end.
    Bytes(&'a mut Vec<u8>, Batch),
    /// Somebody looks at it.
    Visit(&'a mut dyn FnMut(&Sample<'_>)),
}

/// What the samples of a rendering have in common.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) format: Format,
    /// The value of the label that stands first in the families of an app.
    pub(super) app: Option<&'a str>,
    pub(super) breakdown: Breakdown,
}

/// One sample, or one histogram, with all its labels.
pub(super) struct Sample<'s> {
    pub(super) labels: Vec<(&'s str, &'s str)>,
    pub(super) value: Value<'s>,
    pub(super) created: Option<Moment>,
}

/// What is sampled.
pub(super) enum Value<'s> {
    /// A number, and for a counter an example of what it counted.
    Number(f64, Option<&'s Example>),
    /// A histogram.
    Spread(&'s Spread<'s>),
}

/// A histogram.
pub(super) struct Spread<'s> {
    /// `(upper bound, observations up to it)`; the last bound is infinite.
    pub(super) cumulative: Vec<(f64, u64)>,
    /// Sum of all observations.
    pub(super) sum: f64,
    /// An example per bucket; none at all, or as many as there are buckets.
    pub(super) examples: Vec<Option<&'s Example>>,
    /// The same observations in native buckets, where they are kept and the format takes them.
    pub(super) native: Option<Native>,
}

/// The buckets of a native histogram of schema 3.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Native {
    /// Observations of 0.
    pub(super) zero: u64,
    /// Observations by bucket.
    pub(super) counts: BTreeMap<u16, u64>,
}

impl Spread<'_> {
    /// How many observations there are.
    pub(super) fn count(&self) -> u64 {
        self.cumulative.last().map_or(0, |&(_, count)| count)
    }
}

impl<'a> Samples<'a> {
    /// Appends to `out` the samples that `fill` pushes.
    pub(super) fn write(
        family: &'static Family,
        context: Context<'a>,
        created: Option<Moment>,
        out: &'a mut Vec<u8>,
        fill: impl FnOnce(&mut Self),
    ) {
        let mut samples = Self { family, context, created, out: Out::Bytes(out, Batch::default()) };
        fill(&mut samples);
        if let Out::Bytes(out, batch) = samples.out {
            batch.write(family, out);
        }
    }

    /// Shows each sample to `each` instead of writing it.
    pub(super) fn visit(
        family: &'static Family,
        context: Context<'a>,
        each: &'a mut dyn FnMut(&Sample<'_>),
    ) -> Self {
        Self { family, context, created: None, out: Out::Visit(each) }
    }

    /// The only sample of an app or of the process; nothing where there is no value.
    pub(super) fn one(&mut self, value: impl Into<Option<f64>>) {
        if let Some(value) = value.into() {
            self.push(iter::empty(), Value::Number(value, None));
        }
    }

    /// A sample with the values of the labels that follow `cometchat_app`.
    pub(super) fn labelled(&mut self, values: &[&str], value: f64) {
        self.push(values.iter().copied(), Value::Number(value, None));
    }

    /// A sample of a breakdown; `last` is the value of the label that follows it, if one does.
    pub(super) fn of_kind<'v>(&mut self, kind: Kind, last: impl Into<Option<&'v str>>, value: f64) {
        self.of_kind_like(kind, last, value, None);
    }

    /// A sample of a breakdown, with an example of what it counted.
    pub(super) fn of_kind_like<'v>(
        &mut self,
        kind: Kind,
        last: impl Into<Option<&'v str>>,
        value: f64,
        example: Option<&Example>,
    ) {
        let shown = self.context.breakdown;
        let labels = shown.call_type.then(|| kind.call_type.label()).into_iter();
        let labels = labels.chain(shown.mode.then(|| kind.mode.label()));
        let labels = labels.chain(shown.receiver_type.then(|| kind.receiver.label()));
        self.push(labels.chain(last.into()), Value::Number(value, example));
    }

    /// A histogram.
    pub(super) fn spread(&mut self, label: Option<&str>, spread: &Spread<'_>) {
        self.push(label.into_iter(), Value::Spread(spread));
    }

    /// Whether the format has a place for [`Spread::native`].
    pub(super) fn takes_native(&self) -> bool {
        self.context.format == Format::Protobuf
    }

    fn push<'v>(&mut self, values: impl Iterator<Item = &'v str>, value: Value<'v>) {
        let Context { format, app, breakdown } = self.context;
        let names = self.family.labels.iter().filter(|label| label.is_shown(breakdown));
        let n_names = names.clone().count();
        let mut labels: Vec<(&str, &str)> = Vec::with_capacity(n_names);
        let mut names = names.map(|label| label.name());
        for (app, name) in app.into_iter().zip(names.by_ref()) {
            labels.push((name, app));
        }
        for (name, value) in names.zip(values) {
            labels.push((name, value));
        }
        debug_assert_eq!(labels.len(), n_names, "labels of {}", self.family.name);
        let sample = Sample { labels, value, created: self.created };
        match &mut self.out {
            Out::Bytes(out, batch) => format.write_sample(self.family, &sample, batch, out),
            Out::Visit(each) => each(&sample),
        }
    }
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
