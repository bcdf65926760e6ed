//! What is counted and measured. Names follow controller-runtime, client-go and Prometheus' conventions; labels are closed
//! sets. What describes objects is in [`objects`].

pub mod objects;

mod lapses;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::SignedDuration;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::Registry,
};

use super::pump::MOST_RUNNING;
use crate::{api::Kind, apple::error::Host, credential::queue::Next};

/// A request to Apple ends after 10 s at the latest.
const APPLE_SECONDS: [f64; 9] = [0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// A run without requests takes less than a millisecond; one of several requests that all time out, a minute.
const RUN_SECONDS: [f64; 12] = [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// From "at once" to the fifteen minutes after which waiting is a fault.
const WAIT_SECONDS: [f64; 12] = [0.001, 0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 120.0, 300.0, 600.0, 900.0];

/// A token of an hour has half an hour left when all goes well, one of twenty minutes ten. Up to zero: it came too late.
const SLACK_SECONDS: [f64; 12] = [0.0, 15.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1200.0, 1500.0, 1800.0, 2400.0, 3600.0];

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
struct HostLabels {
    host: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReconcileLabels {
    controller: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ControllerLabels {
    controller: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    code: Arc<str>,
    host: Arc<str>,
    method: &'static str,
}

/// Histograms by label, all with the same buckets.
type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// The counters, cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    apple: Family<AppleLabels, Counter>,
    apple_seconds: Histograms<HostLabels>,
    skew: Family<HostLabels, Gauge<f64, AtomicU64>>,
    reconciles: Family<ReconcileLabels, Counter>,
    errors: Family<ControllerLabels, Counter>,
    run_seconds: Histograms<ControllerLabels>,
    renewals: Counter,
    slack: Histograms<KindLabels>,
    depth: Gauge,
    adds: Counter,
    retries: Counter,
    wait_seconds: Histogram,
    active: Gauge,
    leader: Family<LeaseLabels, Gauge>,
    requests: Family<RequestLabels, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            apple: Family::default(),
            apple_seconds: Family::new_with_constructor(|| Histogram::new(APPLE_SECONDS)),
            skew: Family::default(),
            reconciles: Family::default(),
            errors: Family::default(),
            run_seconds: Family::new_with_constructor(|| Histogram::new(RUN_SECONDS)),
            renewals: Counter::default(),
            slack: Family::new_with_constructor(|| Histogram::new(SLACK_SECONDS)),
            depth: Gauge::default(),
            adds: Counter::default(),
            retries: Counter::default(),
            wait_seconds: Histogram::new(WAIT_SECONDS),
            active: Gauge::default(),
            leader: Family::default(),
            requests: Family::default(),
        };
        // From the start, so that the first failure is a change from 0.
        for kind in Kind::ALL {
            for result in RunResult::ALL {
                drop(
                    metrics
                        .reconciles
                        .get_or_create(&ReconcileLabels { controller: controller(kind), result: result.label() }),
                );
            }
            drop(metrics.errors.get_or_create(&ControllerLabels { controller: controller(kind) }));
            drop(metrics.slack.get_or_create(&KindLabels { kind: kind.as_str() }));
        }
        metrics
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
    const ALL: [Self; 4] = [Self::Success, Self::RequeueAfter, Self::Requeue, Self::Error];

    /// How a run ended that now waits for `next`.
    pub fn of(next: Next) -> Self {
        match next {
            Next::Changed => Self::Success,
            Next::At(_) => Self::RequeueAfter,
            Next::Host(_) => Self::Requeue,
        }
    }

    /// What stands in logs and labels.
    pub fn label(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::RequeueAfter => "requeue_after",
            Self::Requeue => "requeue",
            Self::Error => "error",
        }
    }
}

impl Metrics {
    /// Has `registry` show all of them.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("asa_apple_requests", "Requests to Apple by host and result", self.apple.clone());
        registry.register(
            "asa_apple_request_duration_seconds",
            "How long Apple took to answer, or did not",
            self.apple_seconds.clone(),
        );
        registry.register(
            "asa_clock_skew_seconds",
            "Apple's clock minus this machine's, as the last answer told; some seconds of it are the request itself",
            self.skew.clone(),
        );
        registry.register(
            "asa_tokens_issued",
            "Tokens that Apple issued or the operator signed",
            self.renewals.clone(),
        );
        registry.register(
            "asa_renewal_slack_seconds",
            "Life that the old token had left when the new one took its place",
            self.slack.clone(),
        );
        let help = "1 while this process holds the Lease of that name and works, 0 while it stands by";
        registry.register("leader_election_master_status", help, self.leader.clone());
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("asa_build", "The operator's version", build);
        self.register_runs(registry);
    }

    fn register_runs(&self, registry: &mut Registry) {
        registry.register("controller_runtime_reconcile", "Runs of a credential by result", self.reconciles.clone());
        registry.register(
            "controller_runtime_reconcile_errors",
            "Runs of a credential in which a step failed",
            self.errors.clone(),
        );
        registry.register(
            "controller_runtime_reconcile_time_seconds",
            "How long a run of a credential took",
            self.run_seconds.clone(),
        );
        registry.register("controller_runtime_active_workers", "Credentials that run now", self.active.clone());
        let most = Gauge::<i64>::default();
        most.set(count(MOST_RUNNING));
        registry.register("controller_runtime_max_concurrent_reconciles", "Credentials that may run at once", most);
        registry.register("workqueue_depth", "Credentials that wait for their turn", self.depth.clone());
        registry.register("workqueue_adds", "How often a credential began to wait for its turn", self.adds.clone());
        registry.register("workqueue_retries", "Runs that are to be repeated before long", self.retries.clone());
        registry.register(
            "workqueue_queue_duration_seconds",
            "How long a credential waited for its turn",
            self.wait_seconds.clone(),
        );
        registry.register(
            "rest_client_requests",
            "Requests to the API server; one that the client repeats by itself counts once",
            self.requests.clone(),
        );
    }

    /// Apple answered a request, or did not, after so long; its clock minus ours, where the answer tells it.
    pub fn apple_answered(&self, host: Host, result: &'static str, took: Duration, skew: Option<SignedDuration>) {
        let host = host.label();
        self.apple.get_or_create(&AppleLabels { host, result }).inc();
        self.apple_seconds.get_or_create(&HostLabels { host }).observe(took.as_secs_f64());
        if let Some(skew) = skew {
            self.skew.get_or_create(&HostLabels { host }).set(skew.as_secs_f64());
        }
    }

    /// Apple issued a token, or the operator signed one.
    pub fn token_issued(&self) {
        self.renewals.inc();
    }

    /// A new token took the place of one that had so much life left.
    pub fn replaced(&self, kind: Kind, left: Duration) {
        self.slack.get_or_create(&KindLabels { kind: kind.as_str() }).observe(left.as_secs_f64());
    }

    /// A run ended after so long, and waits for `next`.
    pub fn ran(&self, kind: Kind, result: RunResult, next: Next, took: Duration) {
        let controller = controller(kind);
        self.reconciles.get_or_create(&ReconcileLabels { controller, result: result.label() }).inc();
        self.run_seconds.get_or_create(&ControllerLabels { controller }).observe(took.as_secs_f64());
        if result == RunResult::Error {
            self.errors.get_or_create(&ControllerLabels { controller }).inc();
        }
        let is_retried = match result {
            RunResult::Error => next != Next::Changed,
            RunResult::Requeue => true,
            RunResult::Success | RunResult::RequeueAfter => false,
        };
        if is_retried {
            self.retries.inc();
        }
    }

    /// How many wait, how many run, and how often one began to wait.
    pub fn queue(&self, depth: usize, active: usize, adds: u64) {
        self.depth.set(count(depth));
        self.active.set(count(active));
        self.adds.inner().store(adds, Ordering::Relaxed);
    }

    /// This process leads by the lease of this name, or takes part in its election. Without an election there is no sample.
    pub fn leads(&self, lease: &str, leads: bool) {
        self.leader.get_or_create(&LeaseLabels { name: lease.to_owned() }).set(leads.into());
    }

    /// A credential got its turn after so long.
    pub fn waited(&self, waited: Duration) {
        self.wait_seconds.observe(waited.as_secs_f64());
    }

    /// The API server at `host` answered with this status; none: it did not answer.
    pub fn api_server_answered(&self, host: &Arc<str>, method: &'static str, status: Option<u16>) {
        // As client-go names it.
        let code = status.map_or_else(|| "<error>".into(), |status| status.to_string().into());
        self.requests.get_or_create(&RequestLabels { code, host: Arc::clone(host), method }).inc();
    }
}

fn controller(kind: Kind) -> &'static str {
    match kind {
        Kind::Ads => "asacredential",
        Kind::AppStoreConnect => "appstoreconnectcredential",
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
