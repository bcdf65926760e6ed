//! Stretches of an API key's life into which campaigns throw faults, beside those of [`crate::scenarios`].

use asa_operator::api::AppStoreConnectCredential;
use serde_json::{Value, json};

use crate::{
    api_keys::api_key,
    scenarios::{Beginning, text},
    stored::merge,
    world::{ACME, ACME_KEY, GOOD_KEY, NEW_KEY, Simulation, key_entry},
};

/// The keyIds under which Apple knows the two keys.
const GOOD_ID: &str = "2X9R4HXF34";
const NEW_ID: &str = "7QK3N5W2ZD";

/// The seed of a key that Apple does not know.
const UNKNOWN_KEY: u8 = 9;

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Story {
    /// An operator finds a new resource.
    Create,
    /// A token is renewed.
    Renew,
    /// The key is replaced by another good one, and its keyId with it.
    KeyReplaced,
    /// Likewise, and then both are put back.
    KeyPutBack,
    /// The key is replaced by something else, and then put back.
    BadKey,
    /// The key is replaced by one that Apple does not know, and then put back.
    RefusedKey,
    /// The Secret is deleted.
    SecretDeleted,
    /// Somebody changes the token in the Secret, then strips its label.
    SecretEdited,
    /// The resource is deleted and made anew under its name at once.
    Recreated,
    /// The Secret gets another name, then its old one again.
    Renamed,
    /// Tokens get a scope, then none again.
    Rescoped,
}

impl Story {
    pub(crate) fn beginning(self) -> Beginning {
        match self {
            Self::Create => Beginning::New,
            Self::Renew => Beginning::Due,
            _ => Beginning::Fresh,
        }
    }

    /// Not where Apple's word about another key is awaited: a probe that was lost is made up for after a minute.
    pub(crate) fn is_judged_in_between(self) -> bool {
        [Self::BadKey, Self::SecretEdited, Self::Renamed, Self::Rescoped].contains(&self)
    }

    /// What stands in the spec beside [`api_key`]'s: in the beginning, after the first act and after the second.
    fn specs(self) -> [Value; 3] {
        let usual = || json!({});
        let to_and_fro = |other| [usual(), other, usual()];
        match self {
            Self::KeyReplaced => [usual(), json!({"keyId": NEW_ID}), json!({"keyId": NEW_ID})],
            Self::KeyPutBack => to_and_fro(json!({"keyId": NEW_ID})),
            Self::Renamed => to_and_fro(json!({"secret": {"name": "renamed"}})),
            Self::Rescoped => to_and_fro(json!({"token": {"scope": ["GET /v1/apps"]}})),
            _ => [usual(), usual(), usual()],
        }
    }

    /// The resource after so many acts.
    fn resource(self, acts: usize) -> AppStoreConnectCredential {
        let mut object = serde_json::to_value(api_key(ACME)).unwrap();
        // It is back-dated by a minute, and so works for as long as the toy Apple's tokens in a scene.
        merge(&mut object["spec"], &json!({"token": {"lifetime": "13m"}}));
        merge(&mut object["spec"], &self.specs()[acts]);
        serde_json::from_value(object).unwrap()
    }

    /// The stage before any operator.
    pub(crate) fn set(self, simulation: &Simulation) {
        simulation.apple.upload_api_key(GOOD_ID, GOOD_KEY);
        simulation.apple.upload_api_key(NEW_ID, NEW_KEY);
        simulation.cluster.apply_secret(ACME_KEY, "Opaque", key_entry(GOOD_KEY));
        simulation.cluster.apply_credential(self.resource(0));
    }

    /// What users do at the beginning, and what they do later.
    pub(crate) fn act(self, simulation: &Simulation, second: bool) {
        let cluster = &simulation.cluster;
        match (self, second) {
            (Self::KeyReplaced | Self::KeyPutBack, false) => simulation.replace_key(NEW_KEY),
            (Self::BadKey, false) => cluster.apply_secret(ACME_KEY, "Opaque", text("private-key.pem", "no key")),
            (Self::RefusedKey, false) => simulation.replace_key(UNKNOWN_KEY),
            (Self::KeyPutBack | Self::BadKey | Self::RefusedKey, true) => simulation.replace_key(GOOD_KEY),
            (Self::SecretDeleted, false) => cluster.delete_secret(ACME),
            (Self::SecretEdited, false) => {
                cluster.edit_secret(ACME, |secret| secret.data.extend(text("token", "edited")));
            }
            (Self::SecretEdited, true) => cluster.edit_secret(ACME, |secret| secret.metadata.labels = None),
            (Self::Recreated, false) => {
                cluster.delete_credential(ACME);
                cluster.apply_credential(self.resource(1));
            }
            _ => {}
        }
        let acts = if second { 2 } else { 1 };
        if self.specs()[acts] != self.specs()[acts - 1] {
            cluster.apply_credential(self.resource(acts));
        }
    }
}
