//! A process that may not act all the time.

use std::time::Duration;

use asa_operator::controller::mandate::Grantor;

use crate::world::{ACME, ACME_KEY, DAY, GOOD_KEY, HOUR, MINUTE, Simulation, credential, key_entry};

const TOKENS: &str = "POST /auth/oauth2/token";

/// A credential with its key, and a process that waits for its mandate.
fn standby() -> (Simulation, Grantor) {
    let mut simulation = Simulation::empty();
    let (grantor, mandate) = Grantor::new(simulation.clock.clone());
    simulation.mandate = mandate;
    simulation.cluster.apply_secret(ACME_KEY, "Opaque", key_entry(GOOD_KEY));
    simulation.cluster.apply_credential(credential(ACME));
    simulation.restart();
    (simulation, grantor)
}

fn tokens(simulation: &Simulation) -> u32 {
    simulation.apple.requests().get(TOKENS).copied().unwrap_or_default()
}

/// For as long as anybody cares.
fn grant(simulation: &Simulation, grantor: &Grantor, term: u64) {
    grantor.grant(term, simulation.clock.now().steady + 100 * DAY);
}

#[tokio::test(start_paused = true)]
async fn a_standby_does_nothing_until_it_leads_and_then_at_once() {
    let (simulation, grantor) = standby();
    simulation.pass(HOUR).await;
    assert_eq!((tokens(&simulation), simulation.witness.writes().len()), (0, 0));

    grant(&simulation, &grantor, 1);
    simulation.pass(Duration::from_secs(1)).await;

    assert_eq!(tokens(&simulation), 1);
    assert!(simulation.now() < simulation.expires_at());
}

#[tokio::test(start_paused = true)]
async fn a_mandate_that_runs_out_stops_everything_by_itself() {
    let (simulation, grantor) = standby();
    grantor.grant(1, simulation.clock.now().steady + 10 * MINUTE);
    simulation.pass(10 * MINUTE).await;
    let before = (tokens(&simulation), simulation.witness.writes());
    assert_eq!(before.0, 1);

    simulation.pass(DAY).await;

    assert_eq!((tokens(&simulation), simulation.witness.writes()), before);
}

#[tokio::test(start_paused = true)]
async fn a_new_time_in_office_asks_nothing_and_writes_nothing_while_the_token_is_fresh() {
    let (simulation, grantor) = standby();
    grant(&simulation, &grantor, 1);
    simulation.pass(MINUTE).await;
    let before = (tokens(&simulation), simulation.witness.writes());

    for term in 2..20 {
        grantor.withdraw();
        simulation.pass(Duration::from_secs(15)).await;
        grant(&simulation, &grantor, term);
        simulation.pass(MINUTE).await;
    }

    assert_eq!((tokens(&simulation), simulation.witness.writes()), before);
    assert_eq!(simulation.witness.wrong(), [""; 0]);
}
