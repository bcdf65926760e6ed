//! Two processes that each take themselves for the one that has to act, on machines whose clocks differ in what they show
//! and in how fast they go.

use std::time::Duration;

use asa_operator::{
    api::{ConditionStatus, ConditionType},
    controller::clock::Clock,
    credential::now::between,
};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    campaign::Campaign,
    scenarios::acme,
    world::{ACME, Brake, HOUR, MINUTE, NEW_KEY, Simulation},
};

const TOKENS: &str = "POST /auth/oauth2/token";

/// How a clock is wrong: what it shows too much after each correction, and its speed in per cent.
#[derive(Clone, Copy, Debug)]
struct Bad {
    seconds: i64,
    percent: u32,
}

const CLOCKS: [Bad; 5] = [
    Bad { seconds: 0, percent: 100 },
    Bad { seconds: 5, percent: 101 },
    Bad { seconds: 5, percent: 99 },
    Bad { seconds: -5, percent: 101 },
    Bad { seconds: -5, percent: 99 },
];

/// Clocks are corrected this often: 1 % of it is 18 s, so two of them differ by less than the minute that is allowed for.
const CORRECTION: Duration = Duration::from_mins(30);

/// The most by which two of the clocks differ: 18 s and 5 s each.
const WORST: SignedDuration = SignedDuration::from_secs(46);

/// How long a request to the API server takes.
const ON_THE_WAY: Duration = Duration::from_millis(5);

/// At rest nobody has a reason to write.
const REST: Duration = Duration::from_mins(3);

/// Tokens asked for, writes of the managed Secret, and writes of anything, statuses included.
#[derive(Clone, Copy, Debug)]
struct Cost {
    tokens: u32,
    of_secret: u32,
    writes: u32,
}

fn cost(simulation: &Simulation) -> Cost {
    let writes = simulation.witness.writes();
    let of_secret = writes.iter().filter(|(name, _)| [ACME, RENAMED].contains(&name.as_str()));
    Cost {
        tokens: simulation.apple.requests()[TOKENS],
        of_secret: of_secret.map(|(_, writes)| writes).sum(),
        writes: writes.values().sum(),
    }
}

/// An operator and its rival, on two machines, whose clocks are corrected every `correction`.
struct Two {
    simulation: Simulation,
    brake: Brake,
    clocks: [(Clock, Bad); 2],
    correction: Duration,
}

impl Bad {
    fn clock(self, right: Clock) -> Clock {
        let clock = right.at_speed(self.percent);
        clock.set(SignedDuration::from_secs(self.seconds));
        clock
    }
}

impl Two {
    fn start(first: Bad, second: Bad) -> Self {
        let mut simulation = Simulation::start_by(|right| first.clock(right));
        simulation.cluster.set_latency(ON_THE_WAY);
        let rival = second.clock(Clock::starting_at(simulation.apple.clock().now().wall));
        let brake = simulation.start_rival_by(&rival);
        let clocks = [(simulation.clock.clone(), first), (rival, second)];
        Self { simulation, brake, clocks, correction: CORRECTION }
    }

    fn corrected_every(self, correction: Duration) -> Self {
        Self { correction, ..self }
    }

    /// Lets so much time pass; gives the minutes in which the published token did not work.
    async fn pass(&self, time: Duration) -> u32 {
        let mut useless = 0;
        let mut left = time;
        while !left.is_zero() {
            let part = left.min(self.step());
            self.simulation.pass(part).await;
            left = left.saturating_sub(part);
            self.correct();
            useless += u32::from(!self.works());
        }
        useless
    }

    fn step(&self) -> Duration {
        MINUTE.min(self.correction)
    }

    /// Corrects the clocks when they are due for it.
    fn correct(&self) {
        let right = self.simulation.apple.clock().now();
        if right.steady.as_secs() % self.correction.as_secs() >= self.step().as_secs() {
            return;
        }
        for (clock, bad) in &self.clocks {
            let wrong = clock.now().wall.duration_since(right.wall);
            clock.set(SignedDuration::from_secs(bad.seconds) - wrong);
        }
    }

    fn names(&self) -> Vec<String> {
        self.simulation.cluster.stored().objects.secrets.keys().cloned().collect()
    }

    fn works(&self) -> bool {
        let token = self.simulation.cluster.stored().objects.secrets.values().find_map(|it| it.text("access_token"));
        token.is_some_and(|token| self.simulation.apple.accepts(&token))
    }

    /// Tokens asked for, writes of the managed Secret, and writes of anything.
    fn cost(&self) -> Cost {
        cost(&self.simulation)
    }

