//! What can go wrong, with enough in each message to act on it.

use std::error::Error as _;
use std::fmt::{self, Write as _};
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use crate::process::Part;

/// Why a control plane could not be started, changed or asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Its programs could not be found or built.
    #[error(transparent)]
    Binaries(#[from] BinariesError),
    /// A file, a process or a socket.
    #[error("cannot {action}")]
    Io {
        /// What was tried, as a verb and its object.
        action: String,
        /// What the system said.
        source: io::Error,
    },
    /// Keys or certificates could not be made.
    #[error("cannot make a certificate")]
    Certificate(#[from] rcgen::Error),
    /// One of the processes ended by itself.
    #[error("{part} ended by itself ({status}); {log}")]
    Ended {
        /// Which one.
        part: Part,
        /// How.
        status: ExitStatus,
        /// Its last words.
        log: LogTail,
    },
    /// One of the processes runs and does not do its work.
    #[error("{part} was not ready after {} s; {log}", waited.as_secs())]
    NotReady {
        /// Which one.
        part: Part,
        /// For how long it was waited for.
        waited: Duration,
        /// Its last words.
        log: LogTail,
    },
    /// A process was to be frozen or thawed that does not run.
    #[error("{0} does not run")]
    NotRunning(Part),
    /// A document that should be a custom resource definition is none.
    #[error("not a CustomResourceDefinition: {0}")]
    NotACrd(String),
    /// A custom resource definition was stored, and the API server does not serve it.
    #[error("CustomResourceDefinition {name} was not served after {} s", waited.as_secs())]
    CrdNotServed {
        /// Its name.
        name: String,
        /// For how long it was waited for.
        waited: Duration,
    },
    /// The API server refused or did not answer.
    #[error("cannot {action}")]
    Kubernetes {
        /// What was asked, as a verb and its object.
        action: String,
        /// The answer.
        source: Box<kube::Error>,
    },
    /// The audit log is not what was expected.
    #[error("cannot read this line of the audit log: {line}")]
    Audit {
        /// The line.
        line: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl Error {
    /// The error and its causes on one line, then the log if there is one.
    pub fn report(&self) -> String {
        let mut report = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            // Writing to a String cannot fail.
            let _ = write!(report, ": {error}");
            cause = error.source();
        }
        report
    }

    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Error {
        let action = action.into();
        move |source| Error::Io { action, source }
    }

    pub(crate) fn kubernetes(action: impl Into<String>) -> impl FnOnce(kube::Error) -> Error {
        let action = action.into();
        move |source| Error::Kubernetes { action, source: Box::new(source) }
    }
}

/// Why there are no binaries.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BinariesError {
    /// They have to be built, and there is no Go.
    #[error(
        "Go is needed once, to build the control plane and tools: install Go 1.26 or newer (https://go.dev/dl), or set \
         KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver, kube-controller-manager and kubectl"
    )]
    GoAbsent,
    /// Go is there and failed.
    #[error("`{command}` failed ({status}):\n{stderr}")]
    GoFailed {
        /// The command line.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it said.
        stderr: String,
    },
    /// `go.mod` does not require what is to be built.
    #[error("{} requires no version of {module}", go_mod.display())]
    NotRequired {
        /// The file.
        go_mod: PathBuf,
        /// What is missing in it.
        module: &'static str,
    },
    /// A tool that this crate does not know.
    #[error("there is no tool {0}: promtool is one")]
    NoSuchTool(String),
    /// Neither `XDG_CACHE_HOME` nor `HOME` says where built binaries are kept.
    #[error("neither XDG_CACHE_HOME nor HOME is set: nowhere to keep the built control plane")]
    NoCache,
    /// A file or folder.
    #[error("cannot {action}")]
    Io {
        /// What was tried, as a verb and its object.
        action: String,
        /// What the system said.
        source: io::Error,
    },
}

impl BinariesError {
    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> BinariesError {
        let action = action.into();
        move |source| BinariesError::Io { action, source }
    }
}

/// The end of a process' log.
#[derive(Clone, Debug)]
pub struct LogTail(pub(crate) String);

impl fmt::Display for LogTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.trim().is_empty() {
            f.write_str("its log is empty")
        } else {
            write!(f, "the end of its log:\n{}", self.0.trim_end())
        }
    }
}
