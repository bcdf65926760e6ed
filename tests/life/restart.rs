//! The operator killed and started again.

use asa_operator::api::names::ANNOTATION_RECORD;
use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt as _;
use serde_json::{Value, json};

use crate::support::awaited::ready;
use crate::support::credential::{KEY_SECRET, NAME, client_with_both};
use crate::support::eventually;
use crate::support::key::KeyPair;
use crate::support::rbac::Secrets;
use crate::support::secrets::entries;
use crate::support::stage::Stage;
use crate::support::work::{REFUSED_LIST, RENEWAL, times};

/// What every start asks.
pub(crate) fn start() -> Vec<&'static str> {
    let secrets: &[&str] = match Secrets::of_this_run() {
        Secrets::Watch => &["list secrets", "watch secrets"],
        Secrets::Get => &[REFUSED_LIST],
    };
    let credentials = [
        "list appstoreconnectcredentials",
        "list asacredentials",
        "watch appstoreconnectcredentials",
        "watch asacredentials",
    ];
    [&credentials[..], secrets].concat()
}

#[tokio::test]
async fn a_restart_asks_nothing_of_apple_and_writes_nothing() {
    let mut stage = Stage::ready().await;
    let before = (stage.credential().await, stage.secret(NAME).await);
    let mark = stage.mark();

    for _ in 0..2 {
        stage.kill_operator();
        stage.start_operator(&[]).await;
        stage.operator_saw_it_all().await;
    }

    assert_eq!(stage.work_since(&mark), times(2, &start()));
    assert_eq!((stage.credential().await, stage.secret(NAME).await), before);
}

#[tokio::test]
async fn the_first_renewal_after_a_restart_reads_the_client_secret_once_and_the_second_does_not() {
    let mut stage = Stage::ready_with_tokens_of(16).await;
    let mark = stage.mark();
    stage.kill_operator();
    stage.start_operator(&[]).await;
    stage.operator_renewed(&mark, 1).await;
    let mut expected = [&RENEWAL[..], &start(), &["get secrets acme-client-secret"]].concat();
    expected.sort_unstable();
    assert_eq!(stage.work_since(&mark), expected);

    let mark = stage.mark();
    stage.operator_renewed(&mark, 1).await;
    assert_eq!(stage.work_since(&mark), RENEWAL);
}

#[tokio::test]
async fn a_token_that_ended_while_the_operator_was_down_is_replaced_at_once() {
    let mut stage = Stage::ready_with_tokens_of(4).await;
    stage.kill_operator();
    let old = stage.published().await;
    eventually("the end of the token", async || match stage.call_platform(&old).await.0.as_u16() {
        401 => Ok(()),
        status => Err(status),
    })
    .await;
    stage.apple.state().set_token_life(3600);
    let mark = stage.mark();

    stage.start_operator(&[]).await;

    stage.token_other_than(&old["access_token"]).await;
    stage.until(ready()).await;
    stage.operator_saw_it_all().await;
    assert_eq!(stage.token_requests_since(&mark), 1);
}

#[tokio::test]
async fn a_managed_secret_deleted_after_a_restart_costs_one_token() {
    let mut stage = Stage::ready().await;
    let mark = stage.mark();
    stage.kill_operator();
    stage.start_operator(&[]).await;

    stage.delete_secret(NAME).await;

    stage.until_secret(NAME, "a Secret", |_| true).await;
    stage.until(ready()).await;
    stage.operator_saw_it_all().await;
    assert_eq!(stage.token_requests_since(&mark), 1);
    assert!(stage.call_platform(&stage.published().await).await.0.is_success());
}

#[tokio::test]
async fn a_managed_secret_deleted_while_the_operator_was_down_costs_one_token() {
    let mut stage = Stage::ready().await;
    let mark = stage.mark();
    stage.kill_operator();
    stage.delete_secret(NAME).await;

    stage.start_operator(&[]).await;

    stage.until_secret(NAME, "a Secret", |_| true).await;
    stage.until(ready()).await;
    stage.operator_saw_it_all().await;
    assert_eq!(stage.token_requests_since(&mark), 1);
}

#[tokio::test]
async fn a_managed_secret_edited_while_the_operator_was_down_is_noticed() {
    let mut stage = Stage::ready().await;
    let old = stage.token().await;
    let mark = stage.mark();
    stage.kill_operator();
    stage.write_entry(NAME, "access_token", "edited").await;

    stage.start_operator(&[]).await;

    stage
        .until_secret(NAME, "a token that works", |secret| {
            let token = &entries(secret)["access_token"];
            token != "edited" && *token != old
        })
        .await;
    stage.operator_saw_it_all().await;
    assert_eq!(stage.token_requests_since(&mark), 1);
}

#[tokio::test]
async fn a_record_edited_while_the_operator_was_down_does_not_let_the_token_live_longer() {
    let mut stage = Stage::ready().await;
    let old = stage.token().await;
    stage.kill_operator();
    let secret = stage.secret(NAME).await;
    let mut record: Value = serde_json::from_str(&secret.annotations()[ANNOTATION_RECORD]).unwrap();
    let end: Timestamp = record["expiresAt"].as_str().unwrap().parse().unwrap();
    record["expiresAt"] = json!(end + SignedDuration::from_hours(10));
    stage.change_secret(NAME, json!({"metadata": {"annotations": {ANNOTATION_RECORD: record.to_string()}}})).await;

    stage.start_operator(&[]).await;

    stage.token_other_than(&old).await;
}

#[tokio::test]
async fn a_key_replaced_while_the_operator_was_down_is_noticed() {
    let mut stage = Stage::ready().await;
    let old = stage.token().await;
    stage.kill_operator();
    let new_key = KeyPair::new();
    stage.register(client_with_both(&stage.key, &new_key));
    stage.write_entry(KEY_SECRET, "private-key.pem", new_key.private()).await;

    stage.start_operator(&[]).await;

    stage.token_other_than(&old).await;
    stage.until(ready()).await;
}
