//! Who wrote what and when, from the API server's audit log.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;

use crate::shell::{Done, cannot};

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
