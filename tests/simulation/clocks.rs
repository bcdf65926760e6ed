//! The wall clock is set, forward and back, by a second to a day; Apple's goes on.

use asa_operator::api::{ConditionStatus, ConditionType};
use jiff::SignedDuration;

use crate::world::{HOUR, MINUTE, Simulation};

#[tokio::test(start_paused = true)]
async fn whatever_the_wall_clock_is_set_to_the_token_in_the_secret_works_at_apple() {
    for seconds in [1, 59, 61, 300, 3600, 86_400] {
        for by in [SignedDuration::from_secs(seconds), SignedDuration::from_secs(-seconds)] {
            for minutes in [5, 20, 40] {
                let simulation = Simulation::start();
                simulation.pass(MINUTE * minutes).await;
                simulation.clock.set(by);
                for _ in 0..180 {
                    simulation.pass(MINUTE).await;
                    let token = simulation.secret().text("access_token").unwrap();
                    assert!(simulation.apple.accepts(&token), "set by {by} after {minutes} minutes: an expired token");
                }
                let ready = simulation.says(ConditionType::Ready);
                assert_eq!(ready, (ConditionStatus::True, "Available".into()), "set by {by}");
                let asked = simulation.apple.requests()["POST /auth/oauth2/token"];
                assert!(asked <= 10, "set by {by} after {minutes} minutes: {asked} tokens in {:?}", 3 * HOUR);
            }
        }
    }
}
