//! The control plane on the command line.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser;
use cluster::{Binaries, Cluster, Error, Options};
use tokio::select;
use tokio::signal::unix::{SignalKind, signal};

/// A real Kubernetes control plane: etcd, kube-apiserver and kube-controller-manager
#[derive(Parser)]
#[command(name = "cluster")]
enum Cli {
    /// Start one with the workspace's CRDs installed, and run it until Ctrl-C or SIGTERM
    ///
    /// Standard output has what a shell can evaluate, standard error the rest.
    Up,
    /// Make sure that the binaries are there, building them if need be, and print their folder as a value for PATH
    Binaries,
    /// Make sure that a program is there that tests use beside them, building it if need be, and print its path
    Tools {
        /// promtool
        name: String,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let done = match Cli::parse() {
        Cli::Up => up().await,
        Cli::Binaries => binaries(),
        Cli::Tools { name } => tools(&name),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&error.report());
            ExitCode::FAILURE
        }
    }
}

async fn up() -> Result<(), Error> {
    // Before signals are caught, so that Ctrl-C ends a build of six minutes too.
    let binaries = Binaries::find()?;
    let interrupted = interrupted().map_err(|source| Error::Io { action: "catch signals".into(), source })?;
    tokio::pin!(interrupted);
    say("starting etcd, kube-apiserver and kube-controller-manager");
    let cluster = select! {
        cluster = Cluster::start(Options::of_workspace()?) => cluster?,
        () = &mut interrupted => return Ok(()),
    };
    let kubeconfig = cluster.kubeconfig().display();
    let search_path = binaries.search_path();
    let exports =
        [format!("export KUBECONFIG='{kubeconfig}'"), format!("export PATH='{}':\"$PATH\"", search_path.display())];
    print(&exports.join("\n"))?;
    say(&format!("{} is ready; logs are beside the kubeconfig", cluster.url()));
    say("run the two lines above in another shell, then kubectl; Ctrl-C ends it and removes everything");
    interrupted.await;
    say("stopping");
    Ok(())
}

fn binaries() -> Result<(), Error> {
    print(&Binaries::find()?.search_path().display().to_string())
}

fn tools(name: &str) -> Result<(), Error> {
    print(&cluster::tool(name)?.display().to_string())
}

/// In one write: whoever reads the first line has the others too, and may close the pipe.
fn print(lines: &str) -> Result<(), Error> {
    let printed = io::stdout().write_all(format!("{lines}\n").as_bytes());
    printed.map_err(|source| Error::Io { action: "print".into(), source })
}

/// For people. Whether anybody reads it changes nothing.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "cluster: {line}");
}

/// Resolves at the first signal that asks for an end.
fn interrupted() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(async move {
        select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    })
}
