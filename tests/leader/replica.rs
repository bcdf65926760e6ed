//! Replicas of the operator, and what each of them did.

use std::fs::{self, OpenOptions};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

use cluster::Request;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::Api;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::support::eventually;
use crate::support::operator::command;
use crate::support::stage::Stage;

/// The name that the Lease has by default.
pub(crate) const LEASE: &str = "asa-operator";

/// Kills the process named by its argument as soon as the pipe ends that only the test holds.
const REAPER: &str = "read -r _; kill -9 \"$1\"";

const SHOWN: usize = 40;

/// An operator with a name.
pub(crate) struct Replica {
    pub(crate) name: String,
    process: Child,
    reaper: Child,
    http: String,
    log: NamedTempFile,
}

/// Who a replica is to the API server.
pub(crate) fn user(stage: &Stage<'_>, name: &str) -> String {
    format!("system:serviceaccount:{}:{name}", stage.namespace)
}

/// A kubeconfig for a replica of this name, whose context is the stage's namespace, in which it may do anything.
fn almighty(stage: &Stage<'_>, name: &str) -> PathBuf {
    in_namespace(stage, stage.cluster.user(&user(stage, name), &["system:masters"]).unwrap())
}

/// The kubeconfig with the stage's namespace as its context's.
pub(crate) fn in_namespace(stage: &Stage<'_>, kubeconfig: PathBuf) -> PathBuf {
    let mut config: Value = serde_json::from_str(&fs::read_to_string(&kubeconfig).unwrap()).unwrap();
    config["contexts"][0]["context"]["namespace"] = json!(stage.namespace);
    fs::write(&kubeconfig, config.to_string()).unwrap();
    kubeconfig
}

impl Replica {
    /// Starts one that takes part in the election and may do anything.
    pub(crate) fn start(stage: &Stage<'_>, name: &str) -> Self {
        Self::start_with(stage, name, &almighty(stage, name), &["--leader-election"])
    }

    /// Starts one, and waits until it has seen everything.
    pub(crate) async fn ready(stage: &Stage<'_>, name: &str) -> Self {
        let replica = Self::start(stage, name);
        replica.becomes_ready().await;
        replica
    }

    /// Starts one with this kubeconfig and these arguments.
    pub(crate) fn start_with(stage: &Stage<'_>, name: &str, kubeconfig: &Path, arguments: &[&str]) -> Self {
        let log = NamedTempFile::new().unwrap();
        let said = OpenOptions::new().append(true).open(log.path()).unwrap();
        let http = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().to_string();
        let mut command = command(&stage.namespace, &stage.apple.url(), kubeconfig);
        command.args(["--identity", name, "--http-address", &http]).args(arguments);
        command.stdin(Stdio::null()).stdout(said.try_clone().unwrap()).stderr(said);
        let process = command.spawn().unwrap();
        let reaper = Command::new("sh")
            .args(["-c", REAPER, "reaper", &process.id().to_string()])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        Self { name: name.to_owned(), process, reaper, http, log }
    }

    /// Waits until /readyz says so.
    pub(crate) async fn becomes_ready(&self) {
        eventually("a replica that is ready", async || match self.probe("readyz").await {
            200 => Ok(()),
            status => Err(status),
        })
        .await;
    }

    /// The status of a probe, 0 if nobody answers.
    pub(crate) async fn probe(&self, path: &str) -> u16 {
        let answer = reqwest::get(format!("http://{}/{path}", self.http)).await;
        answer.map_or(0, |answer| answer.status().as_u16())
    }

    /// The samples of `leader_election_master_status`.
    pub(crate) async fn master_status(&self) -> Vec<String> {
        let url = format!("http://{}/metrics", self.http);
        let text = eventually("metrics", async || reqwest::get(&url).await).await.text().await.unwrap();
        text.lines().filter(|line| line.contains("leader_election_master_status")).map(ToOwned::to_owned).collect()
    }

