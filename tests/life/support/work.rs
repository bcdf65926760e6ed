//! What the operator did: its requests to the API server, from that server's audit log, and to Apple, from Apple's counts.

use std::fmt;
use std::ops::Deref;

use cluster::Request;
use fake_apple::{Call, Counts, Endpoint, Row};
use jiff::Timestamp;

use super::credential::NAME;
use super::eventually;
use super::rbac::Secrets;
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

/// What an operator is told that may not watch Secrets, now and then.
pub(crate) const REFUSED_LIST: &str = "list secrets 403";

/// What the operator did, a line for each request, sorted.
///
/// Where it may not watch Secrets it looks at each of them in turn, whatever happens, and tries now and then whether it may
/// list them. Neither is in here then, and a comparison leaves them out of what is expected too. All else counts in each
/// tier alike.
pub(crate) struct Work {
    lines: Vec<String>,
    secrets: Secrets,
}

impl Work {
    fn new(mut lines: Vec<String>, secrets: Secrets) -> Self {
        lines.retain(|line| counts(line, secrets));
        lines.sort();
        Self { lines, secrets }
    }

    /// Without the lines that are none of these.
    pub(crate) fn retain(&mut self, is: impl Fn(&str) -> bool) {
        self.lines.retain(|line| is(line));
    }

    fn is(&self, expected: &[impl AsRef<str>]) -> bool {
        let expected = expected.iter().map(AsRef::as_ref).filter(|line| counts(line, self.secrets));
        self.lines.iter().map(String::as_str).eq(expected)
    }
}

/// Whether a line says more than that Secrets are looked at in turn. That one is not there is a good answer to that, and
/// any other refusal is not.
fn counts(line: &str, secrets: Secrets) -> bool {
    let is_look = || {
        let name = line.strip_prefix("get secrets ");
        name.is_some_and(|name| !name.trim_end_matches(" 404").contains(' '))
    };
    secrets == Secrets::Watch || !(line == REFUSED_LIST || is_look())
}

impl Deref for Work {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.lines
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.fmt(f)
    }
}

impl<S: AsRef<str>> PartialEq<Vec<S>> for Work {
    fn eq(&self, expected: &Vec<S>) -> bool {
        self.is(expected)
    }
}

impl<S: AsRef<str>> PartialEq<&[S]> for Work {
    fn eq(&self, expected: &&[S]) -> bool {
        self.is(expected)
    }
}

impl<S: AsRef<str>, const N: usize> PartialEq<[S; N]> for Work {
    fn eq(&self, expected: &[S; N]) -> bool {
        self.is(expected)
    }
}

impl Stage<'_> {
    pub(crate) fn mark(&self) -> Mark {
        let apple = self.apple.state();
        Mark { requests: self.requests().len(), calls: apple.counts(), asked: apple.calls().len() }
    }

    /// What the operator has asked of the API server and of Apple since then. What readers do with the token is left out,
    /// and what was done for witnesses.
    pub(crate) fn work_since(&self, mark: &Mark) -> Work {
        Work::new(self.all_work_since(mark), self.secrets)
    }

    /// The same with all looks at Secrets, and all tries to list them.
    pub(crate) fn all_work_since(&self, mark: &Mark) -> Vec<String> {
        let requests = self.requests();
        let for_witness = |request: &&Request| request.name.as_ref().is_some_and(|name| name.starts_with(WITNESS));
        let to_kubernetes = requests[mark.requests..].iter().filter(|request| !for_witness(request)).map(line);
        let mut work: Vec<String> = to_kubernetes.chain(self.calls_since(mark)).collect();
        work.sort();
        work
    }

    /// What the operator has done since then for one credential, which has a client of its own: as
    /// [`Stage::work_since`] tells it, with `acme` for the name.
    pub(crate) fn work_for(&self, name: &str, client_id: &str, mark: &Mark) -> Work {
        let is_its = |request: &&Request| {
            let rest = request.name.as_deref().and_then(|named| named.strip_prefix(name));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.']))
        };
        let requests = self.requests();
        let to_kubernetes =
            requests[mark.requests..].iter().filter(is_its).map(|request| line(request).replace(name, NAME));
        let calls = self.apple.state().calls().into_iter().skip(mark.asked);
        let its_calls = calls.filter(|call| call.client.as_deref() == Some(client_id));
        Work::new(to_kubernetes.chain(its_calls.filter_map(|call| answered(&call))).collect(), self.secrets)
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
            let work = self.all_work_since(since);
            let seen = work.iter().filter(|line| *line == request).count();
            if seen >= count { Ok(()) } else { Err(work.join(", ")) }
        })
        .await;
    }

    /// Returns once a Secret had its turn twice more: every other one that is looked at as often had its own in between.
    pub(super) async fn operator_looked_at_all(&self, last: &str) {
        let looks = || {
            let is_look = |request: &&Request| request.verb == "get" && request.name.as_deref() == Some(last);
            self.requests().iter().filter(is_look).count()
        };
        let before = looks();
        eventually("two more looks", async || {
            let more = looks() - before;
            if more >= 2 { Ok(()) } else { Err(more) }
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

    /// How many Events the operator has made, by the audit log.
    pub(super) fn events_made(&self) -> usize {
        let requests = self.requests();
        requests.iter().filter(|request| (&*request.verb, &*request.resource) == ("create", "events")).count()
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
