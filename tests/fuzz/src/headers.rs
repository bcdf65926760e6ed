//! `Date` and `Retry-After`. The input has three lines: our clock in seconds, the one header, the other.

use std::time::Duration;

use asa_operator::apple::ads::{ClientSecret, token_in};
use asa_operator::apple::{Class, Endpoint};
use http::StatusCode;
use http::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use jiff::Timestamp;

use crate::Target;
use crate::wire::{answer, split_at};

pub(crate) const TARGET: Target = Target { name: "headers", run, reaches: &["neither", "a date", "a pause", "both"] };

/// No host is obeyed for longer.
const LONGEST_PAUSE: u64 = 600;

fn run(input: &[u8]) -> &'static str {
    let (clock, rest) = split_at(input, b"\n");
    let (date, pause) = split_at(rest, b"\n");
    let clock = std::str::from_utf8(clock).ok().and_then(|text| text.parse().ok());
    let now = clock.and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or_default();
    let mut headers = HeaderMap::new();
    for (name, value) in [(DATE, date), (RETRY_AFTER, pause)] {
        headers.extend(HeaderValue::from_bytes(value).ok().map(|value| (name, value)));
    }
    let asked = headers.get(RETRY_AFTER).and_then(seconds);
    let throttled = answer(Endpoint::TokenEndpoint, StatusCode::TOO_MANY_REQUESTS, headers, b"", now).expect("no body");
    let error = token_in(&throttled, &secret()).expect_err("429 is no token");

    assert_eq!(error.class, Class::Throttled);
    if let Some(skew) = error.skew {
        assert!(now.checked_add(skew).is_ok(), "{skew:?} from {now} is no time");
    }
    if let Some(pause) = error.retry_after {
        assert!(!pause.is_zero() && pause.as_secs() <= LONGEST_PAUSE, "{pause:?}");
        assert!(pause.as_secs() < LONGEST_PAUSE || pause.subsec_nanos() == 0, "{pause:?}");
    }
    if let Some(asked) = asked {
        let expected = Some(Duration::from_secs(asked.min(LONGEST_PAUSE))).filter(|pause| !pause.is_zero());
        assert_eq!(error.retry_after, expected, "{asked} s");
    }
    match (error.skew, error.retry_after) {
        (None, None) => "neither",
        (Some(_), None) => "a date",
        (None, Some(_)) => "a pause",
        (Some(_), Some(_)) => "both",
    }
}

/// The number that a header is, if it is nothing but digits.
fn seconds(value: &HeaderValue) -> Option<u64> {
    value.to_str().ok()?.bytes().try_fold(None, |sum: Option<u64>, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        Some(Some(sum.unwrap_or(0).saturating_mul(10).saturating_add(digit)))
    })?
}

fn secret() -> ClientSecret {
    ClientSecret::from_published("e30.eyJpYXQiOjEsImV4cCI6Mn0.c2ln".to_owned()).expect("a JWT from 1 to 2")
}
