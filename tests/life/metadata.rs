//! Annotations that ask for a renewal, and other metadata, which changes nothing.

use asa_operator::api::{AsaCredential, Reason};
use serde_json::{Value, json};

use crate::support::awaited::{not_ready, ready};
use crate::support::credential::credential;
use crate::support::stage::Stage;

/// One token, its verification, and the ids anew: whoever asks may have changed something at Apple.
const ANSWER: [&str; 6] = [
    "apple acls-v1 200",
    "apple acls-v5 200",
    "apple me-v1 200",
    "apple token 200",
    "patch secrets acme",
    "update asacredentials/status acme",
];

fn has_handled(acme: &AsaCredential, request: &str) -> bool {
    acme.status.as_ref().is_some_and(|status| status.last_handled_reconcile_at.as_deref() == Some(request))
}

async fn renews_once(stage: &Stage<'_>, annotations: Value, request: &str) {
    let old = stage.token().await;
    let mark = stage.mark();
    stage.annotate(annotations).await;
    let acme = stage.until_seen("an echo of the request", |acme| has_handled(acme, request)).await;
    stage.operator_saw_it_all().await;

    assert!(ready().holds(&acme));
    assert_ne!(stage.token().await, old);
    assert_eq!(stage.work_since(&mark), ANSWER);
    assert_eq!(stage.events().await, ["Normal Available"]);
}

#[tokio::test]
async fn a_request_by_annotation_is_answered_by_exactly_one_renewal() {
    for request in ["2026-09-01T12:00:00Z", "now"] {
        renews_once(&Stage::ready().await, json!({"asa-operator.dev/requestedAt": request}), request).await;
    }
}

#[tokio::test]
async fn requests_within_a_minute_are_answered_by_one_renewal_when_the_minute_is_over() {
    let stage = Stage::ready().await;
    renews_once(&stage, json!({"asa-operator.dev/requestedAt": "one"}), "one").await;
    let mark = stage.mark();

    for request in ["two", "three"] {
        stage.request_renewal(request).await;
        stage.operator_saw_it_all().await;
    }
    assert_eq!(stage.token_requests_since(&mark), 0, "not yet");

    stage.until_seen_late("an echo of the last request", |acme| has_handled(acme, "three")).await;
    assert_eq!(stage.token_requests_since(&mark), 1);
}

#[tokio::test]
async fn a_request_by_flux_is_answered_as_well() {
    let stage = Stage::ready().await;
    let request = "2026-09-01T12:00:00.123456789Z";
    renews_once(&stage, json!({"reconcile.fluxcd.io/requestedAt": request}), request).await;
}

#[tokio::test]
async fn of_requests_by_both_annotations_the_later_one_is_answered() {
    for (ours, flux, later) in [
        ("2026-09-01T12:00:00Z", "2026-09-01T12:00:01.123456789Z", "2026-09-01T12:00:01.123456789Z"),
        ("2026-09-01T14:00:02+02:00", "2026-09-01T12:00:01.123456789Z", "2026-09-01T14:00:02+02:00"),
    ] {
        let both = json!({"asa-operator.dev/requestedAt": ours, "reconcile.fluxcd.io/requestedAt": flux});
        renews_once(&Stage::ready().await, both, later).await;
    }
}

#[tokio::test]
async fn a_request_that_was_answered_is_not_answered_again_after_a_restart() {
    let mut stage = Stage::ready().await;
    renews_once(&stage, json!({"asa-operator.dev/requestedAt": "one"}), "one").await;
    let mark = stage.mark();

    stage.kill_operator();
    stage.start_operator(&[]).await;
    stage.operator_saw_it_all().await;

    assert_eq!(stage.token_requests_since(&mark), 0);
}

#[tokio::test]
async fn a_request_ends_the_wait_after_a_rejection_and_is_echoed_although_it_fails() {
    let stage = Stage::new().await;
    stage.create_key_secret().await;
    stage.apply(credential()).await;
    stage.until(not_ready(Reason::ClientRejected)).await;
    let mark = stage.mark();

    stage.request_renewal("again").await;

    stage.until_seen("an echo of the request", |acme| has_handled(acme, "again")).await;
    stage.operator_saw_it_all().await;
    assert_eq!(stage.token_requests_since(&mark), 1);
}

#[tokio::test]
async fn other_metadata_changes_nothing() {
    let stage = Stage::ready().await;
    stage.request_renewal("once").await;
    stage.until_seen("an echo of the request", |acme| has_handled(acme, "once")).await;
    let mark = stage.mark();

    stage.merge(json!({"metadata": {"labels": {"team": "marketing"}}})).await;
    stage.annotate(json!({"example.com/note": "of no importance"})).await;
    stage.merge(json!({"metadata": {"finalizers": ["example.com/backup"]}})).await;
    stage.merge(json!({"metadata": {"finalizers": null}})).await;
    stage.annotate(json!({"asa-operator.dev/requestedAt": null})).await;
    stage.operator_saw_it_all().await;

    assert_eq!(stage.work_since(&mark), Vec::<String>::new());
}
