//! The resource, as a user writes it, and the client that Apple knows by it.

use fake_apple::Client;
use serde_json::{Value, json};

use super::key::KeyPair;

/// The resource of most tests, and the managed Secret.
pub(crate) const NAME: &str = "acme";
/// The Secret with the key.
pub(crate) const KEY_SECRET: &str = "acme-key";
/// The Secret with the client secret.
pub(crate) const CLIENT_SECRET: &str = "acme-client-secret";

pub(crate) const CLIENT_ID: &str = "SEARCHADS.27478e71-3bb0-4588-998c-182e2b405577";
const TEAM_ID: &str = "SEARCHADS.9e21a3b4-7c6d-4f1e-8a90-5b4c3d2e1f00";
const KEY_ID: &str = "bacaebda-e219-41ee-a907-e2c25b24d1b2";

/// The account over the campaign group.
pub(crate) const PARENT_ORG: i64 = 40_669_820;
/// The campaign group.
pub(crate) const ORG: i64 = 40_669_821;
pub(crate) const AD_ACCOUNT: i64 = 9001;

/// A document to be applied.
pub(crate) struct Credential(Value);

/// With nothing but what is required.
pub(crate) fn credential() -> Credential {
    Credential(json!({
        "apiVersion": "asa-operator.dev/v1alpha1",
        "kind": "AsaCredential",
        "metadata": {"name": NAME},
        "spec": {
            "clientId": CLIENT_ID,
            "teamId": TEAM_ID,
            "keyId": KEY_ID,
            "privateKey": {"secretRef": {"name": KEY_SECRET}},
        },
    }))
}

impl Credential {
    /// A document as it is.
    pub(crate) fn of_document(document: Value) -> Self {
        Self(document)
    }

    /// Another one, which names another key Secret.
    pub(crate) fn named(mut self, name: &str) -> Self {
        self.0["metadata"]["name"] = json!(name);
        self.0["spec"]["privateKey"]["secretRef"]["name"] = json!(format!("{name}-key"));
        self
    }

    /// Another client of Apple's.
    pub(crate) fn of_client(self, client_id: &str) -> Self {
        self.with("clientId", json!(client_id))
    }

    /// With its key in this Secret.
    pub(crate) fn key_in(mut self, secret: &str) -> Self {
        self.0["spec"]["privateKey"]["secretRef"]["name"] = json!(secret);
        self
    }

    /// With this field of the spec.
    pub(crate) fn with(mut self, field: &str, value: Value) -> Self {
        self.0["spec"][field] = value;
        self
    }

    /// Without the three ids: the operator makes the key, and Apple does not know it yet.
    pub(crate) fn that_awaits_its_key(mut self) -> Self {
        for id in ["clientId", "teamId", "keyId"] {
            self.0["spec"].as_object_mut().unwrap().remove(id);
        }
        self.0["spec"]["privateKey"]["generate"] = json!("IfMissing");
        self
    }

    /// The operator may make the key.
    pub(crate) fn that_may_make_its_key(mut self) -> Self {
        self.0["spec"]["privateKey"]["generate"] = json!("IfMissing");
        self
    }

    /// With the key in this entry of its Secret.
    pub(crate) fn key_entry(mut self, entry: &str) -> Self {
        self.0["spec"]["privateKey"]["secretRef"]["key"] = json!(entry);
        self
    }

    pub(crate) fn name(&self) -> &str {
        self.0["metadata"]["name"].as_str().unwrap()
    }

    pub(crate) fn document(&self) -> &Value {
        &self.0
    }
}

/// The client as Apple knows it once `key` is uploaded; nothing is in its reach yet.
pub(crate) fn client_without_access(key: &KeyPair) -> Client {
    Client::new(CLIENT_ID, TEAM_ID, KEY_ID, key.public())
}

/// The client as Apple knows it once this public key is uploaded.
pub(crate) fn client_of(public: &str) -> Client {
    Client::new(CLIENT_ID, TEAM_ID, KEY_ID, public).organization(ORG, "Acme").ad_account(AD_ACCOUNT, "Acme Europe")
}

/// The same with one campaign group and one ad account.
pub(crate) fn client(key: &KeyPair) -> Client {
    other_client(CLIENT_ID, key.public())
}

/// Another client with this public key, and access to the same.
pub(crate) fn other_client(client_id: &str, public_key: String) -> Client {
    Client::new(client_id, TEAM_ID, KEY_ID, public_key).organization(ORG, "Acme").ad_account(AD_ACCOUNT, "Acme Europe")
}

/// The same after another key was uploaded beside the first.
pub(crate) fn client_with_both(first: &KeyPair, second: &KeyPair) -> Client {
    client(first).key(KEY_ID, second.public())
}
