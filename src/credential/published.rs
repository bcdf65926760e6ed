//! Which bytes go into the Secrets: their entries, the record that goes with them, and the bodies of the requests.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{
    identity::{Choice, Ids},
    schedule::Life,
    secret_meta::{SecretMeta, Version},
};
use crate::api::{
    AsaCredential, GROUP,
    names::{ANNOTATION_RECORD, LABEL_OWNER_UID, TYPE_ACCESS_TOKEN, TYPE_CLIENT_SECRET},
};

/// The two Secrets that a credential has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The one with the access token, which workloads mount.
    Managed,
    /// The one with the client secret.
    ClientSecret,
}

impl Target {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Managed, Self::ClientSecret];

    /// The Secret's `type`, which never changes.
    #[must_use]
    pub fn secret_type(self) -> &'static str {
        match self {
            Self::Managed => TYPE_ACCESS_TOKEN,
            Self::ClientSecret => TYPE_CLIENT_SECRET,
        }
    }

    /// The Secret's name, in the resource's namespace.
    #[must_use]
    pub fn name(self, object: &AsaCredential) -> String {
        match self {
            Self::Managed => object.secret_name(),
            Self::ClientSecret => object.client_secret_name(),
        }
    }

    /// No longer than this lives what is in it: a token of Apple's for a day at most (one hour, as Apple says), a client
    /// secret for 180 days.
    fn longest_life(self) -> Duration {
        match self {
            Self::Managed => Duration::from_hours(24),
            Self::ClientSecret => Duration::from_hours(180 * 24),
        }
    }

    /// Every key that we ever write: what has no value now is dropped, what others added stays.
    fn vocabulary(self) -> &'static [&'static str] {
        match self {
            Self::Managed => &[
                "access_token",
                "ad_account_id",
                "authorization",
                "client_id",
                "expires_at",
                "issued_at",
                "org_id",
                "parent_org_id",
                "token_type",
                "x_ap_context_ad_account",
                "x_ap_context_org",
            ],
            Self::ClientSecret => &["client_id", "client_secret", "expires_at"],
        }
    }
}

/// What stands in an annotation beside the data: enough to see that nothing is to be done, and nothing secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// When what is in the Secret was issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Which client and key it was issued for: [`bundle`].
    pub bundle: String,
    /// The state of the key's Secret in which `fingerprint` was found, and the entry.
    pub key: KeySource,
    /// The key's fingerprint.
    pub fingerprint: String,
    /// The organizations' part; only with an access token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<IdentityRecord>,
    /// Whether no API had confirmed the token when it was written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unverified: bool,
    /// SHA-256 over our entries, in hex: tells whether somebody edited them.
    pub digest: String,
}

impl Record {
    /// Whether a write that brings `other` would change nothing that a reader could notice. Where the key was read does
    /// not count: somebody who labels the key's Secret renews nothing.
    #[must_use]
    pub fn serves_as(&self, other: &Self) -> bool {
        Self { key: other.key.clone(), ..self.clone() } == *other
    }

    /// From when to when.
    #[must_use]
    pub fn life(&self) -> Life {
        Life { issued_at: self.issued_at, expires_at: self.expires_at }
    }

