//! The custom resources as the API server sees them: what it accepts, what it refuses and with which words, what it shows.
//!
//! - `rows`: the resources that are tried, each a change to the one valid `document` of its kind.
//! - `offline`: the same verdicts without a server, from the schema alone.
//! - `server`: a real API server's verdicts; `defaults`: what it fills in; `kubectl`: what its user sees.
//! - `properties`: each property of the spec comes, changes, is refused and goes; `property` is the table of them.
//! - `shape`: what holds for every field of the schemas, and whether the generated file is fresh.
//! - `status`: what the operator reports is kept.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod defaults;
mod document;
mod kubectl;
mod offline;
mod properties;
mod property;
mod rows;
mod server;
mod shape;
mod status;
