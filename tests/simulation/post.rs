//! Events of the watches on their way from the toy API server to the operator.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use asa_operator::{
    api::{Credential, Kind},
    controller::{
        index::{SecretName, id_of},
        world::World,
    },
    credential::{queue::Id, secret_meta::SecretMeta},
};
use tokio::{sync::mpsc::UnboundedReceiver, time::Instant};

use crate::{
    stored::Objects,
    toy_apple::ToyApple,
    toy_cluster::{ToyCluster, namespace_of},
};

/// What a watch tells.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    Credential(Box<Credential>),
    CredentialGone(Id),
    Secret(String, Box<SecretMeta>),
    SecretGone(String, String),
}

impl Told {
    /// Of which object: its kind and name.
    fn object(&self) -> (bool, String) {
        match self {
            Self::Credential(object) => (true, object.name().to_owned()),
            Self::CredentialGone(id) => (true, id.name.to_string()),
            Self::Secret(name, _) | Self::SecretGone(name, _) => (false, name.clone()),
        }
    }

    pub(crate) fn is_of_credential(&self) -> bool {
        self.object().0
    }
}

/// What a list tells: the objects as they were at some time.
#[derive(Clone, Debug, Default)]
pub(crate) struct List {
    pub(crate) credentials: BTreeMap<String, Credential>,
    pub(crate) secrets: BTreeMap<String, SecretMeta>,
}

impl List {
    /// The present.
    pub(crate) fn of(objects: &Objects) -> Self {
        let secrets =
            objects.secrets.iter().map(|(name, secret)| (name.clone(), SecretMeta::of(&secret.metadata).unwrap()));
        Self { credentials: objects.credentials.clone(), secrets: secrets.collect() }
    }

    /// What it would tell after this event.
    pub(crate) fn apply(&mut self, told: Told) {
        match told {
            Told::Credential(object) => drop(self.credentials.insert(object.name().to_owned(), *object)),
            Told::CredentialGone(id) => drop(self.credentials.remove(&*id.name)),
            Told::Secret(name, meta) => drop(self.secrets.insert(name, *meta)),
            Told::SecretGone(name, _) => drop(self.secrets.remove(&name)),
        }
    }
}

/// How events travel. The first are numbered from when it is set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Delivery {
    /// Bit n: the n-th event is held back.
    pub(crate) held: u32,
    /// For so long.
    pub(crate) hold: Duration,
    /// A later event of the same object overtakes what is held and replaces it; else it queues behind it.
    pub(crate) coalesces: bool,
    passed: u32,
}

impl Delivery {
    pub(crate) fn holding(held: u32, wait: Duration, coalesces: bool) -> Self {
        Self { held, hold: wait, coalesces, passed: 0 }
    }

    fn delay(&mut self) -> Duration {
        let is_held = self.passed < 32 && self.held & (1 << self.passed) != 0;
        self.passed += 1;
        if is_held { self.hold } else { Duration::ZERO }
    }
}

type Shared = Arc<Mutex<Delivery>>;

/// The end of the watches: what arrives is applied to one operator's world.
#[derive(Clone)]
pub(crate) struct Follower {
    pub(crate) world: Arc<World<ToyCluster, ToyApple>>,
    /// Whether it may list and watch Secrets.
    pub(crate) sees_secrets: bool,
}

impl Follower {
    /// A whole list, of both kinds.
    pub(crate) fn list(&self, list: &List) {
        self.list_credentials(list);
        self.list_secrets(list);
    }

    pub(crate) fn list_credentials(&self, list: &List) {
        let mut index = self.world.index();
        let mut concerned: Vec<Id> =
            list.credentials.values().filter_map(|object| index.apply_credential(object.clone())).collect();
        let listed = list.credentials.values().map(id_of).collect();
        for kind in Kind::ALL {
            concerned.extend(index.keep_credentials(kind, &None, &listed));
        }
        drop(index);
        self.world.wake(concerned);
    }

    pub(crate) fn list_secrets(&self, list: &List) {
        let mut index = self.world.index();
        if !self.sees_secrets {
            let concerned = index.secrets_polled(&None);
            drop(index);
            return self.world.wake(concerned);
        }
        let applied = list.secrets.iter().flat_map(|(name, meta)| index.apply_secret(secret_name(name), meta.clone()));
        let mut concerned: Vec<Id> = applied.collect();
        let listed: HashSet<SecretName> = list.secrets.keys().map(|name| secret_name(name)).collect();
        concerned.extend(index.secrets_listed(&None, &listed));
        drop(index);
        self.world.wake(concerned);
    }

    /// Applies what the watches tell, as it arrives.
    pub(crate) async fn follow(self, mut told: UnboundedReceiver<Told>, delivery: Shared) {
        let mut under_way: Vec<(Instant, Told)> = Vec::new();
        loop {
            let next = under_way.iter().map(|(when, _)| *when).min();
            tokio::select! {
                biased;
                Some(told) = told.recv() => send(&mut under_way, told, &mut delivery.lock().unwrap()),
                () = tokio::time::sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
            }
            let now = Instant::now();
            let (due, later) = under_way.into_iter().partition(|(when, _)| *when <= now);
            under_way = later;
            for (_, told) in due {
                self.apply(told);
            }
        }
    }

    pub(crate) fn apply(&self, told: Told) {
        if !self.sees_secrets && !told.is_of_credential() {
            return;
        }
        let mut index = self.world.index();
        let concerned = match told {
            Told::Credential(object) => index.apply_credential(*object).into_iter().collect(),
            Told::CredentialGone(id) => index.remove_credential(&id),
            Told::Secret(name, meta) => index.apply_secret(secret_name(&name), *meta),
            Told::SecretGone(name, uid) => index.remove_secret(secret_name(&name), Some(&uid)),
        };
        drop(index);
        self.world.wake(concerned);
    }
}

fn send(under_way: &mut Vec<(Instant, Told)>, told: Told, delivery: &mut Delivery) {
    let due = Instant::now() + delivery.delay();
    let ahead = under_way.iter().filter(|(_, other)| other.object() == told.object()).map(|(when, _)| *when).max();
    let due = if delivery.coalesces {
        under_way.retain(|(_, other)| other.object() != told.object());
        due
    } else {
        ahead.map_or(due, |ahead| ahead.max(due))
    };
    under_way.push((due, told));
}

fn secret_name(name: &str) -> SecretName {
    SecretName { namespace: namespace_of(name).to_owned(), name: name.to_owned() }
}
