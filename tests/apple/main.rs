//! Apple's side of the wire, from outside: keys as tools write them, JWTs as other libraries read them, answers as no
//! server should give them.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test, as it should")]

mod answers;
mod app_store_connect;
mod deadlines;
mod identity;
mod jwt;
mod keys;
#[path = "../python/mod.rs"]
mod python;
mod refused_keys;
mod requests;
mod stand_in;
mod support;
mod wire;
