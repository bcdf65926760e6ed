//! `X-Rate-Limit`: how often a key asked in the last sixty minutes.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::message::Message;

const HOUR: i64 = 60 * 60;

/// When a key asked, in seconds since 1970, oldest first; nothing that is older than an hour matters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hour(VecDeque<i64>);

impl Hour {
    /// Counts one request and says whether it still had a place. One that had none is not counted.
    pub(crate) fn take(&mut self, limit: u32, now: Timestamp) -> bool {
        let now = now.as_second();
        while self.0.front().is_some_and(|at| now - at >= HOUR) {
            self.0.pop_front();
        }
        let has_place = self.used(now) < limit;
        if has_place {
            self.0.push_back(now);
        }
        has_place
    }

    /// Adds the header.
    pub(crate) fn announce(&self, message: &mut Message, limit: u32, now: Timestamp) {
        let remaining = limit.saturating_sub(self.used(now.as_second()));
        message.set_header("X-Rate-Limit", &format!("user-hour-lim:{limit};user-hour-rem:{remaining};"));
    }

    fn used(&self, now: i64) -> u32 {
        let used = self.0.iter().filter(|at| now - **at < HOUR).count();
        u32::try_from(used).unwrap_or(u32::MAX)
    }
}
