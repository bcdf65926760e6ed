//! The only place where this crate reads a clock.

use std::{fmt, sync::Arc};

use jiff::Timestamp;

/// A source of the time that the HTTP server passes to [`Apple`](crate::Apple).
///
/// It only answers what time it is: delays and dripping answers always take real time.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The system's clock.
    #[expect(
        clippy::disallowed_methods,
        reason = "time is an argument everywhere else in this crate, and this is where the argument comes from"
    )]
    pub fn system() -> Self {
        Self::new(Timestamp::now)
    }

    /// A clock of the caller's making, for instance a virtual one.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The present time.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Clock")
    }
}
