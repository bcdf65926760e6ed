//! What goes wrong on purpose.

use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{app_store_connect, endpoint::Endpoint, message::Message};

/// One misbehaviour: for whom, how often, what is said instead, and how it travels.
///
/// Of the faults that match a request only the oldest acts. A fault with `status` or `body` replaces the answer, and
/// the request has no effect: no token is issued. Without them the request is judged and answered as ever, and the
/// answer is then changed.
///
/// ```
/// use std::time::Duration;
/// use fake_apple::{Delivery, Endpoint, Fault};
/// use serde_json::json;
///
/// let throttled = Fault::at(Endpoint::Token).times(2).status(429).header("Retry-After", "3");
/// let wrong_type = Fault::at(Endpoint::Token).of("SEARCHADS.a").set("expires_in", json!("soon"));
/// let stray = Fault::stray_401(Endpoint::Apps).every(3);
/// let late_and_lost = Fault::everywhere().delay(Duration::from_secs(1)).delivery(Delivery::Lost);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Fault {
    /// The client id, or none for every client and for requests whose client is unknown (`"*"` in JSON). Token requests
    /// name it in their form, all others by their bearer token, even an expired one; for App Store Connect and the
    /// Enterprise Program it is the key id.
    #[serde(serialize_with = "write_star", deserialize_with = "read_star")]
    pub client: Option<String>,
    /// The endpoint, or none for all (`"*"` in JSON).
    #[serde(serialize_with = "write_star", deserialize_with = "read_star")]
    pub endpoint: Option<Endpoint>,
    /// How many requests it meets before it is gone; none: until it is removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// It meets only each n-th of the requests that match and that no older fault meets; none: each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<NonZeroU32>,
    /// How long the answer is held back, in milliseconds.
    pub delay_millis: u64,
    /// Replaces the answer: its status. Without a `body` it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Replaces the answer: its body, byte for byte. Without a `status`: 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Added to whatever is answered; replaces headers of the same name. Even names and values that HTTP forbids are
    /// sent as they stand.
    pub headers: BTreeMap<String, String>,
    /// Fields put into the JSON object of a 200 answer, in place of those of the same name.
    pub set: Map<String, Value>,
    /// Fields taken out of the JSON object of a 200 answer.
    pub remove: Vec<String>,
    /// How the answer travels.
    pub delivery: Delivery,
}

/// How an answer travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Delivery {
    /// As it should.
    #[default]
    Whole,
    /// `Content-Length` tells the whole body, the connection closes after this many bytes of it.
    Truncated {
        /// Bytes of the body that are sent.
        after: usize,
    },
    /// The body goes on with blanks as long as somebody reads.
    Endless,
    /// Byte by byte: one byte of the body per interval.
    Dripping {
        /// The interval in milliseconds.
        every_millis: u64,
    },
    /// The connection is reset instead of an answer; the request has no effect.
    Reset,
    /// The connection is reset instead of an answer; the request has had its effect.
    Lost,
    /// Nothing is ever answered and the connection stays open; the request has no effect.
    Silent,
}

impl Delivery {
    /// One byte a second.
    pub const DRIPPING: Self = Self::Dripping { every_millis: 1000 };
}

impl Fault {
    /// A fault of every endpoint and client, which so far changes nothing.
    pub fn everywhere() -> Self {
        Self::default()
    }

    /// A fault of one endpoint and every client, which so far changes nothing.
    pub fn at(endpoint: Endpoint) -> Self {
        Self { endpoint: Some(endpoint), ..Self::default() }
    }

    /// Refuses a good token of App Store Connect's or the Enterprise Program's, as Apple does now and then.
    pub fn stray_401(endpoint: Endpoint) -> Self {
        let said = app_store_connect::not_authorized(401);
        Self::at(endpoint).status(said.status).body(String::from_utf8_lossy(&said.body))
    }

    /// Only for this client.
    #[must_use]
    pub fn of(mut self, client_id: impl Into<String>) -> Self {
        self.client = Some(client_id.into());
        self
    }

