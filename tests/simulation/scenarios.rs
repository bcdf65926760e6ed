//! Stretches of a credential's life into which campaigns throw faults: what users do, and when.

use std::collections::BTreeMap;

use asa_operator::api::{AsaCredential, names::TYPE_ACCESS_TOKEN};
use serde_json::{Value, json};

use crate::{
    api_key_stories::Story,
    stored::merge,
    world::{ACME, ACME_KEY, GOOD_KEY, NEW_KEY, Simulation, credential, key_entry},
};

/// The name of the Secret with the client secret.
const CLIENT_SECRET: &str = "acme-client-secret";

/// The name of a Secret of the operator's type that nobody owns.
const LEFT: &str = "left";

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// An operator finds a new credential.
    Create,
    /// A token is renewed.
    Renew,
    /// A token is renewed after the client secret has become due.
    Resign,
    /// The key is replaced by another good one.
    RotateKey,
    /// The key is replaced by something else, and then put back.
    BadKey,
    /// The key is replaced by one that Apple does not know, which is then uploaded.
    UnknownKey,
    /// The key that another credential uses too is deleted, then put back when a third one comes that uses it.
    KeyShared,
    /// One Secret is deleted, then the other.
    SecretDeleted,
    /// Somebody changes the token in the managed Secret, then strips its label.
    SecretEdited,
    /// The managed Secret is replaced by a Secret of somebody else's, which later goes.
    SecretSquatted,
    /// The credential is deleted and made anew under its name at once.
    Recreated,
    /// The managed Secret gets another name, then its old one again.
    Renamed,
    /// The client secret's Secret gets another name, then its old one again.
    ClientSecretRenamed,
    /// A Secret that nobody owns is to be the managed one.
    Adopted,
    /// The credential is deleted and made anew under its name at once; its Secret stays and is adopted.
    Retained,
    /// The managed Secret is to outlive the credential, then not any more.
    RetainedForAWhile,
    /// The client secret is stored nowhere, then kept again.
    Ephemeral,
    /// The operator makes the key; Apple's ids are set when it was uploaded.
    Generated,
    /// The credential is suspended, its token becomes due, and it goes on.
    Suspended,
    /// Formats, labels and annotations of the managed Secret are added, then removed.
    Dressed,
    /// Another of two organizations is chosen, then the first again.
    Chosen,
    /// Of two organizations none is chosen; the choice is left to the holder of the token, then made.
    AnySelected,
    /// Ids and key are replaced by those of another API user, then put back.
    RolledOver,
    /// Ids and key are replaced by those of an API user whom Apple does not know, then put back.
    RolledOverInVain,
    /// What happens to an API key.
    ApiKey(Story),
}

/// In which moment a scenario begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// Nobody has seen the credential yet.
    New,
    /// The token is fresh.
    Fresh,
    /// The token becomes due in five seconds.
    Due,
}

impl Scenario {
    pub(crate) const ALL: [Self; 35] = [
        Self::Create,
        Self::Renew,
        Self::Resign,
        Self::RotateKey,
        Self::BadKey,
        Self::UnknownKey,
        Self::KeyShared,
        Self::SecretDeleted,
        Self::SecretEdited,
        Self::SecretSquatted,
        Self::Recreated,
        Self::Renamed,
        Self::ClientSecretRenamed,
        Self::Adopted,
        Self::Retained,
        Self::RetainedForAWhile,
        Self::Ephemeral,
        Self::Generated,
        Self::Suspended,
        Self::Dressed,
        Self::Chosen,
        Self::AnySelected,
        Self::RolledOver,
        Self::RolledOverInVain,
        Self::ApiKey(Story::Create),
        Self::ApiKey(Story::Renew),
        Self::ApiKey(Story::KeyReplaced),
        Self::ApiKey(Story::KeyPutBack),
        Self::ApiKey(Story::BadKey),
        Self::ApiKey(Story::RefusedKey),
        Self::ApiKey(Story::SecretDeleted),
        Self::ApiKey(Story::SecretEdited),
        Self::ApiKey(Story::Recreated),
        Self::ApiKey(Story::Renamed),
        Self::ApiKey(Story::Rescoped),
    ];

    pub(crate) fn beginning(self) -> Beginning {
        match self {
            Self::Create | Self::Generated => Beginning::New,
            Self::Renew | Self::Resign | Self::Suspended => Beginning::Due,
            Self::ApiKey(story) => story.beginning(),
            _ => Beginning::Fresh,
        }
    }

    /// Whether there is a second act, before which everything has come to rest whatever went wrong.
    pub(crate) fn is_judged_in_between(self) -> bool {
        if let Self::ApiKey(story) = self {
            return story.is_judged_in_between();
        }
        let has_one_act =
            [Self::Create, Self::Renew, Self::Resign, Self::RotateKey, Self::Recreated, Self::Adopted, Self::Retained];
        !has_one_act.contains(&self)
    }

