//! What the workload's log tells.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use jiff::Timestamp;

use crate::audit::Write;
use crate::shell::{Done, Failure, cannot, now, seconds};

/// One call to Apple.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) at: Timestamp,
    /// The file that curl took the headers from.
    pub(crate) file: String,
    /// 0 if there was no answer.
    pub(crate) status: u16,
    /// When its token was issued, as the mounted file said.
    pub(crate) issued: String,
}

/// Reads the log. A line that is just being written does not count.
pub(crate) fn calls(log: &str) -> Done<Vec<Call>> {
    let uptime = fs::read_to_string("/proc/uptime").map_err(cannot("read the uptime"))?;
    let uptime = since_boot(uptime.split_whitespace().next()).ok_or_else(|| Failure("no uptime".to_owned()))?;
    let boot = now() - uptime;
    let call = |line: &str| {
        let mut words = line.split_whitespace();
        Some(Call {
            at: boot + since_boot(words.next())?,
            file: words.next()?.to_owned(),
            status: words.next()?.parse().ok()?,
            issued: words.next()?.to_owned(),
        })
    };
    Ok(log.lines().filter_map(call).collect())
}

fn since_boot(word: Option<&str>) -> Option<Duration> {
    word?.parse().ok().map(Duration::from_secs_f64)
}

/// How many calls had which status.
pub(crate) fn by_status(calls: &[Call]) -> BTreeMap<u16, usize> {
    let mut count = BTreeMap::new();
    for call in calls {
        *count.entry(call.status).or_default() += 1;
    }
    count
}

/// The tokens of Apple Ads that the workload has had, in order.
pub(crate) fn tokens(calls: &[Call]) -> BTreeSet<&str> {
    calls.iter().filter(|call| call.file != "curl-app-store-connect").map(|call| call.issued.as_str()).collect()
}

/// Seconds from each write of a Secret to the first call with the token that it brought.
pub(crate) fn delays(calls: &[Call], writes: &[Write], secret: &str) -> Vec<f64> {
    let what = format!("patch secrets {secret}");
    let writes: Vec<&Write> = writes.iter().filter(|write| write.what == what).collect();
    let mut delays = Vec::new();
    for token in tokens(calls).into_iter().skip(1) {
        let first = calls.iter().find(|call| call.issued == token).map(|call| call.at);
        // The write that brought it is the last one before.
        let written = first.and_then(|first| writes.iter().rev().find(|write| write.done <= first));
        if let (Some(first), Some(write)) = (first, written) {
            delays.push(seconds(write.done, first));
        }
    }
    delays
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
        10.00 curl-platform-v1 200 2026-11-01T12:00:00Z\n\
        11.00 curl-app-store-connect 200 2026-11-01T12:00:01Z\n\
        12.50 curl-platform-v1 401 2026-11-01T12:00:30Z\n\
        13.0";

    #[test]
    fn a_log_is_read_up_to_the_line_that_is_being_written() {
        let calls = calls(LOG).unwrap();
        assert_eq!(by_status(&calls), BTreeMap::from([(200, 2), (401, 1)]));
        assert_eq!(tokens(&calls).len(), 2, "those of App Store Connect are not counted");
    }

    #[test]
    fn a_delay_is_from_the_write_to_the_first_call() {
        let calls = calls(LOG).unwrap();
        let write = |what: &str, seconds| Write {
            received: calls[2].at,
            done: calls[2].at - Duration::from_millis(seconds),
            source: String::new(),
            what: what.to_owned(),
        };
        let writes =
            [write("patch secrets acme", 4000), write("patch secrets acme", 1500), write("patch secrets other", 10)];
        let delays = delays(&calls, &writes, "acme");
        assert_eq!(delays.len(), 1, "the first token was there before");
        assert!((delays[0] - 1.5).abs() < 0.001, "{delays:?}");
    }
}
