//! What a candidate does next, given the lease as it saw it: client-go's protocol, without I/O and without a clock.
//!
//! Source: <https://github.com/kubernetes/client-go/blob/master/tools/leaderelection/leaderelection.go>. Where this one is
//! stricter or faster, the place says so.

use std::time::Duration;

use jiff::{Timestamp, Unit};
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use sha2::{Digest, Sha256};

use crate::credential::now::Now;

/// A lease that was not seen to change for this long is anybody's. client-go's default. What the lease itself says goes
/// first, as its holder may be of another version.
pub(super) const LEASE_DURATION: Duration = Duration::from_secs(15);

/// A leader that could not renew for this long stops. client-go's default: the five seconds up to [`LEASE_DURATION`] are
/// for clocks of different speed, and for a request that is late.
pub(super) const RENEW_DEADLINE: Duration = Duration::from_secs(10);

/// A leader renews, and whoever failed tries again, after this long. client-go's default.
pub(super) const RETRY_PERIOD: Duration = Duration::from_secs(2);

/// After a conflict the lease is looked at again this much later. client-go looks at once; the pause keeps two writers
/// from racing without end.
const AFTER_CONFLICT: Duration = Duration::from_millis(200);

/// A standby that was told of no change for this long, or for up to a fifth less, looks itself; each candidate has a pace of
/// its own. client-go's look every 2.0 to 4.4 s, and are told of nothing. As a leader renews every 2 s, a standby whose
/// watch works never has to look.
const LOOK_PERIOD: Duration = Duration::from_secs(3);

/// client-go's for a lease that was given up; the API server refuses 0.
const RELEASED_DURATION: i32 = 1;

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Act {
    /// Nothing before the steady clock shows this.
    Wait(Duration),
    /// Read the lease; tell by [`Election::looked`].
    Look {
        /// Whether an answer from the API server's cache does: a late one only delays a standby.
        any: bool,
    },
    /// Create the lease, where it has no resourceVersion, or replace it in exactly this version; tell by
    /// [`Election::wrote`].
    Write(Box<Lease>),
}

/// How a request about the lease failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setback {
    /// It is not as it was seen.
    Conflict,
    /// Anything else. It may have had its effect all the same.
    Failure,
}

/// Time in office.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tenure {
    /// Counts from one to the next. One that lapsed and went on before anybody else held the lease keeps its number.
    pub(super) number: u64,
    /// It is over when the steady clock shows this.
    pub(super) ends_at: Duration,
}

/// One candidate.
#[derive(Debug)]
pub(super) struct Election {
    name: String,
    me: String,
    look_period: Duration,
    seen: Option<Seen>,
    /// Whether the lease was seen after the last attempt to change it, and nothing was tried or waited for since.
    is_current: bool,
    /// What this process wrote since somebody else was last seen to hold the lease: the last confirmed state, and those
    /// whose answer was lost. client-go goes by the holder's name; two replicas that were given the same one would both lead.
    ours: Vec<LeaseSpec>,
    /// The number of the present time in office, or of the last one.
    number: u64,
    /// Whether somebody else held the lease since, or this process never did.
    is_out: bool,
    /// When the last successful write was sent, while leading.
    renewed_at: Option<Duration>,
    /// Nothing before the steady clock shows this.
    due: Duration,
}

/// The lease.
#[derive(Debug)]
struct Seen {
    /// As it is stored; `None` once it is gone.
    stored: Option<Lease>,
    /// What it says, or last said.
    spec: LeaseSpec,
    /// When that was first seen (steady clock). Times in the lease are another machine's and count for nothing.
    since: Duration,
}

impl Seen {
    fn holder(&self) -> &str {
        self.spec.holder_identity.as_deref().unwrap_or_default()
    }

    /// Whether nobody holds it. One that was deleted while it was held still is: its leader makes it anew, or stops.
    fn is_free(&self, now: Duration) -> bool {
        self.holder().is_empty() || now >= self.expires_at()
    }

    fn expires_at(&self) -> Duration {
        let said = self.spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        self.since + said.filter(|seconds| *seconds > 0).map_or(LEASE_DURATION, Duration::from_secs)
    }
}

impl Election {
    /// A candidate called `me` for the lease `name`, which has seen nothing yet.
    pub(super) fn new(name: &str, me: &str) -> Self {
        Self {
            name: name.to_owned(),
            me: me.to_owned(),
            look_period: LOOK_PERIOD.mul_f64(1.0 - spread(me) / 5.0),
            seen: None,
            is_current: false,
            ours: Vec::new(),
            number: 0,
            is_out: true,
            renewed_at: None,
            due: Duration::ZERO,
        }
    }

    /// The time in office, if it is not over at `now`.
    pub(super) fn tenure(&self, now: Now) -> Option<Tenure> {
        let ends_at = self.renewed_at? + RENEW_DEADLINE;
        (now.steady < ends_at).then_some(Tenure { number: self.number, ends_at })
    }

    /// Who else holds the lease.
    pub(super) fn other_leader(&self, now: Now) -> Option<&str> {
        let seen = self.seen.as_ref().filter(|seen| !self.is_ours(seen) && !seen.is_free(now.steady))?;
        Some(seen.holder())
    }

