//! Secrets of somebody else under the names that the operator would use.

use asa_operator::api::{ConditionType, Reason};
use serde_json::json;

use crate::support::awaited::{is_not, message, not_ready, ready};
use crate::support::credential::{CLIENT_SECRET, NAME, credential};
use crate::support::stage::Stage;

/// Somebody's Secret lies at `name`; `field` is where another name could be given.
async fn a_foreign_secret_stays(name: &str, type_: &str, field: &str) {
    let stage = Stage::new().await;
    stage.upload_key();
    stage.create_key_secret().await;
    let foreign = stage.create_secret(name, type_, &[("password", "somebody's")]).await;
    let mark = stage.mark();
    stage.apply(credential()).await;

    let acme = stage.until(not_ready(Reason::SecretNotOwned)).await;
    stage.operator_saw_it_all().await;
    let words = message(&acme, ConditionType::Ready);
    assert!(words.contains(&format!("Secret {name} ")) && words.contains(field), "{words}");
    assert_eq!(stage.secret(name).await, foreign, "byte for byte");
    let look = format!("get secrets {name}");
    let expected = ["create events", &look, "get secrets acme-key", "update asacredentials/status acme"];
    assert_eq!(stage.work_since(&mark), expected);

    stage.delete_secret(name).await;
    stage.until(ready()).await;
    assert_eq!(stage.token_requests_since(&mark), 1);
}

#[tokio::test]
async fn a_foreign_secret_of_the_managed_name_is_left_alone_until_it_is_deleted() {
    a_foreign_secret_stays(NAME, "Opaque", "spec.secret.name").await;
}

#[tokio::test]
async fn a_foreign_secret_of_the_client_secrets_name_is_left_alone_until_it_is_deleted() {
    a_foreign_secret_stays(CLIENT_SECRET, "Opaque", "spec.clientSecret.secretName").await;
}

#[tokio::test]
async fn a_secret_of_the_operators_type_that_nobody_owns_is_foreign_too() {
    a_foreign_secret_stays(NAME, "asa-operator.dev/access-token", "spec.secret.name").await;
}

#[tokio::test]
async fn a_secret_whose_marks_were_all_taken_away_is_foreign_now() {
    let stage = Stage::ready().await;
    let mark = stage.mark();

    let taken = stage
        .change_secret(
            NAME,
            json!({"metadata": {"labels": {"asa-operator.dev/owner-uid": null}, "ownerReferences": null}}),
        )
        .await;

    stage.until(not_ready(Reason::SecretNotOwned)).await;
    stage.until(is_not(ConditionType::SecretPublished, Reason::SecretNotOwned)).await;
    stage.operator_saw_it_all().await;
    assert_eq!(stage.secret(NAME).await, taken);

    stage.delete_secret(NAME).await;
    stage.until(ready()).await;
    assert_eq!(stage.token_requests_since(&mark), 0, "the token in hand serves");
}

#[tokio::test]
async fn of_two_resources_that_name_one_secret_the_first_keeps_it() {
    let stage = Stage::ready().await;
    let before = stage.secret(NAME).await;
    stage.create_secret("other-key", "Opaque", &[("private-key.pem", stage.key.private())]).await;

    stage.apply(credential().named("other").with("secret", json!({"name": NAME}))).await;

    let other = stage.until_named("other", "refusal", |other| not_ready(Reason::SecretNotOwned).holds(other)).await;
    assert!(message(&other, ConditionType::Ready).contains("spec.secret.name"));
    stage.operator_saw_it_all().await;
    assert_eq!(stage.secret(NAME).await, before);
    assert!(ready().holds(&stage.credential().await));
}
