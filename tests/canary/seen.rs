//! The client secrets and tokens that passed between the operator and Apple.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::between::{Answer, Asked};
use crate::needles::Needles;

/// Clones share what was seen.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Values>>);

#[derive(Default)]
struct Values {
    client_secrets: BTreeSet<String>,
    /// With the client that each was issued for.
    tokens: BTreeMap<String, String>,
}

impl Seen {
    /// Takes what an exchange with the token endpoint contains.
    pub(crate) fn listen(&self, asked: &Asked, answer: &Answer) {
        let mut seen = self.0.lock().unwrap();
        let Some(client_secret) = client_secret_in(&asked.body) else { return };
        seen.client_secrets.insert(client_secret.to_owned());
        let answer: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        if let Some(token) = answer["access_token"].as_str() {
            seen.tokens.insert(token.to_owned(), field(&asked.body, "client_id").unwrap().to_owned());
        }
    }

    /// The client that a token was issued for.
    pub(crate) fn owner(&self, token: &str) -> Option<String> {
        self.0.lock().unwrap().tokens.get(token).cloned()
    }

    /// Adds all of them to `needles`; how many client secrets and tokens there are.
    pub(crate) fn add_to(&self, needles: &mut Needles) -> (usize, usize) {
        let seen = self.0.lock().unwrap();
        for client_secret in &seen.client_secrets {
            needles.token("a client secret", client_secret);
        }
        for token in seen.tokens.keys() {
            needles.token("an access token", token);
        }
        (seen.client_secrets.len(), seen.tokens.len())
    }
}

/// The client secret in the form of a token request.
pub(crate) fn client_secret_in(form: &str) -> Option<&str> {
    field(form, "client_secret")
}

fn field<'a>(form: &'a str, name: &str) -> Option<&'a str> {
    form.split('&').find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
}
