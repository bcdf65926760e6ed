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

use std::fs;
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

/// A folder of its own, while it is there.
struct Work(PathBuf);

impl Work {
    fn empty(&self) -> Done {
        self.remove();
        fs::create_dir(&self.0).map_err(cannot(format!("create {}", self.0.display())))
    }

    fn remove(&self) {
        // Mostly there is none.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Everything that is there during the story is gone when this returns.
fn on_stage(arguments: &Arguments, figures: &mut Figures) -> Done {
    // Among what was built, so that what a killed run leaves is nowhere else; the next run takes it away.
    let programs = arguments.fake_apple.canonicalize().map_err(cannot("find fake-apple"))?;
    let work = Work(programs.with_file_name("e2e-work"));
    work.empty()?;
    let dir = work.0.as_path();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    figures.chapter("images");
    let operator = image::operator(&repository, dir)?;
    let tools = image::tools(dir, &arguments.fake_apple)?;
    figures.image = image::size(&operator)?;
    figures.chapter("control plane and node");
    let stage = Stage::start(&repository, dir, vec![operator, tools])?;
    let trials = Trials { crashes: arguments.crashes, ends: arguments.ends };
    story::play(&stage, trials, figures).map_err(|failure| Failure(format!("{failure}\n{}", stage.tell())))
}
