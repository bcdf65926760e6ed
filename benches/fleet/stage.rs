//! The server, Apple, and fleets of credentials.

use std::time::Duration;

use asa_operator::api::{AsaCredential, ConditionStatus, ConditionType, conditions::find};
use cluster::{Cluster, Options};
use fake_apple::{Client as AppleClient, FakeApple, Fault};
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{
    Api, Client,
    api::{ObjectMeta, PostParams},
};
use kube_runtime::watcher::{Config, Event, watcher};
use p256::pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding};
use serde_json::json;

use crate::Result;

/// So many requests of the bench's own are under way at once.
pub(crate) const AT_ONCE: usize = 64;

pub(crate) const TEAM: &str = "SEARCHADS.team";
pub(crate) const KEY_ID: &str = "key";

pub(crate) struct Stage {
    pub(crate) cluster: Cluster,
    pub(crate) apple: FakeApple,
    pub(crate) client: Client,
    key: p256::SecretKey,
}

/// Some credentials in a namespace of their own.
pub(crate) struct Fleet {
    pub(crate) namespace: String,
    pub(crate) size: usize,
}

impl Fleet {
    pub(crate) fn names(&self) -> impl Iterator<Item = String> + '_ {
        (0..self.size).map(|number| format!("c-{number:05}"))
    }
}

pub(crate) fn client_id(name: &str) -> String {
    format!("SEARCHADS.{name}")
}

impl Stage {
    pub(crate) async fn start() -> Result<Self> {
        let cluster = Cluster::start(Options::of_workspace()?).await?;
        let client = cluster.client()?;
        let key = p256::SecretKey::from_slice(&[7; 32])?;
        Ok(Self { apple: FakeApple::start().await?, client, cluster, key })
    }

    pub(crate) fn private_key(&self) -> Result<String> {
        Ok(self.key.to_pkcs8_pem(LineEnding::LF)?.to_string())
    }

    /// Every answer of Apple's comes so late.
    pub(crate) fn set_latency(&self, latency: Duration) {
        self.apple.state().clear_faults();
        if !latency.is_zero() {
            self.apple.state().fail(Fault::everywhere().delay(latency));
        }
    }

    /// Creates a namespace with a key, and Apple's side of `size` credentials.
    pub(crate) async fn namespace(&self, size: usize) -> Result<Fleet> {
        let fleet = Fleet { namespace: self.cluster.namespace("fleet").await?, size };
        let public = self.key.public_key().to_public_key_pem(LineEnding::LF)?;
        for name in fleet.names() {
            let client = AppleClient::new(client_id(&name), TEAM, KEY_ID, public.clone());
            self.apple.state().register(client.organization(1, "Acme").ad_account(7, "Acme Europe"))?;
        }
        let data = [("private-key.pem".to_owned(), ByteString(self.private_key()?.into_bytes()))].into();
        self.secrets(&fleet).create(&PostParams::default(), &secret("key", data)).await?;
        Ok(fleet)
    }

    /// Creates the credentials of a fleet; nobody looks after them yet.
    pub(crate) async fn credentials(&self, fleet: &Fleet) -> Result<()> {
        let created = fleet.names().map(|name| async move { self.create(fleet, &name).await });
        stream::iter(created).buffer_unordered(AT_ONCE).try_for_each(|()| async { Ok(()) }).await
    }

    /// Creates the credential `name` of a fleet.
    pub(crate) async fn create(&self, fleet: &Fleet, name: &str) -> Result<()> {
        self.api(fleet).create(&PostParams::default(), &credential(name)?).await.map(drop).map_err(boxed)
    }

    /// Secrets that are nobody's here, 4 KiB each.
    pub(crate) async fn foreign_secrets(&self, beside: &Fleet, count: usize) -> Result<()> {
        let api = self.secrets(beside);
        let created = (0..count).map(|number| format!("foreign-{number}")).map(|name| {
            let api = api.clone();
            let data = [("blob".to_owned(), ByteString(vec![b'x'; 4096]))].into();
            async move { api.create(&PostParams::default(), &secret(&name, data)).await.map_err(crate::stage::boxed) }
        });
        stream::iter(created).buffer_unordered(AT_ONCE).try_for_each(|_| async { Ok(()) }).await
    }

    pub(crate) fn secrets(&self, fleet: &Fleet) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &fleet.namespace)
    }

    pub(crate) fn api(&self, fleet: &Fleet) -> Api<AsaCredential> {
        Api::namespaced(self.client.clone(), &fleet.namespace)
    }

    /// Returns when every credential of the fleet is Ready.
    pub(crate) async fn all_ready(&self, fleet: &Fleet) -> Result<()> {
        let api = self.api(fleet);
        let mut ready = std::collections::HashSet::new();
        let mut events = watcher(api, Config::default()).boxed();
        while ready.len() < fleet.size {
            match events.try_next().await? {
                Some(Event::InitApply(object) | Event::Apply(object)) if is_ready(&object) => {
                    ready.extend(object.metadata.name);
                }
                Some(_) => {}
                None => return Err("the watch ended".into()),
            }
        }
        Ok(())
    }
}

pub(crate) fn is_ready(object: &AsaCredential) -> bool {
    let conditions = object.status.as_ref().map_or(&[][..], |status| &status.conditions);
    find(conditions, ConditionType::Ready).is_some_and(|ready| ready.status == ConditionStatus::True)
}

fn secret(name: &str, data: std::collections::BTreeMap<String, ByteString>) -> Secret {
    let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    Secret { metadata, data: Some(data), ..Secret::default() }
}

fn credential(name: &str) -> Result<AsaCredential> {
    Ok(serde_json::from_value(json!({
        "apiVersion": "asa-operator.dev/v1alpha1",
        "kind": "AsaCredential",
        "metadata": {"name": name},
        "spec": {
            "clientId": client_id(name), "teamId": TEAM, "keyId": KEY_ID,
            "privateKey": {"secretRef": {"name": "key"}},
        },
    }))?)
}

pub(crate) fn boxed(error: kube::Error) -> Box<dyn std::error::Error + Send + Sync> {
    Box::new(error)
}
