//! The three headers of an answer that matter.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{CONTENT_ENCODING, DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// No host is obeyed for longer than this: a mistake in one header must not stop the operator for a day.
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// When the answer was made, by Apple's clock.
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    http_date(text(headers, &DATE)?)
}

/// How long the answer asks to wait: seconds, or until a date, which is read against `sent` (the answer's own date, so
/// that clocks that differ do not matter). A pause that is over, or not readable, is none.
pub(super) fn retry_after(headers: &HeaderMap, sent: Timestamp) -> Option<Duration> {
    let value = text(headers, &RETRY_AFTER)?.trim();
    let pause = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Too many digits for a number are a very long pause.
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        http_date(value)?.duration_since(sent).try_into().ok()?
    };
    (!pause.is_zero()).then(|| pause.min(LONGEST_PAUSE))
}

/// Whether the body is in an encoding that was not asked for.
pub(super) fn is_encoded(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_ENCODING).is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn http_date(text: &str) -> Option<Timestamp> {
    let time = httpdate::parse_http_date(text.trim()).ok()?;
    // The crate reads dates from 1970 to the end of 9999, the last day of which a Timestamp does not have.
    Some(Timestamp::try_from(time).unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_bytes(value.as_bytes()).unwrap())])
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_never_more_than_ten_minutes() {
        let sent: Timestamp = "2026-10-21T07:28:00Z".parse().unwrap();
        let table = [
            ("1", Some(1)),
            (" 120 ", Some(120)),
            ("600", Some(600)),
            ("601", Some(600)),
            ("99999999999999999999999999", Some(600)),
            ("Wed, 21 Oct 2026 07:28:30 GMT", Some(30)),
            ("Wednesday, 21-Oct-26 07:28:30 GMT", Some(30)),
            ("Wed Oct 21 07:28:30 2026", Some(30)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(600)),
            ("0", None),
            ("Wed, 21 Oct 2026 07:28:00 GMT", None),
            ("Wed, 21 Oct 2015 07:28:00 GMT", None),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("+5", None),
            ("soon", None),
            ("\u{7fff}", None),
        ];
        for (value, seconds) in table {
            let pause = retry_after(&headers(RETRY_AFTER, value), sent);
            assert_eq!(pause, seconds.map(Duration::from_secs), "{value:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), sent), None);
    }

    #[test]
    fn a_date_that_cannot_be_read_is_none() {
        let table = [
            ("Wed, 21 Oct 2026 07:28:00 GMT", Some("2026-10-21T07:28:00Z")),
            ("Wed Oct 21 07:28:00 2026", Some("2026-10-21T07:28:00Z")),
            ("2026-10-21T07:28:00Z", None),
            ("Wed, 21 Oct 2026 25:28:00 GMT", None),
            ("", None),
        ];
        for (value, expected) in table {
            let expected = expected.map(|text| text.parse().unwrap());
            assert_eq!(date(&headers(DATE, value)), expected, "{value:?}");
        }
    }
}
