//! Whether the operator itself is well, as /livez and /readyz tell.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

/// The loop turns at least every 15 s; after this long without a turn it stands still.
const LONGEST_TURN: Duration = Duration::from_secs(90);

/// While credentials wait for their turn, one gets it within this time: Apple's longest pause is ten minutes.
pub(super) const LONGEST_WAIT: Duration = Duration::from_mins(15);

/// A watch asks the API server anew at least every five minutes: the server ends it after 290 s at most, the client gives
/// up on silence after 295 s, and a kind that may not be watched is asked for every five minutes.
const LONGEST_WATCH: Duration = Duration::from_mins(10);

/// Shared between the loop, the client of the API server and the probes.
#[derive(Clone, Debug, Default)]
pub struct Health(Arc<Signs>);

#[derive(Debug, Default)]
struct Signs {
    last_turn: AtomicU64,
    last_progress: AtomicU64,
    is_synced: AtomicBool,
    is_stopping: AtomicBool,
    neglected: Mutex<Option<String>>,
    /// When each collection was last asked for, by its path.
    watches: Mutex<BTreeMap<String, Duration>>,
}

/// One of the things that a probe looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// What is wrong; none where all is well.
    pub fault: Option<String>,
}

impl Health {
    /// The loop turned at `steady`; `is_moving` unless credentials wait for their turn and none got it.
    pub fn beat(&self, steady: Duration, is_moving: bool) {
        self.0.last_turn.store(steady.as_secs(), Ordering::Relaxed);
        if is_moving {
            self.0.last_progress.store(steady.as_secs(), Ordering::Relaxed);
        }
    }

    /// Everything was seen once.
    pub fn synced(&self) {
        self.0.is_synced.store(true, Ordering::Relaxed);
    }

    /// The process is about to end.
    pub fn stopping(&self) {
        self.0.is_stopping.store(true, Ordering::Relaxed);
    }

    /// The credential, if there is one, whose renewal is long overdue and was not tried.
    pub fn neglects(&self, credential: Option<String>) {
        *lock(&self.0.neglected) = credential;
    }

    /// The collection at `path` was asked for, to be listed or watched, at `steady`. From then on it is expected to be
    /// asked for again and again: whatever the API server answers, a watch that is well does.
    pub fn watched(&self, path: &str, steady: Duration) {
        lock(&self.0.watches).insert(path.to_owned(), steady);
    }

    /// What /livez looks at. Until everything was seen the loop has nothing to do: an API server that does not answer is no
    /// reason to restart.
    #[must_use]
    pub fn live(&self, steady: Duration) -> Vec<Check> {
        let since = |time: &AtomicU64| steady.saturating_sub(Duration::from_secs(time.load(Ordering::Relaxed)));
        let is_at_work = self.0.is_synced.load(Ordering::Relaxed);
        let too_long = |since: Duration, most: Duration, what: &str| {
            (is_at_work && since >= most).then(|| format!("{what} for {} s", since.as_secs()))
        };
        vec![
            Check { name: "loop", fault: too_long(since(&self.0.last_turn), LONGEST_TURN, "it stands still") },
            Check {
                name: "queue",
                fault: too_long(since(&self.0.last_progress), LONGEST_WAIT, "nobody who waits got a turn"),
            },
            Check { name: "renewals", fault: self.neglect() },
            Check { name: "watches", fault: self.stuck_watch(steady) },
        ]
    }

    /// What /readyz looks at. A standby is as ready as its leader.
    #[must_use]
    pub fn ready(&self) -> Vec<Check> {
        let check = |name, is_well: &AtomicBool, wanted, otherwise: &str| {
            let fault = (is_well.load(Ordering::Relaxed) != wanted).then(|| otherwise.to_owned());
            Check { name, fault }
        };
        vec![
            check("sync", &self.0.is_synced, true, "credentials and Secrets were not all seen yet"),
            check("shutdown", &self.0.is_stopping, false, "the operator is stopping"),
        ]
    }

    fn neglect(&self) -> Option<String> {
        let neglected = lock(&self.0.neglected);
        neglected.as_ref().map(|credential| format!("the renewal of {credential} is overdue and was not tried"))
    }

    fn stuck_watch(&self, steady: Duration) -> Option<String> {
        let watches = lock(&self.0.watches);
        let silent = watches.iter().map(|(path, last)| (path, steady.saturating_sub(*last)));
        let (path, silent) = silent.max_by_key(|(_, silent)| *silent)?;
        (silent >= LONGEST_WATCH).then(|| format!("{path} was not asked for anew for {} s", silent.as_secs()))
    }
}

/// A panic elsewhere leaves what these locks guard in a usable state: each change is a single call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATE: Duration = Duration::from_secs(1000);
    const SECRETS: &str = "/api/v1/secrets";

    /// The names of the checks that fail.
    fn failing(checks: &[Check]) -> Vec<&'static str> {
        checks.iter().filter(|check| check.fault.is_some()).map(|check| check.name).collect()
    }

    #[test]
    fn a_loop_that_stands_still_is_noticed_once_it_had_begun() {
        let health = Health::default();
        assert_eq!((failing(&health.ready()), failing(&health.live(LATE))), (vec!["sync"], vec![]));
        health.beat(Duration::from_secs(1), true);
        health.synced();
        assert_eq!((failing(&health.ready()), failing(&health.live(Duration::from_mins(1)))), (vec![], vec![]));
        assert_eq!(failing(&health.live(Duration::from_mins(2))), ["loop"]);
        health.beat(LATE, true);
        assert!(failing(&health.live(LATE)).is_empty());
    }

    #[test]
    fn a_loop_that_turns_and_lets_nobody_run_is_noticed() {
        let health = Health::default();
        health.synced();
        health.beat(Duration::from_secs(1), true);
        health.beat(Duration::from_mins(10), false);
        assert!(failing(&health.live(Duration::from_mins(10))).is_empty(), "Apple may have asked for a pause");
        health.beat(LATE, false);
        assert_eq!(failing(&health.live(LATE)), ["queue"]);
    }

    #[test]
    fn a_credential_that_is_neglected_is_named_until_it_is_looked_after() {
        let health = Health::default();
        health.neglects(Some("AsaCredential marketing/acme".to_owned()));
        let checks = health.live(Duration::ZERO);
        assert_eq!(failing(&checks), ["renewals"]);
        assert!(checks[2].fault.as_ref().unwrap().contains("marketing/acme"));
        health.neglects(None);
        assert!(failing(&health.live(Duration::ZERO)).is_empty());
    }

    #[test]
    fn a_watch_that_does_not_ask_anew_is_noticed_and_named_while_the_others_do() {
        let health = Health::default();
        health.watched(SECRETS, Duration::from_secs(1));
        health.watched("/apis/asa-operator.dev/v1alpha1/asacredentials", LATE);
        assert!(failing(&health.live(Duration::from_mins(10))).is_empty());
        let checks = health.live(LATE);
        assert_eq!(failing(&checks), ["watches"]);
        assert_eq!(checks[3].fault.as_deref(), Some("/api/v1/secrets was not asked for anew for 999 s"));
        health.watched(SECRETS, LATE);
        assert!(failing(&health.live(LATE)).is_empty());
    }
}