    /// What is wrong at rest; `apart` is the most by which two tokens differ that were asked for at the same time.
    fn complaints(&self, apart: SignedDuration) -> Vec<String> {
        let Self { simulation, .. } = self;
        let mut complaints = simulation.witness.wrong();
        if simulation.witness.orphans() > 0 {
            complaints.push("a Secret was created for a resource that was gone".to_owned());
        }
        for type_ in [ConditionType::Ready, ConditionType::RenewalHealthy] {
            let said = simulation.says(type_);
            if said.0 != ConditionStatus::True {
                complaints.push(format!("{type_} is {said:?}"));
            }
        }
        let name = simulation.cluster.credential(ACME).secret_name();
        let token = simulation.cluster.secret(&name).and_then(|secret| secret.text("access_token"));
        let ends = token.and_then(|token| simulation.apple.end_of(&token));
        let newest = simulation.apple.last_end();
        match ends.zip(newest) {
            Some((end, newest)) if newest.duration_since(end) <= apart => {}
            _ => complaints.push("the Secret does not hold the newest token".to_owned()),
        }
        complaints
    }
}

/// All pairs of clocks.
fn pairs() -> impl Iterator<Item = (Bad, Bad)> {
    CLOCKS.into_iter().flat_map(|first| CLOCKS.into_iter().map(move |second| (first, second)))
}

#[tokio::test(start_paused = true)]
async fn two_operators_whose_clocks_differ_ask_for_at_most_twice_the_tokens_and_leave_the_newest() {
    let alone = Simulation::start();
    alone.pass(6 * HOUR + MINUTE).await;
    let alone = cost(&alone);
    let mut campaign = Campaign::default();
    for (first, second) in pairs() {
        let two = Two::start(first, second);
        two.pass(MINUTE).await;
        let useless = two.pass(6 * HOUR).await;
        let cost = two.cost();
        let mut complaints = two.complaints(WORST);
        let is_cheap = cost.tokens <= 2 * alone.tokens && cost.writes <= 2 * alone.writes;
        complaints.extend((!is_cheap).then(|| format!("{cost:?}; one alone: {alone:?}")));
        complaints.extend((useless > 0).then(|| format!("no token that worked in {useless} minutes")));
        campaign.ran(&format!("{first:?}, {second:?}"), complaints);
    }
    campaign.conclude("two operators by different clocks");
}

#[tokio::test(start_paused = true)]
async fn an_operator_by_another_clock_that_was_frozen_beyond_its_lease_overwrites_nothing_newer() {
    let mut campaign = Campaign::default();
    for (first, second) in pairs() {
        for phase in (0..30).step_by(3) {
            for frozen in [Duration::from_secs(20), 10 * MINUTE, 40 * MINUTE] {
                let two = Two::start(first, second);
                let mut useless = two.pass(MINUTE + phase * MINUTE).await;
                two.brake.set(true);
                useless += two.pass(frozen).await;
                let before = two.simulation.expires_at();
                two.brake.set(false);
                useless += two.pass(MINUTE).await;
                let went_back = two.simulation.expires_at() < before;
                useless += two.pass(HOUR).await;
                let mut complaints = two.complaints(WORST);
                complaints.extend(went_back.then(|| "an older token was published".to_owned()));
                complaints.extend((useless > 0).then(|| "no token that worked".to_owned()));
                campaign.ran(&format!("{first:?}, {second:?}, minute {phase}, frozen for {frozen:?}"), complaints);
            }
        }
    }
    campaign.conclude("two operators by different clocks, one of them frozen");
}

const HALF_A_SECOND: Duration = Duration::from_millis(500);

/// The managed Secret's other name.
const RENAMED: &str = "renamed";

/// What happens while an operator is frozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meanwhile {
    Nothing,
    NewKey,
    Rename,
    Recreation,
}

impl Meanwhile {
    fn happen(self, simulation: &Simulation) {
        let spec: Value = json!({"secret": {"name": RENAMED}});
        match self {
            Self::Nothing => {}
            Self::NewKey => simulation.replace_key(NEW_KEY),
            Self::Rename => simulation.cluster.apply_credential(acme(&spec)),
            Self::Recreation => {
                simulation.cluster.delete_credential(ACME);
                simulation.cluster.apply_credential(acme(&json!({})));
            }
        }
    }
}

