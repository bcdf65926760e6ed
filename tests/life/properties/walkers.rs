//! The credentials on which properties change, and the fresh ones to compare them with.

use std::collections::{BTreeMap, BTreeSet};

use asa_operator::api::Kind;
use fake_apple::Client;
use serde_json::{Value, json};

use super::property::{Property, properties};
use crate::support::credential::{AD_ACCOUNT, Credential, ORG};
use crate::support::key::KeyPair;
use crate::support::stage::Stage;

/// What Apple has for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Access {
    /// One campaign group and one ad account.
    Single,
    /// The campaign groups 1 and 2.
    TwoOrganizations,
    /// The ad accounts 1 and 2.
    TwoAccounts,
}

impl Access {
    fn of(property: &Property) -> Self {
        match property.path {
            path if path.starts_with("spec.organization") => Self::TwoOrganizations,
            path if path.starts_with("spec.adAccount") => Self::TwoAccounts,
            _ => Self::Single,
        }
    }

    fn given_to(self, client: Client) -> Client {
        match self {
            Self::Single => client.organization(ORG, "Acme").ad_account(AD_ACCOUNT, "Acme Europe"),
            Self::TwoOrganizations => {
                client.organization(1, "Acme").organization(2, "Acme Asia").ad_account(AD_ACCOUNT, "Acme Europe")
            }
            Self::TwoAccounts => {
                client.organization(ORG, "Acme").ad_account(1, "Acme Europe").ad_account(2, "Acme Asia")
            }
        }
    }
}

/// As the outlook names it.
pub(super) const RENEWAL_HEALTHY: &str = "condition RenewalHealthy";

/// A property, and the credential on which it changes.
pub(super) struct Walker {
    pub(super) name: String,
    pub(super) property: Property,
    access: Access,
}

/// So many specs a walker has, one after the other: absent, the two valid values, absent.
pub(super) const STEPS: usize = 4;

impl Walker {
    /// One for each property.
    pub(super) fn all() -> Vec<Self> {
        let new =
            |(number, property)| Self { name: format!("walker-{number:02}"), access: Access::of(&property), property };
        properties(Kind::Ads).into_iter().enumerate().map(new).collect()
    }

    /// The spec at a step; what has to be there begins and ends with its first value.
    fn spec(&self, step: usize) -> Value {
        let property = &self.property;
        match step {
            1 => property.at(&property.valid[0]),
            2 => property.at(&property.valid[1]),
            _ if property.is_required => property.at(&property.valid[0]),
            _ => property.absent(),
        }
    }

    pub(super) fn document(&self, step: usize) -> Value {
        named(&self.name, self.spec(step))
    }

    /// Whether the step leaves alone what was published for the spec before; if so, which parts of the status tell of it.
    /// Who suspends a credential, or takes an id away, takes no token away.
    pub(super) fn parts_told_of_what_stays(&self, step: usize) -> Option<&[&str]> {
        match (self.property.path, step) {
            ("spec.suspend", 1) => Some(&[RENEWAL_HEALTHY]),
            ("spec.clientId" | "spec.teamId" | "spec.keyId", 3) => {
                Some(&[RENEWAL_HEALTHY, "condition ClientSecretIssued", "condition Reconciling", "status.clientSecret"])
            }
            _ => None,
        }
    }

    /// How often client or key become others.
    pub(super) fn bundles(&self) -> usize {
        let places = ["clientId", "teamId", "keyId", "privateKey/secretRef/name"];
        let bundle = |step| {
            let spec = self.spec(step);
            let ids = places.map(|place| spec.pointer(&format!("/spec/{place}")).cloned()).into_iter();
            let ids: Option<Vec<_>> = ids.collect();
            ids.map(|ids| (ids, spec.pointer("/spec/privateKey/secretRef/key").cloned()))
        };
        let mut bundles: Vec<_> = (0..STEPS).filter_map(bundle).collect();
        bundles.dedup();
        bundles.len()
    }

