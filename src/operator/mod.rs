//! The process: what is started, in which order, and what ends it.

mod api_requests;
mod authorization;
pub mod http;
mod leader;
pub mod metrics;
mod probes;
mod run_error;
mod signals;
pub mod telemetry;
mod tls;
pub mod traces;

use std::{
    net::SocketAddr,
    sync::{Arc, Once},
    time::Duration,
};

use kube::{Client, client::ClientBuilder};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use crate::{
    apple::http::Http,
    controller::{
        KubeCluster,
        apple::{AppleUrls, RealApple},
        clock::Clock,
        health::Health,
        index::Scope,
        mandate::{Grantor, Mandate},
        metrics::{Metrics, objects::Objects},
        pump,
        watches::follow,
        world::{Settings, World},
    },
};

use api_requests::NoteRequests;
use authorization::Gate;
use http::{Scraped, Signs};
use leader::Leader;
use metrics::Exposition;
use signals::Signals;

pub use leader::Candidacy;
pub use run_error::RunError;
use tls::TlsListener;
pub use tls::{TlsError, TlsFiles};

/// Coming to rest and giving up the lease are each bounded, by seven seconds together; this is for whatever was not thought
/// of. Then traces have two seconds for what was not sent yet.
const LONGEST_STOP: Duration = Duration::from_millis(7500);

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
    /// Where metrics are served instead, if elsewhere.
    pub metrics: Option<MetricsOptions>,
    /// How the credentials are looked after.
    pub settings: Settings,
    /// For which lease to stand as a candidate; none: this process is the only one.
    pub leader_election: Option<Candidacy>,
}

/// A server for metrics alone.
#[derive(Debug)]
pub struct MetricsOptions {
    /// Where it listens.
    pub address: SocketAddr,
    /// The certificate and key with which it speaks TLS.
    pub tls: Option<TlsFiles>,
    /// Whether whoever scrapes has to show a token that the API server lets GET /metrics.
    pub authorizes: bool,
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
    let (clock, metrics, health) = (Clock::system(), Metrics::default(), Health::default());
    let client = client(config, &clock, &metrics, &health).map_err(|error| RunError::Client(Box::new(error)))?;
    let (listener, http_address) = listen("--http-address", options.http_address).await?;

    let apple = RealApple::new(Http::new(options.ca_bundle.as_deref())?, options.urls, clock.clone(), metrics.clone());
    let (grantor, mandate) = Grantor::new(clock.clone());
    let leader = options.leader_election.map(|candidacy| {
        Leader::new(client.clone(), candidacy, &own_namespace, clock.clone(), grantor, metrics.clone())
    });
    let mandate = if leader.is_some() { mandate } else { Mandate::without_end() };
    let cluster = KubeCluster::new(client.clone(), mandate.clone());
    let world = World::new(cluster, apple, clock.clone(), metrics.clone(), options.settings).under(mandate);
    let world = Arc::new(world);
    let exposition = Exposition::new(&metrics, Objects::new(Arc::clone(&world)));

    let mut tasks = JoinSet::new();
    let gate = options.metrics.as_ref().is_some_and(|metrics| metrics.authorizes);
    let scraped = Scraped { exposition, gate: gate.then(|| Gate::new(client.clone(), clock.clone())) };
    let signs = Signs { clock, health: health.clone() };
    let metrics_address = serve(listener, http_address, signs, scraped, options.metrics, &mut tasks).await?;
    let mut synced = Vec::new();
    for scope in scopes(options.namespaces) {
        let (told, is_synced) = watch::channel(false);
        synced.push(is_synced);
        tasks.spawn(follow(client.clone(), scope, Arc::clone(&world), told));
    }
    tracing::info!(version = env!("CARGO_PKG_VERSION"), %http_address, %metrics_address, "started");

    let (stop, stopped) = watch::channel(false);
    let work =
        work(synced, health.clone(), stopped.clone(), leader, |health| pump::run(world, health, is_true(stopped)));
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

async fn listen(option: &'static str, address: SocketAddr) -> Result<(TcpListener, SocketAddr), RunError> {
    let listener = TcpListener::bind(address).await.map_err(|error| RunError::Listen(option, address, error))?;
    let address = listener.local_addr().unwrap_or(address);
    Ok((listener, address))
}

/// Serves probes and metrics, the latter `elsewhere` if that is wanted; where metrics are.
async fn serve(
    listener: TcpListener,
    http_address: SocketAddr,
    signs: Signs,
    scraped: Scraped,
    elsewhere: Option<MetricsOptions>,
    tasks: &mut JoinSet<()>,
) -> Result<SocketAddr, RunError> {
    let (probes, metrics) = (http::probes(signs), http::metrics(scraped));
    let Some(options) = elsewhere else {
        tasks.spawn(http::serve(listener, probes.merge(metrics)));
        return Ok(http_address);
    };
    tasks.spawn(http::serve(listener, probes));
    let (listener, address) = listen("--metrics-address", options.address).await?;
    match options.tls {
        None => drop(tasks.spawn(http::serve(listener, metrics))),
        Some(files) => {
            let listener = TlsListener::new(listener, address, files, tasks)?;
            tasks.spawn(http::serve(listener, metrics));
        }
    }
    Ok(address)
}

/// The client of the API server, with every request counted, and the watches' noted in `health`.
///
/// # Errors
/// Where the configuration names credentials or certificates that cannot be used.
pub fn client(config: kube::Config, clock: &Clock, metrics: &Metrics, health: &Health) -> Result<Client, kube::Error> {
    let host = config.cluster_url.authority().map(ToString::to_string).unwrap_or_default();
    let note = NoteRequests::new(&host, metrics.clone(), health.clone(), clock.clone());
    Ok(ClientBuilder::try_from(config)?.with_layer(&note).build())
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
