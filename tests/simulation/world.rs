//! The stage: one credential, one key, a clock that moves when told to.

use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc, time::Duration};

use asa_operator::{
    api::{AsaCredential, Condition, ConditionStatus, ConditionType, conditions::find},
    controller::{
        clock::Clock,
        health::Health,
        metrics::Metrics,
        pump,
        world::{Settings, World},
    },
    credential::{pacing::Rate, queue::Id},
};
use jiff::Timestamp;
use p256::pkcs8::{EncodePrivateKey, LineEnding};
use serde_json::json;
use tokio::{
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    task::JoinSet,
};

use crate::{
    toy_apple::ToyApple,
    toy_cluster::{NAMESPACE, StoredSecret, Told, ToyCluster},
};

pub(crate) const MINUTE: Duration = Duration::from_mins(1);
pub(crate) const HOUR: Duration = Duration::from_hours(1);
pub(crate) const DAY: Duration = Duration::from_hours(24);

/// The name of the credential, and so of its Secret.
pub(crate) const ACME: &str = "acme";

/// A cluster, Apple, and an operator between them, under paused time.
pub(crate) struct Simulation {
    pub(crate) cluster: ToyCluster,
    pub(crate) apple: ToyApple,
    pub(crate) clock: Clock,
    operator: JoinSet<()>,
}

impl Simulation {
    /// A credential with its key, and an operator that has just started.
    pub(crate) fn start() -> Self {
        let clock = Clock::starting_at("2026-11-22T12:00:00Z".parse().unwrap());
        let (cluster, apple) = (ToyCluster::default(), ToyApple::new(Clock::starting_at(clock.now().wall)));
        cluster.apply_secret("acme-key", "Opaque", BTreeMap::from([("private-key.pem".to_owned(), key(7))]));
        cluster.apply_credential(credential());
        let mut simulation = Self { cluster, apple, clock, operator: JoinSet::new() };
        simulation.restart();
        simulation
    }

    /// The process is gone, and a new one knows nothing.
    pub(crate) fn restart(&mut self) {
        self.operator = JoinSet::new();
        let number = |n| NonZeroU32::new(n).unwrap();
        let rate = Rate { per_second: number(20), burst: number(50) };
        let settings = Settings { rate, secret_poll_interval: 5 * MINUTE };
        let ports = (self.cluster.clone(), self.apple.clone());
        let world = Arc::new(World::new(ports.0, ports.1, self.clock.clone(), Metrics::default(), settings));
        let (tell, told) = mpsc::unbounded_channel();
        let (wake, woken) = mpsc::unbounded_channel();
        self.list(&world, &wake);
        self.cluster.watch(tell);
        self.operator.spawn(follow(told, Arc::clone(&world), wake));
        self.operator.spawn(pump::run(world, woken, Health::default(), std::future::pending()));
    }

    /// What the first lists tell.
    fn list(&self, world: &World<ToyCluster, ToyApple>, wake: &UnboundedSender<Id>) {
        let mut index = world.index();
        let id = index.apply_credential(self.cluster.credential(ACME)).unwrap();
        let names = ["acme-key", ACME, "acme-client-secret"];
        let listed = names.iter().filter_map(|name| {
            let secret = self.cluster.secret(name)?;
            let name =
                asa_operator::controller::index::SecretName { namespace: NAMESPACE.into(), name: (*name).into() };
            index.apply_secret(name.clone(), asa_operator::credential::secret_meta::SecretMeta::of(&secret.metadata)?);
            Some(name)
        });
        let listed = listed.collect();
        index.secrets_listed(&None, &listed);
        wake.send(id).unwrap();
    }

    /// Lets so much time pass.
    pub(crate) async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now().wall
    }

    /// The managed Secret.
    pub(crate) fn secret(&self) -> StoredSecret {
        self.cluster.secret(ACME).expect("nothing is published")
    }

    /// When the published token ends.
    pub(crate) fn expires_at(&self) -> Timestamp {
        self.secret().text("expires_at").unwrap().parse().unwrap()
    }

    /// Replaces the key by another one.
    pub(crate) fn replace_key(&self) {
        self.cluster.apply_secret("acme-key", "Opaque", BTreeMap::from([("private-key.pem".to_owned(), key(8))]));
    }

    pub(crate) fn condition(&self, type_: ConditionType) -> Condition {
        let status = self.cluster.credential(ACME).status.expect("no status was written");
        find(&status.conditions, type_).expect("no such condition").clone()
    }

    /// Status and reason of a condition.
    pub(crate) fn says(&self, type_: ConditionType) -> (ConditionStatus, String) {
        let condition = self.condition(type_);
        (condition.status, condition.reason)
    }
}

async fn follow(mut told: UnboundedReceiver<Told>, world: Arc<World<ToyCluster, ToyApple>>, wake: UnboundedSender<Id>) {
    while let Some(told) = told.recv().await {
        let concerned = match told {
            Told::Credential(object) => world.index().apply_credential(*object).into_iter().collect(),
            Told::Secret(name, meta) => world.index().apply_secret(name, *meta),
            Told::SecretGone(name, uid) => world.index().remove_secret(name, Some(&uid)),
        };
        for id in concerned {
            wake.send(id).unwrap();
        }
    }
}

fn credential() -> AsaCredential {
    serde_json::from_value(json!({
        "apiVersion": "asa-operator.dev/v1alpha1",
        "kind": "AsaCredential",
        "metadata": {"name": ACME},
        "spec": {
            "clientId": "SEARCHADS.c", "teamId": "SEARCHADS.t", "keyId": "k",
            "privateKey": {"secretRef": {"name": "acme-key"}},
        },
    }))
    .unwrap()
}

/// A private key as PKCS#8 PEM; another for each `seed`.
fn key(seed: u8) -> Vec<u8> {
    let key = p256::SecretKey::from_slice(&[seed; 32]).unwrap();
    key.to_pkcs8_pem(LineEnding::LF).unwrap().as_bytes().to_vec()
}
