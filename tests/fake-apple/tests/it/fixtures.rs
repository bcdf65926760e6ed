//! A client called acme, its key, and requests that are right unless a test breaks them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use fake_apple::{Apple, Client, Message};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey};
use p256::{
    SecretKey,
    elliptic_curve::Generate,
    pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding},
};
use serde_json::{Value, json};

pub(crate) const CLIENT: &str = "SEARCHADS.27478e71-3bb0-4588-998c-182e2b405577";
pub(crate) const TEAM: &str = "SEARCHADS.9e21a3b4-7c6d-4f1e-8a90-5b4c3d2e1f00";
pub(crate) const KEY: &str = "bacaebda-e219-41ee-a907-e2c25b24d1b2";
pub(crate) const ORG: i64 = 40_669_820;
pub(crate) const AD_ACCOUNT: i64 = 9001;

/// The moment at which all tests without a server happen.
pub(crate) fn now() -> Timestamp {
    "2026-09-01T12:00:00Z".parse().unwrap()
}

/// A key pair as a user makes one.
pub(crate) struct KeyPair(SecretKey);

impl KeyPair {
    pub(crate) fn new() -> Self {
        Self(SecretKey::generate())
    }

    pub(crate) fn public_pem(&self) -> String {
        self.0.public_key().to_public_key_pem(LineEnding::LF).unwrap()
    }

    /// A JWT of exactly these parts, signed as in production: by jsonwebtoken on aws-lc-rs.
    pub(crate) fn jwt(&self, header: &Value, claims: &Value) -> String {
        let key = EncodingKey::from_ec_der(self.0.to_pkcs8_der().unwrap().as_bytes());
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &key, Algorithm::ES256).unwrap();
        format!("{signed}.{signature}")
    }

    pub(crate) fn secret(&self, now: Timestamp) -> String {
        self.jwt(&header(), &claims(now))
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(CLIENT, TEAM, KEY, self.public_pem())
            .organization(ORG, "Acme")
            .ad_account(AD_ACCOUNT, "Acme Europe")
    }
}

pub(crate) fn header() -> Value {
    json!({ "alg": "ES256", "kid": KEY, "typ": "JWT" })
}

/// 180 days, to the second.
pub(crate) fn claims(now: Timestamp) -> Value {
    let iat = now.as_second();
    json!({ "iss": TEAM, "sub": CLIENT, "aud": "https://appleid.apple.com", "iat": iat, "exp": iat + 180 * 86_400 })
}

/// A document with one member replaced, or taken out where the value is null.
pub(crate) fn with(mut document: Value, name: &str, value: Value) -> Value {
    let members = document.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
    document
}

pub(crate) fn form(parameters: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

pub(crate) fn good_form(secret: &str) -> String {
    form(&[
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT),
        ("client_secret", secret),
        ("scope", "searchadsorg"),
    ])
}

/// An Apple that knows acme, and acme's key.
pub(crate) fn apple() -> (Apple, KeyPair) {
    let key = KeyPair::new();
    let mut apple = Apple::with_seed(1);
    apple.register(key.client()).unwrap();
    (apple, key)
}

/// A token of acme's.
pub(crate) fn token(apple: &mut Apple, key: &KeyPair) -> String {
    token_of(&apple.token(&good_form(&key.secret(now())), now()).message.unwrap())
}

pub(crate) fn token_of(message: &Message) -> String {
    assert_eq!(message.status, 200, "{}", String::from_utf8_lossy(&message.body));
    message.body_json().unwrap()["access_token"].as_str().unwrap().to_owned()
}

/// Why the last refused request was refused.
pub(crate) fn why(apple: &Apple) -> String {
    apple.refusals().last().unwrap().why.clone()
}
