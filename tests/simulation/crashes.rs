//! The process dies at every request and after every poll of each scenario, and a new one starts.

use std::time::Duration;

use crate::{
    campaign::Campaign,
    faults::{Fault, Plan},
    scenarios::Scenario,
    scene::{Course, Disturbance, Scene},
};

/// Kills the process once, as `plan` says for 0, 1, 2 …, until a run ends without that death.
async fn kill(campaign: &mut Campaign, what: &str, scene: &Scene, reference: &Course, plan: impl Fn(usize) -> Plan) {
    for number in 0.. {
        let disturbance = Disturbance { plan: plan(number), ..Disturbance::default() };
        let course = scene.run(disturbance).await;
        if course.passed.struck == 0 {
            break;
        }
        campaign.ran(&format!("{:?}, death {what} {number}", scene.scenario), course.complaints(reference));
    }
}

/// Where Secrets are not watched, they are looked at this often.
const LOOKS: Duration = Duration::from_secs(40);

async fn kill_at_every_request(looks: Option<Duration>, name: &str) {
    let mut campaign = Campaign::default();
    for scenario in Scenario::ALL {
        let scene = Scene::set_where_secrets_are_looked_at(scenario, looks).await;
        let reference = scene.run(Disturbance::default()).await;
        campaign.ran(&format!("{scenario:?}, undisturbed"), reference.complaints(&reference));
        kill(&mut campaign, "before request", &scene, &reference, |n| Plan::of([(n, Fault::CrashBefore)])).await;
        kill(&mut campaign, "after request", &scene, &reference, |n| Plan::of([(n, Fault::CrashAfter)])).await;
    }
    campaign.conclude(name);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_dies_before_or_after_any_request_costs_at_most_one_token_and_nothing_else() {
    kill_at_every_request(None, "death at every request").await;
}

#[tokio::test(start_paused = true)]
async fn likewise_where_secrets_are_not_watched() {
    kill_at_every_request(Some(LOOKS), "death at every request, Secrets not watched").await;
}

#[tokio::test(start_paused = true)]
async fn a_process_that_dies_between_any_two_polls_costs_at_most_one_token_and_nothing_else() {
    let mut campaign = Campaign::default();
    for scenario in Scenario::ALL {
        let scene = Scene::set(scenario).await;
        let reference = scene.run(Disturbance::default()).await;
        let plan = |n| Plan { last_poll: Some(n + 1), ..Plan::default() };
        kill(&mut campaign, "after poll", &scene, &reference, plan).await;
    }
    campaign.conclude("death after every poll");
}
