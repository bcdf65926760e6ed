//! The command line: one file per command.

mod crd;
mod probe;
mod run;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Keeps Apple Ads credentials alive in a Kubernetes cluster.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the operator until SIGTERM or Ctrl-C.
    Run(Box<run::Run>),
    /// Print the custom resource definitions as YAML, for kubectl apply -f -
    Crd,
    /// Ask a running operator over HTTP, and fail unless it answers 200
    Probe(probe::Probe),
}

/// Parses the arguments of the process and runs one command.
pub fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run(run) => run.execute(),
        Command::Crd => crd::execute(),
        Command::Probe(probe) => probe.execute(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "the command line speaks to its user")]
fn complain(error: &dyn std::error::Error) {
    eprintln!("asa-operator: {error}");
}
