//! Requests and answers, free of any HTTP library, so that a simulation needs none.

use std::time::Duration;

use serde_json::Value;

use crate::fault::Delivery;

/// A request as it arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// In capitals.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// What stood behind `?`, even if empty.
    pub query: Option<String>,
    /// In the order of arrival; names in any case.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Request {
    /// All values of a header.
    pub fn header_values(&self, name: &str) -> impl Iterator<Item = &str> {
        values(&self.headers, name)
    }

    /// A header's value if there is exactly one.
    pub(crate) fn only_header(&self, name: &str) -> Option<&str> {
        let mut found = values(&self.headers, name);
        found.next().filter(|_| found.next().is_none())
    }
}

/// What Apple says: status, headers and body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// A number, not a checked status: a fault may say 42.
    pub status: u16,
    /// `Content-Length` and `Transfer-Encoding` are not among them, unless a fault says otherwise.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Message {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self { status, headers: Vec::new(), body: body.to_string().into_bytes() }
            .with_header("Content-Type", "application/json")
    }

    pub(crate) fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Replaces all headers of this name by one.
    pub(crate) fn set_header(&mut self, name: &str, value: &str) {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    /// Whether a fault says how long the body is, truly or not.
    pub(crate) fn frames_itself(&self) -> bool {
        self.header("Content-Length").or(self.header("Transfer-Encoding")).is_some()
    }

    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        values(&self.headers, name).next()
    }

    /// The body, if it is JSON.
    pub fn body_json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// What becomes of a request: what is said, when, and how it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Absent: the request had no effect and nothing is said, see `delivery`.
    pub message: Option<Message>,
    /// How long the answer is held back. The request had its effect before.
    pub delay: Duration,
    /// How the message travels.
    pub delivery: Delivery,
}

impl Answer {
    /// The message, if it arrives whole: what a client sees that waits long enough.
    pub fn received(&self) -> Option<&Message> {
        match self.delivery {
            Delivery::Whole | Delivery::Dripping { .. } => self.message.as_ref(),
            Delivery::Truncated { .. } | Delivery::Endless | Delivery::Reset | Delivery::Lost | Delivery::Silent => {
                None
            }
        }
    }
}

fn values<'a, 'n>(headers: &'a [(String, String)], name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
    headers.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}
