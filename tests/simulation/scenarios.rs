//! Stretches of a credential's life into which campaigns throw faults, and the course of one run.

use std::{collections::BTreeMap, time::Duration};

use asa_operator::api::AsaCredential;
use serde_json::json;

use crate::{
    faults::{Passed, Plan},
    outlook::Outlook,
    post::{Delivery, Told},
    relapse::Relapse,
    toy_cluster::COLLECTION,
    witness::is_status,
    world::{ACME, ACME_KEY, GOOD_KEY, MINUTE, NEW_KEY, Simulation, Snapshot, credential, key_entry},
};

const SECOND: Duration = Duration::from_secs(1);

/// Tokens are renewed after some six minutes of these twelve, so that a run does not have to last for hours.
const TOKEN_LIFE: Duration = Duration::from_mins(12);

/// The second act comes this long after the first: time for four attempts in a row.
const SECOND_ACT: Duration = Duration::from_secs(50);

/// Faults are thrown in for so long; then everything is over, and what follows is rest.
const STORY: Duration = Duration::from_mins(2);

/// The rest: beyond one more renewal.
const REST: Duration = Duration::from_secs(390);

/// The rest where something happens only after the next renewal: beyond two more.
const LONG_REST: Duration = Duration::from_secs(690);

/// So much later the next renewal is over.
pub(crate) const BEYOND_RENEWAL: Duration = Duration::from_mins(7);

/// The name of the Secret with the client secret.
const CLIENT_SECRET: &str = "acme-client-secret";

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// An operator finds a new credential.
    Create,
    /// A token is renewed.
    Renew,
    /// A token is renewed after the client secret has become due.
    Resign,
    /// The key is replaced by another good one.
    RotateKey,
    /// The key is replaced by something else, and then put back.
    BadKey,
    /// The key is replaced by one that Apple does not know, which is then uploaded.
    UnknownKey,
    /// One Secret is deleted, then the other.
    SecretDeleted,
    /// Somebody changes the token in the managed Secret, then strips its label.
    SecretEdited,
    /// The managed Secret is replaced by a Secret of somebody else's, which later goes.
    SecretSquatted,
    /// The credential is deleted and made anew under its name at once.
    Recreated,
}

impl Scenario {
    pub(crate) const ALL: [Self; 10] = [
        Self::Create,
        Self::Renew,
        Self::Resign,
        Self::RotateKey,
        Self::BadKey,
        Self::UnknownKey,
        Self::SecretDeleted,
        Self::SecretEdited,
        Self::SecretSquatted,
        Self::Recreated,
    ];

    fn credential(self) -> AsaCredential {
        let mut object = credential(ACME);
        if self == Self::Resign {
            // Due after ten minutes: at the second renewal, and not again in this story.
            object.spec.client_secret = Some(serde_json::from_value(json!({"lifetime": "12m"})).unwrap());
        }
        object
    }

    fn has_second_act(self) -> bool {
        !matches!(self, Self::Create | Self::Renew | Self::Resign | Self::RotateKey | Self::Recreated)
    }

    /// What users do at the beginning, and what they do later.
    fn act(self, simulation: &Simulation, second: bool) {
        let cluster = &simulation.cluster;
        match (self, second) {
            (Self::RotateKey | Self::UnknownKey, false) => {
                simulation.apple.set_registered(self == Self::RotateKey);
                simulation.replace_key(NEW_KEY);
            }
            (Self::BadKey, false) => cluster.apply_secret(ACME_KEY, "Opaque", text("private-key.pem", "no key")),
            (Self::BadKey, true) => simulation.replace_key(GOOD_KEY),
            (Self::UnknownKey, true) => {
                simulation.apple.set_registered(true);
                // Somebody who uploads a key has the same key applied once more, and this change is seen.
                simulation.cluster.apply_secret(ACME_KEY, "Opaque", key_entry(NEW_KEY));
            }
            (Self::SecretDeleted, false) | (Self::SecretSquatted, true) => cluster.delete_secret(ACME),
            (Self::SecretDeleted, true) => cluster.delete_secret(CLIENT_SECRET),
            (Self::SecretEdited, false) => cluster.edit_secret(ACME, |secret| {
                secret.data.extend(text("access_token", "edited"));
            }),
            (Self::SecretEdited, true) => cluster.edit_secret(ACME, |secret| secret.metadata.labels = None),
            (Self::SecretSquatted, false) => {
                cluster.delete_secret(ACME);
                cluster.apply_secret(ACME, "Opaque", text("password", "somebody else's"));
            }
            (Self::Recreated, false) => {
                cluster.delete_credential(ACME);
                cluster.apply_credential(self.credential());
            }
            (Self::Create | Self::Renew | Self::Resign, false) | (_, true) => {}
        }
    }
}

fn text(entry: &str, value: &str) -> BTreeMap<String, Vec<u8>> {
    BTreeMap::from([(entry.to_owned(), value.as_bytes().to_vec())])
}

/// A scenario, ready to be run many times.
pub(crate) struct Scene {
    pub(crate) scenario: Scenario,
    before: Snapshot,
}

/// How one run is disturbed, and how long it rests afterwards.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disturbance {
    pub(crate) plan: Plan,
    pub(crate) delivery: Delivery,
    /// Whether the run is to last beyond two more renewals instead of one.
    pub(crate) long: bool,
    /// After the story, what the watches tell is from an earlier time.
    pub(crate) relapse: Option<Relapse>,
}

