//! What users can see of a credential, without names, times, versions and tokens: what two of the same spec have in common.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use asa_operator::api::names::{ANNOTATION_RECORD, LABEL_OWNER_UID, TYPE_CLIENT_SECRET};
use asa_operator::api::{AsaCredential, CredentialStatus, Life};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt as _;
use kube::api::ListParams;
use serde_json::{Value, json};

use super::secrets::entries;
use super::stage::Stage;

/// What stands for the credential's name.
const NAME: &str = "acme";

/// What is to be seen, and how it looks.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Outlook(BTreeMap<String, String>);

/// Of each credential, by its name.
pub(crate) type Outlooks = BTreeMap<String, Outlook>;

impl Stage<'_> {
    /// What is to be seen of each credential.
    pub(crate) async fn outlooks(&self) -> Outlooks {
        // Status last: what it tells of a Secret is never older than what is seen of that.
        let secrets = self.secrets().list(&ListParams::default()).await.unwrap().items;
        let credentials = self.credentials().list(&ListParams::default()).await.unwrap();
        let outlook = |credential| Outlook::of(&credential, &secrets);
        credentials.into_iter().map(|credential| (credential.name_any(), outlook(credential))).collect()
    }
}

impl Outlook {
    /// Of a credential, among these Secrets.
    pub(crate) fn of(credential: &AsaCredential, secrets: &[Secret]) -> Self {
        let name = credential.name_any();
        let mut outlook = Self::default();
        let own: Vec<_> = secrets.iter().filter(|secret| is_of(&name, secret)).collect();
        outlook.see_status(credential, &own);
        for secret in own {
            outlook.see_secret(credential, secret);
        }
        Self(outlook.0.into_iter().map(|(what, look)| (as_acme(&what, &name), as_acme(&look, &name))).collect())
    }

    /// The same but for these parts, which are as `other` has them.
    pub(crate) fn with(&self, parts: &[&str], other: &Self) -> Self {
        let mut parts_and_messages: Vec<_> = parts.iter().map(|part| message_of(part)).collect();
        parts_and_messages.extend(parts.iter().map(|part| (*part).to_owned()));
        let mut with = self.0.clone();
        for part in parts_and_messages {
            with.remove(&part);
            with.extend(other.0.get(&part).map(|look| (part, look.clone())));
        }
        Self(with)
    }

    /// The same with words before what a condition says.
    pub(crate) fn saying_first(mut self, words: &str, condition: &str) -> Self {
        if let Some(said) = self.0.get_mut(&message_of(condition)) {
            *said = said.replacen('"', &format!("\"{words}"), 1);
        }
        self
    }

    /// Whether a condition is False.
    pub(crate) fn denies(&self, condition: &str) -> bool {
        self.0.get(condition).is_some_and(|said| said.starts_with("(False"))
    }

    /// In what this differs from what was expected.
    pub(crate) fn differences(&self, expected: &Self) -> Vec<String> {
        let names: BTreeSet<_> = self.0.keys().chain(expected.0.keys()).collect();
        let look = |outlook: &Self, name: &str| outlook.0.get(name).map_or("nothing", String::as_str).to_owned();
        let differing = names.into_iter().filter(|name| self.0.get(*name) != expected.0.get(*name));
        differing.map(|name| format!("{name}: {} instead of {}", look(self, name), look(expected, name))).collect()
    }

    fn see(&mut self, what: impl Into<String>, look: impl Debug) {
        self.0.insert(what.into(), format!("{look:?}"));
    }

    fn see_status(&mut self, credential: &AsaCredential, secrets: &[&Secret]) {
        let CredentialStatus {
            observed_generation,
            last_handled_reconcile_at,
            conditions,
            private_key,
            client_secret,
            access_token,
            organization,
            organizations,
            ad_account,
            ad_accounts,
            secret,
            binding,
        } = credential.status.clone().unwrap_or_default();
        let generation = credential.metadata.generation;
        self.see("status is of this generation", observed_generation == generation);
        for condition in conditions {
            let what = format!("condition {}", condition.type_);
            self.see(message_of(&what), timeless(&condition.message));
            self.see(what, (condition.status, condition.reason, condition.observed_generation == generation));
        }
        self.see("status.lastHandledReconcileAt", last_handled_reconcile_at);
        self.see("status.privateKey", private_key);
        let signed = client_secret.map(|signed| {
            let life = Life::new(signed.issued_at, signed.expires_at, signed.renewal_time);
            (length(life), life.expires_at.duration_since(life.renewal_time), signed.secret_name)
        });
        self.see("status.clientSecret", signed);
        self.see("status.accessToken", access_token.map(|life| (length(life), renewal(life))));
        self.see("status.organization", (organization, organizations));
        self.see("status.adAccount", (ad_account, ad_accounts));
        let version = |name: &str| secrets.iter().find(|there| there.name_any() == name)?.resource_version();
        let is_last = secret.as_ref().map(|secret| version(&secret.name).as_ref() == Some(&secret.resource_version));
        self.see("status.secret", (secret.map(|secret| secret.name), is_last));
        self.see("status.binding", binding);
    }

