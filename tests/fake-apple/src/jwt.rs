//! A JWT as it arrives: its three parts, and whether a registered key signed it.
//!
//! Taken apart by hand and verified with the crate `p256`: the operator signs with jsonwebtoken on aws-lc-rs, so a
//! mistake would have to be made twice, in two unrelated places, to go unnoticed.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use p256::{
    ecdsa::{Signature, VerifyingKey, signature::Verifier},
    pkcs8::DecodePublicKey,
};
use serde_json::{Map, Value};

/// What is wrong with a JWT, whatever it is for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Flaw {
    /// A JWT has three parts.
    #[error("not three parts joined by dots")]
    Parts,
    /// base64url without padding, no stray bits.
    #[error("the {0} is not base64url")]
    Encoding(&'static str),
    /// A JSON object.
    #[error("the {0} is not a JSON object")]
    Json(&'static str),
    /// `alg` must be ES256.
    #[error("alg is not ES256")]
    Algorithm,
    /// RFC 7515: what is not understood must be refused.
    #[error("crit names extensions")]
    Critical,
    /// `kid` must be the id of a registered key.
    #[error("kid is not a registered key id")]
    KeyId,
    /// r and s, 32 bytes each: never DER.
    #[error("the signature has {0} bytes instead of 64")]
    SignatureLength(usize),
    /// Signed by another key, or altered since.
    #[error("the signature is not by the registered key")]
    Signature,
    /// `NumericDate`, whole seconds.
    #[error("{0} is not a whole number of seconds")]
    NotSeconds(&'static str),
    /// `exp` has passed.
    #[error("expired {0} s ago by Apple's clock")]
    Expired(i64),
    /// The classic: local time taken for UTC.
    #[error("iat lies {0} s ahead of Apple's clock")]
    FromTheFuture(i64),
}

/// A key that cannot be registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// Not what Apple's page takes or makes.
    #[error("the public key with id {0:?} is not a P-256 SubjectPublicKeyInfo as PEM")]
    NotP256(String),
    /// The Enterprise Program has team keys only.
    #[error(
        "the key with id {0:?} is an individual one, which the Enterprise Program does not have: issuerId is missing"
    )]
    IndividualOfEnterprise(String),
}

/// Reads the public half of the key with this id.
pub(crate) fn public_key(key_id: &str, pem: &str) -> Result<VerifyingKey, BadKey> {
    VerifyingKey::from_public_key_pem(pem).map_err(|_| BadKey::NotP256(key_id.to_owned()))
}

/// The parts of a JWT, as they are encoded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Jwt<'a> {
    signed: &'a str,
    header: &'a str,
    claims: &'a str,
    signature: &'a str,
}

impl<'a> Jwt<'a> {
    pub(crate) fn split(text: &'a str) -> Result<Self, Flaw> {
        let mut parts = text.split('.');
        let (Some(header), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Flaw::Parts);
        };
        let signed = text.get(..=header.len() + claims.len()).ok_or(Flaw::Parts)?;
        Ok(Self { signed, header, claims, signature })
    }

    /// The header of an ES256 JWT without extensions.
    pub(crate) fn header(self) -> Result<Map<String, Value>, Flaw> {
        let header = object("header", self.header)?;
        if text(&header, "alg") != Some("ES256") {
            return Err(Flaw::Algorithm);
        }
        if header.contains_key("crit") {
            return Err(Flaw::Critical);
        }
        Ok(header)
    }

    pub(crate) fn claims(self) -> Result<Map<String, Value>, Flaw> {
        object("claims", self.claims)
    }

    /// Whether one of these keys signed it; without any, its key id is unknown.
    pub(crate) fn check_signature<'k>(self, keys: impl Iterator<Item = &'k VerifyingKey>) -> Result<(), Flaw> {
        let mut keys = keys.peekable();
        if keys.peek().is_none() {
            return Err(Flaw::KeyId);
        }
        let signature = decode("signature", self.signature)?;
        if signature.len() != 64 {
            return Err(Flaw::SignatureLength(signature.len()));
        }
        let signature = Signature::from_slice(&signature).map_err(|_| Flaw::Signature)?;
        if keys.any(|key| key.verify(self.signed.as_bytes(), &signature).is_ok()) {
            Ok(())
        } else {
            Err(Flaw::Signature)
        }
    }
}

/// The key id that a token names, be the rest of it right or wrong.
pub(crate) fn claimed_key_id(token: &str) -> Option<String> {
    let header = object("header", Jwt::split(token).ok()?.header).ok()?;
    text(&header, "kid").map(str::to_owned)
}

/// `iat`, at most `tolerance` seconds ahead of `now`, and `exp`, behind it: gives the seconds between them.
pub(crate) fn check_life(claims: &Map<String, Value>, tolerance: i64, now: i64) -> Result<i64, Flaw> {
    let iat = seconds(claims, "iat")?;
    let exp = seconds(claims, "exp")?;
    let ahead = iat.saturating_sub(now);
    if ahead > tolerance {
        return Err(Flaw::FromTheFuture(ahead));
    }
    if exp <= now {
        return Err(Flaw::Expired(now.saturating_sub(exp)));
    }
    Ok(exp.saturating_sub(iat))
}

pub(crate) fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

fn seconds(claims: &Map<String, Value>, name: &'static str) -> Result<i64, Flaw> {
    claims.get(name).and_then(Value::as_i64).ok_or(Flaw::NotSeconds(name))
}

fn decode(part: &'static str, encoded: &str) -> Result<Vec<u8>, Flaw> {
    URL_SAFE_NO_PAD.decode(encoded).map_err(|_| Flaw::Encoding(part))
}

fn object(part: &'static str, encoded: &str) -> Result<Map<String, Value>, Flaw> {
    serde_json::from_slice(&decode(part, encoded)?).map_err(|_| Flaw::Json(part))
}
