//! What users can see of a credential, without times, versions and tokens: what two runs must have in common.

use std::{collections::BTreeMap, fmt::Debug};

use asa_operator::{
    api::{
        Credential, CredentialStatus, Kind,
        names::{ANNOTATION_RECORD, TYPE_PRIVATE_KEY},
    },
    apple::PrivateKey,
    credential::{entries::Entries, published::bundle, secret_meta::SecretMeta, target::Target},
};

use crate::{
    stored::StoredSecret,
    witness::time,
    world::{ACME, ACME_KEY, Simulation},
};

/// Entries whose values differ from one run to the next. Where another entry repeats one, its name is seen there.
const FLEETING: [&str; 5] = ["access_token", "client_secret", "expires_at", "issued_at", "token"];

/// All that is to be seen: what it is, and how it looks.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Outlook {
    looks: BTreeMap<String, String>,
    /// What differs from one run to the next, and by which name it is seen.
    fleeting: Vec<(String, &'static str)>,
}

impl Outlook {
    pub(crate) fn of(simulation: &Simulation) -> Self {
        let stored = simulation.cluster.stored();
        let (secrets, object) = (&stored.objects.secrets, &stored.objects.credentials[ACME]);
        let status = object.status();
        let mut fleeting = secrets.get(ACME_KEY).map(|key| made_key(key, object)).unwrap_or_default();
        // How many objects were made before one that comes late is another number in each run.
        let others = stored.objects.credentials.values().filter(|other| other.name() != ACME);
        fleeting.extend(others.map(|other| (other.uid().to_owned(), "uid")));
        let mut outlook = Self { fleeting, ..Self::default() };
        if let Some(status) = status {
            outlook.see_status(status);
        }
        for (name, other) in stored.objects.credentials.iter().filter(|(name, _)| *name != ACME) {
            let conditions = other.status().into_iter().flat_map(|status| &status.conditions);
            let said: Vec<_> = conditions.map(|told| (&told.type_, told.status, &told.reason)).collect();
            outlook.see(&format!("conditions of {name}"), said);
        }
        for (name, secret) in secrets {
            outlook.see_secret(name, secret);
        }
        let managed = secrets.get(&object.secret_name());
        let token = managed.and_then(StoredSecret::token);
        outlook.see("the token works", token.is_some_and(|token| simulation.apple.accepts(&token)));
        let reported = status.as_ref().and_then(|status| status.access_token).map(|life| life.expires_at);
        let ends = managed.and_then(|secret| time(secret, "expires_at"));
        outlook.see("the status tells when the token ends", reported == ends);
        outlook
    }

    /// In what this differs from what was expected.
    pub(crate) fn differences(&self, expected: &Self) -> Vec<String> {
        let others = expected.looks.keys().filter(|name| !self.looks.contains_key(*name));
        let names = self.looks.keys().chain(others);
        let differing = names.filter(|name| self.looks.get(*name) != expected.looks.get(*name));
        differing
            .map(|name| {
                let look = |outlook: &Self| outlook.looks.get(name).map_or("nothing", String::as_str).to_owned();
                format!("{name}: {} instead of {}", look(self), look(expected))
            })
            .collect()
    }

    fn see(&mut self, what: &str, look: impl Debug) {
        let look = masked(format!("{look:?}"), self.fleeting.iter().map(|(value, name)| (&**value, *name)));
        self.looks.insert(what.to_owned(), look);
    }

    fn see_status(&mut self, status: &CredentialStatus) {
        for condition in &status.conditions {
            let said = (condition.status, &condition.reason, condition.observed_generation);
            self.see(&format!("condition {}", condition.type_), said);
        }
        self.see("observedGeneration", status.observed_generation);
        self.see("lastHandledReconcileAt", &status.last_handled_reconcile_at);
        self.see("privateKey", status.private_key.as_ref().map(|key| &key.fingerprint));
        self.see("organization", (&status.organization, &status.organizations));
        self.see("adAccount", (&status.ad_account, &status.ad_accounts));
        self.see("the Secret's name", (status.secret.as_ref().map(|secret| &secret.name), &status.binding));
        let client_secret = status.client_secret.as_ref();
        self.see("the client secret", client_secret.map(|told| &told.secret_name));
    }

    fn see_secret(&mut self, name: &str, secret: &StoredSecret) {
        self.see(&format!("Secret {name}, type"), &secret.type_);
        self.see(&format!("Secret {name}, labels"), secret.metadata.labels.iter().flatten().collect::<Vec<_>>());
        let owners = secret.metadata.owner_references.iter().flatten();
        self.see(
            &format!("Secret {name}, owners"),
            owners.map(|owner| (&owner.uid, owner.controller)).collect::<Vec<_>>(),
        );
        let annotations = secret.metadata.annotations.iter().flatten().filter(|(name, _)| *name != ANNOTATION_RECORD);
        self.see(&format!("Secret {name}, annotations"), annotations.collect::<Vec<_>>());
        let fleeting: Vec<_> = FLEETING.into_iter().filter_map(|entry| Some((secret.text(entry)?, entry))).collect();
        for (key, value) in &secret.data {
            let value = String::from_utf8_lossy(value).into_owned();
            let value = masked(value, fleeting.iter().map(|(value, entry)| (&**value, *entry)));
            self.see(&format!("Secret {name}, entry {key}"), value);
        }
        let Some(record) = SecretMeta::of(&secret.metadata).unwrap().record else { return };
        let identity = record.identity.as_ref().map(|identity| (&identity.choice, identity.ids));
        let kinds = Kind::ALL.into_iter().flat_map(|kind| Target::ALL.map(|target| (target, kind)));
        let what = kinds.into_iter().find(|(target, kind)| target.secret_type(*kind) == secret.type_);
        let data = || secret.data.iter().map(|(key, value)| (key.clone(), value.clone().into()));
        let is_intact =
            what.is_some_and(|(target, kind)| Entries::read(target, kind, data()).digest() == record.digest);
        let client = (record.bundle, record.fingerprint);
        let look = (record.secret, client, record.formats, identity, record.unverified, is_intact);
        self.see(&format!("Secret {name}, record"), look);
    }
}

/// `text` with names in place of values that differ from one run to the next.
fn masked<'a>(text: String, fleeting: impl Iterator<Item = (&'a str, &'static str)>) -> String {
    fleeting.fold(text, |text, (value, name)| text.replace(value, &format!("‹{name}›")))
}

/// What is another in each run where the operator made the key.
fn made_key(secret: &StoredSecret, object: &Credential) -> Vec<(String, &'static str)> {
    let key = secret.data.get("private-key.pem").filter(|_| secret.type_ == TYPE_PRIVATE_KEY);
    let Some(pem) = key.map(|pem| String::from_utf8_lossy(pem)) else { return Vec::new() };
    let fingerprint = PrivateKey::parse(pem.as_bytes()).unwrap().fingerprint();
    let bundle = bundle(object, &fingerprint).map(|bundle| (bundle, "its bundle"));
    // As it is printed.
    let pem = pem.escape_debug().to_string();
    bundle.into_iter().chain([(fingerprint, "its fingerprint"), (pem, "the key")]).collect()
}
