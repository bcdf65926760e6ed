//! The access token: issued for a client secret, good for an hour.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::client_secret::ClientSecret;
use crate::apple::bearer;
use crate::apple::echo::Echoes;
use crate::apple::error::{Class, Endpoint, Error, OAuthError};
use crate::apple::http::{Answer, BaseUrl, Http};
use crate::apple::json::{self, Scalar};

pub use crate::apple::http::Reply;

/// Everything that Apple Ads has one scope for.
const SCOPE: &str = "searchadsorg";

/// Apple says 3600. A day is the most that is believed: beyond it a wrong number would keep a dead token in place.
const LONGEST_LIFE: i64 = 86_400;

/// A bearer token for both of the Ads APIs.
///
/// No `Display`, no `Serialize`, a redacted `Debug`; wiped when dropped.
#[derive(Clone)]
pub struct AccessToken(SecretString);

impl AccessToken {
    /// Takes a token as it is.
    pub fn new(token: String) -> Self {
        Self(token.into())
    }

    /// The token, for Apple and for the Secret in which it is published.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// `Bearer …`, marked as sensitive; `None` if the token fits no header.
    pub(super) fn authorization(&self) -> Option<HeaderValue> {
        bearer::authorization(self.expose())
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken([redacted])")
    }
}

/// A token that was just issued.
#[derive(Clone, Debug)]
pub struct IssuedToken {
    /// The token: not empty, and only visible ASCII.
    pub token: AccessToken,
    /// How long it lives from its receipt on: a second to a day.
    pub expires_in: Duration,
}

/// Asks for a token: `POST {base}/auth/oauth2/token`, everything in the body.
///
/// # Errors
///
/// [`Class::Rejected`] for 400 and 401 with a code, [`Class::Unintelligible`] naming the field for a 200 that is not what
/// Apple documents, any other class as it says.
pub async fn request_token(
    http: &Http,
    base: &BaseUrl,
    client_id: &str,
    secret: &ClientSecret,
    now: Timestamp,
) -> Result<Reply<IssuedToken>, Error> {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client_id),
        ("client_secret", secret.expose()),
        ("scope", SCOPE),
    ];
    let answer = http.post(Endpoint::TokenEndpoint, (base, "/auth/oauth2/token"), &form, now).await?;
    token_in(&answer, secret)
}

/// What the token endpoint answered to a request with `secret`.
///
/// # Errors
///
/// As [`request_token`].
pub fn token_in(answer: &Answer, secret: &ClientSecret) -> Result<Reply<IssuedToken>, Error> {
    let issued = match answer.status {
        200 => issued(&answer.body),
        status @ (400 | 401) => Err(rejection(&answer.body, secret).unwrap_or_else(|| Class::of(status))),
        status => Err(Class::of(status)),
    };
    issued.map(|issued| answer.reply(issued)).map_err(|class| answer.error(class))
}

#[derive(Deserialize)]
struct TokenAnswer {
    #[serde(default)]
    access_token: Scalar,
    #[serde(default)]
    token_type: Scalar,
    #[serde(default)]
    expires_in: Scalar,
}

fn issued(body: &[u8]) -> Result<IssuedToken, Class> {
    let answer: TokenAnswer = json::read(body, "no object with an access_token")?;
    let token = match answer.access_token {
        Scalar::Text(mut text) => AccessToken::new(std::mem::take(&mut *text)),
        Scalar::Absent => return Err(Class::Unintelligible("access_token is absent")),
        _ => return Err(Class::Unintelligible("access_token is no text")),
    };
    if token.expose().is_empty() {
        return Err(Class::Unintelligible("access_token is empty"));
    }
    // A line break in it would end the header in which every reader sends it.
    if !token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Class::Unintelligible("access_token is not visible ASCII"));
    }
    if !answer.token_type.text().is_some_and(|kind| kind.eq_ignore_ascii_case("Bearer")) {
        return Err(Class::Unintelligible("token_type is not Bearer"));
    }
    match answer.expires_in {
        Scalar::Integer(seconds @ 1..=LONGEST_LIFE) => {
            Ok(IssuedToken { token, expires_in: Duration::from_secs(seconds.unsigned_abs()) })
        }
        _ => Err(Class::Unintelligible("expires_in is no integer from 1 to 86400")),
    }
}

#[derive(Deserialize)]
struct ErrorAnswer {
    #[serde(default)]
    error: Scalar,
}

/// The rejection that the body of a 400 or 401 names. A code in which the client secret comes back is not shown.
fn rejection(body: &[u8], secret: &ClientSecret) -> Option<Class> {
    let answer: ErrorAnswer = json::read(body, "").ok()?;
    let error = OAuthError::of(answer.error.text()?);
    let usable = !error.code().is_empty() && !Echoes::of(secret.expose()).are_in(error.code());
    usable.then_some(Class::Rejected(error))
}

#[cfg(test)]
mod tests;
