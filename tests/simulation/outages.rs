//! Apple or the API server fails; the reader of the Secret must not notice.

use std::time::Duration;

use asa_operator::{
    api::{ConditionStatus, ConditionType},
    apple::error::Class,
};

use crate::{
    campaign::Campaign,
    world::{ACME, MINUTE, NEW_KEY, Simulation},
};

#[tokio::test(start_paused = true)]
async fn an_outage_of_apple_of_26_minutes_at_any_phase_leaves_a_live_token() {
    let mut campaign = Campaign::default();
    for phase in 0..30 {
        let simulation = Simulation::start();
        simulation.pass(MINUTE + phase * MINUTE).await;
        simulation.apple.set_down(Some(Class::TimedOut));
        let expired = seconds_expired(&simulation, 26 * MINUTE).await;
        simulation.apple.set_down(None);
        let expired = expired + seconds_expired(&simulation, 15 * MINUTE).await;
        campaign.ran(&format!("phase {phase}"), complaints(&simulation, expired));
    }
    campaign.conclude("26 minutes without Apple");
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_the_api_server_of_26_minutes_at_any_phase_leaves_a_live_token() {
    let mut campaign = Campaign::default();
    for phase in 0..30 {
        let simulation = Simulation::start();
        simulation.pass(MINUTE + phase * MINUTE).await;
        simulation.cluster.set_down(true);
        let expired = seconds_expired(&simulation, 26 * MINUTE).await;
        simulation.cluster.set_down(false);
        let expired = expired + seconds_expired(&simulation, 15 * MINUTE).await;
        let asked = simulation.apple.requests()["POST /auth/oauth2/token"];
        let again = (asked > 4).then(|| format!("{asked} POSTs: the token in hand was not kept"));
        campaign.ran(&format!("phase {phase}"), complaints(&simulation, expired).into_iter().chain(again));
    }
    campaign.conclude("26 minutes without the API server");
}

/// Looks at the Secret every second, and counts those in which an expired token lies there.
async fn seconds_expired(simulation: &Simulation, time: Duration) -> u32 {
    let mut expired = 0;
    for _ in 0..time.as_secs() {
        expired += u32::from(simulation.now() >= simulation.expires_at());
        simulation.pass(Duration::from_secs(1)).await;
    }
    expired
}

/// What should not be after an outage.
fn complaints(simulation: &Simulation, expired: u32) -> Vec<String> {
    let expired = (expired > 0).then(|| format!("an expired token lay in the Secret for {expired} seconds"));
    let well = [ConditionType::Ready, ConditionType::RenewalHealthy];
    let not_well = well.into_iter().filter(|&type_| simulation.says(type_).0 != ConditionStatus::True);
    expired.into_iter().chain(not_well.map(|type_| format!("{type_} is not True in the end"))).collect()
}

#[tokio::test(start_paused = true)]
async fn while_renewals_fail_ready_stays_true_until_the_token_ends_and_not_a_second_longer() {
    let simulation = Simulation::start();
    simulation.pass(MINUTE).await;
    let ends = simulation.expires_at();
    simulation.apple.set_down(Some(Class::Server(503)));

    simulation.pass(40 * MINUTE).await;
    assert_eq!(simulation.says(ConditionType::Ready), (ConditionStatus::True, "Available".into()));
    assert_eq!(simulation.says(ConditionType::RenewalHealthy), (ConditionStatus::False, "AppleUnavailable".into()));
    assert!(simulation.condition(ConditionType::RenewalHealthy).message.contains(&ends.to_string()));

    simulation.pass(ends.duration_since(simulation.now()).unsigned_abs() + MINUTE / 60).await;
    assert_eq!(simulation.says(ConditionType::Ready), (ConditionStatus::False, "AppleUnavailable".into()));
    assert_eq!(simulation.secret().text("expires_at"), Some(ends.to_string()), "the last working token stays");

    simulation.apple.set_down(None);
    simulation.pass(2 * MINUTE).await;
    assert_eq!(simulation.says(ConditionType::Ready), (ConditionStatus::True, "Available".into()));
    assert_eq!(simulation.says(ConditionType::RenewalHealthy), (ConditionStatus::True, "OnSchedule".into()));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_no_api_can_prove_is_published_only_when_the_old_one_is_about_to_end() {
    let simulation = Simulation::start();
    simulation.pass(MINUTE).await;
    let (before, ends) = (simulation.secret(), simulation.expires_at());
    simulation.apple.set_apis_down(Some(Class::TimedOut));

    let left = |minutes| ends.duration_since(simulation.now()).unsigned_abs().checked_sub(minutes * MINUTE).unwrap();
    simulation.pass(left(5).checked_sub(MINUTE / 60).unwrap()).await;
    assert_eq!(simulation.secret(), before, "more than five minutes are left");
    simulation.pass(MINUTE).await;
    assert!(simulation.expires_at() > ends);
    assert_eq!(simulation.says(ConditionType::Ready), (ConditionStatus::True, "Unverified".into()));
    assert_eq!(simulation.secret().text("org_id"), before.text("org_id"));
    let asked = simulation.apple.requests()["POST /auth/oauth2/token"];
    assert_eq!(asked, 2, "one new token is enough");

    simulation.apple.set_apis_down(None);
    simulation.pass(15 * MINUTE).await;
    assert_eq!(simulation.says(ConditionType::Ready), (ConditionStatus::True, "Available".into()));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_apple_rejects_leaves_the_old_token_in_place() {
    let simulation = Simulation::start();
    simulation.pass(MINUTE).await;
    let before = simulation.secret();

    simulation.apple.set_registered(false);
    simulation.replace_key(NEW_KEY);
    simulation.pass(10 * MINUTE).await;

    assert_eq!(simulation.cluster.secret(ACME), Some(before));
    assert_eq!(simulation.says(ConditionType::Ready), (ConditionStatus::True, "Available".into()));
    assert_eq!(simulation.says(ConditionType::RenewalHealthy), (ConditionStatus::False, "ClientRejected".into()));
    let asked = simulation.apple.requests()["POST /auth/oauth2/token"];
    assert_eq!(asked, 1 + 4, "after 0, 1, 3, 7 minutes");
}
