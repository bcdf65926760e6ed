//! Key and ids change as one; what is published stays until the new ones work.

use asa_operator::api::{ConditionType, Reason};
use fake_apple::Client;
use serde_json::json;

use crate::support::awaited::{is, is_not, ready};
use crate::support::credential::{CLIENT_SECRET, KEY_SECRET, NAME, client_of, client_without_access, credential};
use crate::support::key::KeyPair;
use crate::support::secrets::entries;
use crate::support::stage::Stage;

const NEW_KEY_ID: &str = "0b5d1c2e-new";

#[tokio::test]
async fn a_new_key_and_its_id_in_two_writes_raise_no_alarm_and_leave_no_gap() {
    let stage = Stage::ready().await;
    let old = stage.token().await;
    let reader = stage.reader();
    let new_key = KeyPair::new();
    stage.register(client_of(&stage.key.public()).key(NEW_KEY_ID, new_key.public()));
    let mark = stage.mark();

    stage.write_entry(KEY_SECRET, "private-key.pem", new_key.private()).await;
    // Apple knows the new key by another id, so this half of the change is refused.
    stage.operator_asked(&mark, "apple token 400").await;
    stage.operator_saw_it_all().await;
    let acme = stage.until(is(ConditionType::Reconciling, Reason::Renewing)).await;
    assert!(ready().holds(&acme));
    assert!(is(ConditionType::RenewalHealthy, Reason::OnSchedule).holds(&acme), "no alarm yet");
    assert_eq!(stage.token().await, old);

    stage.apply(credential().with("keyId", json!(NEW_KEY_ID))).await;

    stage.token_other_than(&old).await;
    let acme = stage.until(ready()).await;
    assert!(!is(ConditionType::Reconciling, Reason::Renewing).holds(&acme));
    reader.was_never_refused().await;
    let events = stage.events().await;
    assert!(!events.iter().any(|event| event.starts_with("Warning")), "{events:?}");
}

#[tokio::test]
async fn a_refusal_that_lasts_a_minute_is_told() {
    let stage = Stage::ready().await;
    let before = (stage.secret(NAME).await, stage.secret(CLIENT_SECRET).await);
    let mark = stage.mark();

    stage.apply(credential().with("keyId", json!("never-uploaded"))).await;

    let acme = stage.until_late(is_not(ConditionType::RenewalHealthy, Reason::ClientRejected)).await;
    assert!(ready().holds(&acme), "the old token works");
    assert_eq!((stage.secret(NAME).await, stage.secret(CLIENT_SECRET).await), before);
    assert!(stage.token_requests_since(&mark) <= 2, "not again and again");
}

#[tokio::test]
async fn going_back_to_the_old_ids_costs_nothing() {
    let stage = Stage::ready().await;
    let before = entries(&stage.secret(NAME).await);
    let mark = stage.mark();
    stage.apply(credential().with("keyId", json!("never-uploaded"))).await;
    stage.operator_asked(&mark, "apple token 400").await;
    let mark = stage.mark();

    stage.apply(credential()).await;

    let acme = stage.until(ready()).await;
    assert!(is(ConditionType::RenewalHealthy, Reason::OnSchedule).holds(&acme));
    stage.operator_saw_it_all().await;
    assert_eq!(entries(&stage.secret(NAME).await), before);
    assert_eq!(stage.token_requests_since(&mark), 0);
}

#[tokio::test]
async fn a_renewal_that_is_due_while_the_new_ids_are_refused_is_told_at_once() {
    let stage = Stage::ready_with_tokens_of(20).await;

    stage.apply(credential().with("keyId", json!("never-uploaded"))).await;

    let acme = stage.until(is_not(ConditionType::RenewalHealthy, Reason::ClientRejected)).await;
    assert!(ready().holds(&acme), "and the old token works still");
}

#[tokio::test]
async fn another_client_brings_its_own_organization_and_ad_account() {
    const OTHER_CLIENT: &str = "SEARCHADS.another";
    const OTHER_ORG: i64 = 40_669_899;
    const OTHER_ACCOUNT: i64 = 9099;
    let stage = Stage::ready().await;
    let other = Client { client_id: OTHER_CLIENT.to_owned(), ..client_without_access(&stage.key) };
    stage.register(other.organization(OTHER_ORG, "Borders").ad_account(OTHER_ACCOUNT, "Borders"));
    let old = stage.token().await;

    stage.apply(credential().of_client(OTHER_CLIENT)).await;

    stage.token_other_than(&old).await;
    let published = stage.published().await;
    assert_eq!(published["client_id"], OTHER_CLIENT);
    assert_eq!(published["org_id"], OTHER_ORG.to_string());
    assert_eq!(published["ad_account_id"], OTHER_ACCOUNT.to_string());
}