    /// What the API server refuses.
    pub(super) fn refused(&self) -> Vec<Value> {
        let absent = self.property.is_required.then(|| self.property.absent());
        let refused = absent.into_iter().chain([self.property.at(&self.property.invalid)]);
        refused.map(|document| named(&self.name, document)).collect()
    }

    /// What Apple comes to know before the step is made.
    pub(super) fn upload(&self, stage: &Stage<'_>, keys: &Keys, step: usize) {
        keys.upload(stage, &self.document(step), self.access);
    }
}

/// A credential that was never anything else, for each spec of the walkers.
pub(super) struct Fresh(BTreeMap<(Access, String), Value>);

impl Fresh {
    pub(super) fn of(walkers: &[Walker]) -> Self {
        let mut all = BTreeMap::new();
        for walker in walkers {
            for step in 0..STEPS {
                let spec = walker.spec(step);
                let name = format!("fresh-{:02}", all.len());
                all.entry((walker.access, spec.to_string())).or_insert_with(|| named(&name, spec));
            }
        }
        Self(all)
    }

    /// The name of the one that is what the walker is to be after this step.
    pub(super) fn like(&self, walker: &Walker, step: usize) -> &str {
        self.0[&(walker.access, walker.spec(step).to_string())]["metadata"]["name"].as_str().unwrap()
    }

    pub(super) fn documents(&self) -> impl Iterator<Item = &Value> {
        self.0.values()
    }

    pub(super) fn upload(&self, stage: &Stage<'_>, keys: &Keys) {
        for ((access, _), document) in &self.0 {
            keys.upload(stage, document, *access);
        }
    }
}

/// The same document under another name, with a client and Secrets of its own.
fn named(name: &str, mut document: Value) -> Value {
    document["metadata"]["name"] = json!(name);
    let secrets =
        [("/spec/privateKey/secretRef/name", "-key"), ("/spec/secret/name", ""), ("/spec/clientSecret/secretName", "")];
    for (secret, ending) in secrets {
        if let Some(Value::String(secret)) = document.pointer_mut(secret) {
            *secret = match secret.strip_prefix("acme") {
                Some(rest) => format!("{name}{rest}"),
                None => format!("{name}-{secret}{ending}"),
            };
        }
    }
    if let Some(Value::String(client)) = document.pointer_mut("/spec/clientId") {
        *client = format!("{client}.{name}");
    }
    document
}

/// The keys of all credentials.
pub(super) struct Keys([KeyPair; 3]);

impl Keys {
    pub(super) fn new() -> Self {
        Self([KeyPair::new(), KeyPair::new(), KeyPair::new()])
    }

    /// The Secrets of these documents, with their entries.
    pub(super) fn secrets<'a>(&self, documents: impl Iterator<Item = &'a Value>) -> Vec<(String, Vec<(&str, &str)>)> {
        let name = |document: &Value| {
            document.pointer("/spec/privateKey/secretRef/name").unwrap().as_str().unwrap().to_owned()
        };
        let names: BTreeSet<String> = documents.map(name).collect();
        let [first, one, two] = &self.0;
        let entries = |name: &str| {
            let usual = match name {
                _ if name.ends_with("-one-key") => one,
                _ if name.ends_with("-two-key") => two,
                _ => first,
            };
            vec![("private-key.pem", usual.private()), ("one.pem", one.private()), ("two.pem", two.private())]
        };
        names.into_iter().map(|name| (name.clone(), entries(&name))).collect()
    }

    /// Apple comes to know the client of this document by all of the keys.
    fn upload(&self, stage: &Stage<'_>, document: &Value, access: Access) {
        let id = |name: &str| document["spec"][name].as_str();
        let (Some(client), Some(team), Some(key)) = (id("clientId"), id("teamId"), id("keyId")) else { return };
        let [first, one, two] = &self.0;
        let client = Client::new(client, team, key, first.public()).key(key, one.public()).key(key, two.public());
        stage.register(access.given_to(client));
    }
}

/// To be applied.
pub(super) fn credential(document: &Value) -> Credential {
    Credential::of_document(document.clone())
}
