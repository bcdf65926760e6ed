//! Five thousand credentials live through outages of Apple, of the API server and of the operator. Among them is one at
//! every third of a second between two renewals.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use asa_operator::{
    api::{ConditionStatus, ConditionType, conditions::find},
    apple::error::Class,
    controller::pump::MOST_RUNNING,
};
use jiff::Timestamp;

use crate::{
    campaign::Campaign,
    fleet::{fleet, names},
    pace::hurry,
    toy_apple::{DEADLINE, Visit},
    witness::time,
    world::{BURST, MINUTE, Simulation, Snapshot},
};

const SIZE: u32 = 5000;

/// Minutes until everybody is well again: who has half an hour left tries again within a quarter of that.
const RECOVERY: u32 = 8;

/// How long Apple takes to answer.
const LATENCY: Duration = Duration::from_millis(100);

/// What is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Down {
    Apple,
    ApiServer,
    Operator,
}

impl Down {
    fn name(self) -> &'static str {
        match self {
            Self::Apple => "Apple",
            Self::ApiServer => "an API server",
            Self::Operator => "an operator",
        }
    }

    fn begin(self, simulation: &mut Simulation) {
        match self {
            Self::Apple => {
                simulation.apple.set_latency(DEADLINE);
                simulation.apple.set_down(Some(Class::TimedOut));
            }
            Self::ApiServer => simulation.cluster.set_down(true),
            Self::Operator => simulation.stop(),
        }
    }

    fn end(self, simulation: &mut Simulation) {
        match self {
            Self::Apple => {
                simulation.apple.set_latency(LATENCY);
                simulation.apple.set_down(None);
            }
            Self::ApiServer => simulation.cluster.set_down(false),
            Self::Operator => simulation.restart(),
        }
    }
}

/// An outage, and how many minutes an operator runs before it.
#[derive(Clone, Copy, Debug)]
struct Outage {
    down: Down,
    before: u32,
    minutes: u32,
}

/// What a fleet suffered in an outage that it should not have suffered.
async fn live_through(fleet: &Snapshot, outage: Outage) -> Vec<String> {
    let Outage { down, before, minutes } = outage;
    let mut simulation = Simulation::thaw(fleet);
    simulation.apple.set_latency(LATENCY);
    simulation.restart();
    let mut complaints = watch(&simulation, before).await;
    down.begin(&mut simulation);
    complaints.extend(watch(&simulation, minutes).await);
    let (over, due) = (simulation.now(), due(&simulation));
    down.end(&mut simulation);
    complaints.extend(watch(&simulation, RECOVERY).await);

    let wrong = simulation.witness.wrong();
    complaints.extend(wrong.first().map(|first| format!("{} Secrets fared badly, for example {first}", wrong.len())));
    complaints.extend(ailing(&simulation));
    let visits = simulation.apple.visits();
    complaints.extend(hurry(&visits, (down == Down::Operator).then_some(over)));
    match down {
        Down::Apple => {}
        Down::ApiServer => complaints.extend(repetition(&visits)),
        Down::Operator => complaints.extend(disorder(visits.iter().filter(|visit| visit.at >= over), &due)),
    }
    complaints
}

/// Lets minutes pass; at the end of each no token in any Secret has expired. One that was replaced after its end, within
/// the minute, is what the witness complains of.
async fn watch(simulation: &Simulation, minutes: u32) -> Vec<String> {
    let mut complaints = Vec::new();
    for _ in 0..minutes {
        simulation.pass(MINUTE).await;
        let now = simulation.now();
        let expired = ends(simulation).into_values().filter(|end| *end <= now).count();
        complaints.extend((expired > 0).then(|| format!("{expired} expired tokens at {now}")));
    }
    complaints
}

/// The client ids of those whose renewal is due, and when their tokens end.
fn due(simulation: &Simulation) -> HashMap<String, Timestamp> {
    let (stored, now) = (simulation.cluster.stored(), simulation.now());
    let credentials = stored.objects.credentials.values();
    let lives = credentials.map(|object| (object, object.status().unwrap().access_token.unwrap()));
    let due = lives.filter(|(_, life)| life.renewal_time <= now);
    due.map(|(object, life)| (object.ads().unwrap().spec.client_id.clone().unwrap(), life.expires_at)).collect()
}

