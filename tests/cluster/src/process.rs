//! Runs the parts of a control plane in a directory of their own, and leaves nothing behind.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File, Permissions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::{Error, LogTail};

/// Bytes of a log that are shown with an error: about twenty lines of klog.
const LOG_TAIL: u64 = 4096;

/// Where the system's own programs are.
pub(crate) const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// One process of a control plane or of its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The store.
    Etcd,
    /// kube-apiserver.
    ApiServer,
    /// kube-controller-manager.
    ControllerManager,
    /// containerd, of a node.
    Containerd,
    /// kubelet, of a node.
    Kubelet,
    /// kube-scheduler, of a node.
    Scheduler,
    /// kube-proxy, of a node.
    Proxy,
    /// dnsmasq, of a node.
    Dnsmasq,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Part::Etcd => "etcd",
            Part::ApiServer => "kube-apiserver",
            Part::ControllerManager => "kube-controller-manager",
            Part::Containerd => "containerd",
            Part::Kubelet => "kubelet",
            Part::Scheduler => "kube-scheduler",
            Part::Proxy => "kube-proxy",
            Part::Dnsmasq => "dnsmasq",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A directory, the processes that run in it, and the reaper that removes both when this process ends in any way.
#[derive(Debug)]
pub(crate) struct Sandbox {
    dir: PathBuf,
    /// Its standard input is the pipe that `reaper.sh` reads.
    reaper: Child,
    running: Vec<(Part, Child)>,
}

impl Sandbox {
    /// Makes an empty directory that only this user can enter. With `keep` it survives; the processes never do.
    pub(crate) fn new(keep: bool) -> Result<Sandbox, Error> {
        let temporary = tempfile::Builder::new()
            .prefix("asa-cluster-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .map_err(Error::io("create a temporary directory"))?;
        let dir = fs::canonicalize(temporary.path()).map_err(Error::io("resolve the temporary directory"))?;
        let reaper = Command::new("/bin/sh")
            .args(["-c", include_str!("reaper.sh"), "asa-cluster-reaper"])
            .args([dir.as_os_str(), OsStr::new(if keep { "keep" } else { "" })])
            .current_dir("/")
            // Ctrl-C in a terminal goes to the whole foreground group, of which the reaper must not be a member.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(Error::io("start the reaper, /bin/sh"))?;
        // From here on the reaper removes it.
        let _ = temporary.keep();
        Ok(Sandbox { dir, reaper, running: Vec::new() })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn log(&self, part: Part) -> PathBuf {
        self.dir.join(format!("{part}.log"))
    }

    pub(crate) fn is_running(&self, part: Part) -> bool {
        self.running.iter().any(|(running, _)| *running == part)
    }

    /// Starts `program` in the directory, with nothing but a PATH in its environment and its output appended to its log.
    ///
    /// A shell announces its own pid to the reaper and then becomes the program, so that there is no moment at which this
    /// process could be killed and the child be unknown: until the shell has spoken, it holds the reaper's pipe open itself.
    pub(crate) fn spawn(&mut self, part: Part, program: &Path, arguments: &[String]) -> Result<(), Error> {
        let pipe =
            self.pipe().and_then(|pipe| pipe.as_fd().try_clone_to_owned()).map_err(Error::io("reach the reaper"))?;
        let child = Command::new("/bin/sh")
            .args(["-c", r#"echo "+ $$" && exec "$@" >>"$0" 2>&1"#])
            .args([self.log(part).as_path(), program])
            .args(arguments)
            .env_clear()
            // For what a node's programs run: runc, mount, nft.
            .env("PATH", SYSTEM_PATH)
            .current_dir(&self.dir)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(pipe)
            .stderr(Stdio::null())
            .spawn()
            .map_err(Error::io(format!("start {part}")))?;
        self.running.push((part, child));
        Ok(())
    }

    /// Fails if a process ended that was not stopped.
    pub(crate) fn check(&mut self) -> Result<(), Error> {
        for index in 0..self.running.len() {
            let (part, child) = &mut self.running[index];
            let part = *part;
            if let Some(status) = child.try_wait().map_err(Error::io(format!("look after {part}")))? {
                let pid = child.id();
                self.forget(pid);
                return Err(Error::Ended { part, status, log: self.log_tail(part) });
            }
        }
        Ok(())
    }

    /// Sends SIGKILL and waits for the end; nothing if it does not run.
    pub(crate) fn kill(&mut self, part: Part) {
        while let Some(index) = self.running.iter().position(|(running, _)| *running == part) {
            let (_, mut child) = self.running.swap_remove(index);
            // It fails only for a child that was waited for already.
            let _ = child.kill();
            // In this order: a killed child cannot leak, and its pid is nobody else's until it was waited for.
            self.forget(child.id());
            let _ = child.wait();
        }
    }

    /// Stops a process where it stands.
    pub(crate) fn freeze(&mut self, part: Part) -> Result<(), Error> {
        self.signal(part, Signal::STOP)
    }

    /// Lets a frozen process go on.
    pub(crate) fn thaw(&mut self, part: Part) -> Result<(), Error> {
        self.signal(part, Signal::CONT)
    }

    fn signal(&mut self, part: Part, signal: Signal) -> Result<(), Error> {
        // Before the pid of an ended child is used, which may be another's by now.
        self.check()?;
        let Some((_, child)) = self.running.iter().find(|(running, _)| *running == part) else {
            return Err(Error::NotRunning(part));
        };
        kill_process(Pid::from_child(child), signal).map_err(|errno| Error::io(format!("signal {part}"))(errno.into()))
    }

    /// The end of the log; empty if there is none.
    pub(crate) fn log_tail(&self, part: Part) -> LogTail {
        let read = || -> io::Result<String> {
            let mut file = File::open(self.log(part))?;
            let start = file.metadata()?.len().saturating_sub(LOG_TAIL);
            file.seek(SeekFrom::Start(start))?;
            let mut tail = Vec::new();
            file.read_to_end(&mut tail)?;
            Ok(String::from_utf8_lossy(&tail).into_owned())
        };
        LogTail(read().unwrap_or_default())
    }

    fn forget(&self, pid: u32) {
        // One write, so that lines of two writers cannot mix. If the reaper is gone there is nobody to tell.
        let _ = self.pipe().and_then(|mut pipe| pipe.write_all(format!("- {pid}\n").as_bytes()));
    }

    fn pipe(&self) -> io::Result<&ChildStdin> {
        self.reaper.stdin.as_ref().ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The last one started goes first.
        while let Some((part, _)) = self.running.last() {
            self.kill(*part);
        }
        // Closes the pipe, at which the reaper removes the directory.
        let _ = self.reaper.wait();
    }
}

#[cfg(test)]
mod tests;
