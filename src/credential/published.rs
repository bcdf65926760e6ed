//! What is written beside a Secret's data, and the bodies of the requests.

use std::{collections::BTreeSet, fmt};

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{
    applied::Applied,
    entries::Entries,
    hash::{hex, measured},
    identity::{Choice, Ids},
    schedule::Life,
    secret_meta::{SecretMeta, Version},
    target::Target,
};
use crate::api::{
    AppStoreConnectCredential, Credential, GROUP, Kind, Program, SecretFormat,
    names::{ANNOTATION_RECORD, LABEL_OWNER_UID, TYPE_PRIVATE_KEY},
};

/// What stands in an annotation beside the data: enough to see that nothing is to be done, and nothing secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The Secret that it was written on: a copy under another name is not the operator's.
    #[serde(default)]
    pub secret: String,
    /// When what is in the Secret was issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// What it was issued for: [`bundle`].
    pub bundle: String,
    /// The state of the key's Secret in which `fingerprint` was found, and the entry.
    pub key: KeySource,
    /// The key's fingerprint.
    pub fingerprint: String,
    /// The organizations' part; only with an access token for Apple Ads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<IdentityRecord>,
    /// The formats in which the token was written as well.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub formats: BTreeSet<SecretFormat>,
    /// When Apple last accepted a token of the key; only where it is asked about keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<Timestamp>,
    /// The token's [`thumbprint`]; only with a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbprint: Option<String>,
    /// Whether no API had confirmed the token when it was written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unverified: bool,
    /// SHA-256 over our entries, in hex: tells whether somebody edited them.
    pub digest: String,
}

impl Record {
    /// Whether a write that brings `other` would change nothing that a reader could notice. Where the key was read and when
    /// it was verified does not count: somebody who labels the key's Secret renews nothing. Nor do answers about the ids
    /// that are older than those published: of two operators that hold the same token each would else bring its own for
    /// ever.
    #[must_use]
    pub fn serves_as(&self, other: &Self) -> bool {
        let mut wanted = Self { key: self.key.clone(), verified_at: self.verified_at, ..other.clone() };
        if self.is_resolved_after(other) {
            wanted.identity.clone_from(&self.identity);
            // It covers the ids.
            wanted.digest.clone_from(&self.digest);
        }
        *self == wanted
    }

    /// Whether its ids rest on later answers to the same question.
    fn is_resolved_after(&self, other: &Self) -> bool {
        let both = self.identity.as_ref().zip(other.identity.as_ref());
        both.is_some_and(|(this, other)| this.choice == other.choice && this.resolved_at > other.resolved_at)
    }

    /// From when to when.
    #[must_use]
    pub fn life(&self) -> Life {
        Life { issued_at: self.issued_at, expires_at: self.expires_at }
    }

    /// Whether what is in `target` can live from then to then. Where it cannot, somebody edited the record, and to wait for
    /// its times could be to wait for ever.
    #[must_use]
    pub fn is_possible(&self, target: Target, kind: Kind) -> bool {
        self.issued_at < self.expires_at && self.life().length() <= target.longest_life(kind)
    }

    /// Whether it was written with these entries, and its times are theirs: those are what readers go by.
    #[must_use]
    pub fn is_of(&self, entries: &Entries) -> bool {
        let is = |key, time: Timestamp| entries.get(key).is_none_or(|text| text == time.to_string());
        self.digest == entries.digest() && is("issued_at", self.issued_at) && is("expires_at", self.expires_at)
    }
}

/// What the published ids rest on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IdentityRecord {
    /// When they were resolved.
    pub resolved_at: Timestamp,
    /// What was asked for.
    pub choice: Choice,
    /// What is published.
    pub ids: Ids,
}

/// Where a key was read: the state of its Secret, and the entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeySource {
    /// The Secret's state.
    #[serde(flatten)]
    pub version: Version,
    /// The entry's name.
    pub entry: String,
}

/// One name for all that a token is issued for, ids and key together: they change as one. `None` while ids are missing.
#[must_use]
pub fn bundle(object: &Credential, fingerprint: &str) -> Option<String> {
    match object {
        Credential::Ads(object) => {
            let ids = object.client_ids()?;
            Some(name_of([ids.client_id, ids.team_id, ids.key_id, fingerprint]))
        }
        Credential::AppStoreConnect(object) => {
            let (key, lifetime) = (api_key(object, fingerprint), object.token_lifetime().as_secs().to_string());
            let scope = object.scope().iter().map(String::as_str);
            Some(name_of([key.as_str(), lifetime.as_str()].into_iter().chain(scope)))
        }
    }
}

/// One name for an API key and the host that is asked about it, the same for all resources that use it.
#[must_use]
pub fn api_key(object: &AppStoreConnectCredential, fingerprint: &str) -> String {
    let program = match object.spec.program {
        Program::AppStore => "AppStore",
        Program::Enterprise => "Enterprise",
    };
    name_of([program, object.issuer_id().unwrap_or_default(), &object.spec.key_id, fingerprint])
}

fn name_of<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    hex(parts.into_iter().fold(Sha256::new(), |hash, part| measured(hash, part.as_bytes())))
}

