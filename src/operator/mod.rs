//! The process: what is started, in which order, and what ends it.

pub mod http;
mod run_error;
pub mod telemetry;

use std::{
    net::SocketAddr,
    sync::{Arc, Once},
};

use kube::Client;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
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
        metrics::Metrics,
        pump,
        watches::follow,
        world::{Settings, World},
    },
};

pub use run_error::RunError;

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
}

/// Makes aws-lc-rs the process' provider of cryptography; without one the first TLS client panics.
pub fn install_crypto_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An embedding program may have chosen one already, which serves as well.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    });
}

/// Runs the operator until SIGTERM or SIGINT.
///
/// # Errors
/// [`RunError`], before anything was done, or when a part of it ended by itself. No answer of Apple's or the API server's ends
/// the process.
pub async fn run(options: Options) -> Result<(), RunError> {
    install_crypto_provider();
    let mut stop = stop_signal().map_err(RunError::Signals)?;
    let mut config = kube::Config::infer().await.map_err(|error| RunError::NoCluster(Box::new(error)))?;
    introduce(&mut config);
    let client = Client::try_from(config).map_err(|error| RunError::Client(Box::new(error)))?;
    let listener =
        TcpListener::bind(options.http_address).await.map_err(|error| RunError::Listen(options.http_address, error))?;

    let http_address = listener.local_addr().unwrap_or(options.http_address);

    let metrics = Metrics::default();
    let apple = RealApple::new(Http::new(options.ca_bundle.as_deref())?, options.urls, metrics.clone());
    let clock = Clock::system();
    let world = World::new(KubeCluster::new(client.clone()), apple, clock.clone(), metrics.clone(), options.settings);
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

    let work = async {
        for mut scope in synced {
            // A watch that ended is noticed below.
            let _ = scope.wait_for(|synced| *synced).await;
        }
        health.synced();
        pump::run(world, wakes, health.clone(), std::future::pending()).await;
    };
    tokio::select! {
        biased;
        () = &mut stop => {
            tracing::info!("stopping");
            Ok(())
        }
        _ = tasks.join_next() => Err(RunError::PartEnded),
        () = work => Err(RunError::PartEnded),
    }
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

fn stop_signal() -> std::io::Result<std::pin::Pin<Box<dyn Future<Output = ()> + Send>>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(Box::pin(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }))
}
