//! JWTs as Apple takes them: from when until when they are valid, and their ES256 signature.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::crypto::aws_lc;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::SecretString;
use serde::Serialize;
use thiserror::Error;

use super::private_key::PrivateKey;

/// A clock that is ahead of Apple's makes a JWT from the future; this much of it does no harm.
pub(super) const BACK_DATED: SignedDuration = SignedDuration::from_secs(60);

/// Why nothing was signed.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum SigningError {
    /// The lifetime is below a second.
    #[error("a JWT cannot live for less than a second")]
    TooShort,
    /// The times cannot be written down.
    #[error("the clock shows a time from which the life of a JWT cannot be counted")]
    OutOfTime,
    /// The library that signs did not.
    #[error("the key could not sign")]
    NotSigned,
}

/// From when until when a JWT is valid, in whole seconds, since that is what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Life {
    /// `iat`: [`BACK_DATED`] before it is signed.
    pub(super) issued_at: Timestamp,
    /// `exp`.
    pub(super) expires_at: Timestamp,
}

impl Life {
    /// `lifetime` from `now` on, cut where there would be more than `longest` between `iat` and `exp`, which is what Apple
    /// counts.
    pub(super) fn from(now: Timestamp, lifetime: Duration, longest: SignedDuration) -> Result<Self, SigningError> {
        let lifetime = SignedDuration::try_from(lifetime).unwrap_or(longest).min(longest);
        if lifetime < SignedDuration::from_secs(1) {
            return Err(SigningError::TooShort);
        }
        let issued_at = whole_second(now)?.checked_sub(BACK_DATED).map_err(|_| SigningError::OutOfTime)?;
        let latest = issued_at.checked_add(longest).map_err(|_| SigningError::OutOfTime)?;
        let expires_at = now.checked_add(lifetime).map_err(|_| SigningError::OutOfTime)?;
        Ok(Self { issued_at, expires_at: whole_second(expires_at)?.min(latest) })
    }
}

/// Signs `claims` with `key`, which Apple knows as `key_id`: header `alg: ES256`, `kid`, `typ: JWT`.
pub(super) fn sign(key: &PrivateKey, key_id: &str, claims: &impl Serialize) -> Result<SecretString, SigningError> {
    let header = Header { kid: Some(key_id.to_owned()), ..Header::new(Algorithm::ES256) };
    choose_provider();
    let pkcs8 = key.to_pkcs8().map_err(|_| SigningError::NotSigned)?;
    let signer = EncodingKey::from_ec_der(pkcs8.as_bytes());
    let jwt = jsonwebtoken::encode(&header, claims, &signer).map_err(|_| SigningError::NotSigned)?;
    Ok(jwt.into())
}

fn whole_second(time: Timestamp) -> Result<Timestamp, SigningError> {
    Timestamp::from_second(time.as_second()).map_err(|_| SigningError::OutOfTime)
}

/// `jsonwebtoken` panics at the first signature where features leave it undecided who signs; another crate of the build
/// can turn such a feature on. Saying it costs nothing, and saying it again does nothing.
fn choose_provider() {
    let _ = aws_lc::DEFAULT_PROVIDER.install_default();
}