    /// Sends it a signal, `TERM` for example.
    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {}", self.process.id())]).status().unwrap();
        assert!(sent.success());
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(&mut self) {
        // The reaper first, so that it never meets a process id that was given anew.
        for process in [&mut self.reaper, &mut self.process] {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn ends(&mut self) -> ExitStatus {
        eventually("the end of the process", async || self.process.try_wait().unwrap().ok_or("it runs")).await
    }

    /// Whether it runs, or was stopped.
    pub(crate) fn is_there(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log.path()).unwrap()
    }

    /// How many lines have these words.
    pub(crate) fn said(&self, words: &str) -> usize {
        self.log().lines().filter(|line| line.contains(words)).count()
    }

    /// Waits until so many lines have these words.
    pub(crate) async fn says(&self, words: &str, times: usize) {
        let is_said = async || if self.said(words) >= times { Ok(()) } else { Err(self.log()) };
        eventually(&format!("{times} × {words}"), is_said).await;
    }
}

impl Drop for Replica {
    #[expect(clippy::print_stderr, reason = "the harness shows it with the failed test")]
    fn drop(&mut self) {
        if self.is_there() {
            self.kill();
        } else {
            self.reaper.kill().unwrap();
            self.reaper.wait().unwrap();
        }
        if thread::panicking() {
            let log = self.log();
            let lines: Vec<_> = log.lines().collect();
            let shown = lines[lines.len().saturating_sub(SHOWN)..].join("\n");
            eprintln!("the end of the log of {}:\n{shown}", self.name);
        }
    }
}

impl Stage<'_> {
    pub(crate) fn leases(&self) -> Api<Lease> {
        Api::namespaced(self.kube.clone(), &self.namespace)
    }

    /// What the Lease says.
    pub(crate) async fn lease(&self) -> LeaseSpec {
        self.leases().get(LEASE).await.unwrap().spec.unwrap()
    }

    /// Waits until a replica of this name holds the Lease.
    pub(crate) async fn led_by(&self, name: &str) {
        self.led_by_one_of(&[name]).await;
    }

    /// Waits until one of these holds the Lease; which one.
    pub(crate) async fn led_by_one_of(&self, names: &[&str]) -> usize {
        eventually(&format!("leader among {names:?}"), async || {
            let lease = self.leases().get(LEASE).await.map_err(|error| error.to_string())?;
            let holder = lease.spec.and_then(|spec| spec.holder_identity).unwrap_or_default();
            names.iter().position(|name| *name == holder).ok_or(holder)
        })
        .await
    }

    /// All that replicas changed or tried to change so far, in the order in which it came.
    pub(crate) fn writes(&self) -> Vec<Request> {
        let mut requests = self.cluster.requests(&self.namespace, "asa-operator/").unwrap();
        requests.retain(|request| !matches!(request.verb.as_str(), "get" | "list" | "watch"));
        requests.sort_by_key(|request| request.received);
        requests
    }

    /// The successful writes of the Lease so far.
    pub(crate) fn lease_writes(&self) -> Vec<Request> {
        let mut writes = self.writes();
        writes.retain(|request| is_of_lease(request) && (200..300).contains(&request.code));
        writes
    }

    /// What a replica wrote since then, but for the Lease.
    pub(crate) fn work_of(&self, name: &str, since: Timestamp) -> Vec<String> {
        let user = user(self, name);
        let writes = self.writes().into_iter();
        let its = writes.filter(|request| request.user == user && request.received >= since && !is_of_lease(request));
        its.map(|request| format!("{} {} {:?}", request.verb, request.resource, request.name)).collect()
    }

    /// Waits until a replica wrote the status so often since then.
    pub(crate) async fn worked(&self, name: &str, since: Timestamp, times: usize) {
        eventually(&format!("work of {name}"), async || {
            let work = self.work_of(name, since);
            let written = work.iter().filter(|line| line.starts_with("update asacredentials")).count();
            if written >= times { Ok(()) } else { Err(format!("{work:?}")) }
        })
        .await;
    }

    /// Nobody wrote anything but the one who had written the Lease last.
    pub(crate) fn only_leaders_wrote(&self) {
        let leases = self.lease_writes();
        let writes: Vec<_> = self.writes().into_iter().filter(|request| !is_of_lease(request)).collect();
        assert!(!writes.is_empty(), "nobody wrote anything, which proves nothing");
        for write in writes {
            let leader = leases.iter().rfind(|lease| lease.answered <= write.answered).map(|lease| &lease.user);
            assert_eq!(Some(&write.user), leader, "{write:?}\n{leases:#?}");
        }
    }
}

pub(crate) fn is_of_lease(request: &Request) -> bool {
    request.resource == "leases"
}

/// The present, as the API server's audit log tells it.
#[expect(clippy::disallowed_methods, reason = "the machine's clock is what the audit log goes by")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
