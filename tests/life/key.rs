//! The private key: not there yet, replaced by a good one, a bad one, or none at all.

use asa_operator::api::{ConditionType, Reason};

use crate::support::awaited::{is, is_not, message, not_ready, ready};
use crate::support::credential::{CLIENT_SECRET, KEY_SECRET, NAME, client_with_both, credential};
use crate::support::key::KeyPair;
use crate::support::secrets::entries;
use crate::support::stage::Stage;

#[tokio::test]
async fn a_missing_key_secret_is_named_and_used_as_soon_as_it_appears() {
    let stage = Stage::new().await;
    stage.upload_key();
    let mark = stage.mark();
    stage.apply(credential()).await;

    let acme = stage.until(not_ready(Reason::KeySecretNotFound)).await;
    let words = message(&acme, ConditionType::Ready);
    assert!(words.contains("kubectl create secret generic acme-key --from-file=private-key.pem"), "{words}");
    assert_eq!(words, message(&acme, ConditionType::PrivateKeyLoaded));
    assert_eq!(stage.token_requests_since(&mark), 0);

    stage.create_key_secret().await;
    stage.until(ready()).await;
    assert_eq!(stage.token_requests_since(&mark), 1);
}

#[tokio::test]
async fn a_wrong_entry_name_is_told_and_the_right_one_used_as_soon_as_it_is_there() {
    let stage = Stage::new().await;
    stage.upload_key();
    stage.create_secret(KEY_SECRET, "Opaque", &[("key.pem", stage.key.private())]).await;
    stage.apply(credential()).await;

    let acme = stage.until(not_ready(Reason::KeyEntryNotFound)).await;
    let words = message(&acme, ConditionType::Ready);
    assert!(words.contains("acme-key has no entry private-key.pem"), "{words}");

    stage.write_entry(KEY_SECRET, "private-key.pem", stage.key.private()).await;
    stage.until(ready()).await;
}

#[tokio::test]
async fn a_wrong_entry_name_is_mended_in_the_resource_too() {
    let stage = Stage::new().await;
    stage.upload_key();
    stage.create_secret(KEY_SECRET, "Opaque", &[("key.pem", stage.key.private())]).await;
    stage.apply(credential()).await;
    stage.until(not_ready(Reason::KeyEntryNotFound)).await;

    stage.apply(credential().key_entry("key.pem")).await;

    stage.until(ready()).await;
}

#[tokio::test]
async fn a_good_new_key_gives_a_new_token_at_once_without_a_gap() {
    let stage = Stage::ready().await;
    let (old, old_client_secret) = (stage.token().await, entries(&stage.secret(CLIENT_SECRET).await));
    let reader = stage.reader();
    let new_key = KeyPair::new();
    stage.register(client_with_both(&stage.key, &new_key));
    let mark = stage.mark();

    stage.write_entry(KEY_SECRET, "private-key.pem", new_key.private()).await;

    stage.token_other_than(&old).await;
    let fingerprint = new_key.fingerprint();
    let acme = stage
        .until_seen("the new key in status", |acme| {
            acme.status
                .as_ref()
                .and_then(|status| status.private_key.as_ref())
                .is_some_and(|key| key.fingerprint == fingerprint)
        })
        .await;
    assert!(ready().holds(&acme));
    assert_ne!(entries(&stage.secret(CLIENT_SECRET).await)["client_secret"], old_client_secret["client_secret"]);
    assert_eq!(stage.token_requests_since(&mark), 1);
    reader.was_never_refused().await;
}

#[tokio::test]
async fn a_key_that_apple_rejects_leaves_the_old_token_in_place() {
    let stage = Stage::ready().await;
    let before = stage.secret(NAME).await;
    let client_secret_before = stage.secret(CLIENT_SECRET).await;
    let mark = stage.mark();
    let never_uploaded = KeyPair::new();

    stage.write_entry(KEY_SECRET, "private-key.pem", never_uploaded.private()).await;

    let acme = stage.until_late(is_not(ConditionType::RenewalHealthy, Reason::ClientRejected)).await;
    assert!(ready().holds(&acme));
    let words = message(&acme, ConditionType::RenewalHealthy);
    assert!(words.starts_with("The published token works until 20") && words.contains("invalid_client"), "{words}");
    stage.event(Reason::ClientRejected).await;
    stage.operator_saw_it_all().await;
    assert_eq!(stage.secret(NAME).await, before);
    assert_eq!(stage.secret(CLIENT_SECRET).await, client_secret_before);
    assert_eq!(stage.token_requests_since(&mark), 2, "again after a minute, and then more rarely");

    stage.write_entry(KEY_SECRET, "private-key.pem", stage.key.private()).await;
    let acme = stage.until(is(ConditionType::RenewalHealthy, Reason::OnSchedule)).await;
    assert!(ready().holds(&acme));
}

#[tokio::test]
async fn a_key_that_is_none_leaves_the_old_token_in_place_for_as_long_as_it_lives() {
    let stage = Stage::ready_with_tokens_of(9).await;

    stage.write_entry(KEY_SECRET, "private-key.pem", "not a key").await;

    let acme = stage.until(is_not(ConditionType::PrivateKeyLoaded, Reason::KeyInvalid)).await;
    assert!(ready().holds(&acme), "what is published works");
    assert!(is_not(ConditionType::RenewalHealthy, Reason::KeyInvalid).holds(&acme));
    let before = stage.secret(NAME).await;
    stage.until(not_ready(Reason::KeyInvalid)).await;
    assert_eq!(stage.secret(NAME).await, before);
}

#[tokio::test]
async fn a_deleted_key_secret_is_told_and_the_old_token_stays() {
    let stage = Stage::ready().await;
    let before = stage.secret(NAME).await;
    let mark = stage.mark();

    stage.delete_secret(KEY_SECRET).await;

    let acme = stage.until(is_not(ConditionType::PrivateKeyLoaded, Reason::KeySecretNotFound)).await;
    assert!(ready().holds(&acme));
    assert_eq!(stage.secret(NAME).await, before);

    stage.create_key_secret().await;
    stage.until(is(ConditionType::PrivateKeyLoaded, Reason::Loaded)).await;
    stage.until(is(ConditionType::RenewalHealthy, Reason::OnSchedule)).await;
    assert_eq!(entries(&stage.secret(NAME).await), entries(&before), "the same key: the same token serves");
    assert_eq!(stage.token_requests_since(&mark), 0);
}
