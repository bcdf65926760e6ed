//! One run of a scenario: from the moment that matters, through what befalls it, to rest; and the judgement of it.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    api_key_stories::Story,
    api_keys::PROBE,
    faults::{Late, Passed, Plan},
    outlook::Outlook,
    post::{Delivery, Told},
    relapse::Relapse,
    scenarios::{Beginning, Scenario},
    toy_apple::ToyApple,
    toy_cluster::COLLECTION,
    witness::is_status,
    world::{ACME, MINUTE, Simulation, Snapshot},
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

/// Long enough for requests, too short for anything else to become due.
const A_MOMENT: Duration = Duration::from_millis(100);

/// So much later the next renewal is over.
pub(crate) const BEYOND_RENEWAL: Duration = Duration::from_mins(7);

/// A scenario, ready to be run many times.
pub(crate) struct Scene {
    pub(crate) scenario: Scenario,
    before: Snapshot,
    polls_every: Option<Duration>,
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
    scenario: Scenario,
    is_judged_in_between: bool,
    relapsed: bool,
    /// What was to be seen before the second act, and at the end.
    pub(crate) outlooks: [Outlook; 2],
    /// How often Apple was asked for a token, or about a key.
    asked: u32,
    /// How often it refused.
    refusals: u32,
    pub(crate) writes: BTreeMap<String, u32>,
    wrong: Vec<String>,
    /// How events travelled.
    delivery: Delivery,
    /// How many Secrets were created for a credential which was gone.
    orphans: u32,
    /// What was done only because everybody was woken, after the story or at last: it had waited for something of which nobody
    /// would have told.
    missed: Vec<String>,
    /// What passed during the story.
    pub(crate) passed: Passed,
    /// What the watches told during the story: for each event, whether it was of a credential.
    pub(crate) events: Vec<bool>,
    pub(crate) simulation: Simulation,
}

impl Scene {
    pub(crate) async fn set(scenario: Scenario) -> Self {
        Self::set_where_secrets_are_looked_at(scenario, None).await
    }

    /// Likewise; where there is an interval, Secrets may not be watched.
    pub(crate) async fn set_where_secrets_are_looked_at(scenario: Scenario, every: Option<Duration>) -> Self {
        let mut simulation = Simulation::empty();
        simulation.polls_every = every;
        simulation.apple.set_token_life(TOKEN_LIFE);
        scenario.set(&simulation);
        if scenario.beginning() != Beginning::New {
            simulation.restart();
            simulation.pass(5 * MINUTE).await;
            simulation.stop();
        }
        Self { scenario, before: simulation.freeze(), polls_every: every }
    }

    /// An operator that has renewed the token itself, so that it has everything in mind, at the moment that matters.
    async fn begin(&self) -> Simulation {
        let mut simulation = Simulation::thaw(&self.before);
        simulation.polls_every = self.polls_every;
        if self.scenario.beginning() == Beginning::New {
            return simulation;
        }
        simulation.restart();
        simulation.pass(2 * MINUTE).await;
        if self.scenario.beginning() == Beginning::Due {
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
        // A look that becomes due is not missed.
        let all_is_answered = disturbance.plan.faults.is_empty() && self.polls_every.is_none();
        simulation.wire.arm(disturbance.plan);
        *simulation.delivery.lock().unwrap() = disturbance.delivery.clone();
        self.scenario.act(&simulation, false);
        if self.scenario.beginning() == Beginning::New {
            simulation.restart();
        }
        simulation.survive(SECOND_ACT).await;
        let before = Outlook::of(&simulation);
        self.scenario.act(&simulation, true);
        simulation.survive(STORY.checked_sub(SECOND_ACT).unwrap()).await;
        let passed = simulation.wire.disarm();
        let events = simulation.history();
        // Where answers are lost, the one or other attempt may still be waited for.
        let mut missed = if all_is_answered { missed_by(&simulation).await } else { Vec::new() };
        if let Some(relapse) = disturbance.relapse {
            relapse.happen(&mut simulation, first, &events);
        }
        simulation.survive(if disturbance.long { LONG_REST } else { REST }).await;
        let outlook = Outlook::of(&simulation);
        let (wrong, writes) = (simulation.witness.wrong(), simulation.witness.writes());
        let asked = asked(&simulation.apple);
        if self.polls_every.is_none() {
            missed.extend(missed_by(&simulation).await);
        }
        Course {
            scenario: self.scenario,
            is_judged_in_between: self.scenario.is_judged_in_between(),
            relapsed: disturbance.relapse.is_some(),
            outlooks: [before, outlook],
            asked,
            refusals: simulation.apple.refusals(),
            writes,
            wrong,
            delivery: disturbance.delivery,
            orphans: simulation.witness.orphans(),
            missed,
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
        if self.is_judged_in_between {
            complaints.extend(seen.differences(expected).iter().map(|difference| format!("soon: {difference}")));
        }
        complaints
            .extend(seen_last.differences(expected_last).iter().map(|difference| format!("in the end: {difference}")));
        // Where a user's two writes are seen apart, ids and key do not match for a while: what Apple refuses costs none.
        let is_apart = self.relapsed || self.delivery.held != 0;
        let asked = |course: &Self| course.asked - if is_apart { course.refusals } else { 0 };
        // While a resource that is made anew is not seen yet, nobody uses its API key, and what was known of that is forgotten.
        let forgotten = u32::from(is_apart && self.scenario == Scenario::ApiKey(Story::Recreated));
        let (asked, most) = (asked(self), asked(reference) + struck + forgotten);
        if asked > most {
            complaints.push(format!("asked for a token or about the key {asked} times, {most} were enough"));
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
        let missed = self.missed.iter().filter(|request| !reference.missed.contains(request));
        complaints.extend(missed.map(|request| format!("{request} came only when everybody was woken")));
        let late = self.simulation.wire.late();
        let unfenced = late.iter().filter(|late| late.went_well && late.by > SECOND_ACT && self.is_fenced(late));
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

    /// Whether a request of this kind must have no effect when it comes late. A create under a name that the resource gave
    /// up meanwhile finds nothing in its way; what it makes is to go again, as the end shows.
    fn is_fenced(&self, late: &Late) -> bool {
        let Some((verb, name)) = late.request.split_once(' ') else { return false };
        let object = self.simulation.cluster.credential(ACME);
        let is_given_up =
            || ![Some(object.secret_name()), object.client_secret_name()].contains(&Some(name.to_owned()));
        match verb {
            "create" => !is_given_up(),
            _ => ["delete", "patch", "status"].contains(&verb),
        }
    }
}

/// The requests that are made when all credentials look again.
async fn missed_by(simulation: &Simulation) -> Vec<String> {
    let requests = || {
        let to_cluster = simulation.cluster.requests().into_iter();
        let to_cluster = to_cluster.map(|((verb, name), count)| (format!("{verb} {name}"), count));
        to_cluster.chain(simulation.apple.requests()).collect::<BTreeMap<String, u32>>()
    };
    let before = requests();
    let world = &simulation.follower().world;
    let all: Vec<_> = world.index().credentials().map(|(id, _)| id.clone()).collect();
    world.wake(all);
    simulation.pass(A_MOMENT).await;
    let new = requests().into_iter().filter(|(request, count)| before.get(request) != Some(count));
    new.map(|(request, _)| request).collect()
}

/// How often Apple was asked for a token, or about a key: the one for one kind of resource, the other for the other.
fn asked(apple: &ToyApple) -> u32 {
    let requests = apple.requests();
    ["POST /auth/oauth2/token", PROBE].into_iter().filter_map(|endpoint| requests.get(endpoint)).sum()
}