/// When each published token ends.
fn ends(simulation: &Simulation) -> BTreeMap<String, Timestamp> {
    let stored = simulation.cluster.stored();
    names(SIZE).map(|name| (name.clone(), time(&stored.objects.secrets[&name], "expires_at").unwrap())).collect()
}

/// Whose renewals do not go well, or whose status does not tell what is in the Secret.
fn ailing(simulation: &Simulation) -> Option<String> {
    let ends = ends(simulation);
    let stored = simulation.cluster.stored();
    let is_well = |name: &String| {
        let status = stored.objects.credentials[name].status().unwrap();
        let says = |type_| find(&status.conditions, type_).is_some_and(|said| said.status == ConditionStatus::True);
        let told = status.access_token.map(|life| life.expires_at);
        says(ConditionType::Ready) && says(ConditionType::RenewalHealthy) && told == ends.get(name).copied()
    };
    let ailing: Vec<String> = names(SIZE).filter(|name| !is_well(name)).collect();
    Some(format!("{} are not well again, for example {}", ailing.len(), ailing.first()?))
}

/// Whether a client asked for a token although it had one in hand: within 27 minutes of the last.
fn repetition(visits: &[Visit]) -> Option<String> {
    let mut last: HashMap<&str, Timestamp> = HashMap::new();
    visits.iter().find_map(|Visit { at, client_id, .. }| {
        let client_id = client_id.as_deref()?;
        let before = last.insert(client_id, *at)?;
        (*at < before + 27 * MINUTE).then(|| format!("{client_id} asked at {before} and again at {at}"))
    })
}

/// Whether those that were `due` asked in another order than that of their tokens' ends. Of those that run at once the
/// first burst goes to whoever comes to it first.
fn disorder<'a>(visits: impl Iterator<Item = &'a Visit>, due: &HashMap<String, Timestamp>) -> Option<String> {
    let ends: Vec<Timestamp> = visits.filter_map(|visit| due.get(visit.client_id.as_ref()?).copied()).collect();
    let mut soonest = ends.clone();
    soonest.sort_unstable();
    let (burst, in_line) = ends.split_at(ends.len().min(BURST as usize));
    let last_running = soonest.get(MOST_RUNNING).copied().unwrap_or(Timestamp::MAX);
    if ends.len() != due.len() {
        Some(format!("{} of {} asked", ends.len(), due.len()))
    } else if let Some(end) = burst.iter().find(|end| **end > last_running) {
        Some(format!("one whose token ends at {end} was among the first"))
    } else if !in_line.is_sorted() {
        Some("somebody came before another whose token ended sooner".to_owned())
    } else {
        None
    }
}

/// An outage of each length. Without an API server it matters what the operator has in mind: one that has just started
/// knows no client secret, one that has renewed every token itself can ask for more.
async fn live_through_all(down: Down) {
    let fleet = fleet(SIZE).freeze();
    let mut campaign = Campaign::default();
    let lengths = [1, 5, 15, 26].map(|minutes| Outage { down, before: 1, minutes });
    let prepared = Outage { down, before: 28, minutes: 26 };
    for outage in lengths.into_iter().chain((down == Down::ApiServer).then_some(prepared)) {
        campaign.ran(&format!("{outage:?}"), live_through(&fleet, outage).await);
    }
    campaign.conclude(&format!("{SIZE} credentials without {}", down.name()));
}

#[tokio::test(start_paused = true)]
async fn five_thousand_credentials_live_through_up_to_26_minutes_without_apple() {
    live_through_all(Down::Apple).await;
}

#[tokio::test(start_paused = true)]
async fn five_thousand_credentials_live_through_up_to_26_minutes_without_the_api_server() {
    live_through_all(Down::ApiServer).await;
}

#[tokio::test(start_paused = true)]
async fn five_thousand_credentials_live_through_up_to_26_minutes_without_an_operator() {
    live_through_all(Down::Operator).await;
}
