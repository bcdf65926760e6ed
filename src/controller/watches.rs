//! The watches that feed the index: the credentials, and the metadata of Secrets.

use std::{
    collections::{BTreeMap, HashSet},
    fmt::Debug,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Client, Resource, ResourceExt,
    core::{DeserializeGuard, NamespaceResourceScope, PartialObjectMeta},
};
use kube_runtime::{
    WatchStreamExt,
    utils::ResetTimerBackoff,
    watcher::{self, Config, Event, ExponentialBackoff, watcher},
};
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use super::{
    index::{Scope, SecretName, id_of},
    world::World,
};
use crate::{
    api::{AppStoreConnectCredential, AsaCredential, Credential, Kind},
    credential::{queue::Id, secret_meta::SecretMeta},
};

/// What the log calls the watch that may be meant not to be had.
const SECRET: &str = "Secret";

/// What a list holds in memory at once. 5,000 foreign Secrets cost 17 MiB at peak with pages of 500, 7 with 100.
const PAGE: u32 = 100;

/// An API server that has just started refuses everybody until it has read the roles: whoever is refused asks again after 1,
/// 2, 4 … seconds. So many refusals in a row, over half a minute, are meant.
const MEANT: u32 = 5;

/// From then on a kind that the API server does not know, or does not show, is asked for this often.
const RETRY_KIND: Duration = Duration::from_secs(10);

/// The same for Secrets that may not be watched.
const RETRY_WATCH: Duration = Duration::from_mins(5);

/// Keeps the index in step with one scope until the process ends. `synced` becomes true once everything was seen.
///
/// Credentials are listed first: what they name tells which Secrets matter.
pub async fn follow<C: Send + Sync, A: Send + Sync>(
    client: Client,
    scope: Scope,
    world: Arc<World<C, A>>,
    synced: watch::Sender<bool>,
) {
    let (ads, ads_seen) = watch::channel(Listing::Pending);
    let (app_store_connect, app_store_connect_seen) = watch::channel(Listing::Pending);
    let follower = Follower { client, scope, world, told: Mutex::default() };
    let secrets = async {
        if are_listed(ads_seen, app_store_connect_seen).await {
            follower.follow_secrets(&synced).await;
        }
    };
    tokio::join!(
        follower.follow_credentials::<AsaCredential>(Kind::Ads, &ads),
        follower.follow_credentials::<AppStoreConnectCredential>(Kind::AppStoreConnect, &app_store_connect),
        secrets,
    );
}

/// What is seen of the credentials of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listing {
    Pending,
    /// The API server knows no such kind, or the operator may not see it.
    Refused,
    Done,
}

/// Waits until each kind was listed, or one was and the other is none of the operator's business: a cluster may have only
/// one of the CRDs.
async fn are_listed(mut one: watch::Receiver<Listing>, mut other: watch::Receiver<Listing>) -> bool {
    loop {
        let seen = [*one.borrow_and_update(), *other.borrow_and_update()];
        if !seen.contains(&Listing::Pending) && seen.contains(&Listing::Done) {
            return true;
        }
        let changed = tokio::select! {
            changed = one.changed() => changed,
            changed = other.changed() => changed,
        };
        if changed.is_err() {
            return false;
        }
    }
}

/// A watch that broke is tried again after half a second at first and three seconds at most. kube's own limit of 30 s would
/// leave a deleted Secret unseen for that long after an API server came back; two lists every three seconds hurt nobody.
fn patience() -> ResetTimerBackoff<ExponentialBackoff> {
    let growing = backon::ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(500))
        .with_max_delay(Duration::from_secs(3))
        .with_jitter()
        .without_max_times();
    ResetTimerBackoff::new(growing.into(), Duration::from_mins(2))
}

/// How a watch ended, and whether it had begun.
struct Refused {
    error: watcher::Error,
    has_worked: bool,
}

/// How long to wait after one more refusal than so many.
fn pause_after(refusals: u32, longest: Duration) -> Duration {
    if refusals < MEANT { Duration::from_secs(1 << refusals).min(longest) } else { longest }
}

struct Follower<C, A> {
    client: Client,
    scope: Scope,
    world: Arc<World<C, A>>,
    /// Why what cannot be watched: told once, however often it is tried again.
    told: Mutex<BTreeMap<&'static str, String>>,
}

impl<C, A> Follower<C, A> {
    async fn follow_credentials<K>(&self, kind: Kind, seen: &watch::Sender<Listing>)
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Into<Credential>,
        K: Clone + Debug + DeserializeOwned + Send + 'static,
    {
        let api: Api<DeserializeGuard<K>> = match &self.scope {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        };
        let mut events = watcher(api, Config::default().page_size(PAGE)).backoff(patience()).boxed();
        let mut listed = HashSet::new();
        let mut refusals = 0;
        while let Some(event) = events.next().await {
            match event {
                Ok(Event::Init) => listed.clear(),
                Ok(Event::InitApply(object)) => {
                    if let Some(object) = readable(kind, object) {
                        listed.insert(id_of(&object));
                        let news = self.world.index().apply_credential(object);
                        self.world.wake(news);
                    }
                }
                Ok(Event::InitDone) => {
                    self.works(kind.as_str());
                    refusals = 0;
                    let gone = self.world.index().keep_credentials(kind, &self.scope, &listed);
                    self.world.wake(gone);
                    seen.send_replace(Listing::Done);
                }
                Ok(Event::Apply(object)) => {
                    let news = readable(kind, object).and_then(|object| self.world.index().apply_credential(object));
                    self.world.wake(news);
                }
                Ok(Event::Delete(object)) => {
                    let id = Id::new(kind, &object.namespace().unwrap_or_default(), &object.name_any());
                    let concerned = self.world.index().remove_credential(&id);
                    self.world.wake(concerned);
                }
                Err(error) if matches!(code_of(&error), Some(403 | 404)) => {
                    seen.send_replace(Listing::Refused);
                    self.report(kind.as_str(), &error);
                    tokio::time::sleep(pause_after(refusals, RETRY_KIND)).await;
                    refusals += 1;
                }
                Err(error) => self.report(kind.as_str(), &error),
            }
        }
    }

