//! What watches tell comes late, out of order, in part, or is from an earlier time.

use std::time::Duration;

use asa_operator::api::ConditionType;

use crate::{
    campaign::Campaign,
    post::Delivery,
    relapse::Relapse,
    scenarios::Scenario,
    scene::{BEYOND_RENEWAL, Disturbance, Scene},
    world::{ACME, GOOD_KEY, MINUTE, Simulation, credential},
};

/// Longer than the first retries take.
const A_WHILE: Duration = Duration::from_secs(5);

/// So many events of a story are held back in every combination; of what follows, none is.
const MOST_EVENTS: usize = 8;

#[tokio::test(start_paused = true)]
async fn events_that_come_late_out_of_order_or_only_as_the_last_of_several_change_nothing() {
    let mut campaign = Campaign::default();
    for scenario in Scenario::ALL {
        let scene = Scene::set(scenario).await;
        let reference = scene.run(Disturbance::default()).await;
        for held in 1..1_u32 << reference.events.len().min(MOST_EVENTS) {
            for coalesces in [false, true] {
                let delivery = Delivery::holding(held, A_WHILE, coalesces);
                let course = scene.run(Disturbance { delivery, ..Disturbance::default() }).await;
                let run = format!("{scenario:?}, held {held:#b}, coalesced {coalesces}");
                campaign.ran(&run, course.complaints(&reference));
            }
        }
    }
    campaign.conclude("events late, out of order, coalesced");
}

async fn travel(campaign: &mut Campaign, scene: &Scene, restarts: bool, hold: Duration) {
    let reference = scene.run(Disturbance { long: true, ..Disturbance::default() }).await;
    // What a list of one kind tells changes with the events of that kind only.
    let moments = |of_credential| {
        let of_kind = move |(_, of): &(usize, &bool)| **of == of_credential;
        let numbers = reference.events.iter().enumerate().filter(of_kind).map(|(number, _)| number + 1);
        [0].into_iter().chain(numbers).collect::<Vec<_>>()
    };
    for &credentials in &moments(true) {
        for &secrets in &moments(false) {
            let relapse = Relapse { credentials, secrets, hold, restarts };
            let disturbance = Disturbance { relapse: Some(relapse), long: true, ..Disturbance::default() };
            let course = scene.run(disturbance).await;
            campaign.ran(&format!("{:?}, {relapse:?}", scene.scenario), course.complaints(&reference));
        }
    }
}

async fn travel_in_each_scenario(restarts: bool, name: &str) {
    let mut campaign = Campaign::default();
    for scenario in Scenario::ALL {
        let scene = Scene::set(scenario).await;
        for hold in [A_WHILE, BEYOND_RENEWAL] {
            travel(&mut campaign, &scene, restarts, hold).await;
        }
    }
    campaign.conclude(name);
}

#[tokio::test(start_paused = true)]
async fn an_older_state_told_to_a_new_process_makes_it_write_nothing_for_what_is_gone() {
    travel_in_each_scenario(true, "an older state told to a new process").await;
}

#[tokio::test(start_paused = true)]
async fn an_older_state_told_to_a_running_process_makes_it_write_nothing_for_what_is_gone() {
    travel_in_each_scenario(false, "an older state told to a running process").await;
}

#[tokio::test(start_paused = true)]
async fn a_status_that_is_refused_while_the_watch_is_silent_is_tried_ever_more_rarely() {
    let simulation = Simulation::start();
    simulation.pass(MINUTE).await;
    let attempts = || simulation.cluster.requests()[&("status", ACME.to_owned())];
    let before = attempts();

    // Nothing that happens is told for 50 minutes, so the operator does not hear that the resource changed.
    *simulation.delivery.lock().unwrap() = Delivery::holding(u32::MAX, 50 * MINUTE, false);
    simulation.cluster.apply_credential(credential(ACME));
    simulation.pass(45 * MINUTE).await;
    assert!(simulation.now() + 40 * MINUTE < simulation.expires_at(), "the token was renewed nevertheless");
    // After 1, 2, 4 … 60 seconds.
    let refused = attempts() - before;
    assert!((15..=30).contains(&refused), "{refused}");

    simulation.pass(15 * MINUTE).await;
    let status = simulation.cluster.credential(ACME).status().cloned().unwrap();
    assert_eq!(status.observed_generation, Some(2));
    assert_eq!(status.access_token.unwrap().expires_at, simulation.expires_at());
}

#[tokio::test(start_paused = true)]
async fn what_the_answer_to_one_credential_tells_the_others_hear_too() {
    let mut simulation = Simulation::empty();
    simulation.cluster.apply_credential(credential(ACME));
    simulation.restart();
    simulation.pass(MINUTE).await;
    assert_eq!(simulation.says(ConditionType::Ready).1, "KeySecretNotFound");

    // A newcomer reads the key before the watch tells of it, which is then no news.
    *simulation.delivery.lock().unwrap() = Delivery::holding(1, A_WHILE, false);
    simulation.replace_key(GOOD_KEY);
    simulation.cluster.apply_credential(credential("newcomer"));
    simulation.pass(MINUTE).await;

    for name in ["newcomer", ACME] {
        assert!(simulation.cluster.secret(name).is_some(), "no token for {name}");
    }
}