/// What tells one token from another that was issued in the same second: 64 bits of its SHA-256, from which nothing of a
/// token follows.
#[must_use]
pub fn thumbprint(token: &SecretString) -> String {
    let mut print = hex(Sha256::new().chain_update(token.expose_secret()));
    print.truncate(16);
    print
}

/// The body of a write. It prints as nothing: it holds a secret.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct Body(Value);

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Body(…)")
    }
}

impl Body {
    /// The secrets in it, as they were before base64. `authorization` repeats one of them.
    #[must_use]
    pub fn secrets(&self) -> Vec<Zeroizing<String>> {
        let is_key = self.0["type"] == TYPE_PRIVATE_KEY;
        let entries = self.0["data"].as_object().into_iter().flatten();
        let secret =
            entries.filter(|(entry, _)| is_key || ["access_token", "client_secret", "token"].contains(&entry.as_str()));
        let values = secret.filter_map(|(_, value)| value.as_str());
        let decoded = values.filter_map(|value| BASE64_STANDARD.decode(value).ok());
        decoded.filter_map(|value| String::from_utf8(value).ok()).map(Zeroizing::new).collect()
    }
}

/// The whole Secret, for a POST.
#[must_use]
pub fn creation(target: Target, object: &Credential, entries: &Entries, record: &Record) -> Body {
    let mut metadata = metadata(target, object, None, Some(record));
    metadata.insert("name".into(), json!(record.secret));
    Body(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": target.secret_type(object.kind()),
        "metadata": metadata,
        "data": entries.encoded(false),
    }))
}

/// The merge patch that brings `seen` to the new state, and fails if it is no longer as seen.
///
/// It names the type, which cannot change: so a Secret of another type is refused by the API server, not overwritten.
#[must_use]
pub fn change(
    target: Target,
    object: &Credential,
    entries: &Entries,
    record: &Record,
    seen: &SecretMeta,
    fence: &Version,
) -> Body {
    let mut metadata = metadata(target, object, Some(seen), Some(record));
    fenced(&mut metadata, fence);
    Body(json!({"type": target.secret_type(object.kind()), "metadata": metadata, "data": entries.encoded(true)}))
}

/// The merge patch that only sets labels, annotations and owner reference.
#[must_use]
pub fn restoration(target: Target, object: &Credential, seen: &SecretMeta) -> Body {
    let mut metadata = metadata(target, object, Some(seen), None);
    fenced(&mut metadata, &seen.version);
    Body(json!({"type": target.secret_type(object.kind()), "metadata": metadata}))
}

/// The Secret of a key that was made here. Nobody owns it: a key that Apple knows must outlive the resource.
#[must_use]
pub fn key_creation(name: &str, entry: &str, pem: &str) -> Body {
    Body(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": TYPE_PRIVATE_KEY,
        "metadata": {"name": name},
        "data": {entry: BASE64_STANDARD.encode(pem)},
    }))
}

fn fenced(metadata: &mut Map<String, Value>, fence: &Version) {
    metadata.insert("uid".into(), json!(fence.uid));
    metadata.insert("resourceVersion".into(), json!(fence.resource_version));
}

/// Labels, annotations and owner references, as a merge patch over `seen`.
fn metadata(
    target: Target,
    object: &Credential,
    seen: Option<&SecretMeta>,
    record: Option<&Record>,
) -> Map<String, Value> {
    let uid = object.uid();
    let mut metadata = Map::new();
    let (mut labels, mut annotations) = match target {
        Target::Managed => Applied::patches(object, seen.and_then(|seen| seen.applied.as_deref())),
        Target::ClientSecret => Default::default(),
    };
    labels.insert(LABEL_OWNER_UID.into(), json!(uid));
    if let Some(record) = record {
        annotations.insert(ANNOTATION_RECORD.into(), json!(text(record)));
    }
    metadata.insert("labels".into(), labels.into());
    if !annotations.is_empty() {
        metadata.insert("annotations".into(), annotations.into());
    }
    if let Some(owners) = owner_references(target, object, seen) {
        metadata.insert("ownerReferences".into(), json!(owners));
    }
    metadata
}

/// The owner references that there should be, unless they are as they should be.
fn owner_references(target: Target, object: &Credential, seen: Option<&SecretMeta>) -> Option<Vec<OwnerReference>> {
    let uid = object.uid();
    let retained = target.is_retained(object);
    let there = seen.map_or(&[][..], |seen| &seen.owner_references);
    let is_there = there.iter().any(|owner| owner.uid == uid);
    if is_there != retained {
        return None;
    }
    let others = there.iter().filter(|owner| owner.uid != uid).cloned();
    let controlled = there.iter().any(|owner| owner.controller == Some(true));
    Some(others.chain((!retained).then(|| owner_reference(object, !controlled))).collect())
}

/// Garbage collection follows it. Without blockOwnerDeletion, which needs a permission on the resource's finalizers.
fn owner_reference(object: &Credential, controller: bool) -> OwnerReference {
    OwnerReference {
        api_version: format!("{GROUP}/v1alpha1"),
        kind: object.kind().as_str().into(),
        name: object.metadata().name.clone().unwrap_or_default(),
        uid: object.metadata().uid.clone().unwrap_or_default(),
        controller: controller.then_some(true),
        block_owner_deletion: None,
    }
}

fn text(record: &Record) -> String {
    serde_json::to_string(record).unwrap_or_default()
}

#[cfg(test)]
mod tests;
