//! A node that runs pods: containerd, kubelet, kube-scheduler, kube-proxy and dnsmasq beside the control plane, as root.
//!
//! Pods have a network, Services, probes, logs, exec, restarts and DNS, which knows the names that it is given. Nothing outside
//! the machine can be reached, and nobody enforces a `NetworkPolicy`.

mod files;
mod machine;

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use k8s_openapi::api::core::v1::Node as NodeObject;

pub use machine::Machine;

pub(crate) use files::{ADDRESS, NAME, USERS, apiserver_flags};

use crate::binaries::NodeBinaries;
use crate::error::Error;
use crate::kubeconfig::write_private;
use crate::process::{Part, SYSTEM_PATH, Sandbox};

/// One node at a time, as its network has fixed addresses.
const LOCK: &str = "/run/lock/asa-cluster-node.lock";

/// Packages of Debian and Ubuntu, each with a program that it brings.
const PACKAGES: [(&str, &str); 6] = [
    ("containerd", "containerd"),
    ("runc", "runc"),
    ("iptables", "iptables"),
    ("nftables", "nft"),
    ("iproute2", "ip"),
    ("dnsmasq-base", "dnsmasq"),
];

/// Where Debian and others have the programs of the network.
const CNI: [&str; 3] = ["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"];

/// Where a kubelet has the cgroups of its pods, in version 1 and 2. Ours are cleaned wholly, so there must be no others.
const CGROUPS: [&str; 2] = ["/sys/fs/cgroup/pids/kubepods", "/sys/fs/cgroup/kubepods"];

/// What a node is given.
#[derive(Clone, Debug, Default)]
pub struct NodeOptions {
    /// Image archives as `docker save` writes them. There is no registry, so pods say `imagePullPolicy: Never` or `IfNotPresent`.
    pub images: Vec<PathBuf>,
    /// The name of an image among them whose command just waits: it holds each pod's network open.
    pub sandbox_image: String,
}

/// A machine made ready: the bridge is there, the files are written, nothing runs.
#[derive(Debug)]
pub(crate) struct Node {
    options: NodeOptions,
    binaries: NodeBinaries,
    dir: PathBuf,
    /// Held as long as the node is there.
    _lock: File,
}

impl Node {
    /// Notes what is to be restored, leaves word of it for the reaper, and sets up the pods' bridge.
    pub(crate) fn prepare(options: NodeOptions, binaries: NodeBinaries, sandbox: &Sandbox) -> Result<Node, Error> {
        let cni = requirements()?;
        let lock = lock().map_err(Error::io(format!("lock {LOCK}; another node runs on this machine")))?;
        let dir = sandbox.dir().to_owned();
        let failed = || Error::io(format!("write into {}", dir.display()));
        for folder in ["cni", files::NAMES] {
            fs::create_dir(dir.join(folder)).map_err(failed())?;
        }
        for (name, contents) in files::all(&dir, &cni, &options.sandbox_image) {
            // The reaper runs it where it is, so it has to be the last, when what it reads is there.
            if name == "sweep.sh" {
                run("sh", ["-c", &contents, "sweep.sh", &dir.to_string_lossy(), "look"])?;
            }
            write_private(&dir.join(name), &contents).map_err(failed())?;
        }
        run("ip", ["link", "add", files::BRIDGE, "type", "bridge"])?;
        run("ip", ["addr", "add", &format!("{ADDRESS}/24"), "dev", files::BRIDGE])?;
        run("ip", ["link", "set", files::BRIDGE, "up"])?;
        run("sysctl", ["-qw", "net.ipv4.ip_forward=1"])?;
        Ok(Node { options, binaries, dir, _lock: lock })
    }

    /// The program of a part, and its arguments.
    pub(crate) fn command(&self, part: Part) -> (&Path, Vec<String>) {
        let dir = self.dir.display();
        match part {
            Part::Kubelet => (&self.binaries.kubelet, files::kubelet(&self.dir)),
            Part::Scheduler => (
                &self.binaries.scheduler,
                vec![
                    format!("--kubeconfig={dir}/scheduler.kubeconfig"),
                    "--leader-elect=false".to_owned(),
                    "--secure-port=0".to_owned(),
                ],
            ),
            Part::Proxy => (&self.binaries.proxy, vec![format!("--config={dir}/proxy.yaml")]),
            Part::Dnsmasq => (Path::new("dnsmasq"), vec![format!("--conf-file={dir}/dnsmasq.conf")]),
            _ => (Path::new("containerd"), vec![format!("-c={dir}/containerd.toml")]),
        }
    }

    /// Whether containerd answers.
    pub(crate) fn runs_containers(&self) -> bool {
        self.ctr(&["version"]).is_ok()
    }

    /// Whether somebody listens where pods ask for names.
    pub(crate) fn tells_names() -> bool {
        TcpStream::connect((ADDRESS, files::DNS_PORT)).is_ok()
    }

    /// Gives a name an address.
    pub(crate) fn name(&self, name: &str, address: Ipv4Addr) -> Result<(), Error> {
        let file = self.dir.join(files::NAMES).join(name);
        write_private(&file, &format!("{address} {name}\n")).map_err(Error::io(format!("write {}", file.display())))
    }

    /// Hands the images to containerd.
    pub(crate) fn import_images(&self) -> Result<(), Error> {
        for image in &self.options.images {
            self.ctr(&["images", "import", &image.to_string_lossy()])?;
        }
        Ok(())
    }

    /// Runs containerd's own client.
    pub(crate) fn ctr(&self, arguments: &[&str]) -> Result<String, Error> {
        let socket = self.dir.join("containerd.sock");
        let fixed = ["-a".as_ref(), socket.as_os_str(), "-n".as_ref(), "k8s.io".as_ref()];
        run("ctr", fixed.into_iter().chain(arguments.iter().map(OsStr::new)))
    }
}

/// Whether the node takes pods.
pub(crate) fn is_ready(node: &NodeObject) -> bool {
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.is_some_and(|all| all.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True"))
}

/// The folder of the network's programs, or a word on all that is missing.
fn requirements() -> Result<PathBuf, Error> {
    let mut missing = Vec::new();
    for (package, program) in PACKAGES {
        if !env::split_paths(SYSTEM_PATH).any(|folder| folder.join(program).exists()) {
            missing.push(package);
        }
    }
    let cni = CNI.map(PathBuf::from).into_iter().find(|folder| folder.join("bridge").exists());
    if cni.is_none() {
        missing.push("containernetworking-plugins");
    }
    if !rustix::process::geteuid().is_root() {
        return Err(Error::io("run a node")(io::Error::new(ErrorKind::PermissionDenied, "only root can")));
    }
    if CGROUPS.iter().any(|folder| Path::new(folder).exists()) {
        let other = "a kubelet runs here already, or has left its cgroups (kubepods)";
        return Err(Error::io("run a node")(io::Error::new(ErrorKind::AlreadyExists, other)));
    }
    cni.filter(|_| missing.is_empty()).ok_or_else(|| {
        let missing = format!("apt-get install --no-install-recommends {}", missing.join(" "));
        Error::io("run a node without these")(io::Error::new(ErrorKind::NotFound, missing))
    })
}

fn lock() -> io::Result<File> {
    let file = File::create(LOCK)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ErrorKind::WouldBlock.into()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Runs a program of the system and returns what it printed.
fn run<A: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = A>) -> Result<String, Error> {
    let mut command = Command::new(program);
    let output = command.args(arguments).env("PATH", SYSTEM_PATH).output();
    let output = output.map_err(Error::io(format!("run {program}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Error::io(format!("run {program}"))(io::Error::other(said)))
}
