//! Two processes that each take themselves for the one that has to act: an election that went wrong, a machine that was
//! frozen beyond its lease and goes on with what it knew then.

use std::time::Duration;

use asa_operator::api::{ConditionStatus, ConditionType};

use crate::world::{ACME, DAY, HOUR, MINUTE, NEW_KEY, Simulation};

const TOKENS: &str = "POST /auth/oauth2/token";

/// Tokens asked for, and writes of the managed Secret.
fn cost(simulation: &Simulation) -> (u32, u32) {
    (simulation.apple.requests()[TOKENS], simulation.witness.writes()[ACME])
}

/// Nothing forbidden was written, the token is live, and the status says so.
fn is_well(simulation: &Simulation, when: &str) {
    assert_eq!(simulation.witness.wrong(), [""; 0], "{when}");
    assert!(simulation.now() < simulation.expires_at(), "{when}");
    for type_ in [ConditionType::Ready, ConditionType::RenewalHealthy] {
        assert_eq!(simulation.says(type_).0, ConditionStatus::True, "{when}: {type_}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_operators_at_once_ask_for_at_most_twice_the_tokens_and_leave_the_newest() {
    let alone = Simulation::start();
    alone.pass(DAY).await;
    let mut both = Simulation::start();
    let _brake = both.start_rival();

    both.pass(DAY).await;

    is_well(&both, "after a day");
    let ((tokens, writes), (one_asked, one_wrote)) = (cost(&both), cost(&alone));
    assert!(tokens <= 2 * one_asked, "{tokens} tokens, one operator alone takes {one_asked}");
    assert!(writes <= 2 * one_wrote, "{writes} writes, one operator alone makes {one_wrote}");
}

#[tokio::test(start_paused = true)]
async fn a_frozen_operator_that_goes_on_at_any_moment_overwrites_nothing_newer() {
    for phase in 0..30 {
        for frozen in [Duration::from_secs(20), 10 * MINUTE, 40 * MINUTE, 2 * HOUR] {
            let mut simulation = Simulation::start();
            let brake = simulation.start_rival();
            simulation.pass(MINUTE + phase * MINUTE).await;

            brake.set(true);
            simulation.pass(frozen).await;
            let before = simulation.expires_at();
            brake.set(false);
            simulation.pass(MINUTE).await;

            let when = format!("minute {phase}, frozen for {frozen:?}");
            assert!(simulation.expires_at() >= before, "{when}");
            simulation.pass(2 * HOUR).await;
            is_well(&simulation, &when);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_frozen_operator_does_not_bring_an_old_key_back() {
    for phase in 0..30 {
        let mut simulation = Simulation::start();
        let brake = simulation.start_rival();
        simulation.pass(MINUTE + phase * MINUTE).await;

        brake.set(true);
        simulation.replace_key(NEW_KEY);
        simulation.pass(MINUTE).await;
        let (secret, asked) = (simulation.secret(), cost(&simulation).0);
        brake.set(false);
        simulation.pass(MINUTE).await;

        assert_eq!(simulation.secret().data, secret.data, "minute {phase}");
        assert!(cost(&simulation).0 <= asked + 1, "minute {phase}");
        is_well(&simulation, &format!("minute {phase}"));
    }
}
