//! The present moment, as an argument.

use std::time::Duration;

use jiff::Timestamp;

/// One reading of both clocks.
///
/// Expiry is a matter of the wall clock, which Apple shares with us; pauses and rates are a matter of the steady clock,
/// which nobody can set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Coordinated universal time.
    pub wall: Timestamp,
    /// Time since the process started; never goes backwards.
    pub steady: Duration,
}

impl Now {
    /// The wall-clock time at which the steady clock will show `steady`; the present where that has passed.
    #[must_use]
    pub fn wall_at(self, steady: Duration) -> Timestamp {
        later(self.wall, steady.saturating_sub(self.steady))
    }
}

/// `time` plus `by`, or the end of time.
#[must_use]
pub fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// `time` minus `by`, or the beginning of time.
#[must_use]
pub fn earlier(time: Timestamp, by: Duration) -> Timestamp {
    time.saturating_sub(by).unwrap_or(Timestamp::MIN)
}

/// How long from `start` to `end`; zero if `end` comes first.
#[must_use]
pub fn between(start: Timestamp, end: Timestamp) -> Duration {
    end.duration_since(start).try_into().unwrap_or(Duration::ZERO)
}
