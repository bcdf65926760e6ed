//! Is this JWT the client secret that Apple would accept?

use std::collections::HashSet;

use jiff::Timestamp;
use p256::ecdsa::VerifyingKey;
use serde_json::{Map, Value};

use crate::{
    jwt::{self, BadKey, Jwt, text},
    model::Client,
};

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
    #[error(transparent)]
    Jwt(#[from] jwt::Flaw),
    /// `typ` may be absent.
    #[error("typ is neither absent nor JWT")]
    Type,
    /// `iss` must be the team id.
    #[error("iss is not the team id")]
    Issuer,
    /// `sub` must be the client id.
    #[error("sub is not the client id")]
    Subject,
    /// `aud` must be Apple's one string.
    #[error("aud is not the string {AUDIENCE}")]
    Audience,
    /// More than 180 days.
    #[error("exp - iat is {0} s, more than 180 days")]
    LivesTooLong(i64),
}

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
        let keys = client.keys.iter();
        let keys = keys.map(|key| Ok((key.key_id.clone(), jwt::public_key(&key.key_id, &key.public_key)?)));
        Ok(Self { keys: keys.collect::<Result<_, _>>()?, good: HashSet::new() })
    }

    /// Finds the first flaw, if there is one.
    ///
    /// `now` is Apple's clock.
    pub(crate) fn check(&mut self, secret: &str, client: &Client, now: Timestamp) -> Result<(), Flaw> {
        let jwt = Jwt::split(secret)?;
        let header = jwt.header()?;
        if header.contains_key("typ") && text(&header, "typ") != Some("JWT") {
            return Err(Flaw::Type);
        }
        let key_id = text(&header, "kid").ok_or(jwt::Flaw::KeyId)?;
        if !self.good.contains(secret) {
            jwt.check_signature(self.keys.iter().filter(|(id, _)| id == key_id).map(|(_, key)| key))?;
            if self.good.len() >= REMEMBERED {
                self.good.clear();
            }
            self.good.insert(secret.to_owned());
        }
        check_claims(&jwt.claims()?, client, now.as_second())
    }
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
    let life = jwt::check_life(claims, TOLERANCE, now)?;
    if life > LONGEST_LIFE { Err(Flaw::LivesTooLong(life)) } else { Ok(()) }
}
