//! Distributions of whole numbers, in fixed buckets and in those of native histograms.

use std::collections::BTreeMap;

use super::totals::add_each;

/// Buckets of `cometchat_call_duration_seconds`.
pub const DURATION_BOUNDS_S: &[u64] =
    &[5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800];
/// Buckets of `cometchat_call_answer_seconds`.
pub const ANSWER_BOUNDS_S: &[u64] = &[1, 2, 3, 5, 8, 12, 18, 25, 35, 45, 60, 90];
/// Buckets of `cometchat_call_participants`.
pub const PEOPLE_BOUNDS: &[u64] = &[0, 1, 2, 3, 4, 6, 8, 12, 16, 25, 50];

/// Counts of observed whole numbers: seconds, or people.
///
/// The native counts are kept beside the classic ones from the first version on, since a call that
/// has left the ledger cannot be bucketed again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    /// Upper bounds, inclusive, rising.
    pub bounds: &'static [u64],
    /// Observations per bucket (not cumulative); the last one is beyond the greatest bound.
    pub counts: Vec<u64>,
    /// Sum of all observations.
    pub sum: u64,
    /// Observations of 0, which no native bucket holds.
    pub native_zero: u64,
    /// Observations per bucket of a native histogram of schema 3; see [`native_bucket`].
    pub native: BTreeMap<u16, u64>,
}

impl Histogram {
    /// An empty histogram over these bounds.
    pub fn new(bounds: &'static [u64]) -> Self {
        Self {
            bounds,
            counts: vec![0; bounds.len() + 1],
            sum: 0,
            native_zero: 0,
            native: BTreeMap::new(),
        }
    }

    /// Adds one observation.
    pub fn observe(&mut self, value: u64) {
        let bucket = self.bucket_of(value);
        self.counts[bucket] += 1;
        self.sum = self.sum.saturating_add(value);
        match native_bucket(value) {
            None => self.native_zero += 1,
            Some(bucket) => *self.native.entry(bucket).or_default() += 1,
        }
    }

    /// Adds the observations of another one with the same bounds.
    pub fn merge(&mut self, more: &Self) {
        add_each(&mut self.counts, &more.counts);
        self.sum = self.sum.saturating_add(more.sum);
        self.native_zero += more.native_zero;
        for (&bucket, n) in &more.native {
            *self.native.entry(bucket).or_default() += n;
        }
    }

    /// The position in `counts` under which `value` is counted.
    pub fn bucket_of(&self, value: u64) -> usize {
        self.bounds.partition_point(|&bound| bound < value)
    }

    /// How many observations there are.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// The index of the native bucket that holds `value`: the least `i` with `value <= 2^(i/8)`.
///
/// Computed in integers, by the digits of the binary logarithm, so that every machine agrees.
pub fn native_bucket(value: u64) -> Option<u16> {
    let whole = u16::try_from(value.checked_ilog2()?).unwrap_or_default();
    if value.is_power_of_two() {
        return Some(whole * 8);
    }
    // The mantissa in [1, 2) as a 63 bit fraction; squaring it yields one digit at a time.
    let mut mantissa = u128::from(value) << (63 - whole);
    let mut eighths = 0;
    for _ in 0..3 {
        mantissa = (mantissa * mantissa) >> 63;
        let digit = mantissa >= 1 << 64;
        eighths = eighths * 2 + u16::from(digit);
        mantissa >>= u32::from(digit);
    }
    Some(whole * 8 + eighths + 1)
}
