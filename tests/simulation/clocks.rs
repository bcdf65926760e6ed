//! The wall clock is set, forward and back, by a second to a day; Apple's goes on.

use asa_operator::api::{ConditionStatus, ConditionType};
use jiff::SignedDuration;

use crate::{
    campaign::Campaign,
    world::{HOUR, MINUTE, Simulation},
};

#[tokio::test(start_paused = true)]
async fn whatever_the_wall_clock_is_set_to_the_token_in_the_secret_works_at_apple() {
    let mut campaign = Campaign::default();
    for seconds in [1, 59, 61, 300, 3600, 86_400] {
        for by in [SignedDuration::from_secs(seconds), SignedDuration::from_secs(-seconds)] {
            for minutes in [5, 20, 40] {
                campaign.ran(&format!("set by {by} after {minutes} minutes"), set_clock(by, minutes).await);
            }
        }
    }
    campaign.conclude("the wall clock set");
}

/// What goes wrong within three hours when the clock is set after so many minutes.
async fn set_clock(by: SignedDuration, minutes: u32) -> Vec<String> {
    let mut complaints = Vec::new();
    let simulation = Simulation::start();
    simulation.pass(MINUTE * minutes).await;
    simulation.clock.set(by);
    for minute in 0..180 {
        simulation.pass(MINUTE).await;
        let token = simulation.secret().text("access_token").unwrap();
        if !simulation.apple.accepts(&token) {
            complaints.push(format!("an expired token in minute {minute}"));
        }
    }
    let ready = simulation.says(ConditionType::Ready);
    if ready != (ConditionStatus::True, "Available".into()) {
        complaints.push(format!("Ready is {ready:?}"));
    }
    let asked = simulation.apple.requests()["POST /auth/oauth2/token"];
    if asked > 10 {
        complaints.push(format!("{asked} tokens in {:?}", 3 * HOUR));
    }
    complaints
}
