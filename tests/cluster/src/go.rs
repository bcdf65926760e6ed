//! Builds the control plane, and what tests use beside it, from source with Go, once, into the user's cache.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sha2::{Digest as _, Sha256};

use crate::error::BinariesError;

/// Bytes of Go's messages that are shown when a build fails.
const STDERR_TAIL: usize = 4096;

/// Begins the name of each folder that a build is under way in.
const PARTIAL: &str = "control-plane-partial-";

/// A program that is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    ApiServer,
    ControllerManager,
    Etcd,
    Kubectl,
    /// Prometheus' own judge of metrics and rules.
    Promtool,
    Kubelet,
    Scheduler,
    Proxy,
}

impl Tool {
    /// The control plane, in the order in which it is built. The first compiles most of what the others need too.
    pub(crate) const PLANE: [Tool; 4] = [Tool::ApiServer, Tool::ControllerManager, Tool::Etcd, Tool::Kubectl];

    /// What a node needs beyond these.
    pub(crate) const NODE: [Tool; 3] = [Tool::Kubelet, Tool::Scheduler, Tool::Proxy];

    /// The file's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Tool::ApiServer => "kube-apiserver",
            Tool::ControllerManager => "kube-controller-manager",
            Tool::Etcd => "etcd",
            Tool::Kubectl => "kubectl",
            Tool::Promtool => "promtool",
            Tool::Kubelet => "kubelet",
            Tool::Scheduler => "kube-scheduler",
            Tool::Proxy => "kube-proxy",
        }
    }

    /// The module whose version in `go.mod` is the program's.
    fn module(self) -> &'static str {
        match self {
            Tool::Etcd => "go.etcd.io/etcd/server/v3",
            Tool::Promtool => "github.com/prometheus/prometheus",
            _ => "k8s.io/kubernetes",
        }
    }

    fn package(self) -> String {
        match self {
            Tool::Etcd => self.module().to_owned(),
            _ => format!("{}/cmd/{}", self.module(), self.name()),
        }
    }

    /// How long an empty build cache makes it take on two cores.
    fn duration(self) -> &'static str {
        match self {
            Tool::ApiServer => "about 5 minutes",
            Tool::ControllerManager => "about 1 minute",
            Tool::Promtool => "about 2 minutes",
            _ => "less than a minute",
        }
    }

    /// The service discoveries of clouds make up most of Prometheus, and no check needs them.
    fn tags(self) -> &'static str {
        match self {
            Tool::Promtool => "remove_all_sd",
            _ => "",
        }
    }

    /// Without debug information. A Kubernetes program knows its version only by what the linker is told; a server that
    /// does not know it refuses to start.
    fn ldflags(self, version: &str) -> String {
        const VERSION: &str = "k8s.io/component-base/version";
        let mut numbers = version.trim_start_matches('v').split('.');
        match (self, numbers.next(), numbers.next()) {
            (Tool::Etcd, ..) | (_, None, _) | (_, _, None) => "-s -w".to_owned(),
            (_, Some(major), Some(minor)) => format!(
                "-s -w -X {VERSION}.gitVersion={version} -X {VERSION}.gitMajor={major} -X {VERSION}.gitMinor={minor}"
            ),
        }
    }
}

/// A Go toolchain, what it builds from, and where it builds to.
#[derive(Debug)]
pub(crate) struct Go {
    program: OsString,
    /// The folder of `go.mod` and `go.sum`.
    module: PathBuf,
    /// Has one folder for each state of the module and version of Go.
    cache: PathBuf,
}

impl Go {
    /// `go` on the PATH, this crate's `go.mod`, and `asa-operator` in the user's cache: for the control plane.
    pub(crate) fn from_environment() -> Result<Go, BinariesError> {
        Go::of_module(env!("CARGO_MANIFEST_DIR").into())
    }

    /// The same with the `go.mod` of the other tools, which is apart: a change there leaves the built plane valid.
    pub(crate) fn of_tools() -> Result<Go, BinariesError> {
        Go::of_module(Path::new(env!("CARGO_MANIFEST_DIR")).join("tools"))
    }

    fn of_module(module: PathBuf) -> Result<Go, BinariesError> {
        let home = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let cache = home("XDG_CACHE_HOME").or_else(|| home("HOME").map(|home| home.join(".cache")));
        Ok(Go { program: "go".into(), module, cache: cache.ok_or(BinariesError::NoCache)?.join("asa-operator") })
    }

