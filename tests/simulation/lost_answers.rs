//! Each request of each scenario is lost before or after its effect, delivered twice, or has its effect late.

use std::time::Duration;

use crate::{
    api_key_stories::Story,
    campaign::Campaign,
    faults::{Fault, Plan},
    scenarios::Scenario,
    scene::{BEYOND_RENEWAL, Course, Disturbance, Scene},
};

/// A little later, when the request was made again already.
const SOON: Fault = Fault::Late(Duration::from_millis(1500));

/// After the next renewal.
const AFTER_RENEWAL: Fault = Fault::Late(BEYOND_RENEWAL);

const FAULTS: [Fault; 6] =
    [Fault::LostBefore, Fault::LostAfter, Fault::TwiceFirst, Fault::TwiceSecond, SOON, AFTER_RENEWAL];

/// What can happen to this request that makes a difference in a pair: a question that has no effect can only stay
/// without an answer, whichever way it is lost.
fn faults_of(request: &str) -> &'static [Fault] {
    let has_effect = ["create", "patch", "delete", "status", "POST"].iter().any(|verb| request.starts_with(verb));
    if has_effect { &FAULTS } else { &[Fault::LostBefore] }
}

/// One run with these faults, compared with the reference of its length.
async fn suffer(scene: &Scene, faults: &[(usize, Fault)]) -> Course {
    let long = faults.iter().any(|(_, fault)| *fault == AFTER_RENEWAL);
    scene.run(Disturbance { plan: Plan::of(faults.iter().copied()), long, ..Disturbance::default() }).await
}

/// The undisturbed run, short and long.
async fn references(scene: &Scene) -> [Course; 2] {
    [scene.run(Disturbance::default()).await, scene.run(Disturbance { long: true, ..Disturbance::default() }).await]
}

#[tokio::test(start_paused = true)]
async fn any_request_that_is_lost_repeated_or_late_costs_at_most_one_token_and_nothing_else() {
    let mut campaign = Campaign::default();
    for scenario in Scenario::ALL {
        let scene = Scene::set(scenario).await;
        let references = references(&scene).await;
        for fault in FAULTS {
            for request in 0.. {
                let course = suffer(&scene, &[(request, fault)]).await;
                let Some(name) = course.passed.requests.get(request) else { break };
                let run = format!("{scenario:?}, {request}: {name} {fault:?}");
                campaign.ran(&run, course.complaints(&references[usize::from(fault == AFTER_RENEWAL)]));
            }
        }
    }
    campaign.conclude("one request lost, repeated or late");
}

async fn suffer_pairs(campaign: &mut Campaign, scenario: Scenario) {
    let scene = Scene::set(scenario).await;
    let references = references(&scene).await;
    for (earlier, request) in references[0].passed.requests.iter().enumerate() {
        for &first in faults_of(request) {
            // After this more requests may follow than otherwise.
            let alone = suffer(&scene, &[(earlier, first)]).await;
            for (later, request_later) in alone.passed.requests.iter().enumerate().skip(earlier + 1) {
                for &second in faults_of(request_later) {
                    let course = suffer(&scene, &[(earlier, first), (later, second)]).await;
                    let run =
                        format!("{scenario:?}, {earlier}: {request} {first:?}, {later}: {request_later} {second:?}");
                    let long = first == AFTER_RENEWAL || second == AFTER_RENEWAL;
                    campaign.ran(&run, course.complaints(&references[usize::from(long)]));
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn any_two_requests_of_a_creation_that_fare_badly_cost_at_most_two_tokens_and_nothing_else() {
    let mut campaign = Campaign::default();
    for scenario in [Scenario::Create, Scenario::ApiKey(Story::Create)] {
        suffer_pairs(&mut campaign, scenario).await;
    }
    campaign.conclude("two requests of a creation lost, repeated or late");
}

#[tokio::test(start_paused = true)]
async fn any_two_requests_of_a_renewal_that_fare_badly_cost_at_most_two_tokens_and_nothing_else() {
    let mut campaign = Campaign::default();
    for scenario in [Scenario::Renew, Scenario::ApiKey(Story::Renew)] {
        suffer_pairs(&mut campaign, scenario).await;
    }
    campaign.conclude("two requests of a renewal lost, repeated or late");
}
