//! Points in time, as integers: seconds where the API speaks, milliseconds where we plan.

/// Whole seconds since the Unix epoch on the API's clock: what `initiatedAt` and its like hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Before every call.
    pub const MIN: Self = Self(i64::MIN);
    /// After every call.
    pub const MAX: Self = Self(i64::MAX);

    /// `seconds` later; stays at the ends of time instead of overflowing.
    #[must_use]
    pub const fn plus_s(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to this; negative when this is the earlier one.
    pub const fn since_s(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The first millisecond of this second.
    pub const fn start(self) -> Moment {
        Moment(self.0.saturating_mul(1000))
    }
}

/// Milliseconds since the Unix epoch, for planning.
///
/// Which clock it reads is said where it is used: the API's, for what is due and what was read;
/// a local clock that never jumps, for budgets and pauses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub i64);

impl Moment {
    /// Before everything.
    pub const MIN: Self = Self(i64::MIN);
    /// Never.
    pub const MAX: Self = Self(i64::MAX);

    /// `ms` later; stays at the ends of time instead of overflowing.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this; negative when this is the earlier one.
    pub const fn since_ms(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The second that this lies in.
    pub const fn floor(self) -> Timestamp {
        Timestamp(self.0.div_euclid(1000))
    }
}
