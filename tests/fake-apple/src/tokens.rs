//! Access tokens: opaque, random, each bound to one client and one expiry.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};

/// Apple's tokens are JWEs with the algorithm `dir`, hence without an encrypted key.
const HEADER: &[u8] = br#"{"alg":"dir","enc":"A128CBC-HS256"}"#;

/// Initialization vector and authentication tag of `A128CBC-HS256`.
const VECTOR: usize = 16;

/// Ciphertext, a multiple of the block: 13 blocks make a token of 373 bytes, like Apple's.
const CIPHERTEXT: usize = 13 * 16;

/// Expired tokens are forgotten when there are twice as many tokens as after the last time, and at least this many.
const TIDY_AT_LEAST: usize = 1024;

/// How long an expired token is still attributed to its client in the counts.
const REMEMBERED_AFTER_EXPIRY: SignedDuration = SignedDuration::from_hours(24);

/// All tokens that were issued and not forgotten.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    known: HashMap<String, Token>,
    random: fastrand::Rng,
    tidy_at: usize,
}

#[derive(Clone, Debug)]
struct Token {
    client_id: String,
    expires_at: Timestamp,
}

impl Tokens {
    pub(crate) fn new(random: fastrand::Rng) -> Self {
        Self { known: HashMap::new(), random, tidy_at: TIDY_AT_LEAST }
    }

    /// Issues one token more; those before it go on.
    pub(crate) fn issue(&mut self, client_id: &str, life_seconds: u32, now: Timestamp) -> String {
        self.tidy(now);
        let parts = [
            URL_SAFE_NO_PAD.encode(HEADER),
            String::new(),
            self.random_part(VECTOR),
            self.random_part(CIPHERTEXT),
            self.random_part(VECTOR),
        ];
        let token = parts.join(".");
        let life = SignedDuration::from_secs(i64::from(life_seconds));
        let expires_at = now.saturating_add(life).unwrap_or(Timestamp::MAX);
        self.known.insert(token.clone(), Token { client_id: client_id.to_owned(), expires_at });
        token
    }

    /// Whose token this is or was.
    pub(crate) fn client(&self, token: &str) -> Option<&str> {
        self.known.get(token).map(|known| known.client_id.as_str())
    }

    /// Whether a known token has expired.
    pub(crate) fn expired(&self, token: &str, now: Timestamp) -> bool {
        self.known.get(token).is_some_and(|known| known.expires_at <= now)
    }

    /// Ends all tokens of a client at once, and tells how many.
    pub(crate) fn revoke(&mut self, client_id: &str) -> usize {
        let before = self.known.len();
        self.known.retain(|_, token| token.client_id != client_id);
        before - self.known.len()
    }

    fn tidy(&mut self, now: Timestamp) {
        if self.known.len() >= self.tidy_at {
            self.known.retain(|_, token| now.duration_since(token.expires_at) < REMEMBERED_AFTER_EXPIRY);
            self.tidy_at = TIDY_AT_LEAST.max(2 * self.known.len());
        }
    }

    fn random_part(&mut self, length: usize) -> String {
        let mut bytes = vec![0; length];
        self.random.fill(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }
}
