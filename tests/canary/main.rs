//! Nothing secret is ever told, whatever goes wrong.
//!
//! Each value in the key, the client secrets and the tokens of these tests is unique. Everything that the operator says is
//! searched for them, in every form ([`needles`]). What the search finds is tried in [`search`].

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod api_keys;
mod between;
mod haystack;
mod kube_prints;
mod mishaps;
mod needles;
mod panics;
mod refused;
mod search;
mod seen;
mod start;
mod story;
#[path = "../life/support/mod.rs"]
#[allow(dead_code, reason = "the tests of a credential's life need more of it")]
mod support;
mod traces;
mod types;
#[cfg(target_os = "linux")]
mod wiped;
