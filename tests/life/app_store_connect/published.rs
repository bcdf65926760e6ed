//! What becomes of the managed Secret: the same as with Apple Ads, by the same code.

use asa_operator::api::Reason;
use kube::api::DeleteParams;
use serde_json::json;

use super::{STATUS, api_key, api_key_with};
use crate::support::awaited::{is_not, not_ready, ready};
use crate::support::credential::NAME;
use crate::support::secrets::entries;
use crate::support::stage::Stage;

#[tokio::test]
async fn a_deleted_or_edited_secret_is_back_with_the_same_token_and_without_a_probe() {
    let stage = Stage::with_ready_api_key().await;
    let before = stage.published().await;
    let mark = stage.mark();

    stage.delete_secret(NAME).await;
    stage.until_secret(NAME, "the same again", |secret| entries(secret) == before).await;
    stage.write_entry(NAME, "token", "edited").await;
    stage.until_secret(NAME, "the same once more", |secret| entries(secret) == before).await;

    stage.operator_saw_all_api_keys().await;
    assert!(stage.work_since(&mark).iter().all(|line| !line.starts_with("apple")));
}

#[tokio::test]
async fn a_renamed_secret_is_there_before_the_old_one_goes() {
    let stage = Stage::with_ready_api_key().await;
    let before = stage.published().await;
    let mark = stage.mark();

    stage.apply_api_key(api_key_with(&json!({"secret": {"name": "renamed"}}))).await;

    stage.until_gone(NAME).await;
    assert_eq!(entries(&stage.secret("renamed").await), before);
    stage.until_api_key(ready()).await;
    stage.operator_saw_all_api_keys().await;
    let expected = [
        "create secrets renamed",
        "delete secrets acme",
        "get appstoreconnectcredentials acme",
        "get appstoreconnectcredentials acme",
        "get secrets acme",
        STATUS,
    ];
    assert_eq!(stage.work_since(&mark), expected);
}

#[tokio::test]
async fn a_retained_secret_stays_and_is_adopted_only_if_the_resource_says_so() {
    let stage = Stage::new().await;
    let retained = json!({"secret": {"deletionPolicy": "Retain"}});
    stage.begin_with(stage.team_key(), api_key_with(&retained)).await;
    stage.until_api_key(ready()).await;
    let before = stage.published().await;
    stage.api_keys().delete(NAME, &DeleteParams::default()).await.unwrap();
    stage.operator_saw_all_api_keys().await;
    assert_eq!(stage.published().await, before);

    stage.apply_api_key(api_key()).await;
    stage.until_api_key(not_ready(Reason::SecretNotOwned)).await;
    stage.apply_api_key(api_key_with(&json!({"secret": {"adoption": "IfUnowned"}}))).await;

    stage.until_api_key(ready()).await;
    assert_eq!(stage.published().await["token"], before["token"]);
    stage.api_keys().delete(NAME, &DeleteParams::default()).await.unwrap();
    stage.until_gone(NAME).await;
}

#[tokio::test]
async fn while_suspended_nothing_is_mended() {
    let stage = Stage::with_ready_api_key().await;
    stage.apply_api_key(api_key_with(&json!({"suspend": true}))).await;
    stage.until_api_key(is_not(asa_operator::api::ConditionType::RenewalHealthy, Reason::Suspended)).await;
    let before = stage.published().await;
    stage.delete_secret(NAME).await;
    stage.operator_saw_all_api_keys().await;
    assert_eq!(stage.secrets().get_opt(NAME).await.unwrap(), None);

    stage.apply_api_key(api_key()).await;
    stage.until_secret(NAME, "the same token", |secret| entries(secret)["token"] == before["token"]).await;
}

#[tokio::test]
async fn credentials_of_both_kinds_do_not_fight_for_a_secret() {
    let stage = Stage::with_ready_api_key().await;
    let before = stage.secret(NAME).await;
    stage.upload_key();
    let mark = stage.mark();

    stage.apply(crate::support::credential::credential()).await;

    let loser = stage.until(not_ready(Reason::SecretNotOwned)).await;
    let said = crate::support::awaited::message(&loser, asa_operator::api::ConditionType::Ready);
    assert!(said.contains("belongs to AppStoreConnectCredential acme"), "{said}");
    stage.operator_saw_all_api_keys().await;
    assert_eq!(stage.secret(NAME).await, before);
    assert_eq!(stage.token_requests_since(&mark), 0);
}
