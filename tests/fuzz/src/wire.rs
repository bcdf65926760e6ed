//! Answers as they come from the wire, without a wire.

use asa_operator::apple::{Answer, Endpoint, Error};
use futures::FutureExt as _;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

/// The answer with this status, these headers and this body to what `endpoint` was asked at `now`.
pub(crate) fn answer(
    endpoint: Endpoint,
    status: http::StatusCode,
    headers: HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<Answer, Error> {
    let mut response = http::Response::new(body.to_vec());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Answer::read(endpoint, response.into(), now).now_or_never().expect("a body in memory is there at once")
}

/// `Name: value`, if HTTP allows it.
pub(crate) fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = HeaderName::from_bytes(&line[..colon]).ok()?;
    Some((name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?))
}

/// `bytes` up to the first `mark`, and what comes after it.
pub(crate) fn split_at<'a>(bytes: &'a [u8], mark: &[u8]) -> (&'a [u8], &'a [u8]) {
    let at = bytes.windows(mark.len()).position(|window| window == mark);
    at.map_or((bytes, &[]), |at| (&bytes[..at], &bytes[at + mark.len()..]))
}
