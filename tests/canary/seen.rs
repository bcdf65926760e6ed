//! The client secrets and tokens that passed between the operator and either server.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::between::{Answer, Asked};
use crate::mishaps::bearer;
use crate::needles::Needles;

/// Clones share what was seen.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Values>>);

#[derive(Default)]
struct Values {
    client_secrets: BTreeSet<String>,
    /// With the client that each was issued for.
    tokens: BTreeMap<String, String>,
    /// Tokens that API keys signed: Apple issues none of them, so they are seen where they are used and published.
    signed: BTreeSet<String>,
}

impl Seen {
    /// Takes what an exchange with Apple contains.
    pub(crate) fn listen(&self, asked: &Asked, answer: &Answer) {
        let mut seen = self.0.lock().unwrap();
        if asked.path.starts_with("/app-store-connect/") {
            seen.signed.insert(bearer(asked).to_owned());
        }
        let Some(client_secret) = client_secret_in(&asked.body) else { return };
        seen.client_secrets.insert(client_secret.to_owned());
        let answer: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        if let Some(token) = answer["access_token"].as_str() {
            seen.tokens.insert(token.to_owned(), field(&asked.body, "client_id").unwrap().to_owned());
        }
    }

    /// Takes the token of an API key that is written to the API server, whether the write has an effect or not.
    pub(crate) fn listen_to_writes(&self, asked: &Asked) {
        let body = serde_json::from_str::<Value>(&asked.body).unwrap_or_default();
        if let Some(token) = body["data"]["token"].as_str() {
            let token = String::from_utf8(BASE64_STANDARD.decode(token).unwrap()).unwrap();
            self.0.lock().unwrap().signed.insert(token);
        }
    }

    /// Whether an API key's token is known.
    pub(crate) fn has_signed(&self, token: &str) -> bool {
        self.0.lock().unwrap().signed.contains(token)
    }

    /// The client that a token was issued for.
    pub(crate) fn owner(&self, token: &str) -> Option<String> {
        self.0.lock().unwrap().tokens.get(token).cloned()
    }

    /// Adds all of them to `needles`; how many client secrets, issued tokens and signed tokens there are.
    pub(crate) fn add_to(&self, needles: &mut Needles) -> (usize, usize, usize) {
        let seen = self.0.lock().unwrap();
        for client_secret in &seen.client_secrets {
            needles.token("a client secret", client_secret);
        }
        for token in seen.tokens.keys() {
            needles.token("an access token", token);
        }
        for token in &seen.signed {
            needles.token("a token of an API key", token);
        }
        (seen.client_secrets.len(), seen.tokens.len(), seen.signed.len())
    }
}

/// The client secret in the form of a token request.
pub(crate) fn client_secret_in(form: &str) -> Option<&str> {
    field(form, "client_secret")
}

fn field<'a>(form: &'a str, name: &str) -> Option<&'a str> {
    form.split('&').find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
}
