//! A real control plane for tests, the demo and benches: etcd, kube-apiserver and kube-controller-manager, without
//! containers and without root, ready in about three seconds.
//!
//! ```no_run
//! # async fn example() -> Result<(), cluster::Error> {
//! let cluster = cluster::shared().await;
//! let namespace = cluster.namespace("renewal").await?;
//! let client = cluster.client()?;
//! // … act in `namespace` through `client`, then ask what was asked of the API server:
//! let requests = cluster.requests(&namespace, "asa-operator/")?;
//! # Ok(())
//! # }
//! ```
//!
//! Tests keep apart by namespaces and share one control plane per test binary ([`shared`]). A test that stops, freezes or
//! configures the API server starts its own ([`Cluster::start`]).
//!
//! Where things are: `binaries` and `go` find or build the programs, `process` runs them and cleans up after them,
//! `plane` puts them together (`arguments`, `pki`, `kubeconfig`), `crds` installs custom resources, `audit` reads what was
//! asked of the API server, `node` adds a node that runs pods.

mod arguments;
mod audit;
mod binaries;
mod crds;
mod error;
mod go;
mod kubeconfig;
mod node;
mod pki;
mod plane;
mod process;

pub use audit::Request;
pub use binaries::{Binaries, tool};
pub use error::{BinariesError, Error, LogTail};
pub use node::{Machine, NodeOptions};
pub use plane::{Cluster, Options};
pub use process::Part;

use std::io::{self, Write as _};

use tokio::sync::OnceCell;

/// The control plane that all tests of one binary share, with the CRDs of the workspace's `crds` folder installed.
///
/// The first caller starts it, the others wait. It ends with the process. Nothing in it is bound to the runtime of the test
/// that started it.
///
/// # Panics
///
/// If it cannot be started, with the reason; then for every caller, without trying again.
pub async fn shared() -> &'static Cluster {
    static SHARED: OnceCell<Result<Cluster, Error>> = OnceCell::const_new();
    let started = SHARED.get_or_init(|| async { Cluster::start(Options::of_workspace()?).await }).await;
    match started {
        Ok(cluster) => cluster,
        #[expect(clippy::panic, reason = "a fixture of tests: without a cluster each of them has failed")]
        Err(error) => panic!("no control plane: {}", error.report()),
    }
}

/// One line on stderr, past the capturing of test harnesses: whoever waits for minutes has to see why.
fn say(line: &str) {
    // Whether anybody reads it changes nothing.
    let _ = writeln!(io::stderr(), "cluster: {line}");
}
