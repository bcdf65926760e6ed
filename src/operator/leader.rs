//! Leader election: a Lease of which one process at a time is the holder. What to do next is decided in [`election`]; here
//! it is done.

mod election;

use std::{
    future::{Future, pending},
    time::Duration,
};

use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use k8s_openapi::api::coordination::v1::Lease;
use kube::{
    Api, Client, ResourceExt,
    api::{GetParams, PostParams, WatchEvent, WatchParams},
};

use crate::{
    controller::{clock::Clock, mandate::Grantor, metrics::Metrics},
    credential::now::Now,
};
use election::{Act, Election, Setback, Tenure};

/// A request about the lease takes at most this long, so that three fit between a renewal and its deadline of 10 s. It
/// bounds kube's own retries, too.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(3);

/// Giving up the lease takes at most this long; whoever waits for it takes over after 15 s otherwise.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(2);

/// Between two attempts to give it up.
const RELEASE_RETRY: Duration = Duration::from_millis(200);

/// Which lease, and who wants it.
#[derive(Clone, Debug)]
pub struct Candidacy {
    /// The name of the Lease.
    pub lease: String,
    /// Its namespace; none: that of the process' `ServiceAccount`, or of the kubeconfig's context.
    pub namespace: Option<String>,
    /// The holder's name, which is to be this process' alone; none: host name and a random suffix.
    pub identity: Option<String>,
}

/// One candidate, and leader at times.
pub(super) struct Leader {
    leases: Api<Lease>,
    name: String,
    namespace: String,
    identity: String,
    election: Election,
    changes: Changes,
    clock: Clock,
    grantor: Grantor,
    metrics: Metrics,
    told: Told,
}

/// What tells a standby of changes of the lease.
enum Changes {
    /// Nothing yet, or nothing any more.
    Unwatched,
    Watched(BoxStream<'static, kube::Result<WatchEvent<Lease>>>),
    /// Nothing, ever: it may only look now and then.
    Refused,
}

/// What was logged last, so that each thing is logged once.
#[derive(Default)]
struct Told {
    leads: bool,
    other_leader: Option<String>,
    trouble: Option<String>,
}

impl Leader {
    /// A candidate that so far does nothing, and gives no mandate.
    pub(super) fn new(
        client: Client,
        candidacy: Candidacy,
        default_namespace: &str,
        clock: Clock,
        grantor: Grantor,
        metrics: Metrics,
    ) -> Self {
        let Candidacy { lease: name, namespace, identity } = candidacy;
        let namespace = namespace.unwrap_or_else(|| default_namespace.to_owned());
        let identity = identity.unwrap_or_else(own_name);
        metrics.leads(&name, false);
        Self {
            leases: Api::namespaced(client, &namespace),
            election: Election::new(&name, &identity),
            changes: Changes::Unwatched,
            name,
            namespace,
            identity,
            clock,
            grantor,
            metrics,
            told: Told::default(),
        }
    }

