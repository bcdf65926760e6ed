//! A Kubernetes operator that keeps Apple's credentials alive. The map of the crate:
//!
//! - [`api`]: what users write and read.
//! - [`apple`]: Apple's side of the wire; knows nothing of Kubernetes.
//! - [`credential`]: the pure core: what is due, what comes next, who comes next.
//! - [`controller`]: Kubernetes' side: watches, the drive loop, the two ports.
//! - [`operator`]: the process: wiring, probes, metrics, logs.
//! - [`cli`]: one file per command.
//!
//! `api ← credential ← controller ← operator ← cli ← main`; `apple` serves `controller`, and its classes of errors
//! `credential`.

pub mod api;
pub mod apple;
pub mod cli;
pub mod controller;
pub mod credential;
pub mod operator;
