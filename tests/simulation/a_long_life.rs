//! Four hundred days of one credential.

use std::collections::BTreeMap;

use asa_operator::api::{ConditionStatus, ConditionType};

use crate::world::{ACME, DAY, HOUR, MINUTE, Simulation};

#[tokio::test(start_paused = true)]
async fn four_hundred_days_cost_exactly_what_is_promised_and_no_reader_meets_an_expired_token() {
    let simulation = Simulation::start();
    simulation.pass(MINUTE).await;
    assert_eq!(simulation.says(ConditionType::Ready), (ConditionStatus::True, "Available".into()));

    simulation.pass(400 * DAY).await;

    assert!(simulation.now() < simulation.expires_at());
    assert_eq!(simulation.witness.wrong(), [""; 0]);
    let least_left = simulation.witness.least_left().expect("nothing was renewed");
    assert!(least_left + MINUTE / 60 >= HOUR / 2, "a token was replaced {least_left:?} before its end");

    let asked = simulation.apple.requests();
    let renewals = asked["POST /auth/oauth2/token"] - 1;
    assert!((19_200..=21_400).contains(&renewals), "{renewals}");
    let client_secrets = u32::try_from(simulation.apple.client_secrets()).unwrap();
    assert!(client_secrets >= 3, "{client_secrets}");
    let days = asked["GET /v1/acls"];
    // The first renewal after a day is over resolves anew: every 24 to 24 1/2 hours.
    assert!((391..=401).contains(&days), "{days}");
    let expected = BTreeMap::from([
        ("POST /auth/oauth2/token".to_owned(), renewals + 1),
        ("GET /v1/me".to_owned(), renewals + 1),
        ("GET /v1/acls".to_owned(), days),
        ("GET /api/v5/acls".to_owned(), days),
    ]);
    assert_eq!(asked, expected);

    let expected = BTreeMap::from([
        // The key is read once for each client secret.
        (("get", "acme-key".to_owned()), client_secrets),
        (("create", "acme-client-secret".to_owned()), 1),
        (("create", ACME.to_owned()), 1),
        (("patch", "acme-client-secret".to_owned()), client_secrets - 1),
        (("patch", ACME.to_owned()), renewals),
        (("status", ACME.to_owned()), renewals + 1),
        (("event", ACME.to_owned()), 1),
    ]);
    assert_eq!(simulation.cluster.requests(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_restart_asks_nothing_and_writes_nothing_while_the_token_is_fresh() {
    let mut simulation = Simulation::start();
    simulation.pass(MINUTE).await;
    let before = (simulation.apple.requests(), simulation.cluster.requests());

    simulation.restart();
    simulation.pass(20 * MINUTE).await;
    assert_eq!((simulation.apple.requests(), simulation.cluster.requests()), before);

    simulation.pass(10 * MINUTE).await;
    let (asked, _) = before;
    assert_eq!(simulation.apple.requests()["POST /auth/oauth2/token"], asked["POST /auth/oauth2/token"] + 1);
    assert_eq!(simulation.apple.requests()["GET /v1/acls"], asked["GET /v1/acls"], "the ids are still fresh");
    let reads = simulation.cluster.requests()[&("get", "acme-client-secret".to_owned())];
    assert_eq!(reads, 1, "the client secret is read once");
    assert_eq!(simulation.secret().text("org_id").as_deref(), Some("1"), "the ids stay");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_secret_is_back_at_once_with_the_same_token_and_apple_is_not_asked() {
    let simulation = Simulation::start();
    simulation.pass(MINUTE).await;
    let (before, asked) = (simulation.secret(), simulation.apple.requests());

    simulation.cluster.delete_secret(ACME);
    simulation.pass(MINUTE / 60).await;

    assert_eq!(simulation.secret().data, before.data);
    assert_eq!(simulation.apple.requests(), asked);
}
