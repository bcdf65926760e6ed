//! A toy API server: the port to it, and what users do there.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use asa_operator::{
    api::{AsaCredential, AsaCredentialStatus},
    controller::{
        cluster::{Cluster, SecretContent},
        events::Note,
    },
    credential::{
        failure::ClusterClass,
        published::Body,
        secret_meta::{SecretMeta, Version},
    },
};
use kube::ResourceExt;
use tokio::sync::mpsc::UnboundedSender;

use crate::{
    faults::Wire,
    post::Told,
    stored::{Objects, Stored, StoredSecret},
    witness::Witness,
};

/// A request, as the server counts it: for example `create acme`.
pub(crate) type Request = (&'static str, String);

pub(crate) const NAMESPACE: &str = "marketing";

/// Garbage collection takes a while.
pub(crate) const COLLECTION: Duration = Duration::from_secs(2);

/// The server; clones share it. Everything lives in one namespace.
#[derive(Clone)]
pub(crate) struct ToyCluster {
    stored: Arc<Mutex<Stored>>,
    asked: Arc<Mutex<BTreeMap<Request, u32>>>,
    wire: Wire,
}

impl ToyCluster {
    pub(crate) fn new(objects: Objects, witness: Witness) -> Self {
        let stored = Stored { objects, is_down: false, watches: Vec::new(), history: None, witness };
        Self { stored: Arc::new(Mutex::new(stored)), asked: Arc::default(), wire: Wire::default() }
    }

    /// The same server, reached over `wire`.
    pub(crate) fn over(&self, wire: &Wire) -> Self {
        Self { wire: wire.clone(), ..self.clone() }
    }

    /// The server's state.
    pub(crate) fn stored(&self) -> MutexGuard<'_, Stored> {
        self.stored.lock().unwrap()
    }

    pub(crate) fn watch(&self, told: UnboundedSender<Told>) {
        self.stored().watches.push(told);
    }

    pub(crate) fn apply_credential(&self, mut object: AsaCredential) {
        object.metadata.namespace = Some(NAMESPACE.to_owned());
        self.stored().apply_credential(object);
    }

    /// Deletes a credential; what it owns is collected a little later.
    pub(crate) fn delete_credential(&self, name: &str) {
        let uid = self.stored().delete_credential(name);
        self.collect_later(uid);
    }

    /// Creates or replaces a user's Secret.
    pub(crate) fn apply_secret(&self, name: &str, type_: &str, data: BTreeMap<String, Vec<u8>>) {
        self.stored().apply_secret(name, type_, data);
    }

    /// Somebody changes a Secret.
    pub(crate) fn edit_secret(&self, name: &str, edit: impl FnOnce(&mut StoredSecret)) {
        self.stored().edit_secret(name, edit);
    }

    pub(crate) fn delete_secret(&self, name: &str) {
        self.stored().delete_secret(name);
    }

    pub(crate) fn secret(&self, name: &str) -> Option<StoredSecret> {
        self.stored().objects.secrets.get(name).cloned()
    }

    pub(crate) fn credential(&self, name: &str) -> AsaCredential {
        self.stored().objects.credentials[name].clone()
    }

    /// How often the operator made each kind of request.
    pub(crate) fn requests(&self) -> BTreeMap<Request, u32> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn set_down(&self, is_down: bool) {
        self.stored().is_down = is_down;
    }

    fn collect_later(&self, uid: String) {
        let stored = Arc::clone(&self.stored);
        tokio::spawn(async move {
            tokio::time::sleep(COLLECTION).await;
            stored.lock().unwrap().collect(&uid);
        });
    }

    async fn ask<T: Send + 'static>(
        &self,
        verb: &'static str,
        name: &str,
        mut effect: impl FnMut(&mut Stored) -> Result<T, ClusterClass> + Send + 'static,
    ) -> Result<T, ClusterClass> {
        *self.asked.lock().unwrap().entry((verb, name.to_owned())).or_default() += 1;
        let broken = || ClusterClass::Unavailable("the connection failed".to_owned());
        let stored = Arc::clone(&self.stored);
        let effect = move || {
            let mut stored = stored.lock().unwrap();
            if stored.is_down { Err(broken()) } else { effect(&mut stored) }
        };
        self.wire.carry(format!("{verb} {name}"), broken, effect).await
    }
}

impl Cluster for ToyCluster {
    async fn look(&self, _: &str, name: &str) -> Result<Option<SecretMeta>, ClusterClass> {
        let wanted = name.to_owned();
        self.ask("look", name, move |stored| Ok(stored.look(&wanted))).await
    }

    async fn read(&self, _: &str, name: &str) -> Result<Option<SecretContent>, ClusterClass> {
        let wanted = name.to_owned();
        self.ask("get", name, move |stored| Ok(stored.read(&wanted))).await
    }

    async fn create(&self, _: &str, body: &Body) -> Result<SecretMeta, ClusterClass> {
        let body = serde_json::to_value(body).unwrap();
        let name = body["metadata"]["name"].as_str().unwrap().to_owned();
        let owner = body["metadata"]["ownerReferences"][0]["uid"].as_str().map(ToOwned::to_owned);
        let collector = self.clone();
        self.ask("create", &name, move |stored| {
            if let Some(owner) = owner.clone() {
                collector.collect_later(owner);
            }
            stored.create(&body)
        })
        .await
    }

    async fn change(&self, _: &str, name: &str, body: &Body) -> Result<SecretMeta, ClusterClass> {
        let patch = serde_json::to_value(body).unwrap();
        let wanted = name.to_owned();
        self.ask("patch", name, move |stored| stored.change(&wanted, &patch)).await
    }

    async fn delete(&self, _: &str, name: &str, version: &Version) -> Result<(), ClusterClass> {
        let (wanted, version) = (name.to_owned(), version.clone());
        self.ask("delete", name, move |stored| stored.delete(&wanted, &version)).await
    }

    async fn is_there(&self, object: &AsaCredential) -> Result<bool, ClusterClass> {
        let (name, uid, generation) = (object.name_any(), object.uid(), object.metadata.generation);
        self.ask("confirm", &object.name_any(), move |stored| {
            let there = stored.objects.credentials.get(&name);
            let is_same = |there: &AsaCredential| there.uid() == uid && there.metadata.generation == generation;
            Ok(there.is_some_and(|there| is_same(there) && there.metadata.deletion_timestamp.is_none()))
        })
        .await
    }

    async fn write_status(
        &self,
        object: &AsaCredential,
        status: &AsaCredentialStatus,
    ) -> Result<AsaCredential, ClusterClass> {
        let (object, status) = (object.clone(), status.clone());
        self.ask("status", &object.name_any(), move |stored| stored.write_status(&object, &status)).await
    }

    async fn tell(&self, object: &AsaCredential, _: Note) {
        drop(self.ask("event", &object.name_any(), |_| Ok(())).await);
    }
}
