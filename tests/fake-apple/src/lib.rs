//! A stand-in for Apple's credential endpoints, as strict as Apple and never kinder.
//!
//! - [`Apple`] decides everything, as a pure value with the time as an argument: `oauth` holds the rules of the token
//!   endpoint, `client_secret` those of its JWT, `ads` those of the two Ads APIs, `app_store_connect` those of App Store
//!   Connect and the Enterprise Program, `api_token` those of their JWTs.
//! - [`FakeApple`] serves it over HTTP and HTTPS on loopback, with a control endpoint; [`State`] is the same control in
//!   process.
//! - [`Fault`] says what goes wrong on purpose, [`Counts`] what was asked, [`Call`] when, [`Refusal`] why something was
//!   refused.
//! - [`Client`], [`ApiKey`], [`Settings`] and [`Config`] are what Apple knows and how it is set.

mod ads;
mod api_key;
mod api_token;
mod app_store_connect;
mod apple;
mod calls;
mod client_secret;
mod clock;
mod counts;
mod endpoint;
mod fault;
mod hour;
mod jwt;
mod limit;
mod message;
mod model;
mod oauth;
mod scope;
mod server;
mod state;
mod tokens;

pub use crate::{
    api_key::{ApiKey, Program, Standing},
    apple::{Apple, Refusal},
    calls::Call,
    clock::Clock,
    counts::{Counts, Row},
    endpoint::Endpoint,
    fault::{Delivery, Fault},
    jwt::BadKey,
    message::{Answer, Message, Request},
    model::{AdAccount, Client, Config, Key, Organization, Settings, WindowLimit},
    server::{FakeApple, Options, StartError},
    state::State,
};
