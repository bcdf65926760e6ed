//! The operator makes the key, and the user uploads its public half.

use asa_operator::api::{ConditionType, Reason};
use k8s_openapi::api::core::v1::Secret;
use kube::api::DeleteParams;

use crate::support::awaited::{is, message, not_ready, ready};
use crate::support::credential::{KEY_SECRET, client_of, credential};
use crate::support::secrets::entries;
use crate::support::stage::Stage;

fn is_pkcs8(secret: &Secret) -> bool {
    entries(secret)["private-key.pem"].starts_with("-----BEGIN PRIVATE KEY-----\n")
}

#[tokio::test]
async fn a_key_is_made_shown_uploaded_and_used() {
    let stage = Stage::new().await;
    let mark = stage.mark();
    stage.apply(credential().that_awaits_its_key()).await;

    let acme = stage.until(not_ready(Reason::AwaitingUpload)).await;
    assert!(is(ConditionType::Reconciling, Reason::AwaitingUpload).holds(&acme));
    let words = message(&acme, ConditionType::Ready);
    assert!(words.contains("status.privateKey.publicKey") && words.contains("Account Settings › API"), "{words}");
    stage.event(Reason::AwaitingUpload).await;
    let made = stage.secret(KEY_SECRET).await;
    assert_eq!(made.type_.as_deref(), Some("asa-operator.dev/private-key"));
    assert_eq!(made.metadata.owner_references, None, "a key outlives its resource");
    assert!(is_pkcs8(&made));
    let expected =
        ["create events", "create secrets acme-key", "get secrets acme-key", "update asacredentials/status acme"];
    assert_eq!(stage.work_since(&mark), expected, "and nothing is asked of Apple");

    let public = acme.status.unwrap().private_key.unwrap().public_key;
    stage.register(client_of(&public));
    stage.apply(credential().that_may_make_its_key()).await;

    stage.until(ready()).await;
    assert!(stage.call_platform(&stage.published().await).await.0.is_success());
    assert_eq!(stage.secret(KEY_SECRET).await, made);
}

#[tokio::test]
async fn a_key_that_is_there_is_never_replaced() {
    let stage = Stage::new().await;
    stage.upload_key();
    stage.create_key_secret().await;
    let before = stage.secret(KEY_SECRET).await;

    stage.apply(credential().that_awaits_its_key()).await;
    let acme = stage.until(not_ready(Reason::AwaitingUpload)).await;
    assert_eq!(acme.status.unwrap().private_key.unwrap().fingerprint, stage.key.fingerprint());
    stage.apply(credential().that_may_make_its_key()).await;

    stage.until(ready()).await;
    assert_eq!(stage.secret(KEY_SECRET).await, before);
}

#[tokio::test]
async fn a_bad_key_is_not_replaced_either() {
    let stage = Stage::new().await;
    let before = stage.create_secret(KEY_SECRET, "Opaque", &[("private-key.pem", "not a key")]).await;

    stage.apply(credential().that_awaits_its_key()).await;

    stage.until(not_ready(Reason::KeyInvalid)).await;
    stage.operator_saw_it_all().await;
    assert_eq!(stage.secret(KEY_SECRET).await, before);
}

#[tokio::test]
async fn a_key_that_apple_knows_and_that_is_lost_is_told_and_not_made_anew() {
    let stage = Stage::new().await;
    let mark = stage.mark();

    stage.apply(credential().that_may_make_its_key()).await;

    let acme = stage.until(not_ready(Reason::KeySecretNotFound)).await;
    assert!(message(&acme, ConditionType::Ready).contains("remove keyId"), "{}", message(&acme, ConditionType::Ready));
    stage.operator_saw_it_all().await;
    assert!(!stage.work_since(&mark).contains(&"create secrets acme-key".to_owned()));
}

#[tokio::test]
async fn a_made_key_stays_when_the_resource_goes_and_serves_the_next_one() {
    let stage = Stage::new().await;
    stage.apply(credential().that_awaits_its_key()).await;
    stage.until(not_ready(Reason::AwaitingUpload)).await;
    let made = stage.secret(KEY_SECRET).await;

    stage.credentials().delete("acme", &DeleteParams::default()).await.unwrap();
    stage.operator_saw_it_all().await;
    assert_eq!(stage.secret(KEY_SECRET).await, made);

    stage.apply(credential().that_awaits_its_key()).await;
    stage.until(not_ready(Reason::AwaitingUpload)).await;
    assert_eq!(stage.secret(KEY_SECRET).await, made);
}
