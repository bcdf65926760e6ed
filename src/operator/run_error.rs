//! Why the process cannot start, or ended by itself.

use std::{error::Error, net::SocketAddr};

use kube::config::{InferConfigError, KubeconfigError};

use super::tls::TlsError;
use crate::apple::http::SetupError;

/// Why the process cannot start, or ended by itself. A kubeconfig has credentials in it: nothing of its content is shown.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Neither a kubeconfig nor a `ServiceAccount`.
    #[error(
        "no way to the API server was found: set KUBECONFIG, or run in a pod with a ServiceAccount's token ({})",
        without_excerpt(.0)
    )]
    NoCluster(#[source] Box<InferConfigError>),
    /// The client could not be built.
    #[error("the client of the API server could not be set up: {}", without_credentials(.0))]
    Client(#[source] Box<kube::Error>),
    /// The client for Apple could not be built.
    #[error("the client for Apple could not be set up: {0}")]
    Apple(#[from] SetupError),
    /// The port is taken, or not allowed.
    #[error("{0} {1} cannot be listened on: {2}")]
    Listen(&'static str, SocketAddr, #[source] std::io::Error),
    /// Metrics cannot be served over TLS.
    #[error("metrics cannot be served over TLS: {0}")]
    Tls(#[from] TlsError),
    /// Signals cannot be received.
    #[error("signals cannot be received: {0}")]
    Signals(#[source] std::io::Error),
    /// A task ended that never should, which is a bug. Half an operator looks well and does nothing.
    #[error("a part of the operator ended by itself; the lines above may tell why")]
    PartEnded,
    /// Somebody did not want to wait.
    #[error("ended by a second signal before everything came to rest; a lease that is held ends by itself")]
    Interrupted,
}

/// kube's words, but those about a file that does not parse: they show its lines.
fn without_excerpt(error: &InferConfigError) -> String {
    let kubeconfig = error.source().and_then(|source| source.downcast_ref::<KubeconfigError>());
    match kubeconfig {
        Some(KubeconfigError::Parse(error)) => match error.location() {
            Some(place) => format!("line {}, column {} of the kubeconfig cannot be read", place.line(), place.column()),
            None => "the kubeconfig cannot be read".to_owned(),
        },
        _ => error.to_string(),
    }
}

/// In words of our own: kube's show a proxy's password, lines of a key, and what a credential plugin printed.
fn without_credentials(error: &kube::Error) -> &'static str {
    match error {
        kube::Error::ProxyProtocolDisabled { .. } | kube::Error::ProxyProtocolUnsupported { .. } => {
            "its proxy is of a kind that cannot be used; name one with http or https in HTTPS_PROXY, or in the kubeconfig's proxy-url"
        }
        kube::Error::Auth(_) => "the credentials that the kubeconfig names cannot be had; does kubectl get them?",
        kube::Error::RustlsTls(_) => "a certificate or key of the kubeconfig cannot be used",
        _ => "the kubeconfig cannot be used",
    }
}
