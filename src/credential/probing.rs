//! What is known of each API key from asking Apple about it: once for all resources that use the key.
//!
//! Pure: answers are entered, and it says whom they concern and when to ask again.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use super::{
    now::{Now, between},
    queue::Id,
    schedule::{Retry, retry},
};
use crate::apple::error::{Class, Error as AppleError};

/// Apple is asked about a key that it accepts this often.
pub const INTERVAL: Duration = Duration::from_hours(1);

/// An account that lacks an agreement is looked at this often: somebody is about to accept it.
const AGREEMENT_INTERVAL: Duration = Duration::from_mins(10);

/// Good keys see stray refusals: so many in a row, each of a fresh token, mean that the key is revoked.
const REFUSALS_OF_A_REVOKED_KEY: u32 = 3;

/// The time between those.
const REFUSAL_INTERVAL: Duration = Duration::from_mins(1);

/// What an answer proves of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It is good.
    Accepted,
    /// It is good; its role does not allow what was asked.
    RoleTooNarrow,
    /// It is good; the account has an agreement to accept before the API answers.
    AgreementMissing,
}

/// A refusal of the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Apple's code.
    pub code: String,
    /// How many in a row.
    pub count: u32,
    /// When the first of them came.
    pub since: Timestamp,
    /// Whether Apple had accepted the key before.
    pub was_accepted: bool,
    /// Apple's clock minus ours, where it was told: a token from the future is refused like a bad key.
    pub skew: Option<SignedDuration>,
}

/// An answer, as far as it concerns the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// What it proves, or why it proves nothing.
    pub result: Result<Proof, AppleError>,
    /// Whether less than a tenth of the hour's requests is left to the key.
    pub is_budget_low: bool,
}

/// What an earlier process knew of a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recalled {
    /// When Apple last accepted it.
    pub proved_at: Option<Timestamp>,
    /// What that proved, where it is told.
    pub proof: Option<Proof>,
    /// Apple's code, where it refused the key since.
    pub refused: Option<String>,
}

/// What is known of one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Probe {
    /// What Apple last proved.
    pub proof: Option<Proof>,
    /// When that was.
    pub proved_at: Option<Timestamp>,
    /// The refusals since.
    pub refusal: Option<Refusal>,
    /// Why the last attempt proved nothing, and how many did not in a row.
    pub silence: Option<(AppleError, u32)>,
    /// When Apple was last asked by this process (steady clock).
    pub asked_at: Option<Duration>,
    /// Before this it is not asked again (steady clock), but on demand.
    pub next: Duration,
    /// Whether it is being asked now.
    pub is_under_way: bool,
}

impl Probe {
    fn recalled(recalled: Recalled, now: Now) -> Self {
        let due = |at: Timestamp| now.steady + INTERVAL.saturating_sub(between(at, now.wall));
        let refusal = recalled.refused.map(|code| Refusal {
            code,
            count: REFUSALS_OF_A_REVOKED_KEY,
            since: now.wall,
            was_accepted: recalled.proved_at.is_some(),
            skew: None,
        });
        Self {
            proof: recalled.proof.or(recalled.proved_at.map(|_| Proof::Accepted)),
            proved_at: recalled.proved_at,
            next: recalled.proved_at.filter(|_| refusal.is_none()).map_or(now.steady, due),
            refusal,
            ..Self::default()
        }
    }

    /// Whether anything was heard at all, be it that there was no answer.
    #[must_use]
    pub fn is_judged(&self) -> bool {
        self.proof.is_some() || self.refusal.is_some() || self.silence.is_some()
    }

