//! What users can see of a credential, without times, versions and tokens: what two runs must have in common.

use std::{collections::BTreeMap, fmt::Debug};

use asa_operator::{
    api::{CredentialStatus, Kind},
    credential::{entries::Entries, secret_meta::SecretMeta, target::Target},
};

use crate::{
    stored::StoredSecret,
    witness::time,
    world::{ACME, Simulation},
};

/// Entries whose values differ from one run to the next.
const FLEETING: [&str; 5] = ["access_token", "authorization", "client_secret", "expires_at", "issued_at"];

/// All that is to be seen: what it is, and how it looks.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Outlook(BTreeMap<String, String>);

impl Outlook {
    pub(crate) fn of(simulation: &Simulation) -> Self {
        let stored = simulation.cluster.stored();
        let (secrets, status) = (&stored.objects.secrets, stored.objects.credentials[ACME].status());
        let mut outlook = Self::default();
        if let Some(status) = status {
            outlook.see_status(status);
        }
        for (name, secret) in secrets {
            outlook.see_secret(name, secret);
        }
        let managed = secrets.get(ACME);
        let token = managed.and_then(|secret| secret.text("access_token"));
        outlook.see("the token works", token.is_some_and(|token| simulation.apple.accepts(&token)));
        let reported = status.as_ref().and_then(|status| status.access_token).map(|life| life.expires_at);
        let ends = managed.and_then(|secret| time(secret, "expires_at"));
        outlook.see("the status tells when the token ends", reported == ends);
        outlook
    }

    /// In what this differs from what was expected.
    pub(crate) fn differences(&self, expected: &Self) -> Vec<String> {
        let names = self.0.keys().chain(expected.0.keys().filter(|name| !self.0.contains_key(*name)));
        let differing = names.filter(|name| self.0.get(*name) != expected.0.get(*name));
        differing
            .map(|name| {
                let look = |outlook: &Self| outlook.0.get(name).map_or("nothing", String::as_str).to_owned();
                format!("{name}: {} instead of {}", look(self), look(expected))
            })
            .collect()
    }

    fn see(&mut self, what: &str, look: impl Debug) {
        self.0.insert(what.to_owned(), format!("{look:?}"));
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
        self.see("a client secret's life is told", status.client_secret.is_some());
    }

    fn see_secret(&mut self, name: &str, secret: &StoredSecret) {
        self.see(&format!("Secret {name}, type"), &secret.type_);
        self.see(&format!("Secret {name}, labels"), secret.metadata.labels.iter().flatten().collect::<Vec<_>>());
        let owners = secret.metadata.owner_references.iter().flatten();
        self.see(
            &format!("Secret {name}, owners"),
            owners.map(|owner| (&owner.uid, owner.controller)).collect::<Vec<_>>(),
        );
        for (key, value) in &secret.data {
            let value = if FLEETING.contains(&&**key) { "…".into() } else { String::from_utf8_lossy(value) };
            self.see(&format!("Secret {name}, entry {key}"), value);
        }
        let Some(record) = SecretMeta::of(&secret.metadata).unwrap().record else { return };
        let identity = record.identity.as_ref().map(|identity| (&identity.choice, identity.ids));
        let kinds = Kind::ALL.into_iter().flat_map(|kind| Target::ALL.map(|target| (target, kind)));
        let what = kinds.into_iter().find(|(target, kind)| target.secret_type(*kind) == secret.type_);
        let data = || secret.data.iter().map(|(key, value)| (key.clone(), value.clone().into()));
        let is_intact =
            what.is_some_and(|(target, kind)| Entries::read(target, kind, data()).digest() == record.digest);
        let look = (record.bundle, record.fingerprint, identity, record.unverified, is_intact);
        self.see(&format!("Secret {name}, record"), look);
    }
}
