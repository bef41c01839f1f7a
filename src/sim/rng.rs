//! Random numbers that every machine draws alike: SplitMix64.

/// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
///
/// Chosen because a generator can be made for any tuple of numbers at no cost, so that each call of
/// the world is drawn by itself, in any order.
#[derive(Clone, Debug)]
pub(super) struct Rng(u64);

impl Rng {
    /// A generator whose draws depend on each of `parts`.
    pub(super) fn of(parts: &[u64]) -> Self {
        Self(parts.iter().fold(0, |state, part| Self(state ^ part).next_u64()))
    }

    /// 64 random bits.
    pub(super) fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number in `0..bound`; 0 for an empty range.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        let scaled = ((self.next_u64() >> 32) * u64::from(bound)) >> 32;
        u32::try_from(scaled).unwrap_or_default()
    }

    /// True with a probability in thousandths.
    pub(super) fn permille(&mut self, share: u32) -> bool {
        self.below(1000) < share
    }

    /// The position of the share that is drawn; shares are thousandths and sum up to 1000.
    pub(super) fn pick(&mut self, shares: &[u32]) -> usize {
        let mut left = self.below(1000);
        for (idx, &share) in shares.iter().enumerate() {
            if left < share {
                return idx;
            }
            left -= share;
        }
        shares.len().saturating_sub(1)
    }

    /// A number in `0.0..1.0`.
    pub(super) fn unit(&mut self) -> f64 {
        f64::from(self.below(u32::MAX)) / f64::from(u32::MAX)
    }

    /// A log-normal number with this mean, rounded down; `sigma` is the spread of its logarithm.
    pub(super) fn log_normal(&mut self, mean: f64, sigma: f64) -> u32 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.unit()).cos();
        floor((mean.ln() - sigma * sigma / 2.0 + sigma * normal).exp())
    }

    /// A Poisson number with this mean (Knuth's method, in parts so that it does not underflow).
    pub(super) fn poisson(&mut self, mean: f64) -> u32 {
        let (mut n, mut left) = (0, mean);
        while left > 0.0 {
            let limit = (-left.min(16.0)).exp();
            let mut product = self.unit();
            while product > limit {
                n += 1;
                product *= self.unit();
            }
            left -= 16.0;
        }
        n
    }
}

#[expect(clippy::cast_possible_truncation, reason = "rounds down; `as` stays inside the range")]
fn floor(value: f64) -> u32 {
    value as u32
}

#[cfg(test)]
mod tests {
    use super::Rng;

    #[test]
    fn the_draws_are_those_of_the_published_generator() {
        let mut rng = Rng(1_234_567);
        let draws = [rng.next_u64(), rng.next_u64(), rng.next_u64()];
        assert_eq!(
            draws,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn a_log_normal_number_and_a_poisson_number_keep_their_means() {
        let mut rng = Rng::of(&[7]);
        let sum =
            |draw: &mut dyn FnMut() -> u32| (0..50_000).map(|_| u64::from(draw())).sum::<u64>();
        let log_normal = sum(&mut || rng.log_normal(360.0, 1.0)) / 50_000;
        let poisson = sum(&mut || rng.poisson(40.0)) / 5_000;
        assert!((340..380).contains(&log_normal), "{log_normal}");
        assert!((398..402).contains(&poisson), "{poisson}");
    }
}
