//! A stand-in for Apple's credential endpoints, as strict as Apple and never kinder.
//!
//! - [`Apple`] decides everything, as a pure value with the time as an argument: `oauth` holds the rules of the token
//!   endpoint, `client_secret` those of the JWT, `ads` those of the two Ads APIs.
//! - [`FakeApple`] serves it over HTTP and HTTPS on loopback, with a control endpoint; [`State`] is the same control in
//!   process.
//! - [`Fault`] says what goes wrong on purpose, [`Counts`] what was asked, [`Call`] when, [`Refusal`] why something was
//!   refused.
//! - [`Client`], [`Settings`] and [`Config`] are what Apple knows and how it is set.

mod ads;
mod apple;
mod calls;
mod client_secret;
mod clock;
mod counts;
mod endpoint;
mod fault;
mod limit;
mod message;
mod model;
mod oauth;
mod server;
mod state;
mod tokens;

pub use crate::{
    apple::{Apple, Refusal},
    calls::Call,
    client_secret::BadKey,
    clock::Clock,
    counts::{Counts, Row},
    endpoint::Endpoint,
    fault::{Delivery, Fault},
    message::{Answer, Message, Request},
    model::{AdAccount, Client, Config, Key, Organization, PlatformLimit, Settings},
    server::{FakeApple, Options, StartError},
    state::State,
};
