//! The stage: credentials, a key, an operator, and a clock that moves when told to.

use std::{
    collections::BTreeMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use asa_operator::{
    api::{AsaCredential, Condition, ConditionStatus, ConditionType, conditions::find},
    controller::{
        clock::Clock,
        health::Health,
        mandate::Mandate,
        metrics::Metrics,
        pump,
        world::{Settings, World},
    },
    credential::pacing::Rate,
};
use jiff::Timestamp;
use p256::pkcs8::{EncodePrivateKey, LineEnding};
use serde_json::json;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::Instant,
};

use crate::{
    faults::Wire,
    post::{Delivery, Follower, List, Told},
    stored::{Objects, StoredSecret},
    toy_apple::{State, ToyApple},
    toy_cluster::ToyCluster,
    witness::Witness,
};

pub(crate) const MINUTE: Duration = Duration::from_mins(1);
pub(crate) const HOUR: Duration = Duration::from_hours(1);
pub(crate) const DAY: Duration = Duration::from_hours(24);

/// The name of the credential, and so of its Secret.
pub(crate) const ACME: &str = "acme";

/// The name of the Secret with its key.
pub(crate) const ACME_KEY: &str = "acme-key";

/// The seeds of a key and of the one that it is replaced by.
pub(crate) const GOOD_KEY: u8 = 7;
pub(crate) const NEW_KEY: u8 = 8;

/// How often each of Apple's hosts may be asked: the defaults of the shipped operator.
pub(crate) const PER_SECOND: u32 = 20;
pub(crate) const BURST: u32 = 50;

/// A moment of a simulation, from which many others can start.
pub(crate) struct Snapshot {
    objects: Objects,
    apple: State,
    at: Timestamp,
}

/// A cluster, Apple, and an operator between them, under paused time.
pub(crate) struct Simulation {
    pub(crate) cluster: ToyCluster,
    pub(crate) apple: ToyApple,
    pub(crate) clock: Clock,
    pub(crate) witness: Witness,
    pub(crate) wire: Wire,
    pub(crate) delivery: Arc<Mutex<Delivery>>,
    /// That of processes to come.
    pub(crate) mandate: Mandate,
    /// How often processes to come look at Secrets, if they may not watch them.
    pub(crate) polls_every: Option<Duration>,
    follower: Option<Follower>,
    operator: JoinSet<()>,
    rival: JoinSet<()>,
}

/// Stops a process where it is, as a frozen machine does, and lets it go on.
pub(crate) struct Brake(watch::Sender<bool>);

impl Brake {
    pub(crate) fn set(&self, is_set: bool) {
        self.0.send_replace(is_set);
    }
}

impl Simulation {
    /// A credential with its key, and an operator that has just started.
    pub(crate) fn start() -> Self {
        Self::start_by(|clock| clock)
    }

    /// Likewise; the operator's clock is what becomes of one that is right.
    pub(crate) fn start_by(clock: impl FnOnce(Clock) -> Clock) -> Self {
        let mut simulation = Self::empty();
        simulation.clock = clock(simulation.clock);
        simulation.cluster.apply_secret(ACME_KEY, "Opaque", key_entry(GOOD_KEY));
        simulation.cluster.apply_credential(credential(ACME));
        simulation.restart();
        simulation
    }

    /// Nothing at all, not even an operator.
    pub(crate) fn empty() -> Self {
        let apple = ToyApple::new(Clock::starting_at("2026-11-22T12:00:00Z".parse().unwrap()));
        Self::of(Objects::default(), apple)
    }

    /// These objects, this Apple, its time, and no operator.
    fn of(objects: Objects, apple: ToyApple) -> Self {
        let witness = Witness::new(apple.clock().clone());
        Self {
            cluster: ToyCluster::new(objects, witness.clone()),
            clock: Clock::starting_at(apple.clock().now().wall),
            apple,
            witness,
            wire: Wire::default(),
            delivery: Arc::default(),
            mandate: Mandate::without_end(),
            polls_every: None,
            follower: None,
            operator: JoinSet::new(),
            rival: JoinSet::new(),
        }
    }

    /// All that is there but the operator.
    pub(crate) fn freeze(&self) -> Snapshot {
        let objects = self.cluster.stored().objects.clone();
        Snapshot { objects, apple: self.apple.freeze(), at: self.apple.clock().now().wall }
    }

    /// The same again, and no operator yet.
    pub(crate) fn thaw(snapshot: &Snapshot) -> Self {
        let apple = ToyApple::in_state(snapshot.apple.clone(), Clock::starting_at(snapshot.at));
        Self::of(snapshot.objects.clone(), apple)
    }

    /// From now on everything that watches tell is recorded. Gives the present.
    pub(crate) fn record_history(&self) -> List {
        let mut stored = self.cluster.stored();
        stored.history = Some(Vec::new());
        List::of(&stored.objects)
    }

    /// What was recorded.
    pub(crate) fn history(&self) -> Vec<Told> {
        self.cluster.stored().history.clone().unwrap_or_default()
    }

