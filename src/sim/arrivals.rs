//! When calls begin: how many in each second, over the day.

use super::Options;
use super::rng::Rng;

/// Calls in each hour of the day (UTC) in thousandths of the mean; they sum up to 24,000.
const RHYTHM_PERMILLE: [u32; 24] = [
    580, 496, 468, 461, 482, 545, 699, 846, 1056, 1238, 1336, 1364, 1315, 1336, 1378, 1406, 1392,
    1350, 1294, 1238, 1140, 1028, 860, 692,
];

/// How many calls are initiated in this second: a Poisson number of the mean, by the hour unless steady.
pub(super) fn calls_in(options: &Options, second: i64) -> u32 {
    let rhythm = if options.is_steady { 1.0 } else { rhythm(second) };
    let mut rng = Rng::of(&[options.seed, second.cast_unsigned()]);
    rng.poisson(f64::from(options.calls_per_day) / 86_400.0 * rhythm)
}

fn rhythm(second: i64) -> f64 {
    let of_day = u32::try_from(second.rem_euclid(86_400)).unwrap_or_default();
    let hour = (of_day / 3600) as usize;
    let into_hour = f64::from(of_day % 3600) / 3600.0;
    let (this, next) = (RHYTHM_PERMILLE[hour], RHYTHM_PERMILLE[(hour + 1) % 24]);
    (f64::from(this) * (1.0 - into_hour) + f64::from(next) * into_hour) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::{Options, calls_in};

    #[test]
    fn a_day_has_as_many_calls_as_were_asked_for_and_more_by_day_than_by_night() {
        let options = Options::default();
        let calls = |seconds: std::ops::Range<i64>| -> u32 {
            seconds.map(|second| calls_in(&options, second)).sum()
        };
        let day = calls(0..86_400);
        assert!((39_000..41_000).contains(&day), "{day}");
        assert!(calls(14 * 3600..16 * 3600) > 2 * calls(2 * 3600..4 * 3600));
    }

    #[test]
    fn a_steady_world_has_as_many_calls_by_night() {
        let options = Options { is_steady: true, ..Options::default() };
        let night: u32 = (2 * 3600..4 * 3600).map(|second| calls_in(&options, second)).sum();
        let expected = options.calls_per_day / 12;
        assert!(night.abs_diff(expected) < expected / 10, "{night} of {expected}");
    }
}
