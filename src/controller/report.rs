//! The end of a run: status and Events, if they changed.

use std::time::Duration;

use super::{apple::Apple, cluster::Cluster, events::notes, world::World};
use crate::{
    api::CredentialStatus,
    credential::{
        conditions::status,
        failure::ClusterClass,
        now::{Now, later},
        observed::Observed,
        plan::Until,
        queue::Next,
        schedule::{Retry, retry},
    },
};

/// What came of a report.
pub(super) struct Reported {
    /// What to wait for.
    pub(super) next: Next,
    /// How often in a row the API server did not take the status.
    pub(super) failures: u32,
}

/// Writes the status that `seen` deserves, unless it stands there already, and tells what is new: `failures` of this run
/// with the conditions that they changed, in one line.
pub(super) async fn report<C: Cluster, A: Apple>(
    world: &World<C, A>,
    seen: &Observed<'_>,
    until: Until,
    failures: &[String],
    now: Now,
) -> Reported {
    let next = match until {
        Until::Changed => Next::Changed,
        Until::At(time) => Next::At(time),
    };
    let old = seen.object.status();
    let new = status(seen, now);
    if seen.is_going() || old == Some(&new) {
        tell(seen, failures);
        return Reported { next, failures: 0 };
    }
    match world.cluster.write_status(seen.object, &new).await {
        Ok(written) => {
            world.index().apply_credential(written);
            log(seen, &new, failures);
            for note in notes(old, &new) {
                world.cluster.tell(seen.object, note).await;
            }
            Reported { next, failures: 0 }
        }
        Err(class) => {
            tell(seen, failures);
            // What changed or is gone, the watch tells.
            let is_news = seen.memory.status_failures == 0;
            if is_news && !matches!(class, ClusterClass::Conflict | ClusterClass::NamespaceGoing) {
                tracing::warn!(
                    namespace = seen.object.namespace(),
                    name = seen.object.name(),
                    "the status could not be written: {class}"
                );
            }
            // Five thousand statuses every two seconds would bring down an API server that comes back.
            let failures = seen.memory.status_failures.saturating_add(1);
            Reported { next: soon(next, retry(Retry::Soon, failures, Duration::ZERO), now), failures }
        }
    }
}

/// Tells failures that changed no condition.
pub(super) fn tell(seen: &Observed<'_>, failures: &[String]) {
    if !failures.is_empty() {
        let (namespace, name) = (seen.object.namespace(), seen.object.name());
        tracing::warn!(namespace, name, "a step failed: {}", failures.join("; "));
    }
}

/// One line for what a reader of the Secret may notice.
fn log(seen: &Observed<'_>, new: &CredentialStatus, failures: &[String]) {
    let old = seen.object.status();
    let (namespace, name) = (seen.object.namespace(), seen.object.name());
    if let Some(life) = new.access_token.filter(|life| old.and_then(|old| old.access_token) != Some(*life)) {
        tracing::info!(namespace, name, expires_at = %life.expires_at, renewal_time = %life.renewal_time, "published a token");
    }
    let notes = notes(old, new);
    let mut failure = (!failures.is_empty()).then(|| failures.join("; "));
    if !notes.iter().any(|note| note.is_warning) {
        tell(seen, failures);
    }
    for note in notes {
        if note.is_warning {
            let failure = failure.take();
            tracing::warn!(namespace, name, condition = %note.action, reason = note.reason, failure, "{}", note.message);
        } else {
            tracing::info!(namespace, name, condition = %note.action, reason = note.reason, "{}", note.message);
        }
    }
}

/// `next`, or so much later than now, whichever comes first.
fn soon(next: Next, wait: Duration, now: Now) -> Next {
    let retry = later(now.wall, wait);
    match next {
        Next::At(time) => Next::At(time.min(retry)),
        Next::Changed | Next::Host(_) => Next::At(retry),
    }
}
