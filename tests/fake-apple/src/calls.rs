//! What was asked last, one by one, and when.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;

/// How many calls are remembered: those of some minutes, in about a megabyte.
const REMEMBERED: usize = 10_000;

/// One call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// When it was decided, or when the handshake began; before
    /// [`Settings::clock_offset_seconds`](crate::Settings::clock_offset_seconds) and before any delay.
    pub at: Timestamp,
    /// The client id as the form or the bearer token names it, or the key id, registered or not; none: unknown.
    pub client: Option<String>,
    /// What was asked; none: the client hung up in the TLS handshake, because it does not know the authority.
    pub endpoint: Option<Endpoint>,
    /// What was decided, even where a fault lost the answer on its way; none: nothing.
    pub status: Option<u16>,
}

/// The last of them, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls(VecDeque<Call>);

impl Calls {
    pub(crate) fn add(&mut self, call: Call) {
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(call);
    }

    pub(crate) fn all(&self) -> Vec<Call> {
        self.0.iter().cloned().collect()
    }
}
