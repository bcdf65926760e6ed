//! What the operator did: its requests to the API server, from that server's audit log, and to Apple, from Apple's counts.

use cluster::Request;
use fake_apple::{Call, Counts, Endpoint, Row};
use jiff::Timestamp;

use super::credential::NAME;
use super::eventually;
use super::stage::{Stage, WITNESS};

/// A moment after which work is counted.
pub(crate) struct Mark {
    requests: usize,
    calls: Counts,
    /// How many calls Apple had noted.
    asked: usize,
}

/// One renewal, to the letter of the third promise.
pub(crate) const RENEWAL: [&str; 4] =
    ["apple me-v1 200", "apple token 200", "patch secrets acme", "update asacredentials/status acme"];

impl Stage<'_> {
    pub(crate) fn mark(&self) -> Mark {
        let apple = self.apple.state();
        Mark { requests: self.requests().len(), calls: apple.counts(), asked: apple.calls().len() }
    }

    /// All that the operator has asked of the API server and of Apple since then, a line for each request, sorted. What
    /// readers do with the token is left out, and what was done for witnesses.
    pub(crate) fn work_since(&self, mark: &Mark) -> Vec<String> {
        let requests = self.requests();
        let for_witness = |request: &&Request| request.name.as_ref().is_some_and(|name| name.starts_with(WITNESS));
        let to_kubernetes = requests[mark.requests..].iter().filter(|request| !for_witness(request)).map(line);
        let mut work: Vec<String> = to_kubernetes.chain(self.calls_since(mark)).collect();
        work.sort();
        work
    }

    /// What the operator has done since then for one credential, which has a client of its own: as
    /// [`Stage::work_since`] tells it, with `acme` for the name.
    pub(crate) fn work_for(&self, name: &str, client_id: &str, mark: &Mark) -> Vec<String> {
        let is_its = |request: &&Request| {
            let rest = request.name.as_deref().and_then(|named| named.strip_prefix(name));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.']))
        };
        let requests = self.requests();
        let to_kubernetes =
            requests[mark.requests..].iter().filter(is_its).map(|request| line(request).replace(name, NAME));
        let calls = self.apple.state().calls().into_iter().skip(mark.asked);
        let its_calls = calls.filter(|call| call.client.as_deref() == Some(client_id));
        let mut work: Vec<String> = to_kubernetes.chain(its_calls.filter_map(|call| answered(&call))).collect();
        work.sort();
        work
    }

    /// How many tokens Apple was asked for since then, with or without success.
    pub(crate) fn token_requests_since(&self, mark: &Mark) -> u64 {
        self.apple.state().counts().at(Endpoint::Token).total() - mark.calls.at(Endpoint::Token).total()
    }

    /// When Apple was asked there for this client.
    pub(crate) fn asked_at(&self, client_id: &str, endpoint: Endpoint) -> Vec<Timestamp> {
        let calls = self.apple.state().calls().into_iter();
        let same = |call: &Call| call.endpoint == Some(endpoint) && call.client.as_deref() == Some(client_id);
        calls.filter(same).map(|call| call.at).collect()
    }

    /// Waits until the operator has sent this request to the API server.
    pub(crate) async fn operator_asked(&self, since: &Mark, request: &str) {
        self.operator_asked_times(since, request, 1).await;
    }

    /// Waits until so many renewals are done, status and all.
    pub(crate) async fn operator_renewed(&self, since: &Mark, count: usize) {
        self.operator_asked_times(since, "update asacredentials/status acme", count).await;
    }

    async fn operator_asked_times(&self, since: &Mark, request: &str, count: usize) {
        eventually(&format!("{count} × {request}"), async || {
            let work = self.work_since(since);
            let seen = work.iter().filter(|line| *line == request).count();
            if seen >= count { Ok(()) } else { Err(work.join(", ")) }
        })
        .await;
    }

    fn calls_since(&self, mark: &Mark) -> Vec<String> {
        let is_operators = |row: &Row| !is_of_workloads(row.endpoint);
        let same = |a: &Row, b: &Row| (&a.client, a.endpoint, a.status) == (&b.client, b.endpoint, b.status);
        let before = mark.calls.rows();
        let now = self.apple.state().counts().rows();
        let lines = now.into_iter().filter(is_operators).flat_map(|row| {
            let earlier = before.iter().find(|old| same(old, &row)).map_or(0, |old| old.requests);
            let outcome = outcome(row.status);
            (earlier..row.requests).map(move |_| format!("apple {} {outcome}", row.endpoint))
        });
        lines.collect()
    }

    fn requests(&self) -> Vec<Request> {
        self.cluster.requests(&self.namespace, "asa-operator/").unwrap()
    }
}

/// For instance `apple token 200`; nothing where somebody else asked.
fn answered(call: &Call) -> Option<String> {
    let endpoint = call.endpoint.filter(|endpoint| !is_of_workloads(*endpoint))?;
    Some(format!("apple {endpoint} {}", outcome(call.status)))
}

fn outcome(status: Option<u16>) -> String {
    status.map_or_else(|| "unanswered".to_owned(), |status| status.to_string())
}

fn is_of_workloads(endpoint: Endpoint) -> bool {
    matches!(endpoint, Endpoint::CampaignsV1 | Endpoint::CampaignsV5)
}

/// For instance `create secrets acme`, `update asacredentials/status acme 409`, `list secrets`.
fn line(request: &Request) -> String {
    let mut words = vec![request.verb.clone(), request.resource.clone()];
    if let Some(subresource) = &request.subresource {
        words[1] = format!("{}/{subresource}", request.resource);
    }
    // Those of Events are made up.
    if let Some(name) = request.name.clone().filter(|_| request.resource != "events") {
        words.push(name);
    }
    if !(200..300).contains(&request.code) {
        words.push(request.code.to_string());
    }
    words.join(" ")
}

/// The same work several times over, as [`Stage::work_since`] tells it.
pub(crate) fn times(count: usize, work: &[&str]) -> Vec<String> {
    let mut all: Vec<String> = work.iter().map(ToString::to_string).cycle().take(count * work.len()).collect();
    all.sort();
    all
}
