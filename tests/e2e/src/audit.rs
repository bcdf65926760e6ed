//! Who wrote what and when, from the API server's audit log.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;

use crate::shell::{Done, cannot, fail};

/// A write that was granted.
#[derive(Debug)]
pub(crate) struct Write {
    /// When it arrived, and when it was done.
    pub(crate) received: Timestamp,
    pub(crate) done: Timestamp,
    /// The pod's address.
    pub(crate) source: String,
    /// `patch secrets acme`.
    pub(crate) what: String,
}

/// The operator's writes of objects; Leases and Events tell nothing of who works.
pub(crate) fn writes(log: &Path, user: &str) -> Done<Vec<Write>> {
    let text = fs::read_to_string(log).map_err(cannot("read the audit log"))?;
    let mut writes = Vec::new();
    for event in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let resource = event["objectRef"]["resource"].as_str().unwrap_or_default();
        let verb = event["verb"].as_str().unwrap_or_default();
        let granted = event["responseStatus"]["code"].as_u64().is_some_and(|code| code < 300);
        let ours = event["user"]["username"] == user && granted;
        let time = |field: &str| event[field].as_str().and_then(|time| time.parse().ok());
        if let (true, "create" | "update" | "patch" | "delete", false, Some(received), Some(done)) = (
            ours,
            verb,
            ["leases", "events"].contains(&resource),
            time("requestReceivedTimestamp"),
            time("stageTimestamp"),
        ) {
            let name = event["objectRef"]["name"].as_str().unwrap_or_default();
            let source = event["sourceIPs"][0].as_str().unwrap_or_default().to_owned();
            writes.push(Write { received, done, source, what: format!("{verb} {resource} {name}") });
        }
    }
    Ok(writes)
}

/// Fails if a pod has written while another one led, by when each began to, and by the pods' addresses.
pub(crate) fn written_by_leaders(
    reigns: &[(String, Timestamp)],
    writes: &[Write],
    addresses: &BTreeMap<String, String>,
) -> Done {
    for Write { received, source, what, .. } in writes {
        let Some(pod) = addresses.get(source) else {
            return fail(format!("{what} at {received} by a stranger, {source}"));
        };
        let leader = reigns.iter().rfind(|(_, since)| since <= received).map(|(pod, _)| pod);
        if leader != Some(pod) {
            return fail(format!("{what} at {received} by {pod}, while {leader:?} led: {reigns:?}"));
        }
    }
    if writes.is_empty() { fail("the audit log has no write of the operator") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn check(writes: &[(i64, &str)]) -> Done {
        let writes = writes.iter().map(|(second, source)| Write {
            received: at(*second),
            done: at(*second),
            source: (*source).to_owned(),
            what: "patch secrets acme".to_owned(),
        });
        let addresses = [("10.0.0.1", "a"), ("10.0.0.2", "b")].map(|(ip, pod)| (ip.to_owned(), pod.to_owned()));
        let reigns = [("a".to_owned(), at(10)), ("b".to_owned(), at(20))];
        written_by_leaders(&reigns, &writes.collect::<Vec<_>>(), &addresses.into())
    }

    #[test]
    fn each_may_write_while_it_leads() {
        check(&[(10, "10.0.0.1"), (19, "10.0.0.1"), (20, "10.0.0.2"), (99, "10.0.0.2")]).unwrap();
    }

    #[test]
    fn nobody_may_write_while_another_one_leads_or_nobody() {
        check(&[(21, "10.0.0.1")]).unwrap_err();
        check(&[(19, "10.0.0.2")]).unwrap_err();
        check(&[(9, "10.0.0.1")]).unwrap_err();
        check(&[(11, "10.0.0.3")]).unwrap_err();
    }

    #[test]
    fn a_log_without_writes_proves_nothing() {
        check(&[]).unwrap_err();
    }
}
