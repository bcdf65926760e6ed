//! What is refused, by the operator or by Apple, and the words for it.

use asa_operator::api::{ConditionType, Reason};

use crate::support::awaited::{conditions, message, not_ready, ready};
use crate::support::credential::{CLIENT_SECRET, KEY_SECRET, NAME, credential};
use crate::support::key::KeyPair;
use crate::support::stage::Stage;

#[tokio::test]
async fn a_key_is_not_read_from_a_secret_of_another_type_and_its_content_is_not_described() {
    let stage = Stage::new().await;
    let entries = [("tls.crt", "a certificate"), ("tls.key", stage.key.private())];
    stage.create_secret(KEY_SECRET, "kubernetes.io/tls", &entries).await;
    let mark = stage.mark();

    let mut words = Vec::new();
    for entry in ["tls.key", "tls.crt", "absent"] {
        stage.apply(credential().key_entry(entry)).await;
        let acme = stage.until(not_ready(Reason::KeySecretTypeRefused)).await;
        words.push(message(&acme, ConditionType::Ready).to_owned());
    }

    assert!(words.iter().all(|told| *told == words[0]), "{words:#?}");
    assert!(words[0].contains("Opaque") && !words[0].contains("tls"), "{}", words[0]);
    assert_eq!(stage.token_requests_since(&mark), 0);
}

#[tokio::test]
async fn a_key_may_lie_in_a_secret_of_the_operators_own_type() {
    let stage = Stage::new().await;
    stage.upload_key();
    let entries = [("private-key.pem", stage.key.private())];
    stage.create_secret(KEY_SECRET, "asa-operator.dev/private-key", &entries).await;
    stage.apply(credential()).await;

    stage.until(ready()).await;
}

#[tokio::test]
async fn ids_that_apple_does_not_know_are_told_with_the_key_to_compare_and_leave_no_secret() {
    let stage = Stage::new().await;
    stage.create_key_secret().await;
    let mark = stage.mark();
    stage.apply(credential()).await;

    let acme = stage.until(not_ready(Reason::ClientRejected)).await;
    stage.event(Reason::ClientRejected).await;
    stage.operator_saw_it_all().await;

    let words = message(&acme, ConditionType::Ready);
    let fingerprint = stage.key.fingerprint();
    assert!(words.contains("invalid_client") && words.contains(&fingerprint[.."SHA256:01234567".len()]), "{words}");
    assert!(words.contains("Compare status.privateKey with Account Settings › API"), "{words}");
    assert_eq!(
        acme.status.as_ref().unwrap().private_key.as_ref().unwrap().public_key.trim(),
        stage.key.public().trim()
    );
    let expected = ["apple token 400", "create events", "get secrets acme-key", "update asacredentials/status acme"];
    assert_eq!(stage.work_since(&mark), expected);
    for name in [NAME, CLIENT_SECRET] {
        assert!(stage.secrets().get_opt(name).await.unwrap().is_none(), "{name}");
    }

    stage.upload_key();
    stage.request_renewal("the key is uploaded now").await;
    stage.until(ready()).await;
    assert_eq!(stage.token_requests_since(&mark), 2);
}

#[tokio::test]
async fn a_corrected_key_is_tried_at_once_after_a_rejection() {
    let stage = Stage::new().await;
    stage.upload_key();
    let never_uploaded = KeyPair::new();
    stage.create_secret(KEY_SECRET, "Opaque", &[("private-key.pem", never_uploaded.private())]).await;
    stage.apply(credential()).await;
    stage.until(not_ready(Reason::ClientRejected)).await;

    stage.write_entry(KEY_SECRET, "private-key.pem", stage.key.private()).await;

    stage.until(ready()).await;
}

#[tokio::test]
async fn every_message_is_short_enough_to_be_read() {
    let stage = Stage::new().await;
    let name = "a".repeat(200);
    stage.apply(credential().named(&name)).await;
    let seen = stage.until_named(&name, "a report", |seen| conditions(seen).len() > 1).await;
    for condition in conditions(&seen) {
        assert!(condition.message.chars().count() <= 200, "{}", condition.message);
    }
}
