//! Months of a key of App Store Connect.

use std::{collections::BTreeMap, time::Duration};

use asa_operator::{
    api::{AppStoreConnectCredential, ConditionStatus, ConditionType},
    apple::error::{Class, OAuthError},
};
use jiff::Timestamp;
use serde_json::json;

use crate::world::{ACME, ACME_KEY, DAY, GOOD_KEY, HOUR, MINUTE, NEW_KEY, Simulation, key_entry};

/// The endpoint that is asked about keys.
pub(crate) const PROBE: &str = "GET /v1/apps";

/// The resource `name`, whose key is in [`ACME_KEY`].
pub(crate) fn api_key(name: &str) -> AppStoreConnectCredential {
    serde_json::from_value(json!({
        "apiVersion": "asa-operator.dev/v1alpha1",
        "kind": "AppStoreConnectCredential",
        "metadata": {"name": name},
        "spec": {
            "keyId": "2X9R4HXF34", "issuerId": "57246542-96fe-1a63-e053-0824d011072a",
            "privateKey": {"secretRef": {"name": ACME_KEY}},
        },
    }))
    .unwrap()
}

fn start(names: &[String]) -> Simulation {
    let mut simulation = Simulation::empty();
    simulation.cluster.apply_secret(ACME_KEY, "Opaque", key_entry(GOOD_KEY));
    for name in names {
        simulation.cluster.apply_credential(api_key(name));
    }
    simulation.restart();
    simulation
}

fn acme() -> Simulation {
    start(&[ACME.to_owned()])
}

fn ready() -> (ConditionStatus, String) {
    (ConditionStatus::True, "Available".to_owned())
}

#[tokio::test(start_paused = true)]
async fn ninety_days_leave_nine_minutes_at_least_and_cost_one_write_a_renewal_and_one_probe_an_hour() {
    let simulation = acme();
    simulation.pass(MINUTE).await;
    assert_eq!(simulation.says(ConditionType::Ready), ready());

    simulation.pass(90 * DAY).await;

    assert_eq!(simulation.witness.wrong(), [""; 0]);
    let least_left = simulation.witness.least_left().expect("nothing was renewed");
    assert!(least_left >= 9 * MINUTE, "{least_left:?}");
    let renewals = simulation.cluster.requests()[&("patch", ACME.to_owned())];
    // 45 to 50 % of 19 minutes.
    assert!((13_642..=15_159).contains(&renewals), "{renewals}");
    let probes = simulation.apple.requests()[PROBE];
    assert!((1_850..=2_161).contains(&probes), "{probes} in 2,160 hours");
    assert_eq!(simulation.apple.requests(), BTreeMap::from([(PROBE.to_owned(), probes)]));
    let expected = BTreeMap::from([
        (("get", "acme-key".to_owned()), 1),
        (("create", ACME.to_owned()), 1),
        (("patch", ACME.to_owned()), renewals),
        (("status", ACME.to_owned()), renewals + 1),
        (("event", ACME.to_owned()), 1),
    ]);
    assert_eq!(simulation.cluster.requests(), expected);
    assert!(are_an_hour_apart(&simulation));
}

/// Whether no two probes are less than an hour apart.
fn are_an_hour_apart(simulation: &Simulation) -> bool {
    let times: Vec<Timestamp> = simulation.apple.visits().iter().map(|visit| visit.at).collect();
    times.windows(2).all(|pair| pair[1].duration_since(pair[0]).unsigned_abs() >= HOUR)
}