    fn see_secret(&mut self, credential: &AsaCredential, secret: &Secret) {
        let what = |part: &str| format!("Secret {}, {part}", secret.name_any());
        let uid = credential.uid().unwrap();
        self.see(what("type"), (&secret.type_, secret.immutable));
        let mut labels = secret.labels().clone();
        if let Some(owner) = labels.get_mut(LABEL_OWNER_UID).filter(|owner| **owner == uid) {
            "its own".clone_into(owner);
        }
        self.see(what("labels"), labels);
        let owners = secret.owner_references().iter().map(|owner| {
            (
                owner.uid == uid,
                &owner.api_version,
                &owner.kind,
                &owner.name,
                owner.controller,
                owner.block_owner_deletion,
            )
        });
        self.see(what("owners"), owners.collect::<Vec<_>>());
        let (records, others): (Vec<_>, Vec<_>) =
            secret.annotations().iter().partition(|(name, _)| *name == ANNOTATION_RECORD);
        self.see(what("annotations"), others);
        for (_, record) in records {
            self.see(what("record"), lasting(record).to_string());
        }
        for (entry, value) in values(secret) {
            self.see(what(&format!("entry {entry}")), value);
        }
    }
}

fn message_of(condition: &str) -> String {
    format!("{condition}, message")
}

/// Whether a Secret was made for this credential: its name begins so, and it is not the user's.
fn is_of(name: &str, secret: &Secret) -> bool {
    let own = secret.name_any().strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    own && secret.type_.as_deref() != Some("Opaque")
}

fn as_acme(text: &str, name: &str) -> String {
    text.replace(name, NAME)
}

/// Words that are no times.
fn timeless(text: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_end_matches([';', '.', ',']);
        if bare.parse::<Timestamp>().is_ok() { word.replace(bare, "…") } else { word.to_owned() }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn length(life: Life) -> SignedDuration {
    life.expires_at.duration_since(life.issued_at)
}

/// How long before its end a token is renewed; where nobody chose that, it is about half of its life.
fn renewal(life: Life) -> String {
    let before = life.expires_at.duration_since(life.renewal_time);
    let share = before.as_secs_f64() / length(life).as_secs_f64();
    if (0.50..=0.55).contains(&share) { "at half of its life".to_owned() } else { format!("{before:#} before its end") }
}

/// A record without what differs from one credential to the next.
fn lasting(record: &str) -> Value {
    let mut record: Value = serde_json::from_str(record).unwrap();
    for fleeting in ["issuedAt", "expiresAt", "bundle", "digest", "thumbprint"] {
        record.as_object_mut().unwrap().remove(fleeting);
    }
    for (part, fleeting) in [("key", "uid"), ("key", "resourceVersion"), ("identity", "resolvedAt")] {
        if let Some(part) = record.get_mut(part).and_then(Value::as_object_mut) {
            part.remove(fleeting);
        }
    }
    record
}

/// The entries, with words for the token and its times wherever they stand, and a client secret taken apart.
fn values(secret: &Secret) -> BTreeMap<String, String> {
    let entries = entries(secret);
    let fleeting: Vec<_> = ["access_token", "issued_at", "expires_at"]
        .into_iter()
        .filter_map(|entry| Some((entries.get(entry)?.clone(), format!("<{entry}>"))))
        .collect();
    let is_signed = secret.type_.as_deref() == Some(TYPE_CLIENT_SECRET);
    entries
        .iter()
        .map(|(entry, value)| {
            let value = match entry.as_str() {
                "client_secret" if is_signed => signed(value).to_string(),
                _ => fleeting.iter().fold(value.clone(), |value, (text, word)| value.replace(text, word)),
            };
            (entry.clone(), value)
        })
        .collect()
}

/// Header and claims of a client secret, with its life's length in place of its times.
fn signed(jwt: &str) -> Value {
    let part = |number| {
        let part = BASE64_URL_SAFE_NO_PAD.decode(jwt.split('.').nth(number).unwrap()).unwrap();
        serde_json::from_slice::<Value>(&part).unwrap()
    };
    let (header, mut claims) = (part(0), part(1));
    let claims = claims.as_object_mut().unwrap();
    let [iat, exp] = ["iat", "exp"].map(|time| claims.remove(time).unwrap().as_i64().unwrap());
    json!({"header": header, "claims": claims, "seconds": exp - iat})
}
