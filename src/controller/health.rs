//! Whether the operator itself is well, as /livez and /readyz tell.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

/// The loop turns at least every 15 s; after this long without a turn it stands still.
const LONGEST_TURN: Duration = Duration::from_secs(90);

/// While credentials wait for their turn, one gets it within this time: Apple's longest pause is ten minutes.
const LONGEST_WAIT: Duration = Duration::from_mins(15);

/// Shared between the loop, the watches and the probes.
#[derive(Clone, Debug, Default)]
pub struct Health(Arc<Signs>);

#[derive(Debug, Default)]
struct Signs {
    last_turn: AtomicU64,
    last_progress: AtomicU64,
    is_synced: AtomicBool,
    is_stopping: AtomicBool,
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

    /// Whether everything was seen once. A standby is as ready as its leader.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.is_synced.load(Ordering::Relaxed)
    }

    /// Whether the process is about to end.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.0.is_stopping.load(Ordering::Relaxed)
    }

    /// Whether the loop turns, and whoever waits gets a turn. Until everything was seen it has nothing to do: an API server that does not answer is no
    /// reason to restart.
    #[must_use]
    pub fn is_alive(&self, steady: Duration) -> bool {
        let since = |time: &AtomicU64| steady.saturating_sub(Duration::from_secs(time.load(Ordering::Relaxed)));
        let is_turning = since(&self.0.last_turn) < LONGEST_TURN;
        !self.is_ready() || (is_turning && since(&self.0.last_progress) < LONGEST_WAIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATE: Duration = Duration::from_secs(1000);

    #[test]
    fn a_loop_that_stands_still_is_noticed_once_it_had_begun() {
        let health = Health::default();
        assert!(!health.is_ready() && health.is_alive(LATE));
        health.beat(Duration::from_secs(1), true);
        health.synced();
        assert!(health.is_ready() && health.is_alive(Duration::from_mins(1)));
        assert!(!health.is_alive(LATE));
        health.beat(LATE, true);
        assert!(health.is_alive(LATE));
    }

    #[test]
    fn a_loop_that_turns_and_lets_nobody_run_is_noticed() {
        let health = Health::default();
        health.synced();
        health.beat(Duration::from_secs(1), true);
        health.beat(Duration::from_mins(10), false);
        assert!(health.is_alive(Duration::from_mins(10)), "Apple may have asked for a pause");
        health.beat(LATE, false);
        assert!(!health.is_alive(LATE));
    }
}
