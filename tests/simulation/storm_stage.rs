//! A storm: ten thousand credentials whose renewals are all due when an operator comes back, and a new one each second.

use std::{collections::BTreeMap, time::Duration};

use asa_operator::{
    api::{AsaCredential, ConditionStatus, ConditionType, Credential, conditions::find},
    apple::error::{Class, Endpoint, Error, OAuthError},
    credential::{
        failure::Failure,
        now::{between, earlier, later},
    },
};
use jiff::Timestamp;

use crate::{
    fleet::{Founder, scattered},
    toy_cluster::namespace_of,
    witness::time,
    world::{ACME_KEY, GOOD_KEY, HOUR, Simulation, credential, key_entry},
};

/// How long Apple takes to answer.
const LATENCY: Duration = Duration::from_millis(100);

/// A tenant of whom nobody gets a token.
const HOPELESS: &str = "hopeless";

/// Of the hopeless ones every fifth has no key, and one in so many others never had a token: what is signed anew in each
/// process takes long without optimization.
const NEVER_ISSUED: u32 = 40;

/// Who is there, and what came of it.
pub(crate) struct Storm {
    pub(crate) simulation: Simulation,
    /// When the operator came back.
    pub(crate) began: Timestamp,
    /// When the tokens end of those that were there, and that can be healed.
    pub(crate) ends: BTreeMap<String, Timestamp>,
    /// When the new ones were created.
    pub(crate) created: BTreeMap<String, Timestamp>,
}

impl Storm {
    /// So many credentials of each tenant (`""` is none). `left` tells how many seconds of life are left at a share of the
    /// tenant's credentials, or how long ago it ended (below 0); at most half an hour, so that the renewal is due.
    pub(crate) fn gather(tenants: &[(&str, u32)], left: impl Fn(f64) -> f64) -> Self {
        let simulation = Simulation::empty();
        let began = simulation.now();
        let mut ends = BTreeMap::new();
        for &(tenant, size) in tenants {
            let founder = found(&simulation, tenant);
            for number in 0..size {
                let name = name(tenant, number);
                simulation.cluster.apply_credential(of_tenant(tenant, &name));
                let left = left(scattered(number)).floor();
                let life_left = Duration::from_secs_f64(left.abs());
                let end = if left < 0.0 { earlier(began, life_left) } else { later(began, life_left) };
                founder.settle(&simulation, &name, number, earlier(end, HOUR), None);
                ends.insert(name, end);
            }
        }
        // What was published so far is none of the operator's doing.
        Self { simulation: Simulation::thaw(&simulation.freeze()), began, ends, created: BTreeMap::new() }
    }

    /// Beside them so many of a tenant that removed its API user at Apple: tokens that ended, and that were refused anew
    /// before the operator went; tokens never issued; keys that are not there.
    pub(crate) fn beside_hopeless_ones(self, size: u32) -> Self {
        let simulation = self.simulation;
        let founder = found(&simulation, HOPELESS);
        simulation.apple.set_unregistered(HOPELESS);
        for number in 0..size {
            let name = name(HOPELESS, number);
            let mut object = of_tenant(HOPELESS, &name);
            if number.is_multiple_of(5) {
                object.spec.private_key.secret_ref.name = format!("{HOPELESS}.lost");
                simulation.cluster.apply_credential(object);
                continue;
            }
            simulation.cluster.apply_credential(object);
            if number.is_multiple_of(NEVER_ISSUED - 1) {
                founder.report_failure(&simulation, &name, rejection());
            } else {
                let ended = earlier(simulation.now(), HOUR.mul_f64(scattered(number)));
                founder.settle(&simulation, &name, number, earlier(ended, HOUR), Some(rejection()));
            }
        }
        Self { simulation: Simulation::thaw(&simulation.freeze()), ..self }
    }

    /// The operator comes back. In each of so many seconds `newcomer` makes a credential.
    pub(crate) async fn rages(&mut self, seconds: u32, newcomer: impl Fn(&str) -> AsaCredential) {
        self.simulation.apple.set_latency(LATENCY);
        self.simulation.restart();
        for second in 0..seconds {
            let name = format!("new-{second:04}");
            self.simulation.cluster.apply_credential(newcomer(&name));
            self.created.insert(name, self.simulation.now());
            self.simulation.pass(Duration::from_secs(1)).await;
        }
    }

