//! How often what was asked.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;

/// Requests by client, endpoint and status. In JSON: a list of [`Row`].
///
/// ```
/// # use fake_apple::{Counts, Endpoint};
/// # let counts = Counts::default();
/// assert_eq!(counts.of("SEARCHADS.a").at(Endpoint::Token).with_status(200).total(), 0);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Row>", into = "Vec<Row>")]
pub struct Counts(BTreeMap<(Option<String>, Endpoint, Option<u16>), u64>);

/// One line of [`Counts`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The client id as the form or the bearer token names it, or the key id, registered or not; none: unknown.
    pub client: Option<String>,
    /// What was asked.
    pub endpoint: Endpoint,
    /// What was decided, even where a fault lost the answer on its way; none: the request was dropped undecided.
    pub status: Option<u16>,
    /// How many there were.
    pub requests: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, client: Option<String>, endpoint: Endpoint, status: Option<u16>) {
        *self.0.entry((client, endpoint, status)).or_default() += 1;
    }

    /// Only those of one client.
    #[must_use]
    pub fn of(&self, client_id: &str) -> Self {
        self.filtered(|row| row.client.as_deref() == Some(client_id))
    }

    /// Only those at one endpoint.
    #[must_use]
    pub fn at(&self, endpoint: Endpoint) -> Self {
        self.filtered(|row| row.endpoint == endpoint)
    }

    /// Only those that were answered, or would have been, with this status.
    #[must_use]
    pub fn with_status(&self, status: u16) -> Self {
        self.filtered(|row| row.status == Some(status))
    }

    /// Only those that were dropped undecided.
    #[must_use]
    pub fn undecided(&self) -> Self {
        self.filtered(|row| row.status.is_none())
    }

    /// The number of requests.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// One row for each client, endpoint and status that occurred, sorted.
    pub fn rows(&self) -> Vec<Row> {
        self.0
            .iter()
            .map(|((client, endpoint, status), requests)| Row {
                client: client.clone(),
                endpoint: *endpoint,
                status: *status,
                requests: *requests,
            })
            .collect()
    }

    fn filtered(&self, keep: impl Fn(&Row) -> bool) -> Self {
        self.rows().into_iter().filter(keep).collect::<Vec<_>>().into()
    }
}

impl From<Vec<Row>> for Counts {
    fn from(rows: Vec<Row>) -> Self {
        Self(rows.into_iter().map(|row| ((row.client, row.endpoint, row.status), row.requests)).collect())
    }
}

impl From<Counts> for Vec<Row> {
    fn from(counts: Counts) -> Self {
        counts.rows()
    }
}