#[tokio::test(start_paused = true)]
async fn five_thousand_resources_of_the_same_key_still_cost_one_probe_an_hour() {
    // What is signed takes long without optimization: most have tokens for half a day.
    let long = json!({"lifetime": "12h", "scope": ["GET /v1/ciProducts"]});
    let mut simulation = Simulation::empty();
    simulation.cluster.apply_secret(ACME_KEY, "Opaque", key_entry(GOOD_KEY));
    for number in 0..5_000 {
        let mut object = api_key(&format!("app-{number}"));
        if number >= 100 {
            object.spec.token = Some(serde_json::from_value(long.clone()).unwrap());
        }
        simulation.cluster.apply_credential(object);
    }
    simulation.restart();

    simulation.pass(200 * MINUTE).await;

    assert_eq!(simulation.witness.wrong(), [""; 0]);
    let probes = simulation.apple.requests()[PROBE];
    assert_eq!(probes, 4, "at once, and after one, two and three hours");
    assert!(are_an_hour_apart(&simulation));
    let published = simulation.witness.published().len();
    assert_eq!(published, 5_000);
    assert!(simulation.witness.least_left().unwrap() >= 9 * MINUTE);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_down_for_nine_minutes_or_a_day_costs_no_reader_a_live_token() {
    for outage in [9 * MINUTE, DAY] {
        for class in [Class::TimedOut, Class::Server(503), Class::Throttled] {
            let simulation = acme();
            simulation.pass(55 * MINUTE).await;
            simulation.apple.set_down(Some(class.clone()));
            simulation.pass(outage).await;
            simulation.apple.set_down(None);
            simulation.pass(2 * HOUR).await;

            assert_eq!(simulation.witness.wrong(), [""; 0], "{class}");
            assert!(simulation.witness.least_left().unwrap() >= 9 * MINUTE, "{class}");
            assert_eq!(simulation.says(ConditionType::KeyVerified), (ConditionStatus::True, "Verified".into()));
            assert_eq!(simulation.says(ConditionType::Ready), ready());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_is_down_for_nine_minutes_costs_no_reader_a_live_token() {
    for phase in 0..20 {
        let simulation = acme();
        simulation.pass(HOUR + Duration::from_secs(30) * phase).await;
        simulation.cluster.set_down(true);
        simulation.pass(9 * MINUTE).await;
        simulation.cluster.set_down(false);
        simulation.pass(HOUR).await;

        assert_eq!(simulation.witness.wrong(), [""; 0], "phase {phase}");
        assert_eq!(simulation.says(ConditionType::Ready), ready());
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_revoked_key_nothing_is_written_any_more_and_it_is_asked_about_every_half_hour() {
    let simulation = acme();
    simulation.pass(HOUR).await;
    simulation.apple.set_registered(false);
    simulation.pass(2 * HOUR).await;
    assert_eq!(simulation.says(ConditionType::Ready), (ConditionStatus::False, "KeyRevoked".into()));
    assert_eq!(simulation.says(ConditionType::Stalled), (ConditionStatus::True, "KeyRevoked".into()));
    let (written, asked) = (simulation.cluster.requests(), simulation.apple.requests()[PROBE]);

    simulation.pass(DAY).await;

    let patches = |requests: &BTreeMap<(&str, String), u32>| requests[&("patch", ACME.to_owned())];
    assert_eq!(patches(&simulation.cluster.requests()), patches(&written));
    assert_eq!(simulation.apple.requests()[PROBE] - asked, 48);

    simulation.apple.set_registered(true);
    simulation.replace_key(NEW_KEY);
    simulation.pass(Duration::from_secs(2)).await;
    assert_eq!(simulation.says(ConditionType::Ready), ready());
}

#[tokio::test(start_paused = true)]
async fn a_stray_refusal_alarms_nobody_and_a_restart_remembers_what_was_proved() {
    let mut simulation = acme();
    simulation.pass(HOUR).await;
    let refused = Class::Rejected(OAuthError::Other("NOT_AUTHORIZED".to_owned()));
    simulation.apple.set_down(Some(refused));
    // The check that is due comes beside the next renewal; the second refusal a minute later.
    let asked = simulation.apple.requests()[PROBE];
    while simulation.apple.requests()[PROBE] < asked + 2 {
        simulation.pass(Duration::from_secs(1)).await;
    }
    simulation.apple.set_down(None);
    assert_eq!(simulation.says(ConditionType::Ready), ready());
    simulation.pass(2 * MINUTE).await;
    assert_eq!(simulation.says(ConditionType::KeyVerified), (ConditionStatus::True, "Verified".into()));
    // The next renewal's record tells of the proof.
    simulation.pass(10 * MINUTE).await;

    let before = (simulation.apple.requests(), simulation.cluster.requests());
    simulation.restart();
    simulation.pass(Duration::from_secs(5)).await;
    assert_eq!((simulation.apple.requests(), simulation.cluster.requests()), before);
}
