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

/// Shared between the loop, the watches and the probes.
#[derive(Clone, Debug, Default)]
pub struct Health(Arc<Signs>);

#[derive(Debug, Default)]
struct Signs {
    last_turn: AtomicU64,
    is_synced: AtomicBool,
}

impl Health {
    /// The loop turned at `steady`.
    pub fn beat(&self, steady: Duration) {
        self.0.last_turn.store(steady.as_secs(), Ordering::Relaxed);
    }

    /// Everything was seen once.
    pub fn synced(&self) {
        self.0.is_synced.store(true, Ordering::Relaxed);
    }

    /// Whether everything was seen once.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.is_synced.load(Ordering::Relaxed)
    }

    /// Whether the loop turns. Until everything was seen it has nothing to do: an API server that does not answer is no
    /// reason to restart.
    #[must_use]
    pub fn is_alive(&self, steady: Duration) -> bool {
        let last_turn = Duration::from_secs(self.0.last_turn.load(Ordering::Relaxed));
        !self.is_ready() || steady.saturating_sub(last_turn) < LONGEST_TURN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_that_stands_still_is_noticed_once_it_had_begun() {
        let health = Health::default();
        let late = Duration::from_secs(1000);
        assert!(!health.is_ready() && health.is_alive(late));
        health.beat(Duration::from_secs(1));
        health.synced();
        assert!(health.is_ready() && health.is_alive(Duration::from_mins(1)));
        assert!(!health.is_alive(late));
        health.beat(late);
        assert!(health.is_alive(late));
    }
}
