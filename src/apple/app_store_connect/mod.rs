//! App Store Connect and the Enterprise Program: what a key signs is itself the bearer token, and nothing is exchanged.
//!
//! [`token`] signs it, [`mod@probe`] asks Apple whether the key still serves.

pub mod probe;
pub mod token;

pub use probe::{Probed, Proof, probe, probe_in};
pub use token::{ApiKey, SigningError, Token, sign};
