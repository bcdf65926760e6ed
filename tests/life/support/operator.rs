//! The real binary as a process.

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use fake_apple::FakeApple;
use tempfile::NamedTempFile;

use super::rbac::Secrets;

/// Kills the process named by its argument as soon as the pipe ends that only the test holds: however the test ends, no
/// operator stays behind.
const REAPER: &str = "read -r _; kill -9 \"$1\"";

/// So many lines are shown after a failure.
const SHOWN: usize = 60;

/// An operator that runs until it is killed or dropped. After a panic the end of its log is printed.
pub(crate) struct Operator {
    running: Option<(Child, Child)>,
    log: NamedTempFile,
}

/// The command that runs it for one namespace, in which it is the user of `kubeconfig`, with Apple at `apple`.
pub(crate) fn command(namespace: &str, apple: &str, kubeconfig: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_asa-operator"));
    command
        .args(["run", "--namespace", namespace])
        // An argument goes before these.
        .env("ASA_OPERATOR_APPLE_ID_URL", apple)
        .env("ASA_OPERATOR_ADS_PLATFORM_URL", format!("{apple}/v1"))
        .env("ASA_OPERATOR_ADS_CAMPAIGN_URL", format!("{apple}/api/v5"))
        .env("ASA_OPERATOR_APP_STORE_CONNECT_URL", format!("{apple}/app-store-connect"))
        .env("ASA_OPERATOR_ENTERPRISE_URL", format!("{apple}/enterprise"))
        .env("ASA_OPERATOR_HTTP_ADDRESS", "127.0.0.1:0")
        .env("KUBECONFIG", kubeconfig);
    if Secrets::of_this_run() == Secrets::Get {
        command.env("ASA_OPERATOR_SECRET_POLL_INTERVAL", "1s");
    }
    command
}

impl Operator {
    /// Not running yet.
    pub(crate) fn new() -> Self {
        Self { running: None, log: NamedTempFile::new().unwrap() }
    }

    /// Starts it for one namespace, in which it is the user of `kubeconfig`.
    pub(crate) fn start(&mut self, namespace: &str, apple: &FakeApple, kubeconfig: &Path, arguments: &[&str]) {
        self.run(command(namespace, &apple.url(), kubeconfig).args(arguments));
    }

    /// Runs a program as the operator; what it says goes to the log.
    pub(crate) fn run(&mut self, command: &mut Command) {
        let log = OpenOptions::new().append(true).open(self.log.path()).unwrap();
        let said = log.try_clone().unwrap();
        let operator = command.stdin(Stdio::null()).stdout(said).stderr(log).spawn().unwrap();
        let reaper = Command::new("sh")
            .args(["-c", REAPER, "reaper", &operator.id().to_string()])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        self.running = Some((operator, reaper));
    }

    /// Ends it as a crash would: SIGKILL.
    pub(crate) fn kill(&mut self) {
        if let Some((mut operator, mut reaper)) = self.running.take() {
            // The reaper first, so that it never meets a process id that was given anew.
            for process in [&mut reaper, &mut operator] {
                process.kill().unwrap();
                process.wait().unwrap();
            }
        }
    }

    /// Of its memory what the kernel calls so (`proc_pid_status(5)`), in KiB.
    pub(super) fn memory(&self, field: &str) -> u64 {
        let (operator, _) = self.running.as_ref().unwrap();
        let status = fs::read_to_string(format!("/proc/{}/status", operator.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// All that it wrote, over all its runs.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log.path()).unwrap()
    }
}

impl Drop for Operator {
    #[expect(clippy::print_stderr, reason = "the harness shows it with the failed test")]
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            let log = self.log();
            let lines: Vec<_> = log.lines().collect();
            eprintln!("the end of the operator's log:\n{}", lines[lines.len().saturating_sub(SHOWN)..].join("\n"));
        }
    }
}
