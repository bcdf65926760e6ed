//! The life of a credential as a user sees it: a real API server, the real binary, a strict stand-in for Apple.
//!
//! Each test has a namespace, an Apple and an operator of its own ([`support::stage::Stage`]) and says what it counts: the
//! operator's requests in that namespace, from the API server's audit log, and its calls to Apple ([`support::work`]).
//!
//! The operator is the chart's own `ServiceAccount` ([`support::rbac`]), which may watch Secrets, or where the environment has
//! `ASA_OPERATOR_TEST_SECRETS=get` may not. What is expected is the same, but that one looks at each Secret every second then.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod adoption;
mod app_store_connect;
mod cluster_faults;
mod coming_back;
mod deletion;
mod ephemeral;
mod flood;
mod forms;
mod generated_key;
mod idle;
mod key;
mod key_forms;
mod metadata;
mod metrics;
mod misbehaviour;
mod one_secret;
mod organization;
mod outage;
mod polling;
mod probes;
mod properties;
mod proxy;
#[path = "../python/mod.rs"]
mod python;
mod ready;
mod refusals;
mod renamed;
mod renewal;
mod restart;
mod rights;
mod rollover;
mod secret;
mod support;
mod suspended;
mod target;
