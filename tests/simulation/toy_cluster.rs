//! A toy API server: the port to it, and what users do there.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use asa_operator::{
    api::{Credential, CredentialStatus},
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
use tokio::sync::mpsc::UnboundedSender;

use crate::{
    faults::Wire,
    post::Told,
    stored::{Objects, Stored, StoredSecret},
    witness::Witness,
};

/// A request, as the server counts it: for example `create acme`.
pub(crate) type Request = (&'static str, String);

/// Where everything lives that is not a tenant's.
pub(crate) const NAMESPACE: &str = "marketing";

/// Garbage collection takes a while.
pub(crate) const COLLECTION: Duration = Duration::from_secs(2);

/// Names are unique in the toy server, and tell where an object lives: `globex.c-1` in the namespace `globex`.
pub(crate) fn namespace_of(name: &str) -> &str {
    name.split_once('.').map_or(NAMESPACE, |(tenant, _)| tenant)
}

/// The server; clones share it.
#[derive(Clone)]
pub(crate) struct ToyCluster {
    stored: Arc<Mutex<Stored>>,
    asked: Arc<Mutex<BTreeMap<Request, u32>>>,
    latency: Arc<Mutex<Duration>>,
    wire: Wire,
}

impl ToyCluster {
    pub(crate) fn new(objects: Objects, witness: Witness) -> Self {
        let stored = Stored { objects, is_down: false, watches: Vec::new(), history: None, witness };
        Self {
            stored: Arc::new(Mutex::new(stored)),
            asked: Arc::default(),
            latency: Arc::default(),
            wire: Wire::default(),
        }
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

    pub(crate) fn apply_credential(&self, object: impl Into<Credential>) {
        let mut object = object.into();
        object.metadata_mut().namespace = Some(namespace_of(object.name()).to_owned());
        self.stored().apply_credential(object);
    }

    /// Deletes a credential; what it owns is collected a little later.
    pub(crate) fn delete_credential(&self, name: &str) {
        let uid = self.stored().delete_credential(name);
        self.collect_later(name.to_owned(), uid);
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

    pub(crate) fn credential(&self, name: &str) -> Credential {
        self.stored().objects.credentials[name].clone()
    }

    /// How often the operator made each kind of request.
    pub(crate) fn requests(&self) -> BTreeMap<Request, u32> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn set_down(&self, is_down: bool) {
        self.stored().is_down = is_down;
    }

    /// From now on each request of the operator's is on its way for so long: two operators that answer each other without
    /// end do so in time.
    pub(crate) fn set_latency(&self, latency: Duration) {
        *self.latency.lock().unwrap() = latency;
    }

    fn collect_later(&self, owner: String, uid: String) {
        let stored = Arc::clone(&self.stored);
        tokio::spawn(async move {
            tokio::time::sleep(COLLECTION).await;
            stored.lock().unwrap().collect(&owner, &uid);
        });
    }

    async fn ask<T: Send + 'static>(
        &self,
        verb: &'static str,
        name: &str,
        mut effect: impl FnMut(&mut Stored) -> Result<T, ClusterClass> + Send + 'static,
    ) -> Result<T, ClusterClass> {
        *self.asked.lock().unwrap().entry((verb, name.to_owned())).or_default() += 1;
        let latency = *self.latency.lock().unwrap();
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
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
        let owner = &body["metadata"]["ownerReferences"][0];
        let owner = ["name", "uid"].map(|field| owner[field].as_str().unwrap_or_default().to_owned());
        let owner = Some(owner).filter(|[_, uid]| !uid.is_empty());
        let collector = self.clone();
        self.ask("create", &name, move |stored| {
            if let Some([owner, uid]) = owner.clone() {
                collector.collect_later(owner, uid);
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

    async fn is_there(&self, object: &Credential) -> Result<bool, ClusterClass> {
        let (name, uid, generation) = (object.name().to_owned(), object.uid().to_owned(), object.metadata().generation);
        self.ask("confirm", object.name(), move |stored| {
            let there = stored.objects.credentials.get(&name);
            let is_same = |there: &Credential| there.uid() == uid && there.metadata().generation == generation;
            Ok(there.is_some_and(|there| is_same(there) && there.metadata().deletion_timestamp.is_none()))
        })
        .await
    }

    async fn write_status(&self, object: &Credential, status: &CredentialStatus) -> Result<Credential, ClusterClass> {
        let (name, object, status) = (object.name().to_owned(), object.clone(), status.clone());
        self.ask("status", &name, move |stored| stored.write_status(&object, &status)).await
    }

    async fn tell(&self, object: &Credential, _: Note) {
        drop(self.ask("event", object.name(), |_| Ok(())).await);
    }
}
