//! The client secret: a JWT of at most 180 days that proves to Apple whose key this is.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::apple::jwt::{self, Life};
use crate::apple::private_key::PrivateKey;

pub use crate::apple::jwt::SigningError;

/// Whom every client secret is for.
const AUDIENCE: &str = "https://appleid.apple.com";

/// Apple refuses what lives longer. Its text says "less than 180 days", its sample and its library take 180 days exactly.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_secs(180 * 24 * 3600);

/// A client secret has about 410 bytes; beyond this a published one is somebody's mistake.
const MOST_BYTES: usize = 4 * 1024;

/// The three ids that Apple shows beside an uploaded key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Client {
    /// `SEARCHADS.…`; the subject.
    pub client_id: String,
    /// `SEARCHADS.…`; the issuer.
    pub team_id: String,
    /// Which key of the client signs.
    pub key_id: String,
}

/// A signed client secret.
///
/// No `Display`, no `Serialize`, a redacted `Debug`; wiped when dropped.
#[derive(Clone)]
pub struct ClientSecret {
    jwt: SecretString,
    issued_at: Timestamp,
    expires_at: Timestamp,
}

/// Why a published client secret cannot be used.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum PublishedError {
    /// Not three parts of base64url, or longer than 4 KiB.
    #[error("the published client secret is not a JWT")]
    NotAJwt,
    /// No `iat` and `exp` in whole seconds, the one before the other.
    #[error("the published client secret does not say from when until when it is valid")]
    NoLife,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

#[derive(Deserialize)]
struct Published {
    iat: i64,
    exp: i64,
}

/// Signs a client secret that is valid for `lifetime` from `now` on.
///
/// It is dated back by a minute, and cut where it would live for more than 180 days from that date.
///
/// # Errors
///
/// Only for lifetimes below a second and clocks at the end of time; a [`PrivateKey`] can sign.
pub fn sign(
    key: &PrivateKey,
    client: &Client,
    now: Timestamp,
    lifetime: Duration,
) -> Result<ClientSecret, SigningError> {
    let Life { issued_at, expires_at } = Life::from(now, lifetime, LONGEST_LIFE)?;
    let claims = Claims {
        iss: &client.team_id,
        sub: &client.client_id,
        aud: AUDIENCE,
        iat: issued_at.as_second(),
        exp: expires_at.as_second(),
    };
    let jwt = jwt::sign(key, &client.key_id, &claims)?;
    Ok(ClientSecret { jwt, issued_at, expires_at })
}

impl ClientSecret {
    /// Reads a client secret from where it was published. Nothing is verified: that is Apple's to do.
    ///
    /// # Errors
    ///
    /// [`PublishedError`], which contains nothing of `jwt`.
    pub fn from_published(jwt: String) -> Result<Self, PublishedError> {
        let jwt = SecretString::from(jwt);
        let life: Published = payload(jwt.expose_secret())?;
        let time = |second| Timestamp::from_second(second).map_err(|_| PublishedError::NoLife);
        let (issued_at, expires_at) = (time(life.iat)?, time(life.exp)?);
        if issued_at >= expires_at {
            return Err(PublishedError::NoLife);
        }
        Ok(Self { jwt, issued_at, expires_at })
    }

    /// The JWT, for Apple and for the Secret in which it is published.
    pub fn expose(&self) -> &str {
        self.jwt.expose_secret()
    }

    /// `iat`: a minute before it was signed.
    pub fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// `exp`.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSecret")
            .field("issued_at", &self.issued_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// The claims of a JWT, unverified.
fn payload<T: for<'a> Deserialize<'a>>(jwt: &str) -> Result<T, PublishedError> {
    let mut parts = jwt.split('.');
    let (Some(_), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(PublishedError::NotAJwt);
    };
    if jwt.len() > MOST_BYTES || !jwt.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(PublishedError::NotAJwt);
    }
    let json = URL_SAFE_NO_PAD.decode(claims).map_err(|_| PublishedError::NotAJwt)?;
    serde_json::from_slice(&json).map_err(|_| PublishedError::NoLife)
}

#[cfg(test)]
mod tests;