    /// Whether what is in `target` can live from then to then. Where it cannot, somebody edited the record, and to wait for
    /// its times could be to wait for ever.
    #[must_use]
    pub fn is_possible(&self, target: Target) -> bool {
        self.issued_at < self.expires_at && self.life().length() <= target.longest_life()
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

/// One name for clientId, teamId, keyId and key together: they change as one.
#[must_use]
pub fn bundle(object: &AsaCredential, fingerprint: &str) -> String {
    let spec = &object.spec;
    let parts = [&spec.client_id, &spec.team_id, &spec.key_id, fingerprint];
    hex(parts.iter().fold(Sha256::new(), |hash, part| measured(hash, part.as_bytes())))
}

/// The entries of a Secret: every key of its vocabulary, with its value or none. They are wiped when dropped.
pub struct Entries(BTreeMap<&'static str, Option<Zeroizing<String>>>);

impl Entries {
    fn of(target: Target, values: impl IntoIterator<Item = (&'static str, Option<Zeroizing<String>>)>) -> Self {
        let mut entries: BTreeMap<_, _> = target.vocabulary().iter().map(|&key| (key, None)).collect();
        entries.extend(values);
        Self(entries)
    }

    /// The managed Secret's.
    #[must_use]
    pub fn managed(client_id: &str, token: &SecretString, life: Life, ids: Ids) -> Self {
        let plain = |text: String| Some(Zeroizing::new(text));
        let number = |id: Option<i64>| id.and_then(|id| plain(id.to_string()));
        let header = |name: &str, id: Option<i64>| id.and_then(|id| plain(format!("{name}={id}")));
        Self::of(
            Target::Managed,
            [
                ("access_token", plain(token.expose_secret().to_owned())),
                ("ad_account_id", number(ids.ad_account_id)),
                ("authorization", plain(format!("Bearer {}", token.expose_secret()))),
                ("client_id", plain(client_id.to_owned())),
                ("expires_at", plain(life.expires_at.to_string())),
                ("issued_at", plain(life.issued_at.to_string())),
                ("org_id", number(ids.org_id)),
                ("parent_org_id", number(ids.parent_org_id)),
                ("token_type", plain("Bearer".to_owned())),
                ("x_ap_context_ad_account", header("adAccountId", ids.ad_account_id)),
                ("x_ap_context_org", header("orgId", ids.org_id)),
            ],
        )
    }

    /// The client secret's.
    #[must_use]
    pub fn client_secret(client_id: &str, jwt: &SecretString, life: Life) -> Self {
        let plain = |text: String| Some(Zeroizing::new(text));
        Self::of(
            Target::ClientSecret,
            [
                ("client_id", plain(client_id.to_owned())),
                ("client_secret", plain(jwt.expose_secret().to_owned())),
                ("expires_at", plain(life.expires_at.to_string())),
            ],
        )
    }

    /// Our entries among `data` as it was read; what is not text is taken for absent, and so for edited.
    pub fn read(target: Target, data: impl IntoIterator<Item = (String, Zeroizing<Vec<u8>>)>) -> Self {
        let known = data.into_iter().filter_map(|(key, value)| {
            let key = target.vocabulary().iter().find(|&&word| word == key)?;
            Some((*key, std::str::from_utf8(&value).ok().map(|text| Zeroizing::new(text.to_owned()))))
        });
        Self::of(target, known.collect::<Vec<_>>())
    }

    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_ref().map(|value| value.as_str())
    }

    /// SHA-256 over all of them, in hex.
    #[must_use]
    pub fn digest(&self) -> String {
        let present = self.0.iter().filter_map(|(key, value)| Some((key, value.as_ref()?)));
        hex(present
            .fold(Sha256::new(), |hash, (key, value)| measured(measured(hash, key.as_bytes()), value.as_bytes())))
    }

    fn encoded(&self, keep_absent: bool) -> Value {
        let kept = self.0.iter().filter(|(_, value)| keep_absent || value.is_some());
        kept.map(|(&key, value)| (key.to_owned(), json!(value.as_ref().map(|text| BASE64_STANDARD.encode(&**text)))))
            .collect::<Map<_, _>>()
            .into()
    }
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

/// The whole Secret, for a POST.
#[must_use]
pub fn creation(target: Target, object: &AsaCredential, entries: &Entries, record: &Record) -> Body {
    Body(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": target.secret_type(),
        "metadata": {
            "name": target.name(object),
            "labels": {LABEL_OWNER_UID: object.metadata.uid},
            "annotations": {ANNOTATION_RECORD: text(record)},
            "ownerReferences": [owner_reference(object, true)],
        },
        "data": entries.encoded(false),
    }))
}

/// The merge patch that brings `seen` to the new state, and fails if it is no longer as seen.
///
/// It names the type, which cannot change: so a Secret of another type is refused by the API server, not overwritten.
#[must_use]
pub fn change(
    target: Target,
    object: &AsaCredential,
    entries: &Entries,
    record: &Record,
    seen: &SecretMeta,
    fence: &Version,
) -> Body {
    let mut metadata = marks(object, seen, fence);
    metadata.insert("annotations".into(), json!({ANNOTATION_RECORD: text(record)}));
    Body(json!({"type": target.secret_type(), "metadata": metadata, "data": entries.encoded(true)}))
}

/// The merge patch that only puts label and owner reference back.
#[must_use]
pub fn restoration(object: &AsaCredential, seen: &SecretMeta) -> Body {
    Body(json!({"metadata": marks(object, seen, &seen.version)}))
}

fn marks(object: &AsaCredential, seen: &SecretMeta, fence: &Version) -> Map<String, Value> {
    let uid = object.metadata.uid.as_deref().unwrap_or_default();
    let mut metadata = Map::new();
    metadata.insert("uid".into(), json!(fence.uid));
    metadata.insert("resourceVersion".into(), json!(fence.resource_version));
    metadata.insert("labels".into(), json!({LABEL_OWNER_UID: uid}));
    if !seen.has_owner_reference(uid) {
        let controlled = seen.owner_references.iter().any(|owner| owner.controller == Some(true));
        let ours = owner_reference(object, !controlled);
        let owners: Vec<_> = seen.owner_references.iter().cloned().chain([ours]).collect();
        metadata.insert("ownerReferences".into(), json!(owners));
    }
    metadata
}

/// Garbage collection follows it. Without blockOwnerDeletion, which needs a permission on the resource's finalizers.
fn owner_reference(object: &AsaCredential, controller: bool) -> OwnerReference {
    OwnerReference {
        api_version: format!("{GROUP}/v1alpha1"),
        kind: "AsaCredential".into(),
        name: object.metadata.name.clone().unwrap_or_default(),
        uid: object.metadata.uid.clone().unwrap_or_default(),
        controller: controller.then_some(true),
        block_owner_deletion: None,
    }
}

fn text(record: &Record) -> String {
    serde_json::to_string(record).unwrap_or_default()
}

/// Adds `part` with its length, so that two parts cannot pass for two others.
fn measured(hash: Sha256, part: &[u8]) -> Sha256 {
    hash.chain_update((part.len() as u64).to_be_bytes()).chain_update(part)
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().fold(String::new(), |mut text, byte| {
        // Writing into a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
