//! Fixed windows: `RateLimit-*` of the Platform API per client, and the burst limit of App Store Connect per key.

use jiff::Timestamp;

use crate::{message::Message, model::WindowLimit};

/// How much of the present window a client or key has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Window {
    /// Seconds since 1970 at which it ends.
    ends_at: i64,
    used: u32,
}

impl Window {
    /// Counts one request and says whether it still had a place.
    pub(crate) fn take(&mut self, limit: WindowLimit, now: Timestamp) -> bool {
        self.turn(limit, now);
        let has_place = self.used < limit.requests;
        self.used = self.used.saturating_add(1);
        has_place
    }

    /// Seconds until the next window, at least 1.
    pub(crate) fn reset_seconds(self, now: Timestamp) -> i64 {
        (self.ends_at - now.as_second()).max(1)
    }

    /// Adds the three headers.
    pub(crate) fn announce(mut self, message: &mut Message, limit: WindowLimit, now: Timestamp) {
        self.turn(limit, now);
        message.set_header("RateLimit-Limit", &limit.requests.to_string());
        message.set_header("RateLimit-Remaining", &limit.requests.saturating_sub(self.used).to_string());
        message.set_header("RateLimit-Reset", &self.reset_seconds(now).to_string());
    }

    fn turn(&mut self, limit: WindowLimit, now: Timestamp) {
        if now.as_second() >= self.ends_at {
            *self = Self { ends_at: now.as_second() + i64::from(limit.window_seconds), used: 0 };
        }
    }
}