    /// What stands in the spec beside [`credential`]'s: in the beginning, after the first act and after the second.
    fn specs(self) -> [Value; 3] {
        let usual = || json!({});
        let to_and_fro = |other| [usual(), other, usual()];
        let always = |spec: Value| [spec.clone(), spec.clone(), spec];
        let chosen = |choice: Value| json!({"organization": choice});
        match self {
            // Due after ten minutes: at the second renewal, and not again in this story.
            Self::Resign => always(json!({"clientSecret": {"lifetime": "12m"}})),
            Self::Renamed => to_and_fro(json!({"secret": {"name": "renamed"}})),
            Self::ClientSecretRenamed => to_and_fro(json!({"clientSecret": {"secretName": "renamed"}})),
            Self::Adopted => {
                let adopting = json!({"secret": {"name": LEFT, "adoption": "IfUnowned"}});
                [usual(), adopting.clone(), adopting]
            }
            Self::Retained => always(json!({"secret": {"deletionPolicy": "Retain", "adoption": "IfUnowned"}})),
            Self::RetainedForAWhile => to_and_fro(json!({"secret": {"deletionPolicy": "Retain"}})),
            Self::Ephemeral => to_and_fro(json!({"clientSecret": {"mode": "Ephemeral"}})),
            Self::Generated => {
                let with_ids = json!({"privateKey": {"generate": "IfMissing"}});
                let mut without_ids = json!({"clientId": null, "teamId": null, "keyId": null});
                merge(&mut without_ids, &with_ids);
                [without_ids.clone(), without_ids, with_ids]
            }
            Self::Suspended => to_and_fro(json!({"suspend": true})),
            Self::Dressed => to_and_fro(json!({"secret": {
                "formats": ["Json", "Dotenv", "CurlConfig"],
                "labels": {"team": "growth"},
                "annotations": {"example.com/contact": "growth@example.com"},
            }})),
            Self::Chosen => [1, 2, 1].map(|id| chosen(json!({"orgId": id}))),
            Self::AnySelected => [usual(), chosen(json!({"selection": "Any"})), chosen(json!({"orgId": 1}))],
            Self::RolledOver | Self::RolledOverInVain => {
                to_and_fro(json!({"clientId": "SEARCHADS.other", "teamId": "SEARCHADS.other", "keyId": "other"}))
            }
            _ => always(usual()),
        }
    }

    /// The credential after so many acts.
    fn credential(self, acts: usize) -> AsaCredential {
        acme(&self.specs()[acts])
    }

    /// The stage before any operator.
    pub(crate) fn set(self, simulation: &Simulation) {
        if let Self::ApiKey(story) = self {
            return story.set(simulation);
        }
        let Simulation { cluster, apple, .. } = simulation;
        match self {
            Self::Adopted => cluster.apply_secret(LEFT, TYPE_ACCESS_TOKEN, text("password", "somebody else's")),
            Self::Chosen | Self::AnySelected => apple.set_organizations(2),
            Self::RolledOver => {
                apple.upload(&self.credential(0), GOOD_KEY);
                apple.upload(&self.credential(1), NEW_KEY);
            }
            Self::RolledOverInVain => apple.upload(&self.credential(0), GOOD_KEY),
            _ => {}
        }
        if self != Self::Generated {
            cluster.apply_secret(ACME_KEY, "Opaque", key_entry(GOOD_KEY));
        }
        cluster.apply_credential(self.credential(0));
        if self == Self::KeyShared {
            cluster.apply_credential(credential("beside"));
        }
    }

    /// What users do at the beginning, and what they do later.
    pub(crate) fn act(self, simulation: &Simulation, second: bool) {
        if let Self::ApiKey(story) = self {
            return story.act(simulation, second);
        }
        let cluster = &simulation.cluster;
        match (self, second) {
            (Self::RotateKey | Self::UnknownKey, false) => {
                simulation.apple.set_registered(self == Self::RotateKey);
                simulation.replace_key(NEW_KEY);
            }
            (Self::BadKey, false) => cluster.apply_secret(ACME_KEY, "Opaque", text("private-key.pem", "no key")),
            (Self::RolledOver | Self::RolledOverInVain, false) => simulation.replace_key(NEW_KEY),
            (Self::BadKey | Self::RolledOver | Self::RolledOverInVain, true) => simulation.replace_key(GOOD_KEY),
            (Self::UnknownKey, true) => {
                simulation.apple.set_registered(true);
                // Somebody who uploads a key has the same key applied once more, and this change is seen.
                simulation.cluster.apply_secret(ACME_KEY, "Opaque", key_entry(NEW_KEY));
            }
            (Self::KeyShared, false) => cluster.delete_secret(ACME_KEY),
            (Self::KeyShared, true) => {
                simulation.replace_key(GOOD_KEY);
                cluster.apply_credential(credential("newcomer"));
            }
            (Self::SecretDeleted, false) | (Self::SecretSquatted, true) => cluster.delete_secret(ACME),
            (Self::SecretDeleted, true) => cluster.delete_secret(CLIENT_SECRET),
            (Self::SecretEdited, false) => cluster.edit_secret(ACME, |secret| {
                secret.data.extend(text("access_token", "edited"));
            }),
            (Self::SecretEdited, true) => cluster.edit_secret(ACME, |secret| secret.metadata.labels = None),
            (Self::SecretSquatted, false) => {
                cluster.delete_secret(ACME);
                cluster.apply_secret(ACME, "Opaque", text("password", "somebody else's"));
            }
            (Self::Recreated | Self::Retained, false) => {
                cluster.delete_credential(ACME);
                cluster.apply_credential(self.credential(1));
            }
            _ => {}
        }
        let acts = if second { 2 } else { 1 };
        if self.specs()[acts] != self.specs()[acts - 1] {
            cluster.apply_credential(self.credential(acts));
        }
    }
}

/// The credential with this merged into its spec.
pub(crate) fn acme(spec: &Value) -> AsaCredential {
    let mut object = serde_json::to_value(credential(ACME)).unwrap();
    merge(&mut object["spec"], spec);
    serde_json::from_value(object).unwrap()
}

/// The data of a Secret with this entry.
pub(crate) fn text(entry: &str, value: &str) -> BTreeMap<String, Vec<u8>> {
    BTreeMap::from([(entry.to_owned(), value.as_bytes().to_vec())])
}