    /// The folder that has the given tools, after building those that it lacks. Several processes build one after another.
    pub(crate) fn build(&self, tools: &[Tool], say: &mut dyn FnMut(&str)) -> Result<PathBuf, BinariesError> {
        let folder = self.cache.join(self.fingerprint()?);
        let missing = || tools.iter().copied().filter(|tool| !folder.join(tool.name()).exists()).collect::<Vec<_>>();
        if missing().is_empty() {
            return Ok(folder);
        }
        fs::create_dir_all(&folder).map_err(BinariesError::io(format!("create {}", folder.display())))?;
        // Held until this function returns, by whatever way.
        let _lock = self.lock(say)?;
        self.remove_leftovers().map_err(BinariesError::io(format!("clean {}", self.cache.display())))?;
        let missing = missing();
        for (index, tool) in missing.iter().enumerate() {
            let version = self.version_of(*tool)?;
            say(&format!(
                "building {} {version}: {}, this once ({} of {}, for {})",
                tool.name(),
                tool.duration(),
                index + 1,
                missing.len(),
                folder.display(),
            ));
            self.build_one(*tool, &version, &folder)?;
            say(&format!("built {}", tool.name()));
        }
        Ok(folder)
    }

    /// Names what is built: 16 hexadecimal digits of the SHA-256 over `go.mod`, `go.sum` and Go's version.
    fn fingerprint(&self) -> Result<String, BinariesError> {
        let mut hash = Sha256::new();
        for name in ["go.mod", "go.sum"] {
            hash.update(self.read(name)?);
        }
        hash.update(self.run(&["env".into(), "GOVERSION".into()])?.stdout);
        let mut first = [0; 8];
        first.copy_from_slice(&hash.finalize()[..8]);
        Ok(format!("{:016x}", u64::from_be_bytes(first)))
    }

    fn build_one(&self, tool: Tool, version: &str, folder: &Path) -> Result<(), BinariesError> {
        let partial = tempfile::Builder::new()
            .prefix(PARTIAL)
            .tempdir_in(&self.cache)
            .map_err(BinariesError::io(format!("create a folder in {}", self.cache.display())))?;
        let built = partial.path().join(tool.name());
        let ldflags = tool.ldflags(version);
        let mut arguments: Vec<OsString> =
            vec!["build".into(), "-ldflags".into(), ldflags.into(), "-o".into(), built.clone().into()];
        arguments.extend(["-tags".into(), tool.tags().into()]);
        if Tool::NODE.contains(&tool) {
            arguments.extend(["-modfile".into(), self.module_of_a_node(partial.path())?.into()]);
        }
        arguments.push(tool.package().into());
        self.run(&arguments)?;
        fs::rename(&built, folder.join(tool.name())).map_err(BinariesError::io(format!("rename {}", built.display())))
    }

    /// Writes a `go.mod` with the checksums of what only a node's programs need, and tells where.
    ///
    /// Those are kept apart in `go.node.sum`, so that a control plane that was built without them stays as good as it is.
    fn module_of_a_node(&self, folder: &Path) -> Result<PathBuf, BinariesError> {
        let go_mod = folder.join("go.mod");
        let sums = [self.read("go.sum")?, self.read("go.node.sum")?].concat();
        fs::write(&go_mod, self.read("go.mod")?)
            .and_then(|()| fs::write(folder.join("go.sum"), sums))
            .map_err(BinariesError::io(format!("write into {}", folder.display())))?;
        Ok(go_mod)
    }

    /// The version of the tool's module that `go.mod` requires.
    fn version_of(&self, tool: Tool) -> Result<String, BinariesError> {
        let go_mod = self.read("go.mod")?;
        let version = String::from_utf8_lossy(&go_mod).lines().find_map(|line| {
            let mut words = line.split_whitespace().skip_while(|word| *word != tool.module());
            words.nth(1).filter(|version| version.starts_with('v')).map(str::to_owned)
        });
        version.ok_or_else(|| BinariesError::NotRequired { go_mod: self.module.join("go.mod"), module: tool.module() })
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, BinariesError> {
        let path = self.module.join(name);
        fs::read(&path).map_err(BinariesError::io(format!("read {}", path.display())))
    }

    fn run(&self, arguments: &[OsString]) -> Result<Output, BinariesError> {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(&self.module);
        // Static programs, whatever the user builds otherwise.
        command.env("CGO_ENABLED", "0").env("GOFLAGS", "").env("GOWORK", "off");
        let output = command.output().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => BinariesError::GoAbsent,
            _ => BinariesError::io("run go")(error),
        })?;
        if output.status.success() {
            return Ok(output);
        }
        let stderr = &output.stderr[output.stderr.len().saturating_sub(STDERR_TAIL)..];
        Err(BinariesError::GoFailed {
            command: format!("{command:?}"),
            status: output.status,
            stderr: String::from_utf8_lossy(stderr).into_owned(),
        })
    }

    fn lock(&self, say: &mut dyn FnMut(&str)) -> Result<File, BinariesError> {
        let path = self.cache.join("control-plane.lock");
        let locked = File::create(&path).and_then(|file| match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => {
                say("waiting for another process that builds");
                file.lock().map(|()| file)
            }
            Err(TryLockError::Error(error)) => Err(error),
        });
        locked.map_err(BinariesError::io(format!("lock {}", path.display())))
    }

    /// Removes what interrupted builds left. The holder of the lock is the only one who builds.
    fn remove_leftovers(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.cache)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(PARTIAL) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
