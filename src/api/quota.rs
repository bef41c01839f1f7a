//! What the headers of an answer say: the API's clock, the rate limit, how long to pause.

use std::time::UNIX_EPOCH;

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use crate::call::Timestamp;
use crate::sweep::{PAUSE_MS_MAX, Quota};

use super::EARLIEST;

/// A number from here on is a Unix time, below it a number of seconds.
const UNIX_TIME_MIN: f64 = 1e9;

/// The header `Date`.
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    http_date(text(headers, DATE.as_str())?).filter(|&date| date >= EARLIEST)
}

/// The rate limit, in either of the API's spellings; `now` is the time on the API's clock.
pub(super) fn quota(headers: &HeaderMap, now: Timestamp) -> Quota {
    let either = |one, other| text(headers, one).or_else(|| text(headers, other));
    let number = |one, other| either(one, other).and_then(|text| text.parse().ok());
    let reset = either("x-ratelimit-reset", "x-rate-limit-reset");
    Quota {
        limit: number("x-ratelimit-limit", "x-rate-limit"),
        remaining: number("x-ratelimit-remaining", "x-rate-limit-remaining"),
        reset_in_ms: reset.and_then(|text| pause_ms(text, now)),
        retry_after_ms: text(headers, RETRY_AFTER.as_str()).and_then(|text| pause_ms(text, now)),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// Milliseconds from `now` to what `text` says: seconds, a Unix time or an HTTP date.
fn pause_ms(text: &str, now: Timestamp) -> Option<i64> {
    let seconds = match text.parse::<f64>() {
        Ok(time) if time >= UNIX_TIME_MIN => {
            #[expect(clippy::cast_precision_loss, reason = "exact until far beyond year 9999")]
            let now_s = now.0 as f64;
            time - now_s
        }
        Ok(seconds) => seconds,
        #[expect(clippy::cast_precision_loss, reason = "far less than 2^53 seconds")]
        Err(_) => http_date(text)?.since_s(now) as f64,
    };
    #[expect(clippy::cast_precision_loss, reason = "a quarter of an hour")]
    let longest_ms = PAUSE_MS_MAX as f64;
    #[expect(clippy::cast_possible_truncation, reason = "between 0 and PAUSE_MS_MAX")]
    (!seconds.is_nan()).then(|| (seconds * 1000.0).clamp(0.0, longest_ms) as i64)
}

fn http_date(text: &str) -> Option<Timestamp> {
    let since = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok().map(Timestamp)
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    const NOW: Timestamp = Timestamp(1_760_000_000);

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let header =
            |&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
        lines.iter().map(header).collect()
    }

    fn pause(text: &'static str) -> Option<i64> {
        quota(&headers(&[("retry-after", text)]), NOW).retry_after_ms
    }

    #[test]
    fn both_spellings_of_the_rate_limit_are_read() {
        let expected = Quota {
            limit: Some(500),
            remaining: Some(7),
            reset_in_ms: Some(30_000),
            retry_after_ms: None,
        };
        let one = [
            ("x-ratelimit-limit", "500"),
            ("x-ratelimit-remaining", "7"),
            ("x-ratelimit-reset", "1760000030"),
        ];
        let other = [
            ("x-rate-limit", "500"),
            ("x-rate-limit-remaining", "7"),
            ("x-rate-limit-reset", "1760000030"),
        ];
        assert_eq!(quota(&headers(&one), NOW), expected);
        assert_eq!(quota(&headers(&other), NOW), expected);
        assert_eq!(quota(&headers(&[]), NOW), Quota::default());
    }

    #[test]
    fn a_pause_comes_as_seconds_a_date_or_a_unix_time() {
        assert_eq!(pause("12"), Some(12_000));
        assert_eq!(pause("1.5"), Some(1500));
        assert_eq!(pause("0"), Some(0));
        assert_eq!(pause("1760000009"), Some(9000));
        assert_eq!(pause("Thu, 09 Oct 2025 08:54:20 GMT"), Some(60_000));
        assert_eq!(pause("Thursday, 09-Oct-25 08:54:20 GMT"), Some(60_000));
    }

    #[test]
    fn a_pause_is_never_negative_and_never_longer_than_a_quarter_of_an_hour() {
        assert_eq!(pause("-5"), Some(0));
        assert_eq!(pause("1759999999"), Some(0));
        assert_eq!(pause("Thu, 09 Oct 2014 08:54:20 GMT"), Some(0));
        for long in ["901", "1e300", "inf", "1760009999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            assert_eq!(pause(long), Some(900_000), "{long}");
        }
    }

    #[test]
    fn what_is_no_pause_is_none() {
        for text in ["", "soon", "NaN", "Thu, 99 Oct 2025 08:54:20 GMT"] {
            assert_eq!(pause(text), None, "{text}");
        }
    }

    #[test]
    fn a_clock_that_stands_in_the_past_is_no_clock() {
        let date = |text| super::date(&headers(&[("date", text)]));
        assert_eq!(date("Thu, 09 Oct 2025 08:53:20 GMT"), Some(NOW));
        assert_eq!(date("Thu, 01 Jan 1970 00:00:00 GMT"), None);
        assert_eq!(date("yesterday"), None);
    }
}
