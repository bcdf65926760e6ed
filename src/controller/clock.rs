//! The two clocks. Nothing else in the operator reads one.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::credential::now::{Now, later};

/// Where the time comes from.
#[derive(Clone, Debug)]
pub struct Clock {
    started: Instant,
    wall: Wall,
    /// So many seconds pass on both clocks in 100 of tokio's: another number is a bad oscillator, in a simulation.
    percent: u32,
}

#[derive(Clone, Debug)]
enum Wall {
    System,
    /// What the wall clock would have shown at the start; from there it goes with tokio's time, which a test can pause.
    From(Arc<Mutex<Timestamp>>),
}

impl Clock {
    /// The machine's.
    #[must_use]
    pub fn system() -> Self {
        Self { started: Instant::now(), wall: Wall::System, percent: 100 }
    }

    /// A wall clock that shows `start` now and then goes with tokio's time: for a simulation under paused time.
    #[must_use]
    pub fn starting_at(start: Timestamp) -> Self {
        Self { started: Instant::now(), wall: Wall::From(Arc::new(Mutex::new(start))), percent: 100 }
    }

    /// Both clocks at this percentage of their speed (at least 1): for a simulation, before the first reading.
    #[must_use]
    pub fn at_speed(self, percent: u32) -> Self {
        Self { percent: percent.max(1), ..self }
    }

    /// Sets the wall clock of a simulation forward or back; the machine's is not ours to set.
    pub fn set(&self, by: SignedDuration) {
        if let Wall::From(start) = &self.wall {
            let mut start = start.lock().unwrap_or_else(PoisonError::into_inner);
            *start = start.saturating_add(by).unwrap_or(*start);
        }
    }

    /// One reading of both.
    #[must_use]
    pub fn now(&self) -> Now {
        let steady = self.started.elapsed() * self.percent / 100;
        let wall = match &self.wall {
            Wall::System => system_time(),
            Wall::From(start) => later(*start.lock().unwrap_or_else(PoisonError::into_inner), steady),
        };
        Now { wall, steady }
    }

    /// Sleeps for at most `longest`, and not beyond the time at which the wall clock should show `until`.
    pub async fn sleep(&self, until: Option<Timestamp>, longest: Duration) {
        let now = self.now().wall;
        let wait = until.map_or(longest, |until| crate::credential::now::between(now, until).min(longest));
        tokio::time::sleep(wait * 100 / self.percent).await;
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
fn system_time() -> Timestamp {
    Timestamp::now()
}
