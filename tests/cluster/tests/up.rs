//! `cluster up` and `cluster binaries`, and that nothing is left of a control plane, however it ends.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{sleep, timeout};

/// `cluster up`, as far as to what it printed.
struct Up {
    process: Child,
    kubeconfig: PathBuf,
}

impl Up {
    fn start() -> Up {
        let mut process = Command::new(env!("CARGO_BIN_EXE_cluster")).arg("up").stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        let kubeconfig = line.strip_prefix("export KUBECONFIG='").unwrap().strip_suffix('\'').unwrap().into();
        Up { process, kubeconfig }
    }

    fn dir(&self) -> &Path {
        self.kubeconfig.parent().unwrap()
    }

    fn end_by(mut self, signal: Signal) -> ExitStatus {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
        self.process.wait().unwrap()
    }
}

/// The processes whose working directory this is. A zombie has none.
fn processes_in(dir: &Path) -> BTreeSet<String> {
    let processes = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap());
    processes
        .filter(|process| fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd == dir))
        .map(|process| process.file_name().into_string().unwrap())
        .collect()
}

fn is_alive(pid: &String) -> bool {
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok()
}

#[tokio::test]
async fn nothing_is_left_after_a_kill_that_cannot_be_caught() {
    let up = Up::start();
    let dir = up.dir().to_owned();
    let pids = processes_in(&dir);
    assert_eq!(pids.len(), 3, "etcd, kube-apiserver, kube-controller-manager");
    up.end_by(Signal::KILL);
    let gone = async {
        while dir.exists() || pids.iter().any(is_alive) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(10), gone).await.unwrap();
}

#[test]
fn up_gives_a_working_kubeconfig_and_ends_cleanly_when_asked_to() {
    let up = Up::start();
    let dir = up.dir().to_owned();
    let pids = processes_in(&dir);
    let binaries = Command::new(env!("CARGO_BIN_EXE_cluster")).arg("binaries").output().unwrap();
    assert!(binaries.status.success());
    let path = String::from_utf8(binaries.stdout).unwrap();
    let got = Command::new("kubectl")
        .env("PATH", path.trim())
        .env("KUBECONFIG", &up.kubeconfig)
        .args(["get", "namespaces"])
        .output();
    assert!(String::from_utf8(got.unwrap().stdout).unwrap().contains("kube-system"));

    let status = up.end_by(Signal::TERM);
    assert!(status.success(), "{status}");
    assert!(!dir.exists());
    assert!(!pids.iter().any(is_alive));
}

#[test]
fn a_failure_says_what_to_do() {
    let empty = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_cluster"))
        .arg("binaries")
        .env("KUBEBUILDER_ASSETS", "")
        .env("PATH", empty.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.starts_with("cluster: Go is needed once"), "{message}");
}

#[test]
fn logs_can_be_kept_for_a_look_at_them() {
    let (plane, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let programs = [
        ("etcd", "exec sleep 1000"),
        ("kube-apiserver", "echo disk full; exit 7"),
        ("kube-controller-manager", ""),
        ("kubectl", ""),
    ];
    for (name, script) in programs {
        let path = plane.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_cluster"))
        .arg("up")
        .env("KUBEBUILDER_ASSETS", plane.path())
        .env("TMPDIR", temporary.path())
        .env("ASA_CLUSTER_KEEP", "1")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("ended by itself (exit status: 7); the end of its log:\ndisk full"), "{message}");
    let kept = fs::read_dir(temporary.path()).unwrap().next().unwrap().unwrap().path();
    assert!(message.contains(&format!("logs stay in {}", kept.display())), "{message}");
    assert_eq!(fs::read_to_string(kept.join("kube-apiserver.log")).unwrap(), "disk full\n");
}
