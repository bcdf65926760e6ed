//! A resource that is suspended.

use asa_operator::api::{ConditionType, Reason};
use serde_json::json;

use crate::support::awaited::{is, is_not, not_ready, ready};
use crate::support::credential::{NAME, credential};
use crate::support::secrets::entries;
use crate::support::stage::Stage;

#[tokio::test]
async fn while_suspended_nothing_is_asked_written_or_mended_and_ready_ends_with_the_token() {
    let stage = Stage::ready_with_tokens_of(12).await;
    stage.apply(credential().with("suspend", json!(true))).await;
    let acme = stage.until(is_not(ConditionType::RenewalHealthy, Reason::Suspended)).await;
    assert!(ready().holds(&acme));
    stage.event(Reason::Suspended).await;
    let edited = stage.write_entry(NAME, "theirs", "edited").await;
    let mark = stage.mark();

    stage.until(not_ready(Reason::Suspended)).await;
    stage.operator_asked(&mark, "create events").await;

    stage.operator_saw_it_all().await;
    assert_eq!(stage.secret(NAME).await, edited);
    assert_eq!(stage.work_since(&mark), ["create events", "update asacredentials/status acme"]);
}

#[tokio::test]
async fn going_on_before_the_renewal_was_due_costs_nothing() {
    let stage = Stage::ready().await;
    stage.apply(credential().with("suspend", json!(true))).await;
    stage.until(is_not(ConditionType::RenewalHealthy, Reason::Suspended)).await;
    let mark = stage.mark();

    stage.apply(credential()).await;

    stage.until(is(ConditionType::RenewalHealthy, Reason::OnSchedule)).await;
    stage.operator_saw_it_all().await;
    assert_eq!(stage.token_requests_since(&mark), 0);
}

#[tokio::test]
async fn going_on_after_the_token_ended_costs_one_renewal() {
    let stage = Stage::ready_with_tokens_of(6).await;
    stage.apply(credential().with("suspend", json!(true))).await;
    stage.until(not_ready(Reason::Suspended)).await;
    stage.apple.state().set_token_life(3600);
    let mark = stage.mark();

    stage.apply(credential()).await;

    stage.until(ready()).await;
    stage.operator_saw_it_all().await;
    assert_eq!(stage.token_requests_since(&mark), 1);
}

#[tokio::test]
async fn what_was_never_begun_is_not_begun() {
    let stage = Stage::new().await;
    stage.upload_key();
    stage.create_key_secret().await;
    let mark = stage.mark();

    stage.apply(credential().with("suspend", json!(true))).await;

    stage.until(not_ready(Reason::Suspended)).await;
    stage.operator_saw_it_all().await;
    assert_eq!(stage.work_since(&mark), ["create events", "update asacredentials/status acme"]);
    stage.apply(credential()).await;
    stage.until(ready()).await;
    assert!(entries(&stage.secret(NAME).await).contains_key("access_token"));
}
