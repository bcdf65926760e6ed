//! Who leads, and since when, as the Lease says: watched from the first moment to the last.

use std::io::BufReader;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use jiff::Timestamp;
use serde_json::{Deserializer, Value};

use crate::shell::{Done, Failure, cannot, now, seconds};

/// One state of the Lease.
#[derive(Clone, Debug)]
pub(crate) struct Sight {
    /// When it was seen.
    pub(crate) at: Timestamp,
    /// Nobody, once it was released.
    pub(crate) holder: Option<String>,
    /// When the holder said so.
    pub(crate) renewed: Option<Timestamp>,
    /// When the holder became it.
    pub(crate) acquired: Option<Timestamp>,
}

/// A watch, until it is dropped.
#[derive(Debug)]
pub(crate) struct Leases {
    watch: Child,
    seen: Arc<Mutex<Vec<Sight>>>,
}

impl Leases {
    /// Watches the only Lease of a namespace by this kubectl.
    pub(crate) fn watch(mut kubectl: Command, namespace: &str) -> Done<Leases> {
        kubectl.args(["get", "leases", "--namespace", namespace, "--watch", "--output=json"]);
        let mut watch = kubectl.stdout(Stdio::piped()).spawn().map_err(cannot("watch the Lease"))?;
        let output = watch.stdout.take().ok_or_else(|| Failure("a watch without output".to_owned()))?;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let taken = Arc::clone(&seen);
        // It ends with the output, and that with the watch.
        thread::spawn(move || {
            for lease in Deserializer::from_reader(BufReader::new(output)).into_iter::<Value>().map_while(Result::ok) {
                taken.lock().unwrap_or_else(PoisonError::into_inner).push(Sight::of(&lease));
            }
        });
        Ok(Leases { watch, seen })
    }

    /// All states so far.
    pub(crate) fn seen(&self) -> Vec<Sight> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The pod that leads now.
    pub(crate) fn leader(&self) -> Option<String> {
        self.seen().pop()?.pod()
    }
}

impl Drop for Leases {
    fn drop(&mut self) {
        let _ = self.watch.kill();
        let _ = self.watch.wait();
    }
}

impl Sight {
    fn of(lease: &Value) -> Sight {
        let time = |field: &str| lease["spec"][field].as_str().and_then(|time| time.parse().ok());
        let holder = lease["spec"]["holderIdentity"].as_str().filter(|holder| !holder.is_empty());
        Sight {
            at: now(),
            holder: holder.map(str::to_owned),
            renewed: time("renewTime"),
            acquired: time("acquireTime"),
        }
    }

    /// The holder's pod: an identity is its name, and perhaps a suffix.
    pub(crate) fn pod(&self) -> Option<String> {
        let holder = self.holder.as_ref()?;
        Some(holder.split('_').next().unwrap_or(holder).to_owned())
    }
}

/// The longest time, in seconds, between two signs of life of leaders, of which the second is another one's or came after a
/// release. A leader gives such a sign every two seconds.
pub(crate) fn longest_gap(seen: &[Sight]) -> f64 {
    let mut longest: f64 = 0.0;
    let mut last: Option<&Sight> = None;
    for sight in seen.iter().filter(|sight| sight.holder.is_some()) {
        if let Some(before) = last
            && let (Some(from), Some(to)) = (before.renewed, sight.renewed)
            && (before.holder != sight.holder || before.acquired != sight.acquired)
        {
            longest = longest.max(seconds(from, to));
        }
        last = Some(sight);
    }
    longest
}

/// When each pod led: from its acquisition to the next one's, in order.
pub(crate) fn reigns(seen: &[Sight]) -> Vec<(String, Timestamp)> {
    let mut reigns: Vec<(String, Timestamp)> = Vec::new();
    for sight in seen {
        if let (Some(pod), Some(acquired)) = (sight.pod(), sight.acquired)
            && reigns.last().is_none_or(|(last, since)| *last != pod || *since != acquired)
        {
            reigns.push((pod, acquired));
        }
    }
    reigns
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seen, by whom, renewed and acquired when.
    fn sight(at: i64, holder: Option<&str>, acquired: i64) -> Sight {
        let at = Timestamp::from_second(at).unwrap();
        let acquired = Timestamp::from_second(acquired).unwrap();
        Sight { at, holder: holder.map(str::to_owned), renewed: Some(at), acquired: Some(acquired) }
    }

    #[test]
    fn a_gap_is_between_two_reigns_and_not_between_renewals() {
        let seen = [
            sight(0, Some("a_1"), 0),
            sight(9, Some("a_1"), 0),
            sight(10, None, 0),
            sight(12, Some("b_1"), 12),
            sight(40, Some("b_1"), 12),
            sight(47, Some("b_1"), 47),
        ];
        assert!((longest_gap(&seen) - 7.0).abs() < 0.001);
        let reigns: Vec<_> = reigns(&seen).into_iter().map(|(pod, since)| (pod, since.as_second())).collect();
        assert_eq!(reigns, [("a".to_owned(), 0), ("b".to_owned(), 12), ("b".to_owned(), 47)]);
    }
}