/// How a run went.
pub(crate) struct Course {
    has_second_act: bool,
    relapsed: bool,
    /// What was to be seen before the second act, and at the end.
    pub(crate) outlooks: [Outlook; 2],
    pub(crate) tokens_asked_for: u32,
    pub(crate) writes: BTreeMap<String, u32>,
    wrong: Vec<String>,
    /// How events travelled.
    delivery: Delivery,
    /// How many Secrets were created for a credential which was gone.
    orphans: u32,
    /// What passed during the story.
    pub(crate) passed: Passed,
    /// What the watches told during the story: for each event, whether it was of a credential.
    pub(crate) events: Vec<bool>,
    pub(crate) simulation: Simulation,
}

impl Scene {
    pub(crate) async fn set(scenario: Scenario) -> Self {
        let mut simulation = Simulation::empty();
        simulation.apple.set_token_life(TOKEN_LIFE);
        simulation.cluster.apply_secret(ACME_KEY, "Opaque", key_entry(GOOD_KEY));
        simulation.cluster.apply_credential(scenario.credential());
        if scenario != Scenario::Create {
            simulation.restart();
            simulation.pass(5 * MINUTE).await;
            simulation.stop();
        }
        Self { scenario, before: simulation.freeze() }
    }

    /// An operator that has renewed the token itself, so that it has everything in mind, at the moment that matters.
    async fn begin(&self) -> Simulation {
        let mut simulation = Simulation::thaw(&self.before);
        if self.scenario == Scenario::Create {
            return simulation;
        }
        simulation.restart();
        simulation.pass(2 * MINUTE).await;
        if let Scenario::Renew | Scenario::Resign = self.scenario {
            let status = simulation.cluster.credential(ACME).status().cloned().unwrap();
            let due = status.access_token.unwrap().renewal_time;
            simulation.pass(due.duration_since(simulation.now()).unsigned_abs().saturating_sub(5 * SECOND)).await;
        }
        simulation
    }

    /// The whole run.
    pub(crate) async fn run(&self, disturbance: Disturbance) -> Course {
        let mut simulation = self.begin().await;
        let first = simulation.record_history();
        simulation.wire.arm(disturbance.plan);
        *simulation.delivery.lock().unwrap() = disturbance.delivery.clone();
        self.scenario.act(&simulation, false);
        if self.scenario == Scenario::Create {
            simulation.restart();
        }
        simulation.survive(SECOND_ACT).await;
        let before = Outlook::of(&simulation);
        self.scenario.act(&simulation, true);
        simulation.survive(STORY.checked_sub(SECOND_ACT).unwrap()).await;
        let passed = simulation.wire.disarm();
        let events = simulation.history();
        if let Some(relapse) = disturbance.relapse {
            relapse.happen(&mut simulation, first, &events);
        }
        simulation.survive(if disturbance.long { LONG_REST } else { REST }).await;
        Course {
            has_second_act: self.scenario.has_second_act(),
            relapsed: disturbance.relapse.is_some(),
            outlooks: [before, Outlook::of(&simulation)],
            tokens_asked_for: simulation.apple.requests()["POST /auth/oauth2/token"],
            writes: simulation.witness.writes(),
            wrong: simulation.witness.wrong(),
            delivery: disturbance.delivery,
            orphans: simulation.witness.orphans(),
            passed,
            events: events.iter().map(Told::is_of_credential).collect(),
            simulation,
        }
    }
}

impl Course {
    /// What this run did that it should not have done, given how `reference` went and how many faults struck.
    pub(crate) fn complaints(&self, reference: &Self) -> Vec<String> {
        let struck = u32::try_from(self.passed.struck).unwrap() + u32::from(self.relapsed);
        let mut complaints = self.wrong.clone();
        if self.orphans > self.most_orphans() {
            complaints.push(format!("{} Secrets were created for a credential that was not there", self.orphans));
        }
        let [(seen, expected), (seen_last, expected_last)] =
            [0, 1].map(|n| (&self.outlooks[n], &reference.outlooks[n]));
        if self.has_second_act {
            complaints.extend(seen.differences(expected).iter().map(|difference| format!("soon: {difference}")));
        }
        complaints
            .extend(seen_last.differences(expected_last).iter().map(|difference| format!("in the end: {difference}")));
        let most = reference.tokens_asked_for + struck;
        if self.tokens_asked_for > most {
            complaints.push(format!("asked for {} tokens, {most} were enough", self.tokens_asked_for));
        }
        for (object, &writes) in &self.writes {
            // What is seen between two events that arrive apart is true as well, and is said.
            let apart = if is_status(object) { self.delivery.held.count_ones() } else { 0 };
            let usual = reference.writes.get(object).copied().unwrap_or_default();
            let most = usual + 2 * struck + self.orphans + apart;
            if writes > most {
                complaints.push(format!("{object} was written {writes} times, {most} were enough"));
            }
        }
        let late = self.simulation.wire.late();
        let unfenced =
            late.into_iter().filter(|late| late.went_well && late.by > SECOND_ACT && is_a_write(&late.request));
        complaints.extend(unfenced.map(|late| format!("{} had an effect when it came late", late.request)));
        complaints
    }

    /// A create cannot carry the condition that its owner be there: until its end is told, each of the two Secrets is made
    /// again when garbage collection took it, and is collected again.
    fn most_orphans(&self) -> u32 {
        if self.delivery.held == 0 {
            return 0;
        }
        2 * u32::try_from(self.delivery.hold.as_secs() / COLLECTION.as_secs()).unwrap()
    }
}

fn is_a_write(request: &str) -> bool {
    ["create", "patch", "status"].iter().any(|verb| request.starts_with(verb))
}
