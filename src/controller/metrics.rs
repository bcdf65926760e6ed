//! What is counted. Names follow controller-runtime and Prometheus' conventions; labels are closed sets.

use std::sync::Arc;

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, info::Info},
    registry::Registry,
};

use crate::{api::Kind, apple::error::Host, credential::queue::Next};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AppleLabels {
    host: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LeaseLabels {
    name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReconcileLabels {
    controller: &'static str,
    result: &'static str,
}

/// The counters, cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
    apple: Family<AppleLabels, Counter>,
    reconciles: Family<ReconcileLabels, Counter>,
    renewals: Counter,
    depth: Gauge,
    active: Gauge,
    leader: Family<LeaseLabels, Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::default();
        let apple = Family::default();
        let reconciles = Family::default();
        let (renewals, depth, active) = (Counter::default(), Gauge::default(), Gauge::default());
        registry.register("asa_apple_requests", "Requests to Apple by host and result", apple.clone());
        registry.register("asa_tokens_issued", "Tokens that Apple issued or the operator signed", renewals.clone());
        registry.register("controller_runtime_reconcile", "Runs of a credential by result", reconciles.clone());
        registry.register("workqueue_depth", "Credentials that wait for their turn", depth.clone());
        registry.register("controller_runtime_active_workers", "Credentials that run now", active.clone());
        let leader = Family::default();
        let help = "1 while this process holds the Lease of that name and works, 0 while it stands by";
        registry.register("leader_election_master_status", help, leader.clone());
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("asa_build", "The operator's version", build);
        Self { registry: Arc::new(registry), apple, reconciles, renewals, depth, active, leader }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunResult {
    /// It waits for a change.
    Success,
    /// It waits for a time.
    RequeueAfter,
    /// It waits for leave to ask Apple.
    Requeue,
    /// A step failed.
    Error,
}

impl RunResult {
    /// How a run ended that now waits for `next`.
    pub fn of(next: Next) -> Self {
        match next {
            Next::Changed => Self::Success,
            Next::At(_) => Self::RequeueAfter,
            Next::Host(_) => Self::Requeue,
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::RequeueAfter => "requeue_after",
            Self::Requeue => "requeue",
            Self::Error => "error",
        }
    }
}

impl Metrics {
    /// Apple answered a request, or did not.
    pub fn apple_answered(&self, host: Host, result: &'static str) {
        self.apple.get_or_create(&AppleLabels { host: host.label(), result }).inc();
    }

    /// Apple issued a token, or the operator signed one.
    pub fn token_issued(&self) {
        self.renewals.inc();
    }

    /// A run ended.
    pub fn ran(&self, kind: Kind, result: RunResult) {
        let controller = match kind {
            Kind::Ads => "asacredential",
            Kind::AppStoreConnect => "appstoreconnectcredential",
        };
        self.reconciles.get_or_create(&ReconcileLabels { controller, result: result.label() }).inc();
    }

    /// How many wait, and how many run.
    pub fn queue(&self, depth: usize, active: usize) {
        self.depth.set(i64::try_from(depth).unwrap_or(i64::MAX));
        self.active.set(i64::try_from(active).unwrap_or(i64::MAX));
    }

    /// This process leads by the lease of this name, or takes part in its election. Without an election there is no sample.
    pub fn leads(&self, lease: &str, leads: bool) {
        self.leader.get_or_create(&LeaseLabels { name: lease.to_owned() }).set(leads.into());
    }

    /// All of them as `OpenMetrics` text.
    ///
    /// # Errors
    /// Never in practice: it writes into memory.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