    /// The process is gone, and a new one knows nothing.
    pub(crate) fn restart(&mut self) {
        let list = List::of(&self.cluster.stored().objects);
        self.restart_seeing(&list);
    }

    /// Likewise; this is what its first lists tell.
    pub(crate) fn restart_seeing(&mut self, list: &List) {
        self.stop();
        let (follower, work) = self.process(list, &self.clock, &self.wire);
        let wire = self.wire.clone();
        self.operator.spawn(async move { wire.mortal(work).await });
        self.follower = Some(follower);
    }

    /// A second process beside the first, as if each took itself for the leader.
    pub(crate) fn start_rival(&mut self) -> Brake {
        let clock = self.clock.clone();
        self.start_rival_by(&clock)
    }

    /// Likewise; it has another clock.
    pub(crate) fn start_rival_by(&mut self, clock: &Clock) -> Brake {
        let list = List::of(&self.cluster.stored().objects);
        let (brake, mut set) = watch::channel(false);
        let (_, work) = self.process(&list, clock, &self.wire.with_brake(set.clone()));
        self.rival.spawn(async move {
            tokio::pin!(work);
            loop {
                tokio::select! {
                    biased;
                    Ok(()) = set.changed() => {
                        while *set.borrow_and_update() && set.changed().await.is_ok() {}
                    }
                    () = &mut work => {}
                }
            }
        });
        Brake(brake)
    }

    /// A process that knows what `list` tells: where its watches end, and all that it does.
    fn process(&self, list: &List, clock: &Clock, wire: &Wire) -> (Follower, impl Future<Output = ()> + Send + use<>) {
        let number = |n| NonZeroU32::new(n).unwrap();
        let rate = Rate { per_second: number(PER_SECOND), burst: number(BURST) };
        let settings = Settings { rate, secret_poll_interval: self.polls_every.unwrap_or(5 * MINUTE) };
        let ports = (self.cluster.over(wire), self.apple.over(wire));
        let world = World::new(ports.0, ports.1, clock.clone(), Metrics::default(), settings);
        let world = Arc::new(world.under(self.mandate.clone()));
        let (tell, told) = mpsc::unbounded_channel();
        let follower = Follower { world: Arc::clone(&world), sees_secrets: self.polls_every.is_none() };
        follower.list(list);
        self.cluster.watch(tell);
        let delivery = Arc::clone(&self.delivery);
        let following = follower.clone().follow(told, delivery);
        let pump = pump::run(world, Health::default(), std::future::pending());
        let work = async move {
            tokio::join!(following, pump);
        };
        (follower, work)
    }

    /// The process is gone.
    pub(crate) fn stop(&mut self) {
        self.wire = self.wire.cut();
        self.operator = JoinSet::new();
    }

    /// Where the watches of the running operator end.
    pub(crate) fn follower(&self) -> &Follower {
        self.follower.as_ref().expect("no operator runs")
    }

    /// Lets so much time pass.
    pub(crate) async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Lets so much time pass; if the process dies meanwhile, a new one starts at once.
    pub(crate) async fn survive(&mut self, time: Duration) {
        let end = Instant::now() + time;
        loop {
            tokio::select! {
                biased;
                () = self.wire.died() => {}
                () = tokio::time::sleep_until(end) => return,
            }
            self.restart();
        }
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

    /// Replaces the key by the one that belongs to `seed`.
    pub(crate) fn replace_key(&self, seed: u8) {
        self.cluster.apply_secret(ACME_KEY, "Opaque", key_entry(seed));
    }

    pub(crate) fn condition(&self, type_: ConditionType) -> Condition {
        let status = self.cluster.credential(ACME).status().cloned().expect("no status was written");
        find(&status.conditions, type_).expect("no such condition").clone()
    }

    /// Status and reason of a condition.
    pub(crate) fn says(&self, type_: ConditionType) -> (ConditionStatus, String) {
        let condition = self.condition(type_);
        (condition.status, condition.reason)
    }
}

/// The credential `name`, whose key is in [`ACME_KEY`].
pub(crate) fn credential(name: &str) -> AsaCredential {
    serde_json::from_value(json!({
        "apiVersion": "asa-operator.dev/v1alpha1",
        "kind": "AsaCredential",
        "metadata": {"name": name},
        "spec": {
            "clientId": format!("SEARCHADS.{name}"), "teamId": "SEARCHADS.t", "keyId": "k",
            "privateKey": {"secretRef": {"name": ACME_KEY}},
        },
    }))
    .unwrap()
}

/// The data of a Secret with a private key as PKCS#8 PEM; another key for each `seed`.
pub(crate) fn key_entry(seed: u8) -> BTreeMap<String, Vec<u8>> {
    /// Making a key takes long without optimization.
    static MADE: [OnceLock<Vec<u8>>; 16] = [const { OnceLock::new() }; 16];
    let pem = MADE[usize::from(seed)].get_or_init(|| {
        let key = p256::SecretKey::from_slice(&[seed; 32]).unwrap();
        key.to_pkcs8_pem(LineEnding::LF).unwrap().as_bytes().to_vec()
    });
    BTreeMap::from([("private-key.pem".to_owned(), pem.clone())])
}