/// Freezes the second so many half seconds after the first of the two begins a renewal, of which each request takes a
/// second; lets something happen, and lets it go on.
async fn freeze_within(first: Bad, second: Bad, moment: u32, meanwhile: Meanwhile) -> Vec<String> {
    let two = Two::start(first, second);
    two.pass(2 * MINUTE).await;
    let simulation = &two.simulation;
    simulation.apple.set_latency(Duration::from_secs(1));
    let due = simulation.cluster.credential(ACME).status().cloned().unwrap().access_token.unwrap().renewal_time;
    let until_due = || two.clocks.iter().map(|(clock, _)| between(clock.now().wall, due)).min().unwrap();
    simulation.pass(until_due() * 95 / 100).await;
    while !until_due().is_zero() {
        simulation.pass(HALF_A_SECOND).await;
    }
    simulation.pass(HALF_A_SECOND * moment).await;
    two.brake.set(true);
    meanwhile.happen(simulation);
    simulation.pass(MINUTE).await;
    let (names, before) = (two.names(), two.cost());
    two.brake.set(false);
    simulation.pass(MINUTE).await;

    let after = two.cost();
    // A request that was on its way is answered a minute late.
    let mut complaints = two.complaints(WORST + SignedDuration::from_mins(1));
    // The witness goes by the times in the Secret of this name, and another resource's may be by another clock.
    complaints.retain(|it| meanwhile != Meanwhile::Recreation || !it.contains("issued_at went from"));
    // A token that it had asked for is published if it is the newer one, and of the present key.
    let most_writes = u32::from(matches!(meanwhile, Meanwhile::Nothing | Meanwhile::Rename));
    if names != two.names() || after.of_secret > before.of_secret + most_writes {
        complaints.push("what the frozen operator had in hand changed a Secret".to_owned());
    }
    if after.tokens > before.tokens + 1 {
        complaints.push("the frozen operator asked for several tokens".to_owned());
    }
    simulation.pass(REST).await;
    if two.cost().writes > after.writes {
        complaints.push("they do not come to rest".to_owned());
    }
    complaints
}

#[tokio::test(start_paused = true)]
async fn an_operator_that_was_frozen_in_the_middle_of_a_renewal_writes_nothing_for_what_has_changed_meanwhile() {
    let mut campaign = Campaign::default();
    for (first, second) in pairs() {
        for moment in 0..=8 {
            for meanwhile in [Meanwhile::Nothing, Meanwhile::NewKey, Meanwhile::Rename, Meanwhile::Recreation] {
                let complaints = freeze_within(first, second, moment, meanwhile).await;
                campaign.ran(&format!("{first:?}, {second:?}, moment {moment}, {meanwhile:?}"), complaints);
            }
        }
    }
    campaign.conclude("two operators by different clocks, one of them frozen within a renewal");
}

/// Oscillators that no machine has; one that is suspended, or starved by its neighbours, comes near the first.
const SPEEDS: [Bad; 3] =
    [Bad { seconds: 0, percent: 50 }, Bad { seconds: 0, percent: 100 }, Bad { seconds: 0, percent: 200 }];

/// What two operators by clocks of these speeds did in six hours, how long no token worked, and what one alone costs by the
/// faster of the two clocks.
async fn six_hours(first: Bad, second: Bad, correction: Duration) -> (Two, u32, Cost) {
    let faster = if first.percent > second.percent { first } else { second };
    let alone = Two::start(faster, faster).corrected_every(correction);
    alone.brake.set(true);
    alone.pass(6 * HOUR + MINUTE).await;
    let both = Two::start(first, second).corrected_every(correction);
    both.pass(MINUTE).await;
    let useless = both.pass(6 * HOUR).await;
    let alone = alone.cost();
    (both, useless, alone)
}

#[tokio::test(start_paused = true)]
async fn two_operators_at_half_and_double_speed_whose_time_is_corrected_leave_the_newest_token() {
    let correction = Duration::from_secs(20);
    let mut campaign = Campaign::default();
    for first in SPEEDS {
        for second in SPEEDS {
            let (both, useless, alone) = six_hours(first, second, correction).await;
            let mut complaints = both.complaints(WORST);
            let cost = both.cost();
            let is_cheap = cost.tokens <= 2 * alone.tokens && cost.writes <= 2 * alone.writes;
            complaints.extend((!is_cheap).then(|| format!("{cost:?}; one alone: {alone:?}")));
            complaints.extend((useless > 0).then(|| format!("no token that worked, {useless} times")));
            campaign.ran(&format!("{first:?}, {second:?}"), complaints);
        }
    }
    campaign.conclude("two operators at half and double speed, corrected");
}

#[tokio::test(start_paused = true)]
async fn two_operators_whose_clocks_are_half_an_hour_apart_do_not_fight() {
    let mut campaign = Campaign::default();
    for first in SPEEDS {
        for second in SPEEDS {
            let (both, useless, alone) = six_hours(first, second, CORRECTION).await;
            let mut complaints = both.complaints(SignedDuration::from_mins(31));
            // The times in the Secret are by the clock of whoever wrote it.
            complaints.retain(|it| !it.contains("issued_at went from"));
            let cost = both.cost();
            let is_cheap = cost.tokens <= 2 * alone.tokens && cost.writes <= 3 * alone.writes;
            complaints.extend((!is_cheap).then(|| format!("{cost:?}; one alone: {alone:?}")));
            complaints.extend((useless > 0).then(|| format!("no token that worked, {useless} times")));
            campaign.ran(&format!("{first:?}, {second:?}"), complaints);
        }
    }
    campaign.conclude("two operators whose clocks are half an hour apart");
}
