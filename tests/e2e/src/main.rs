//! The mission as it is written, on a real node: `helm install` the operator, apply credentials of both kinds, mount their
//! Secrets into a workload that calls Apple, and take everything away from under it that may go.
//!
//! It needs root, as the kubelet does, and leaves the machine as it found it, which it checks.

mod audit;
mod figures;
mod image;
mod leases;
mod objects;
mod shell;
mod stage;
mod story;
mod workload;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use cluster::Machine;

use figures::Figures;
use shell::{Done, Failure, cannot, fail};
use stage::Stage;
use story::Trials;

/// Installs the operator on a node of its own and lives through its life, as root
#[derive(Parser)]
struct Arguments {
    /// The program fake-apple
    #[arg(long, value_name = "FILE")]
    fake_apple: PathBuf,
    /// How often the leader's process is killed
    #[arg(long, value_name = "N", default_value = "1")]
    crashes: usize,
    /// How often the leader's pod is deleted
    #[arg(long, value_name = "N", default_value = "1")]
    ends: usize,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(io::stderr(), "e2e: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Done {
    let look = || Machine::look().map_err(|error| Failure(error.report()));
    let before = look()?;
    let mut figures = Figures::new();
    let played = on_stage(arguments, &mut figures);
    let changes = look()?.changes_since(&before);
    let clean = || {
        if changes.is_empty() { Ok(()) } else { fail(format!("the machine is not as it was:\n{}", changes.join("\n"))) }
    };
    if let Err(Failure(failure)) = played {
        return fail(clean().map_or_else(|Failure(dirt)| format!("{failure}\n{dirt}"), |()| failure.clone()));
    }
    writeln!(io::stdout(), "{figures}").map_err(cannot("print"))?;
    figures.judge()?;
    clean()
}

/// Everything that is there during the story is gone when this returns.
fn on_stage(arguments: &Arguments, figures: &mut Figures) -> Done {
    let dir = tempfile::Builder::new().prefix("asa-e2e-").tempdir().map_err(cannot("create a folder"))?;
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    figures.chapter("images");
    let operator = image::operator(&repository, dir.path())?;
    let tools = image::tools(dir.path(), &arguments.fake_apple)?;
    figures.image = image::size(&operator)?;
    figures.chapter("control plane and node");
    let stage = Stage::start(&repository, dir.path(), vec![operator, tools])?;
    let trials = Trials { crashes: arguments.crashes, ends: arguments.ends };
    story::play(&stage, trials, figures).map_err(|failure| Failure(format!("{failure}\n{}", stage.tell())))
}
