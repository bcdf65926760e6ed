//! What the toy API server stores, and its rules: uids, resource versions, merge patches with preconditions, watches.

use std::collections::BTreeMap;

use asa_operator::{
    api::{Credential, CredentialStatus},
    controller::{cluster::SecretContent, index::id_of},
    credential::{
        failure::ClusterClass,
        secret_meta::{SecretMeta, Version},
    },
};
use base64::{Engine, prelude::BASE64_STANDARD};
use kube::core::ObjectMeta;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::UnboundedSender;

use crate::{
    post::Told,
    witness::{Witness, Write},
};

/// A Secret as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredSecret {
    pub(crate) metadata: ObjectMeta,
    pub(crate) type_: String,
    pub(crate) data: BTreeMap<String, Vec<u8>>,
}

impl StoredSecret {
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        self.data.get(key).map(|value| String::from_utf8(value.clone()).unwrap())
    }

    /// The token in a managed Secret of either kind.
    pub(crate) fn token(&self) -> Option<String> {
        self.text("access_token").or_else(|| self.text("token"))
    }

    fn is_owned_by(&self, uid: &str) -> bool {
        self.metadata.owner_references.iter().flatten().any(|owner| owner.uid == uid)
    }
}

/// The objects, by their names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Objects {
    version: u64,
    pub(crate) credentials: BTreeMap<String, Credential>,
    pub(crate) secrets: BTreeMap<String, StoredSecret>,
}

/// The server's state.
pub(crate) struct Stored {
    pub(crate) objects: Objects,
    pub(crate) is_down: bool,
    pub(crate) watches: Vec<UnboundedSender<Told>>,
    /// All that watches were told, where somebody wants to know.
    pub(crate) history: Option<Vec<Told>>,
    pub(crate) witness: Witness,
}

/// What users and controllers other than the operator do.
impl Stored {
    pub(crate) fn apply_credential(&mut self, mut object: Credential) {
        let old = self.objects.credentials.get(object.name());
        let number = self.objects.version + 1;
        let uid = old.map_or_else(|| format!("uid-{number}-of-{}", object.name()), |old| old.uid().to_owned());
        let generation = old.and_then(|old| old.metadata().generation).unwrap_or_default() + 1;
        *object.status_mut() = old.and_then(|old| old.status().cloned());
        object.metadata_mut().uid = Some(uid);
        object.metadata_mut().generation = Some(generation);
        self.store_credential(object);
    }

    /// Says which uid is gone.
    pub(crate) fn delete_credential(&mut self, name: &str) -> String {
        let gone = self.objects.credentials.remove(name).unwrap();
        self.tell(Told::CredentialGone(id_of(&gone)));
        gone.uid().to_owned()
    }

    /// Garbage collection, should that credential be gone.
    pub(crate) fn collect(&mut self, name: &str, uid: &str) {
        if self.objects.credentials.get(name).is_some_and(|there| there.uid() == uid) {
            return;
        }
        let owned = |(name, secret): (&String, &StoredSecret)| secret.is_owned_by(uid).then(|| name.clone());
        let owned: Vec<String> = self.objects.secrets.iter().filter_map(owned).collect();
        for name in owned {
            self.delete_secret(&name);
        }
    }

    pub(crate) fn apply_secret(&mut self, name: &str, type_: &str, data: BTreeMap<String, Vec<u8>>) {
        let metadata = match self.objects.secrets.get(name) {
            Some(old) => old.metadata.clone(),
            None => self.new_metadata(name),
        };
        self.store_secret(name, StoredSecret { metadata, type_: type_.to_owned(), data });
    }

    pub(crate) fn edit_secret(&mut self, name: &str, edit: impl FnOnce(&mut StoredSecret)) {
        let mut secret = self.objects.secrets[name].clone();
        edit(&mut secret);
        self.store_secret(name, secret);
    }

    pub(crate) fn delete_secret(&mut self, name: &str) {
        let gone = self.objects.secrets.remove(name).unwrap();
        self.tell(Told::SecretGone(name.to_owned(), gone.metadata.uid.unwrap()));
    }

    fn new_metadata(&self, name: &str) -> ObjectMeta {
        let uid = format!("uid-{}", self.objects.version + 1);
        ObjectMeta { name: Some(name.to_owned()), uid: Some(uid), ..ObjectMeta::default() }
    }

    fn tell(&mut self, told: Told) {
        self.tell_again(&told);
        if let Some(history) = &mut self.history {
            history.push(told);
        }
    }

    /// Tells what has been told already.
    pub(crate) fn tell_again(&mut self, told: &Told) {
        // Those of processes that are gone end here.
        self.watches.retain(|watch| watch.send(told.clone()).is_ok());
    }

    fn next_version(&mut self) -> String {
        self.objects.version += 1;
        self.objects.version.to_string()
    }

