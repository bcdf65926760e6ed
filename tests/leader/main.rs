//! Several operators of which one leads: who acts, how long nobody does, and how a process ends.
//!
//! Each test has a namespace, an Apple, a Lease and replicas of its own ([`replica`]). What a replica did is read from the API
//! server's audit log, where each is a user of its own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod end;
mod failover;
mod frozen;
mod lease;
mod outage;
mod permission;
mod replica;
mod standby;
#[path = "../life/support/mod.rs"]
#[allow(dead_code, reason = "the life of a single credential needs more of it")]
mod support;
