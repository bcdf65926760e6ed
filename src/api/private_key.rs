//! `spec.privateKey`: which entry of which Secret, and whether the operator makes it.

#![allow(clippy::doc_markdown, reason = "field docs are what `kubectl explain` prints, where backticks are noise")]

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::schema::{DNS_SUBDOMAIN, MAX_NAME_CHARS, SECRET_ENTRY};

/// The entry of the private key's Secret unless the user says otherwise.
const DEFAULT_KEY_ENTRY: &str = "private-key.pem";

/// Where the private key is, and whether the operator makes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PrivateKeySource {
    /// The entry of a Secret in the resource's own namespace that holds the EC P-256 private key as PEM (PKCS#8 or
    /// SEC1). The Secret's type is Opaque or asa-operator.dev/private-key; no other is read.
    pub secret_ref: SecretKeyRef,

    /// Whether the operator makes the key pair: Never, or IfMissing. With IfMissing, while the Secret of secretRef does
    /// not exist and keyId is not set yet, it makes an EC P-256 pair, creates that Secret (type
    /// asa-operator.dev/private-key) and shows in status.privateKey.publicKey what to paste into Apple Ads under Account
    /// Settings › API. It never overwrites a key and never deletes one, not even with this resource. Default: Never.
    #[serde(default)]
    pub generate: GenerateKey,
}

/// One entry of a Secret in the resource's own namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecretKeyRef {
    /// The Secret's name, for example acme-key.
    #[schemars(length(min = 1, max = MAX_NAME_CHARS), regex(pattern = DNS_SUBDOMAIN))]
    pub name: String,

    /// The entry of the Secret's data. Default: private-key.pem.
    #[serde(default = "default_key_entry")]
    #[schemars(length(min = 1, max = MAX_NAME_CHARS), regex(pattern = SECRET_ENTRY))]
    pub key: String,
}

/// Whether the operator makes the key pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum GenerateKey {
    /// The user makes it.
    #[default]
    Never,
    /// The operator makes it where the Secret does not exist and `keyId` is not set yet.
    IfMissing,
}

fn default_key_entry() -> String {
    DEFAULT_KEY_ENTRY.to_owned()
}