    /// Takes part until `work`, which has the mandate, is done; then gives up the lease, if it is held. Nothing that goes
    /// wrong ends it.
    pub(super) async fn run(mut self, work: impl Future<Output = ()>) {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                () = &mut work => break,
                () = self.turn() => {}
            }
        }
        self.grantor.withdraw();
        if tokio::time::timeout(RELEASE_TIMEOUT, self.give_up()).await.is_err() {
            tracing::warn!(lease = self.name, "the lease could not be given up; another takes over when it ends");
        }
        self.metrics.leads(&self.name, false);
    }

    /// One step of the election. It may be dropped at any point: the next one looks at the lease again.
    async fn turn(&mut self) {
        let now = self.clock.now();
        let act = self.election.next(now);
        self.tell(now);
        let tenure = self.election.tenure(now).map(|tenure| tenure.ends_at);
        match act {
            Act::Wait(until) => {
                let until = tenure.map_or(until, |ends_at| ends_at.min(until));
                let pause = until.saturating_sub(now.steady);
                if let Ok(found) = tokio::time::timeout(pause, self.change()).await {
                    self.election.changed(found, self.clock.now());
                }
            }
            request => {
                // The end of the time in office is not missed over a request.
                let left = tenure.map_or(REQUEST_TIMEOUT, |ends_at| ends_at.saturating_sub(now.steady));
                self.ask(request, now, left.min(REQUEST_TIMEOUT)).await;
            }
        }
        self.tell(self.clock.now());
    }

    async fn give_up(&mut self) {
        while let Some(act) = self.election.give_up(self.clock.now()) {
            let is_release = matches!(act, Act::Write(_));
            if !self.ask(act, self.clock.now(), REQUEST_TIMEOUT).await {
                tokio::time::sleep(RELEASE_RETRY).await;
            } else if is_release {
                tracing::info!(lease = self.name, identity = self.identity, "gave up the lease");
                return;
            }
        }
    }

    /// Sends a request and tells the election how it ended; whether it succeeded.
    async fn ask(&mut self, act: Act, sent: Now, limit: Duration) -> bool {
        let is_look = matches!(act, Act::Look { .. });
        let request = async {
            let parameters = PostParams::default();
            match act {
                Act::Wait(_) => Ok(None),
                Act::Look { any } => self.look(any).await,
                Act::Write(lease) if lease.metadata.resource_version.is_none() => {
                    self.leases.create(&parameters, &lease).await.map(Some)
                }
                Act::Write(lease) => self.leases.replace(&lease.name_any(), &parameters, &lease).await.map(Some),
            }
        };
        let answer = tokio::time::timeout(limit, request).await;
        let now = self.clock.now();
        match answer {
            Ok(Ok(Some(lease))) if !is_look => self.election.wrote(lease, sent),
            Ok(Ok(found)) => self.election.looked(found, now),
            Ok(Err(kube::Error::Api(status))) if is_conflict(status.code, &status.message, &self.namespace) => {
                self.election.failed(Setback::Conflict, sent, now);
                return false;
            }
            Ok(Err(error)) => return self.failed(self.cause_of(&error), sent, now),
            Err(_) => return self.failed("the API server does not answer in time".to_owned(), sent, now),
        }
        if !is_look || self.election.other_leader(now).is_some() {
            self.told.trouble = None;
        }
        true
    }

    async fn look(&self, any: bool) -> kube::Result<Option<Lease>> {
        let parameters = if any { GetParams::any() } else { GetParams::default() };
        match self.leases.get_with(&self.name, &parameters).await {
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
            answer => answer.map(Some),
        }
    }

    /// The lease as it is after its next change; none once it is gone. Returns only where this process stands by and is told
    /// of it. A watch that ended is begun again after the next look.
    async fn change(&mut self) -> Option<Lease> {
        let Some(version) = self.election.watches_from() else {
            self.changes = Changes::Unwatched;
            return pending().await;
        };
        if matches!(self.changes, Changes::Unwatched) {
            let parameters = WatchParams::default().fields(&format!("metadata.name={}", self.name));
            match self.leases.watch(&parameters, version).await {
                Ok(changes) => self.changes = Changes::Watched(changes.boxed()),
                Err(kube::Error::Api(status)) if status.code == 403 => self.changes = Changes::Refused,
                Err(_) => {}
            }
        }
        if let Changes::Watched(changes) = &mut self.changes {
            while let Ok(Some(event)) = changes.try_next().await {
                match event {
                    WatchEvent::Added(lease) | WatchEvent::Modified(lease) => return Some(lease),
                    WatchEvent::Deleted(_) => return None,
                    WatchEvent::Bookmark(_) => {}
                    WatchEvent::Error(_) => break,
                }
            }
            self.changes = Changes::Unwatched;
        }
        pending().await
    }

    fn failed(&mut self, cause: String, sent: Now, now: Now) -> bool {
        self.election.failed(Setback::Failure, sent, now);
        if self.told.trouble.as_ref() != Some(&cause) {
            tracing::warn!(lease = self.name, namespace = self.namespace, "the lease cannot be had or kept: {cause}");
            self.told.trouble = Some(cause);
        }
        false
    }

    fn cause_of(&self, error: &kube::Error) -> String {
        let namespace = &self.namespace;
        match error {
            kube::Error::Api(status) if status.code == 403 => format!(
                "the API server refuses; grant get, watch, create and update on leases (coordination.k8s.io) in {namespace}"
            ),
            kube::Error::Api(status) if status.code == 404 => format!("there is no namespace {namespace}"),
            kube::Error::Api(status) => format!("the API server answered {}", status.code),
            _ => "no connection to the API server".to_owned(),
        }
    }

    /// Makes known who leads: to the pump by the mandate, to people once.
    fn tell(&mut self, now: Now) {
        let tenure = self.election.tenure(now);
        match tenure {
            Some(Tenure { number, ends_at }) => self.grantor.grant(number, ends_at),
            None => self.grantor.withdraw(),
        }
        if tenure.is_some() != self.told.leads {
            self.told.leads = tenure.is_some();
            self.metrics.leads(&self.name, self.told.leads);
            if self.told.leads {
                tracing::info!(lease = self.name, identity = self.identity, "became the leader");
                self.told.other_leader = None;
            } else {
                tracing::warn!(lease = self.name, identity = self.identity, "lost the lease");
            }
        }
        let other_leader = self.election.other_leader(now);
        if other_leader.is_some() && other_leader != self.told.other_leader.as_deref() {
            tracing::info!(lease = self.name, leader = other_leader, "another process leads");
            self.told.other_leader = other_leader.map(ToOwned::to_owned);
        }
    }
}

/// Whether somebody else was faster. A lease that is gone is not as it was seen; without its namespace nothing ever is.
fn is_conflict(code: u16, message: &str, namespace: &str) -> bool {
    code == 409 || (code == 404 && !message.contains(&format!("namespaces \"{namespace}\"")))
}

/// The host name, which is the pod's, and a suffix that no other process has.
fn own_name() -> String {
    let host = hostname::get().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let suffix: String = std::iter::repeat_with(fastrand::alphanumeric).take(10).collect();
    format!("{host}_{suffix}")
}