    /// What comes next.
    pub(super) fn next(&mut self, now: Now) -> Act {
        if self.renewed_at.is_some() && self.tenure(now).is_none() {
            self.renewed_at = None;
            self.is_current = false;
        }
        if now.steady < self.due {
            return Act::Wait(self.due);
        }
        if !self.is_current {
            return self.look();
        }
        self.is_current = false;
        match &self.seen {
            Some(seen) if !self.is_ours(seen) && !seen.is_free(now.steady) => {
                self.due = seen.expires_at().min(now.steady + self.look_period);
                Act::Wait(self.due)
            }
            _ => self.write(self.claim(now)),
        }
    }

    /// What gives up the lease, if it is ours.
    pub(super) fn give_up(&mut self, now: Now) -> Option<Act> {
        self.renewed_at = None;
        if self.ours.is_empty() {
            return None;
        }
        if !self.is_current {
            return Some(self.look());
        }
        let seen = self.seen.as_ref().filter(|seen| seen.stored.is_some() && !seen.holder().is_empty())?;
        let spec = LeaseSpec {
            holder_identity: Some(String::new()),
            lease_duration_seconds: Some(RELEASED_DURATION),
            acquire_time: Some(micro(now.wall)),
            renew_time: Some(micro(now.wall)),
            ..seen.spec.clone()
        };
        self.is_current = false;
        Some(self.write(spec))
    }

    /// The lease is like this, or is not there.
    pub(super) fn looked(&mut self, found: Option<Lease>, now: Now) {
        self.is_current = true;
        let Some(lease) = found else {
            if let Some(seen) = &mut self.seen {
                seen.stored = None;
            }
            return;
        };
        let spec = lease.spec.clone().unwrap_or_default();
        let same = self.seen.as_ref().filter(|seen| seen.spec == spec);
        let since = same.map_or(now.steady, |seen| seen.since);
        let seen = Seen { stored: Some(lease), spec, since };
        if !self.is_ours(&seen) {
            self.ours.clear();
            self.is_out = true;
            self.renewed_at = None;
        }
        self.seen = Some(seen);
    }

    /// From which version of the lease on changes are of interest; of none to whoever holds it, or may hold it.
    pub(super) fn watches_from(&self) -> Option<&str> {
        let stored = self.seen.as_ref().filter(|_| self.ours.is_empty())?.stored.as_ref()?;
        stored.metadata.resource_version.as_deref()
    }

    /// The lease has changed to this, or is gone: what comes next may come at once.
    pub(super) fn changed(&mut self, found: Option<Lease>, now: Now) {
        self.looked(found, now);
        self.due = now.steady;
    }

    /// What was to be written at `sent` is stored like this.
    pub(super) fn wrote(&mut self, lease: Lease, sent: Now) {
        let spec = lease.spec.clone().unwrap_or_default();
        self.number += u64::from(self.is_out);
        self.is_out = false;
        self.is_current = true;
        self.renewed_at = Some(sent.steady);
        self.due = sent.steady + RETRY_PERIOD;
        self.ours = vec![spec.clone()];
        self.seen = Some(Seen { stored: Some(lease), spec, since: sent.steady });
    }

    /// A request that began at `sent` failed.
    pub(super) fn failed(&mut self, setback: Setback, sent: Now, now: Now) {
        self.is_current = false;
        self.due = match setback {
            Setback::Conflict => now.steady + AFTER_CONFLICT,
            Setback::Failure => sent.steady + RETRY_PERIOD,
        };
    }

    fn look(&self) -> Act {
        Act::Look { any: self.ours.is_empty() }
    }

    /// Whether this process wrote what is seen.
    fn is_ours(&self, seen: &Seen) -> bool {
        self.ours.contains(&seen.spec)
    }

    /// What the lease says once it is ours, or goes on to be.
    fn claim(&self, now: Now) -> LeaseSpec {
        let seen = self.seen.as_ref();
        let kept = seen.filter(|seen| self.is_ours(seen)).map(|seen| &seen.spec);
        let transitions = seen.map_or(0, |seen| seen.spec.lease_transitions.unwrap_or(0).saturating_add(1));
        LeaseSpec {
            holder_identity: Some(self.me.clone()),
            lease_duration_seconds: i32::try_from(LEASE_DURATION.as_secs()).ok(),
            acquire_time: kept.map_or_else(|| Some(micro(now.wall)), |spec| spec.acquire_time.clone()),
            renew_time: Some(micro(now.wall)),
            lease_transitions: kept.map_or(Some(transitions), |spec| spec.lease_transitions),
            // Of an election that the control plane decides, which this is none.
            preferred_holder: None,
            strategy: None,
        }
    }

    /// The lease with `spec`, all else as it is stored.
    fn write(&mut self, spec: LeaseSpec) -> Act {
        self.ours.push(spec.clone());
        let stored = self.seen.as_ref().and_then(|seen| seen.stored.as_ref());
        let metadata = stored.map_or_else(
            || ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() },
            |lease| lease.metadata.clone(),
        );
        Act::Write(Box::new(Lease { metadata, spec: Some(spec) }))
    }
}

/// With the precision that is stored, so that it can be recognized.
fn micro(time: Timestamp) -> MicroTime {
    MicroTime(time.round(Unit::Microsecond).unwrap_or(time))
}

/// A number in `[0, 1)` that belongs to `name`.
fn spread(name: &str) -> f64 {
    f64::from(Sha256::digest(name.as_bytes())[0]) / 256.0
}

#[cfg(test)]
mod tests;