    /// Whether Apple refuses the key: from the first time on if it never accepted it, else after several times.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.refusal.as_ref().is_some_and(|refusal| !refusal.was_accepted || refusal.count >= REFUSALS_OF_A_REVOKED_KEY)
    }

    /// Whether the last answer proved the key, so that nothing presses.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.proof.is_some() && self.refusal.is_none() && self.silence.is_none()
    }

    fn hear(&mut self, heard: Heard, now: Now) {
        self.asked_at = Some(now.steady);
        let wait = match heard.result {
            Ok(proof) => {
                self.proof = Some(proof);
                self.proved_at = Some(now.wall);
                self.refusal = None;
                self.silence = None;
                if proof == Proof::AgreementMissing { AGREEMENT_INTERVAL } else { INTERVAL }
            }
            Err(AppleError { class: Class::Rejected(code), skew, .. }) => {
                self.silence = None;
                self.refused(code.code(), skew, now)
            }
            Err(error) => {
                let failures = self.silence.take().map_or(0, |(_, failures)| failures).saturating_add(1);
                let wait = retry(Retry::Rejected, failures, Duration::ZERO).max(error.retry_after.unwrap_or_default());
                self.silence = Some((error, failures));
                wait
            }
        };
        self.next = now.steady + if heard.is_budget_low { wait.max(INTERVAL) } else { wait };
    }

    fn refused(&mut self, code: &str, skew: Option<SignedDuration>, now: Now) -> Duration {
        let was_accepted = self.proof.is_some();
        let previous = self.refusal.take();
        let count = previous.as_ref().map_or(0, |refusal| refusal.count).saturating_add(1);
        let since = previous.map_or(now.wall, |refusal| refusal.since);
        self.refusal = Some(Refusal { code: code.to_owned(), count, since, was_accepted, skew });
        let in_doubt = if was_accepted { REFUSALS_OF_A_REVOKED_KEY - 1 } else { 0 };
        match count.checked_sub(in_doubt) {
            None | Some(0) => REFUSAL_INTERVAL,
            Some(count) => retry(Retry::Rejected, count, Duration::ZERO),
        }
    }

    /// What others have to hear of at once.
    fn verdict(&self) -> (Option<Proof>, bool, bool) {
        (self.proof, self.is_refused(), self.is_judged())
    }
}

#[derive(Debug, Default)]
struct Entry {
    probe: Probe,
    users: BTreeSet<Id>,
}

/// All keys in use.
#[derive(Debug, Default)]
pub struct Probes {
    entries: HashMap<String, Entry>,
    keys: HashMap<Id, String>,
}

impl Probes {
    /// What is known of `key`, which `id` uses from now on. Where this process knows nothing yet, what an earlier one knew
    /// counts.
    pub fn see(&mut self, key: &str, id: &Id, recalled: Recalled, now: Now) -> Probe {
        if self.keys.get(id).is_none_or(|used| used != key) {
            self.leave(id);
            self.keys.insert(id.clone(), key.to_owned());
        }
        let entry = self.entries.entry(key.to_owned()).or_default();
        entry.users.insert(id.clone());
        let is_news = recalled.proved_at > entry.probe.proved_at || !entry.probe.is_judged();
        if entry.probe.asked_at.is_none() && is_news && recalled != Recalled::default() {
            entry.probe = Probe { is_under_way: entry.probe.is_under_way, ..Probe::recalled(recalled, now) };
        }
        entry.probe.clone()
    }

    /// `id` uses no key any more. What is known of a key that nobody uses is forgotten.
    pub fn leave(&mut self, id: &Id) {
        let Some(key) = self.keys.remove(id) else { return };
        let Some(entry) = self.entries.get_mut(&key) else { return };
        entry.users.remove(id);
        if entry.users.is_empty() && !entry.probe.is_under_way {
            self.entries.remove(&key);
        }
    }

    /// Apple is about to be asked about `key`; `false` if it is being asked already.
    pub fn begin(&mut self, key: &str) -> bool {
        let probe = &mut self.entries.entry(key.to_owned()).or_default().probe;
        !std::mem::replace(&mut probe.is_under_way, true)
    }

    /// Apple answered. Says who has to look again.
    pub fn end(&mut self, key: &str, heard: Heard, now: Now) -> Vec<Id> {
        let Some(entry) = self.entries.get_mut(key) else { return Vec::new() };
        let before = entry.probe.verdict();
        entry.probe.hear(heard, now);
        if entry.probe.verdict() == before { Vec::new() } else { entry.users.iter().cloned().collect() }
    }

    /// Asking is over, with an answer or without.
    pub fn give_up(&mut self, key: &str) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        entry.probe.is_under_way = false;
        if entry.users.is_empty() {
            self.entries.remove(key);
        }
    }
}

#[cfg(test)]
mod tests;
