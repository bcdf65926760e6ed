//! The custom resource as the API server sees it: what it accepts, what it refuses and with which words, what it shows.
//!
//! - `rows`: the resources that are tried, each a change to one valid document.
//! - `offline`: the same verdicts without a server, from the schema alone.
//! - `server`: a real API server's verdicts, defaults and columns.
//! - `properties`: each property of the spec comes, changes, is refused and goes; `property` is the table of them.
//! - `shape`: what holds for every field of the schema, and whether the generated file is fresh.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod document;
mod offline;
mod properties;
mod property;
mod rows;
mod server;
mod shape;
mod status;