    fn store_secret(&mut self, name: &str, mut secret: StoredSecret) -> SecretMeta {
        secret.metadata.resource_version = Some(self.next_version());
        let meta = SecretMeta::of(&secret.metadata).unwrap();
        self.objects.secrets.insert(name.to_owned(), secret);
        self.tell(Told::Secret(name.to_owned(), Box::new(meta.clone())));
        meta
    }

    fn store_credential(&mut self, mut object: Credential) -> Credential {
        object.metadata_mut().resource_version = Some(self.next_version());
        self.objects.credentials.insert(object.name().to_owned(), object.clone());
        self.tell(Told::Credential(Box::new(object.clone())));
        object
    }
}

/// What the operator asks.
impl Stored {
    pub(crate) fn look(&self, name: &str) -> Option<SecretMeta> {
        SecretMeta::of(&self.objects.secrets.get(name)?.metadata)
    }

    pub(crate) fn read(&self, name: &str) -> Option<SecretContent> {
        let secret = self.objects.secrets.get(name)?;
        Some(SecretContent {
            meta: SecretMeta::of(&secret.metadata).unwrap(),
            type_: secret.type_.clone(),
            data: secret.data.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect(),
        })
    }

    pub(crate) fn create(&mut self, body: &Value) -> Result<SecretMeta, ClusterClass> {
        let name = body["metadata"]["name"].as_str().unwrap();
        if self.objects.secrets.contains_key(name) {
            return Err(ClusterClass::Conflict);
        }
        let mut metadata: ObjectMeta = serde_json::from_value(body["metadata"].clone()).unwrap();
        metadata.uid = self.new_metadata(name).uid;
        let type_ = body["type"].as_str().unwrap().to_owned();
        Ok(self.write(name, StoredSecret { metadata, type_, data: decoded(&body["data"]) }))
    }

    pub(crate) fn change(&mut self, name: &str, patch: &Value) -> Result<SecretMeta, ClusterClass> {
        let Some(old) = self.objects.secrets.get(name) else { return Err(ClusterClass::Conflict) };
        let expected = (patch["metadata"]["uid"].as_str(), patch["metadata"]["resourceVersion"].as_str());
        if expected != (old.metadata.uid.as_deref(), old.metadata.resource_version.as_deref()) {
            return Err(ClusterClass::Conflict);
        }
        if patch.get("type").is_some_and(|type_| *type_ != *old.type_) {
            return Err(ClusterClass::WrongType);
        }
        let mut metadata = serde_json::to_value(&old.metadata).unwrap();
        merge(&mut metadata, &patch["metadata"]);
        let encoded = old.data.iter().map(|(key, value)| (key.clone(), json!(BASE64_STANDARD.encode(value))));
        let mut data = Value::Object(encoded.collect::<Map<_, _>>());
        merge(&mut data, patch.get("data").unwrap_or(&json!({})));
        let metadata = serde_json::from_value(metadata).unwrap();
        let new = StoredSecret { metadata, data: decoded(&data), type_: old.type_.clone() };
        Ok(self.write(name, new))
    }

    pub(crate) fn delete(&mut self, name: &str, version: &Version) -> Result<(), ClusterClass> {
        match self.objects.secrets.get(name) {
            Some(there) if SecretMeta::of(&there.metadata).unwrap().version == *version => {
                self.witness.removes(name, &self.objects);
                self.delete_secret(name);
                Ok(())
            }
            _ => Err(ClusterClass::Conflict),
        }
    }

    pub(crate) fn write_status(
        &mut self,
        object: &Credential,
        status: &CredentialStatus,
    ) -> Result<Credential, ClusterClass> {
        let there = self.objects.credentials.get(object.name());
        let version = |object: &Credential| object.metadata().resource_version.clone();
        let Some(there) = there.filter(|there| version(there) == version(object)) else {
            return Err(ClusterClass::Conflict);
        };
        let mut there = there.clone();
        *there.status_mut() = Some(status.clone());
        self.witness.reported(there.name(), status);
        Ok(self.store_credential(there))
    }

    fn write(&mut self, name: &str, after: StoredSecret) -> SecretMeta {
        let write = Write {
            name,
            before: self.objects.secrets.get(name),
            after: &after,
            credentials: &self.objects.credentials,
        };
        self.witness.wrote(&write);
        self.store_secret(name, after)
    }
}

fn decoded(data: &Value) -> BTreeMap<String, Vec<u8>> {
    let entries = data.as_object().unwrap().iter();
    entries.map(|(key, value)| (key.clone(), BASE64_STANDARD.decode(value.as_str().unwrap()).unwrap())).collect()
}

/// RFC 7386.
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let Some(changes) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, change) in changes {
        if change.is_null() {
            target.as_object_mut().unwrap().remove(key);
        } else {
            merge(&mut target[key], change);
        }
    }
}
