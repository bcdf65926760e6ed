//! What Apple insists on, each rule kept and broken; and each fault, seen on the wire.

#![expect(clippy::unwrap_used, reason = "fixtures are test code too, where a failed expectation ends the test")]

mod ads_apis;
mod api_token;
mod app_store_connect;
mod binary;
mod client_secret;
mod control;
mod faults;
mod fixtures;
mod server;
mod token_endpoint;
mod wire;
