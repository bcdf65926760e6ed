//! A toy API server: Secrets and credentials with uids and resource versions, merge patches with preconditions, watches.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use asa_operator::{
    api::{AsaCredential, AsaCredentialStatus},
    controller::{
        cluster::{Cluster, SecretContent},
        events::Note,
        index::SecretName,
    },
    credential::{failure::ClusterClass, published::Body, secret_meta::SecretMeta},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use kube::{ResourceExt, core::ObjectMeta};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::UnboundedSender;

/// What a watch tells.
pub(crate) enum Told {
    Credential(Box<AsaCredential>),
    Secret(SecretName, Box<SecretMeta>),
    SecretGone(SecretName, String),
}

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
}

/// A request, as the server counts it: for example `create acme`.
pub(crate) type Request = (&'static str, String);

type Look = Box<dyn FnMut(&StoredSecret) + Send>;

#[derive(Default)]
struct Stored {
    version: u64,
    credentials: BTreeMap<String, AsaCredential>,
    secrets: BTreeMap<String, StoredSecret>,
    requests: BTreeMap<Request, u32>,
    is_down: bool,
    watch: Option<UnboundedSender<Told>>,
    replaced: Option<Look>,
}

/// The server; clones share it. Everything lives in one namespace.
#[derive(Clone, Default)]
pub(crate) struct ToyCluster(Arc<Mutex<Stored>>);

pub(crate) const NAMESPACE: &str = "marketing";

fn secret_name(name: &str) -> SecretName {
    SecretName { namespace: NAMESPACE.to_owned(), name: name.to_owned() }
}

impl ToyCluster {
    pub(crate) fn watch(&self, told: UnboundedSender<Told>) {
        self.0.lock().unwrap().watch = Some(told);
    }

    pub(crate) fn apply_credential(&self, mut object: AsaCredential) {
        let mut stored = self.0.lock().unwrap();
        object.metadata.uid = Some(format!("uid-of-{}", object.name_any()));
        object.metadata.namespace = Some(NAMESPACE.to_owned());
        object.metadata.generation = Some(1);
        stored.store_credential(object);
    }

    /// Creates or replaces a user's Secret.
    pub(crate) fn apply_secret(&self, name: &str, type_: &str, data: BTreeMap<String, Vec<u8>>) {
        let mut stored = self.0.lock().unwrap();
        let metadata = stored.secrets.get(name).map_or_else(
            || ObjectMeta { name: Some(name.to_owned()), uid: Some(format!("uid-of-{name}")), ..ObjectMeta::default() },
            |old| old.metadata.clone(),
        );
        stored.store_secret(name, StoredSecret { metadata, type_: type_.to_owned(), data });
    }

    pub(crate) fn delete_secret(&self, name: &str) {
        let mut stored = self.0.lock().unwrap();
        let gone = stored.secrets.remove(name).unwrap();
        stored.tell(Told::SecretGone(secret_name(name), gone.metadata.uid.unwrap()));
    }

    pub(crate) fn secret(&self, name: &str) -> Option<StoredSecret> {
        self.0.lock().unwrap().secrets.get(name).cloned()
    }

    pub(crate) fn credential(&self, name: &str) -> AsaCredential {
        self.0.lock().unwrap().credentials[name].clone()
    }

    /// How often each kind of request was made.
    pub(crate) fn requests(&self) -> BTreeMap<Request, u32> {
        self.0.lock().unwrap().requests.clone()
    }

    pub(crate) fn set_down(&self, is_down: bool) {
        self.0.lock().unwrap().is_down = is_down;
    }

    /// Calls `look` with each state of a Secret that a write of the operator's replaces.
    pub(crate) fn on_replace(&self, look: impl FnMut(&StoredSecret) + Send + 'static) {
        self.0.lock().unwrap().replaced = Some(Box::new(look));
    }

    fn ask(&self, verb: &'static str, name: &str) -> Result<std::sync::MutexGuard<'_, Stored>, ClusterClass> {
        let mut stored = self.0.lock().unwrap();
        *stored.requests.entry((verb, name.to_owned())).or_default() += 1;
        if stored.is_down { Err(ClusterClass::Unavailable("down".to_owned())) } else { Ok(stored) }
    }
}

impl Stored {
    fn tell(&self, told: Told) {
        if let Some(watch) = &self.watch {
            let _ = watch.send(told);
        }
    }

    fn next_version(&mut self) -> String {
        self.version += 1;
        self.version.to_string()
    }

    fn store_secret(&mut self, name: &str, mut secret: StoredSecret) -> SecretMeta {
        secret.metadata.resource_version = Some(self.next_version());
        let meta = SecretMeta::of(&secret.metadata).unwrap();
        self.secrets.insert(name.to_owned(), secret);
        self.tell(Told::Secret(secret_name(name), Box::new(meta.clone())));
        meta
    }

    fn store_credential(&mut self, mut object: AsaCredential) -> AsaCredential {
        object.metadata.resource_version = Some(self.next_version());
        self.credentials.insert(object.name_any(), object.clone());
        self.tell(Told::Credential(Box::new(object.clone())));
        object
    }
}

impl Cluster for ToyCluster {
    async fn look(&self, _: &str, name: &str) -> Result<Option<SecretMeta>, ClusterClass> {
        let stored = self.ask("look", name)?;
        Ok(stored.secrets.get(name).and_then(|secret| SecretMeta::of(&secret.metadata)))
    }

    async fn read(&self, _: &str, name: &str) -> Result<Option<SecretContent>, ClusterClass> {
        let stored = self.ask("get", name)?;
        Ok(stored.secrets.get(name).map(|secret| SecretContent {
            meta: SecretMeta::of(&secret.metadata).unwrap(),
            type_: secret.type_.clone(),
            data: secret.data.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect(),
        }))
    }

    async fn create(&self, _: &str, body: &Body) -> Result<SecretMeta, ClusterClass> {
        let body = serde_json::to_value(body).unwrap();
        let name = body["metadata"]["name"].as_str().unwrap().to_owned();
        let mut stored = self.ask("create", &name)?;
        if stored.secrets.contains_key(&name) {
            return Err(ClusterClass::Conflict);
        }
        let mut metadata: ObjectMeta = serde_json::from_value(body["metadata"].clone()).unwrap();
        metadata.uid = Some(format!("uid-{}", stored.version + 1));
        let data = decoded(&body["data"]);
        let type_ = body["type"].as_str().unwrap().to_owned();
        Ok(stored.store_secret(&name, StoredSecret { metadata, type_, data }))
    }

    async fn change(&self, _: &str, name: &str, body: &Body) -> Result<SecretMeta, ClusterClass> {
        let patch = serde_json::to_value(body).unwrap();
        let mut stored = self.ask("patch", name)?;
        let Some(old) = stored.secrets.get(name).cloned() else { return Err(ClusterClass::Conflict) };
        let expected = (patch["metadata"]["uid"].as_str(), patch["metadata"]["resourceVersion"].as_str());
        if expected != (old.metadata.uid.as_deref(), old.metadata.resource_version.as_deref()) {
            return Err(ClusterClass::Conflict);
        }
        if patch.get("type").is_some_and(|type_| *type_ != *old.type_) {
            return Err(ClusterClass::WrongType);
        }
        if let Some(look) = &mut stored.replaced {
            look(&old);
        }
        let mut metadata = serde_json::to_value(&old.metadata).unwrap();
        merge(&mut metadata, &patch["metadata"]);
        let encoded = old.data.iter().map(|(key, value)| (key.clone(), json!(BASE64_STANDARD.encode(value))));
        let mut data = Value::Object(encoded.collect::<Map<_, _>>());
        merge(&mut data, patch.get("data").unwrap_or(&json!({})));
        let metadata = serde_json::from_value(metadata).unwrap();
        Ok(stored.store_secret(name, StoredSecret { metadata, data: decoded(&data), type_: old.type_ }))
    }

    async fn write_status(
        &self,
        object: &AsaCredential,
        status: &AsaCredentialStatus,
    ) -> Result<AsaCredential, ClusterClass> {
        let mut stored = self.ask("status", &object.name_any())?;
        let Some(mut there) = stored.credentials.get(&object.name_any()).cloned() else {
            return Err(ClusterClass::Conflict);
        };
        if there.metadata.resource_version != object.metadata.resource_version {
            return Err(ClusterClass::Conflict);
        }
        there.status = Some(status.clone());
        Ok(stored.store_credential(there))
    }

    async fn tell(&self, object: &AsaCredential, _: Note) {
        drop(self.ask("event", &object.name_any()));
    }
}

fn decoded(data: &Value) -> BTreeMap<String, Vec<u8>> {
    let entries = data.as_object().unwrap().iter();
    entries.map(|(key, value)| (key.clone(), BASE64_STANDARD.decode(value.as_str().unwrap()).unwrap())).collect()
}

/// RFC 7386.
fn merge(target: &mut Value, patch: &Value) {
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