    /// Those whose tokens ended a while ago, and whether they are told to be Ready.
    pub(crate) fn ended(&self) -> BTreeMap<String, bool> {
        let (stored, moment) =
            (self.simulation.cluster.stored(), earlier(self.simulation.now(), Duration::from_secs(15)));
        let is_ready = |object: &Credential| {
            let conditions = object.status().map_or(&[][..], |status| &status.conditions);
            find(conditions, ConditionType::Ready).is_some_and(|ready| ready.status == ConditionStatus::True)
        };
        let has_ended = |object: &Credential| {
            let secret = stored.objects.secrets.get(&object.secret_name());
            secret.and_then(|secret| time(secret, "expires_at")).is_some_and(|end| end < moment)
        };
        let ended = stored.objects.credentials.values().filter(|object| has_ended(object));
        ended.map(|object| (object.name().to_owned(), is_ready(object))).collect()
    }

    /// Whose token ended although it had life left when the operator came back, and who was not healed at all.
    pub(crate) fn losses(&self) -> Vec<String> {
        let published = self.simulation.witness.published();
        let live = self.ends.iter().filter(|(_, end)| **end > self.began);
        let lost: Vec<&String> = live
            .filter(|(name, end)| published.get(*name).is_none_or(|time| time >= *end))
            .map(|(name, _)| name)
            .collect();
        let forgotten: Vec<&String> = self.ends.keys().filter(|name| !published.contains_key(*name)).collect();
        let told = |what: &str, names: &[&String]| {
            names.first().map(|first| format!("{} {what}, for example {first}", names.len()))
        };
        told("tokens ended although they had life left", &lost)
            .into_iter()
            .chain(told("were not healed", &forgotten))
            .collect()
    }

    /// After how many seconds each, new or not, had a token.
    pub(crate) fn healing(&self) -> BTreeMap<String, f64> {
        let published = self.simulation.witness.published().into_iter();
        published.map(|(name, time)| (name, between(self.began, time).as_secs_f64())).collect()
    }

    /// How many seconds it took from its creation until each new one was Ready, in ascending order.
    pub(crate) fn waits(&self) -> Vec<f64> {
        let ready = self.simulation.witness.ready();
        let wait = |(name, created): (&String, &Timestamp)| {
            ready.get(name).map_or(f64::INFINITY, |time| between(*created, *time).as_secs_f64())
        };
        let mut waits: Vec<f64> = self.created.iter().map(wait).collect();
        waits.sort_by(f64::total_cmp);
        waits
    }

    /// Of those waits the one that one in a hundred exceeds, if it is longer than two seconds.
    pub(crate) fn slowness(&self) -> Option<String> {
        let waits = self.waits();
        let p99 = waits[waits.len() * 99 / 100];
        (p99 >= 2.0).then(|| format!("one in a hundred new ones waited for {p99} s or longer"))
    }
}

/// A new credential of nobody's in particular, with a key that is there.
pub(crate) fn newcomer(name: &str) -> AsaCredential {
    credential(name)
}

fn found(simulation: &Simulation, tenant: &str) -> Founder {
    let key = key_of(tenant);
    simulation.cluster.apply_secret(&key, "Opaque", key_entry(GOOD_KEY));
    Founder::of(simulation, &key)
}

fn key_of(tenant: &str) -> String {
    if tenant.is_empty() { ACME_KEY.to_owned() } else { format!("{tenant}.key") }
}

fn name(tenant: &str, number: u32) -> String {
    let name = if tenant.is_empty() { format!("acme-{number:05}") } else { format!("{tenant}.{number:05}") };
    debug_assert!(tenant.is_empty() || namespace_of(&name) == tenant);
    name
}

fn of_tenant(tenant: &str, name: &str) -> AsaCredential {
    let mut object = credential(name);
    object.spec.private_key.secret_ref.name = key_of(tenant);
    object
}

fn rejection() -> Failure {
    Failure::Apple(Error::new(Endpoint::TokenEndpoint, Class::Rejected(OAuthError::InvalidClient)))
}
