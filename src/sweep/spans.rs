//! Sets of seconds as sorted, disjoint, half-open spans.

use crate::call::Timestamp;

/// The seconds from `from` up to, not including, `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first second.
    pub from: Timestamp,
    /// The first second after it.
    pub to: Timestamp,
}

impl Span {
    /// A span; empty when `to` is not after `from`.
    pub const fn new(from: Timestamp, to: Timestamp) -> Self {
        Self { from, to }
    }

    /// The one second at `at`.
    pub const fn second(at: Timestamp) -> Self {
        Self { from: at, to: at.plus_s(1) }
    }

    /// Whether it holds no second.
    pub fn is_empty(self) -> bool {
        self.to <= self.from
    }

    /// Whether it holds the second `at`.
    pub fn contains(self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }
}

/// Sorted spans that neither overlap nor touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans(Vec<Span>);

impl Spans {
    /// The spans, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Span> + ExactSizeIterator {
        self.0.iter().copied()
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The newest one.
    pub fn newest(&self) -> Option<Span> {
        self.0.last().copied()
    }

    /// Adds a span, joining what it overlaps or touches.
    pub fn add(&mut self, span: Span) {
        if span.is_empty() {
            return;
        }
        let first = self.0.partition_point(|old| old.to < span.from);
        let last = self.0.partition_point(|old| old.from <= span.to);
        let joined = self.0[first..last]
            .iter()
            .fold(span, |whole, old| Span::new(whole.from.min(old.from), whole.to.max(old.to)));
        self.0.splice(first..last, [joined]);
    }

    /// The span that holds the second `at`.
    pub fn around(&self, at: Timestamp) -> Option<Span> {
        let after = self.0.partition_point(|span| span.from <= at);
        self.0[..after].last().copied().filter(|span| span.contains(at))
    }

    /// Whether the second `at` is in one of them.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.around(at).is_some()
    }

    /// What is missing of `within`, oldest first.
    pub fn gaps(&self, within: Span) -> Vec<Span> {
        let first = self.0.partition_point(|span| span.to <= within.from);
        let mut gaps = Vec::new();
        let mut at = within.from;
        for span in self.0[first..].iter().take_while(|span| span.from < within.to) {
            gaps.push(Span::new(at, span.from));
            at = span.to;
        }
        gaps.push(Span::new(at, within.to));
        gaps.retain(|gap| !gap.is_empty());
        gaps
    }
}

impl FromIterator<Span> for Spans {
    fn from_iter<I: IntoIterator<Item = Span>>(spans: I) -> Self {
        let mut set = Self::default();
        spans.into_iter().for_each(|span| set.add(span));
        set
    }
}