    /// Only for the next `n` requests that match.
    #[must_use]
    pub fn times(mut self, n: u32) -> Self {
        self.times = Some(n);
        self
    }

    /// Only for each `n`-th of the requests that match; 0 and 1: for each.
    #[must_use]
    pub fn every(mut self, n: u32) -> Self {
        self.every = NonZeroU32::new(n);
        self
    }

    /// Holds the answer back, to the millisecond.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay_millis = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self
    }

    /// Replaces the answer by one of this status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Replaces the answer by one of this body.
    #[must_use]
    pub fn body(mut self, body: impl Into<String>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// Puts a field into the good answer.
    #[must_use]
    pub fn set(mut self, field: impl Into<String>, value: Value) -> Self {
        self.set.insert(field.into(), value);
        self
    }

    /// Takes a field out of the good answer.
    #[must_use]
    pub fn remove(mut self, field: impl Into<String>) -> Self {
        self.remove.push(field.into());
        self
    }

    /// Sets how the answer travels.
    #[must_use]
    pub fn delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    fn matches(&self, client: Option<&str>, endpoint: Endpoint) -> bool {
        self.client.as_deref().is_none_or(|wanted| client == Some(wanted))
            && self.endpoint.is_none_or(|wanted| endpoint == wanted)
    }

    /// What is said without looking at the request, if this fault does that.
    pub(crate) fn replacement(&self) -> Option<Message> {
        if self.status.is_none() && self.body.is_none() {
            return None;
        }
        let body = self.body.clone().unwrap_or_default().into_bytes();
        let message = Message { status: self.status.unwrap_or(200), headers: Vec::new(), body };
        Some(if message.body.is_empty() { message } else { message.with_header("Content-Type", "application/json") })
    }

    /// Whether the request does not even have an effect.
    pub(crate) fn swallows(&self) -> bool {
        matches!(self.delivery, Delivery::Reset | Delivery::Silent)
    }

    /// Changes what was going to be said.
    pub(crate) fn edit(&self, message: &mut Message) {
        for (name, value) in &self.headers {
            message.set_header(name, value);
        }
        if message.status != 200 || (self.set.is_empty() && self.remove.is_empty()) {
            return;
        }
        let Some(Value::Object(mut fields)) = message.body_json() else {
            return;
        };
        for field in &self.remove {
            fields.remove(field);
        }
        fields.extend(self.set.clone());
        message.body = Value::Object(fields).to_string().into_bytes();
    }
}

/// A fault that is set, and what it has seen.
#[derive(Clone, Debug)]
pub(crate) struct Armed {
    pub(crate) fault: Fault,
    /// How many requests matched.
    matched: u32,
}

impl From<Fault> for Armed {
    fn from(fault: Fault) -> Self {
        Self { fault, matched: 0 }
    }
}

impl Armed {
    /// Whether it still acts at all.
    pub(crate) fn is_spent(&self) -> bool {
        self.fault.times == Some(0)
    }

    /// Counts a request, and says whether the fault meets it.
    pub(crate) fn meets(&mut self, client: Option<&str>, endpoint: Endpoint) -> bool {
        if !self.fault.matches(client, endpoint) {
            return false;
        }
        self.matched = self.matched.wrapping_add(1);
        let is_due = self.fault.every.is_none_or(|every| self.matched.is_multiple_of(every.get()));
        if is_due {
            self.fault.times = self.fault.times.map(|left| left - 1);
        }
        is_due
    }
}

/// Writes "any" as `"*"`.
#[expect(clippy::ref_option, reason = "the signature is serde's")]
fn write_star<T: Serialize, S: Serializer>(wanted: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    match wanted {
        None => serializer.serialize_str("*"),
        Some(one) => one.serialize(serializer),
    }
}

/// Reads `"*"` as "any".
fn read_star<'de, T: DeserializeOwned, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(star) if star == "*" => Ok(None),
        one => serde_json::from_value(one).map(Some).map_err(serde::de::Error::custom),
    }
}
