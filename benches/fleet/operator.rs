//! The operator as a process, with what it costs.

use std::{
    fmt, fs,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{Result, stage::Stage};

/// A clock tick of `/proc/<pid>/stat`, which Linux fixes at a hundredth of a second for programs.
const TICKS_PER_SECOND: f64 = 100.0;

pub(crate) struct Operator {
    process: Child,
    port: u16,
    started: Instant,
}

/// How often Apple may be asked.
#[derive(Clone, Copy)]
pub(crate) enum Rate {
    /// As the operator has it by itself.
    Default,
    /// More often than anything here does.
    Lifted,
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "at Apple's default rate",
            Self::Lifted => "with the rate lifted",
        })
    }
}

impl Operator {
    /// Starts it, for one namespace or for all, with Apple's rate lifted.
    pub(crate) fn start(stage: &Stage, namespace: Option<&str>) -> Result<Self> {
        Self::start_at(stage, namespace, Rate::Lifted)
    }

    /// Likewise, at this rate.
    pub(crate) fn start_at(stage: &Stage, namespace: Option<&str>, rate: Rate) -> Result<Self> {
        let url = stage.apple.url();
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new(env!("CARGO_BIN_EXE_asa-operator"));
        command
            .args(["run", "--apple-id-url", &url])
            .args(["--ads-platform-url", &format!("{url}/v1")])
            .args(["--ads-campaign-url", &format!("{url}/api/v5")])
            .args(["--log-filter", "warn"])
            .args(["--http-address", &format!("127.0.0.1:{port}")])
            .env("KUBECONFIG", stage.cluster.kubeconfig())
            .stdin(Stdio::null());
        if let Rate::Lifted = rate {
            command.args(["--apple-rate", "1000000", "--apple-burst", "1000000"]);
        }
        if let Some(namespace) = namespace {
            command.args(["--namespace", namespace]);
        }
        Ok(Self { started: now(), process: command.spawn()?, port })
    }

    /// Seconds of processor time so far.
    pub(crate) fn processor_seconds(&self) -> Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        // Fields 14 and 15 of proc_pid_stat(5); the second may contain blanks and ends with the last parenthesis.
        let (_, fields) = stat.rsplit_once(')').ok_or("no process name")?;
        let ticks: Vec<f64> =
            fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
        Ok(ticks.iter().sum::<f64>() / TICKS_PER_SECOND)
    }

    /// Resident memory in MiB: now (`VmRSS`) or at its peak (`VmHWM`).
    pub(crate) fn memory(&self, field: &str) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find(|line| line.starts_with(field)).ok_or("no such field")?;
        let kib: f64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
        Ok(kib / 1024.0)
    }

    /// Seconds from the start until /readyz answers 200.
    pub(crate) async fn ready(&self) -> Result<f64> {
        let url = format!("http://127.0.0.1:{}/readyz", self.port);
        let http = reqwest::Client::new();
        loop {
            if http.get(&url).send().await.is_ok_and(|answer| answer.status() == 200) {
                return Ok(self.started.elapsed().as_secs_f64());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        // It may have ended by itself; the figures that are missing then tell.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
