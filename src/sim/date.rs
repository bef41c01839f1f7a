//! Unix seconds as the dates of HTTP and of ISO 8601.

/// `Sun, 06 Nov 1994 08:49:37 GMT`: what the header `Date` holds (RFC 9110).
pub(super) fn imf_fixdate(unix_s: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let days = unix_s.div_euclid(86_400);
    let (year, month, day) = civil(days);
    let weekday = DAYS[usize::try_from(days.rem_euclid(7)).unwrap_or_default()];
    let month = MONTHS[usize::try_from(month - 1).unwrap_or_default()];
    format!("{weekday}, {day:02} {month} {year:04} {} GMT", clock(unix_s.rem_euclid(86_400)))
}

/// `1994-11-06T08:49:37Z`.
pub(super) fn iso_8601(unix_s: i64) -> String {
    let (year, month, day) = civil(unix_s.div_euclid(86_400));
    format!("{year:04}-{month:02}-{day:02}T{}Z", clock(unix_s.rem_euclid(86_400)))
}

/// Seconds as `HH:MM:SS`; more than a day gives more than 24 hours.
pub(super) fn clock(seconds: i64) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Year, month and day of a day since 1970-01-01 (Hinnant: chrono-compatible date algorithms).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::{imf_fixdate, iso_8601};

    #[test]
    fn dates_are_spelt_as_in_the_standards() {
        assert_eq!(imf_fixdate(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(imf_fixdate(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(iso_8601(1_709_251_199), "2024-02-29T23:59:59Z");
    }
}
