//! Two processes that each take themselves for the one that has to act, on machines whose clocks differ in what they show
//! and in how fast they go.

use std::time::Duration;

use asa_operator::{
    api::{ConditionStatus, ConditionType},
    controller::clock::Clock,
};
use jiff::SignedDuration;

use crate::{
    campaign::Campaign,
    world::{ACME, Brake, HOUR, MINUTE, Simulation},
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

/// An operator and its rival, on two machines.
struct Two {
    simulation: Simulation,
    brake: Brake,
    clocks: [(Clock, Bad); 2],
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
        let rival = second.clock(Clock::starting_at(simulation.apple.clock().now().wall));
        let brake = simulation.start_rival_by(&rival);
        let clocks = [(simulation.clock.clone(), first), (rival, second)];
        Self { simulation, brake, clocks }
    }

    /// Lets so much time pass; gives the minutes in which the published token did not work.
    async fn pass(&self, time: Duration) -> u32 {
        let mut useless = 0;
        let mut left = time;
        while !left.is_zero() {
            let part = left.min(MINUTE);
            self.simulation.pass(part).await;
            left = left.saturating_sub(part);
            self.correct();
            useless += u32::from(!self.works());
        }
        useless
    }

    /// Corrects the clocks when they are due for it.
    fn correct(&self) {
        let right = self.simulation.apple.clock().now();
        if right.steady.as_secs() % CORRECTION.as_secs() >= MINUTE.as_secs() {
            return;
        }
        for (clock, bad) in &self.clocks {
            let wrong = clock.now().wall.duration_since(right.wall);
            clock.set(SignedDuration::from_secs(bad.seconds) - wrong);
        }
    }

    fn works(&self) -> bool {
        let token = self.simulation.cluster.stored().objects.secrets.values().find_map(|it| it.text("access_token"));
        token.is_some_and(|token| self.simulation.apple.accepts(&token))
    }

    fn cost(&self) -> (u32, u32) {
        (self.simulation.apple.requests()[TOKENS], self.simulation.witness.writes()[ACME])
    }

    /// What is wrong at rest.
    fn complaints(&self) -> Vec<String> {
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
            Some((end, newest)) if newest.duration_since(end) <= WORST => {}
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
    let (most_tokens, most_writes) =
        (2 * alone.apple.requests()[TOKENS], 2 * alone.witness.writes().get(ACME).copied().unwrap());
    let mut campaign = Campaign::default();
    for (first, second) in pairs() {
        let two = Two::start(first, second);
        two.pass(MINUTE).await;
        let useless = two.pass(6 * HOUR).await;
        let (tokens, writes) = two.cost();
        let mut complaints = two.complaints();
        let fights = tokens > most_tokens || writes > most_writes;
        complaints.extend(fights.then(|| format!("{tokens} tokens, {writes} writes")));
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
                let mut complaints = two.complaints();
                complaints.extend(went_back.then(|| "an older token was published".to_owned()));
                complaints.extend((useless > 0).then(|| "no token that worked".to_owned()));
                campaign.ran(&format!("{first:?}, {second:?}, minute {phase}, frozen for {frozen:?}"), complaints);
            }
        }
    }
    campaign.conclude("two operators by different clocks, one of them frozen");
}
