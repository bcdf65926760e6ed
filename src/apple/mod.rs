//! Apple's side of the wire; knows nothing of Kubernetes.
//!
//! - [`private_key`]: what users call a key, in; a checked P-256 key, out.
//! - [`http`]: one client with deadlines, body caps and nothing automatic.
//! - [`error`]: where a call was going and in which class it ended.
//! - [`ads`]: Apple Ads: client secret, access token, organization and ad accounts.
//! - [`app_store_connect`]: App Store Connect and the Enterprise Program: the token that a key signs, and whether Apple
//!   takes it.
//!
//! Time is an argument of every call. Nothing here retries, waits or logs: callers decide from [`Class`].

pub mod ads;
pub mod app_store_connect;
mod bearer;
mod echo;
pub mod error;
pub mod http;
mod json;
mod jwt;
pub mod private_key;
mod rate_limit;
mod text;

pub(crate) use echo::Echoes;
pub use error::{Class, Endpoint, Error, Host, OAuthError};
pub use http::{Answer, BaseUrl, BaseUrlError, Http, Reply, SetupError};
pub use private_key::{KeyError, KeyKind, PrivateKey};
pub use rate_limit::RateLimit;
