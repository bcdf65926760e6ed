//! Is this JWT the client secret that Apple would accept?
//!
//! Taken apart by hand and verified with the crate `p256`: the operator signs with jsonwebtoken on aws-lc-rs, so a
//! mistake would have to be made twice, in two unrelated places, to go unnoticed.

use std::collections::HashSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use p256::{
    ecdsa::{Signature, VerifyingKey, signature::Verifier},
    pkcs8::DecodePublicKey,
};
use serde_json::{Map, Value};

use crate::model::Client;

/// The only audience, a string and never a list.
const AUDIENCE: &str = "https://appleid.apple.com";

/// The longest life in seconds: 180 days. Apple's text says "less than", its sample and library use all of it.
const LONGEST_LIFE: i64 = 180 * 24 * 60 * 60;

/// How far `iat` may lie ahead of Apple's clock, in seconds. Apple's own tolerance is unknown.
const TOLERANCE: i64 = 60;

/// How many good signatures are remembered per client before all are forgotten.
const REMEMBERED: usize = 64;

/// What is wrong with a client secret. Apple says `invalid_client` to all of it.
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
    /// `typ` may be absent.
    #[error("typ is neither absent nor JWT")]
    Type,
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
    /// `iss` must be the team id.
    #[error("iss is not the team id")]
    Issuer,
    /// `sub` must be the client id.
    #[error("sub is not the client id")]
    Subject,
    /// `aud` must be Apple's one string.
    #[error("aud is not the string {AUDIENCE}")]
    Audience,
    /// `NumericDate`, whole seconds.
    #[error("{0} is not a whole number of seconds")]
    NotSeconds(&'static str),
    /// The classic: local time taken for UTC.
    #[error("iat lies {0} s ahead of Apple's clock")]
    FromTheFuture(i64),
    /// `exp` has passed.
    #[error("expired {0} s ago by Apple's clock")]
    Expired(i64),
    /// More than 180 days.
    #[error("exp - iat is {0} s, more than 180 days")]
    LivesTooLong(i64),
}

/// A key that cannot be registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the public key with id {0:?} is not a P-256 SubjectPublicKeyInfo as PEM")]
pub struct BadKey(pub String);

/// The registered keys of one client.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    keys: Vec<(String, VerifyingKey)>,
    /// Client secrets whose signature was found good. A signature stays good, and a client secret is sent thousands of
    /// times, so a simulation of years does not verify each time. Everything else is checked every time.
    good: HashSet<String>,
}

impl Keys {
    pub(crate) fn of(client: &Client) -> Result<Self, BadKey> {
        let keys = client
            .keys
            .iter()
            .map(|key| {
                VerifyingKey::from_public_key_pem(&key.public_key)
                    .map(|parsed| (key.key_id.clone(), parsed))
                    .map_err(|_| BadKey(key.key_id.clone()))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { keys, good: HashSet::new() })
    }

    /// Finds the first flaw, if there is one.
    ///
    /// `now` is Apple's clock.
    pub(crate) fn check(&mut self, secret: &str, client: &Client, now: Timestamp) -> Result<(), Flaw> {
        let mut parts = secret.split('.');
        let (Some(header), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Flaw::Parts);
        };
        let key_id = check_header(&object("header", header)?)?;
        if !self.good.contains(secret) {
            let signed = secret.get(..=header.len() + claims.len()).ok_or(Flaw::Parts)?;
            self.check_signature(&key_id, signed, signature)?;
            if self.good.len() >= REMEMBERED {
                self.good.clear();
            }
            self.good.insert(secret.to_owned());
        }
        check_claims(&object("claims", claims)?, client, now.as_second())
    }

    fn check_signature(&self, key_id: &str, signed: &str, signature: &str) -> Result<(), Flaw> {
        let mut candidates = self.keys.iter().filter(|(id, _)| id == key_id).map(|(_, key)| key).peekable();
        if candidates.peek().is_none() {
            return Err(Flaw::KeyId);
        }
        let signature = decode("signature", signature)?;
        if signature.len() != 64 {
            return Err(Flaw::SignatureLength(signature.len()));
        }
        let signature = Signature::from_slice(&signature).map_err(|_| Flaw::Signature)?;
        if candidates.any(|key| key.verify(signed.as_bytes(), &signature).is_ok()) {
            Ok(())
        } else {
            Err(Flaw::Signature)
        }
    }
}

/// Returns the key id.
fn check_header(header: &Map<String, Value>) -> Result<String, Flaw> {
    if text(header, "alg") != Some("ES256") {
        return Err(Flaw::Algorithm);
    }
    if header.contains_key("typ") && text(header, "typ") != Some("JWT") {
        return Err(Flaw::Type);
    }
    if header.contains_key("crit") {
        return Err(Flaw::Critical);
    }
    text(header, "kid").map(str::to_owned).ok_or(Flaw::KeyId)
}

fn check_claims(claims: &Map<String, Value>, client: &Client, now: i64) -> Result<(), Flaw> {
    if text(claims, "iss") != Some(&client.team_id) {
        return Err(Flaw::Issuer);
    }
    if text(claims, "sub") != Some(&client.client_id) {
        return Err(Flaw::Subject);
    }
    if text(claims, "aud") != Some(AUDIENCE) {
        return Err(Flaw::Audience);
    }
    let iat = seconds(claims, "iat")?;
    let exp = seconds(claims, "exp")?;
    let ahead = iat.saturating_sub(now);
    if ahead > TOLERANCE {
        return Err(Flaw::FromTheFuture(ahead));
    }
    if exp <= now {
        return Err(Flaw::Expired(now.saturating_sub(exp)));
    }
    let life = exp.saturating_sub(iat);
    if life > LONGEST_LIFE {
        return Err(Flaw::LivesTooLong(life));
    }
    Ok(())
}

fn decode(part: &'static str, encoded: &str) -> Result<Vec<u8>, Flaw> {
    URL_SAFE_NO_PAD.decode(encoded).map_err(|_| Flaw::Encoding(part))
}

fn object(part: &'static str, encoded: &str) -> Result<Map<String, Value>, Flaw> {
    serde_json::from_slice(&decode(part, encoded)?).map_err(|_| Flaw::Json(part))
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

fn seconds(claims: &Map<String, Value>, name: &'static str) -> Result<i64, Flaw> {
    claims.get(name).and_then(Value::as_i64).ok_or(Flaw::NotSeconds(name))
}
