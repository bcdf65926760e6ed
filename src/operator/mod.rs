//! The process: what is started, in which order, and what ends it.

pub mod http;
mod leader;
mod run_error;
mod signals;
pub mod telemetry;

use std::{
    net::SocketAddr,
    sync::{Arc, Once},
    time::Duration,
};

use kube::Client;
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    task::JoinSet,
};

use crate::{
    apple::http::Http,
    controller::{
        KubeCluster,
        apple::{AppleUrls, RealApple},
        clock::Clock,
        health::Health,
        index::Scope,
        mandate::{Grantor, Mandate},
        metrics::Metrics,
        pump,
        watches::follow,
        world::{Settings, World},
    },
};

use leader::Leader;
use signals::Signals;

pub use leader::Candidacy;
pub use run_error::RunError;

/// Coming to rest and giving up the lease are each bounded; this is for whatever was not thought of.
const LONGEST_STOP: Duration = Duration::from_secs(9);

/// What the process is told at its start.
#[derive(Debug)]
pub struct Options {
    /// Where Apple is.
    pub urls: AppleUrls,
    /// Further trusted roots for Apple's hosts, PEM.
    pub ca_bundle: Option<Vec<u8>>,
    /// The namespaces to look after; none: all.
    pub namespaces: Vec<String>,
    /// Where probes and metrics are served.
    pub http_address: SocketAddr,
    /// How the credentials are looked after.
    pub settings: Settings,
    /// For which lease to stand as a candidate; none: this process is the only one.
    pub leader_election: Option<Candidacy>,
}

/// Makes aws-lc-rs the process' provider of cryptography; without one the first TLS client panics.
pub fn install_crypto_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An embedding program may have chosen one already, which serves as well.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    });
}

/// Runs the operator until SIGTERM or SIGINT: then it takes no more work, lets what is under way come to rest, gives up the
/// lease, and ends, all within 10 s. A second signal ends it at once.
///
/// # Errors
/// [`RunError`], before anything was done, when a part of it ended by itself, or for a second signal. No answer of Apple's or
/// the API server's ends the process, nor does losing the lease.
pub async fn run(options: Options) -> Result<(), RunError> {
    install_crypto_provider();
    let mut signals = Signals::take().map_err(RunError::Signals)?;
    let mut config = kube::Config::infer().await.map_err(|error| RunError::NoCluster(Box::new(error)))?;
    introduce(&mut config);
    let own_namespace = config.default_namespace.clone();
    let client = Client::try_from(config).map_err(|error| RunError::Client(Box::new(error)))?;
    let listener =
        TcpListener::bind(options.http_address).await.map_err(|error| RunError::Listen(options.http_address, error))?;

    let http_address = listener.local_addr().unwrap_or(options.http_address);

    let metrics = Metrics::default();
    let apple = RealApple::new(Http::new(options.ca_bundle.as_deref())?, options.urls, metrics.clone());
    let clock = Clock::system();
    let (grantor, mandate) = Grantor::new(clock.clone());
    let leader = options.leader_election.map(|candidacy| {
        Leader::new(client.clone(), candidacy, &own_namespace, clock.clone(), grantor, metrics.clone())
    });
    let mandate = if leader.is_some() { mandate } else { Mandate::without_end() };
    let cluster = KubeCluster::new(client.clone(), mandate.clone());
    let world = World::new(cluster, apple, clock.clone(), metrics.clone(), options.settings).under(mandate);
    let world = Arc::new(world);
    let health = Health::default();

    let (woken, wakes) = mpsc::unbounded_channel();
    let mut tasks = JoinSet::new();
    tasks.spawn(http::serve(listener, clock, metrics, health.clone()));
    let mut synced = Vec::new();
    for scope in scopes(options.namespaces) {
        let (told, is_synced) = watch::channel(false);
        synced.push(is_synced);
        tasks.spawn(follow(client.clone(), scope, Arc::clone(&world), woken.clone(), told));
    }
    tracing::info!(version = env!("CARGO_PKG_VERSION"), %http_address, "started");

    let (stop, stopped) = watch::channel(false);
    let work = work(synced, health.clone(), stopped.clone(), leader, |health| {
        pump::run(world, wakes, health, is_true(stopped))
    });
    tokio::pin!(work);
    tokio::select! {
        biased;
        () = signals.next() => {}
        _ = tasks.join_next() => return Err(RunError::PartEnded),
        () = &mut work => return Err(RunError::PartEnded),
    }
    tracing::info!("stopping");
    health.stopping();
    stop.send_replace(true);
    tokio::select! {
        biased;
        () = signals.next() => Err(RunError::Interrupted),
        () = work => Ok(()),
        () = tokio::time::sleep(LONGEST_STOP) => Ok(()),
    }
}

/// Once everything was seen, keeps `pump` going, as one of the candidates where there are several.
///
/// The election runs in the task of the pump on purpose: who is too busy to renew the lease is too busy to lead.
async fn work<F: Future<Output = ()>>(
    synced: Vec<watch::Receiver<bool>>,
    health: Health,
    stopped: watch::Receiver<bool>,
    leader: Option<Leader>,
    pump: impl FnOnce(Health) -> F,
) {
    let all_synced = async {
        for scope in synced {
            // A watch that ended is noticed elsewhere.
            is_true(scope).await;
        }
    };
    tokio::select! {
        () = is_true(stopped) => return,
        () = all_synced => {}
    }
    health.synced();
    let pump = pump(health);
    match leader {
        Some(leader) => leader.run(pump).await,
        None => pump.await,
    }
}

async fn is_true(mut told: watch::Receiver<bool>) {
    // Nobody can tell any more: the process is ending.
    let _ = told.wait_for(|is| *is).await;
}

/// Says in every request whose it is: audit logs and flow control go by it.
fn introduce(config: &mut kube::Config) {
    let name = "user-agent".parse();
    let value = concat!("asa-operator/", env!("CARGO_PKG_VERSION")).parse();
    if let (Ok(name), Ok(value)) = (name, value) {
        config.headers.push((name, value));
    }
}

fn scopes(namespaces: Vec<String>) -> Vec<Scope> {
    if namespaces.is_empty() { vec![None] } else { namespaces.into_iter().map(Some).collect() }
}