    async fn follow_secrets(&self, synced: &watch::Sender<bool>) {
        let api: Api<PartialObjectMeta<Secret>> = match &self.scope {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        };
        let (mut refusals, mut has_worked) = (0, false);
        loop {
            let refused = self.watch_secrets(api.clone(), synced).await;
            if refused.has_worked {
                (refusals, has_worked) = (0, true);
            }
            self.report(SECRET, &refused.error);
            if !has_worked || refusals >= MEANT {
                let concerned = self.world.index().secrets_polled(&self.scope);
                self.world.wake(concerned);
                synced.send_replace(true);
            }
            tokio::time::sleep(pause_after(refusals, RETRY_WATCH)).await;
            refusals += 1;
        }
    }

    /// Returns when watching is refused.
    async fn watch_secrets(&self, api: Api<PartialObjectMeta<Secret>>, synced: &watch::Sender<bool>) -> Refused {
        let mut has_worked = false;
        let mut events = watcher(api, Config::default().page_size(PAGE)).backoff(patience()).boxed();
        let mut listed = HashSet::new();
        loop {
            match events.try_next().await {
                Ok(Some(Event::Init)) => listed.clear(),
                Ok(Some(Event::InitApply(secret))) => {
                    listed.insert(name_of(&secret));
                    self.apply_secret(&secret);
                }
                Ok(Some(Event::InitDone)) => {
                    self.works(SECRET);
                    has_worked = true;
                    let concerned = self.world.index().secrets_listed(&self.scope, &std::mem::take(&mut listed));
                    self.world.wake(concerned);
                    synced.send_replace(true);
                }
                Ok(Some(Event::Apply(secret))) => self.apply_secret(&secret),
                Ok(Some(Event::Delete(secret))) => {
                    let uid = secret.metadata.uid.as_deref();
                    let concerned = self.world.index().remove_secret(name_of(&secret), uid);
                    self.world.wake(concerned);
                }
                Ok(None) => return Refused { error: watcher::Error::NoResourceVersion, has_worked },
                Err(error) if is_refusal(&error) => return Refused { error, has_worked },
                Err(error) => self.report(SECRET, &error),
            }
        }
    }

    fn apply_secret(&self, secret: &PartialObjectMeta<Secret>) {
        if let Some(meta) = SecretMeta::of(&secret.metadata) {
            let concerned = self.world.index().apply_secret(name_of(secret), meta);
            self.world.wake(concerned);
        }
    }

    /// A watch that fails shows only here, once: that it may not be had may be meant.
    fn report(&self, what: &'static str, error: &watcher::Error) {
        let scope = self.scope.as_deref().unwrap_or("all namespaces");
        let cause = match code_of(error) {
            Some(403) if what == SECRET => {
                "the API server refuses. Each is looked at now and then; grant list and watch to have it healed at once"
                    .to_owned()
            }
            Some(403) => "the API server refuses: check the operator's RBAC".to_owned(),
            Some(404) => {
                "the API server does not know them: install the CRD (asa-operator crd | kubectl apply -f -)".to_owned()
            }
            Some(code) => format!("the API server answered {code}"),
            None => "no connection to the API server".to_owned(),
        };
        let known = self.told().insert(what, cause.clone());
        if known.as_ref() != Some(&cause) {
            tracing::warn!(scope, "{what}s cannot be watched: {cause}");
        }
    }

    /// All of `what` were listed and are watched from here on.
    fn works(&self, what: &'static str) {
        if self.told().remove(what).is_some() {
            tracing::info!(scope = self.scope.as_deref().unwrap_or("all namespaces"), "{what}s are watched again");
        }
    }

    fn told(&self) -> MutexGuard<'_, BTreeMap<&'static str, String>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A resource that an older or newer CRD let in, or `None` with a line in the log.
fn readable<K: Into<Credential>>(kind: Kind, object: DeserializeGuard<K>) -> Option<Credential> {
    match object.0 {
        Ok(object) => Some(object.into()),
        Err(invalid) => {
            tracing::error!(
                namespace = invalid.metadata.namespace.as_deref(),
                name = invalid.metadata.name.as_deref(),
                kind = kind.as_str(),
                "a resource cannot be read and is left alone; compare it with the installed CRD"
            );
            None
        }
    }
}

fn name_of(secret: &PartialObjectMeta<Secret>) -> SecretName {
    SecretName { namespace: secret.namespace().unwrap_or_default(), name: secret.name_any() }
}

fn is_refusal(error: &watcher::Error) -> bool {
    code_of(error) == Some(403)
}

fn code_of(error: &watcher::Error) -> Option<u16> {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status) => Some(status.code),
        _ => None,
    }
}
