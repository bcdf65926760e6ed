//! The token: a JWT that Apple takes as it is.

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use crate::api::Program;
use crate::apple::jwt::{self, BACK_DATED, Life};
use crate::apple::private_key::PrivateKey;

pub use crate::apple::jwt::SigningError;

/// The most that Apple allows between `iat` and `exp`, whatever the request.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_mins(20);

/// The most for some requests, if the token's scope has nothing else. Apple says "up to six months" and not how long a month
/// is; this is less than any six of them, of which the shortest have 181 days.
const LONGEST_LIFE_WITH_SCOPE: SignedDuration = SignedDuration::from_secs(180 * 24 * 3600);

/// The subject of all individual keys; whose it is, Apple knows by the key id.
const SUBJECT_OF_INDIVIDUAL_KEYS: &str = "user";

/// What Apple shows beside a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ApiKey<'a> {
    /// Whose API it is for.
    pub program: Program,
    /// Ten characters, for example `2X9R4HXF34`.
    pub key_id: &'a str,
    /// A UUID for a team key; an individual key, which only App Store Connect has, has none.
    pub issuer_id: Option<&'a str>,
}

/// A signed token.
///
/// No `Display`, no `Serialize`, a redacted `Debug`; wiped when dropped.
#[derive(Clone)]
pub struct Token {
    jwt: SecretString,
    issued_at: Timestamp,
    expires_at: Timestamp,
}

#[derive(Serialize)]
struct Claims<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
    aud: &'a str,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    scope: &'a [String],
}

/// Signs a token that is valid for `lifetime` from `now` on, for the requests in `scope`, or where that is empty for all
/// that the key's role allows.
///
/// It is dated back by a minute, and cut where Apple would refuse it: 20 minutes after that date, so that a `lifetime` of 20
/// minutes gives 19. For App Store Connect, more than 20 minutes with a scope are cut after 180 days; that the scope names
/// only what Apple allows for so long is not checked here.
///
/// # Errors
///
/// Only for lifetimes below a second and clocks at the end of time; a [`PrivateKey`] can sign.
pub fn sign(
    private: &PrivateKey,
    key: &ApiKey<'_>,
    scope: &[String],
    lifetime: Duration,
    now: Timestamp,
) -> Result<Token, SigningError> {
    let Life { issued_at, expires_at } = Life::from(now, lifetime, longest(key.program, scope, lifetime))?;
    let claims = Claims {
        iss: key.issuer_id,
        sub: key.issuer_id.is_none().then_some(SUBJECT_OF_INDIVIDUAL_KEYS),
        aud: audience(key.program),
        iat: issued_at.as_second(),
        exp: expires_at.as_second(),
        scope,
    };
    let jwt = jwt::sign(private, key.key_id, &claims)?;
    let issued_at = issued_at.checked_add(BACK_DATED).map_err(|_| SigningError::OutOfTime)?;
    Ok(Token { jwt, issued_at, expires_at })
}

fn audience(program: Program) -> &'static str {
    match program {
        Program::AppStore => "appstoreconnect-v1",
        Program::Enterprise => "apple-developer-enterprise-v1",
    }
}

/// Who does not ask for more than 20 minutes must not get them by the back-dating: few scopes allow them.
fn longest(program: Program, scope: &[String], lifetime: Duration) -> SignedDuration {
    let wants_more = lifetime > LONGEST_LIFE.unsigned_abs();
    if program == Program::AppStore && !scope.is_empty() && wants_more { LONGEST_LIFE_WITH_SCOPE } else { LONGEST_LIFE }
}

impl Token {
    /// The JWT, for Apple and for the Secret in which it is published.
    pub fn expose(&self) -> &str {
        self.jwt.expose_secret()
    }

    /// The same, as what it is.
    pub fn secret(&self) -> &SecretString {
        &self.jwt
    }

    /// When it was signed, to the second; `iat` is a minute earlier.
    pub fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// `exp`.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("issued_at", &self.issued_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
