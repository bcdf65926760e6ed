//! Secrets that outlive their resource, and Secrets that find a new one.

use asa_operator::api::{ConditionType, Reason};
use kube::api::{DeleteParams, PropagationPolicy};
use serde_json::{Value, json};

use crate::support::awaited::{message, not_ready, ready};
use crate::support::credential::{CLIENT_SECRET, Credential, NAME, credential};
use crate::support::eventually;
use crate::support::secrets::entries;
use crate::support::stage::Stage;

const OWN_TYPE: &str = "asa-operator.dev/access-token";

fn with_secret(secret: Value) -> Credential {
    credential().with("secret", secret)
}

impl Stage<'_> {
    async fn delete(&self, how: PropagationPolicy) {
        let how = DeleteParams { propagation_policy: Some(how), ..DeleteParams::default() };
        self.credentials().delete(NAME, &how).await.unwrap();
        eventually("absence", async || match self.credentials().get_opt(NAME).await.unwrap() {
            Some(acme) => Err(format!("{:?}", acme.metadata)),
            None => Ok(()),
        })
        .await;
    }
}

async fn ready_and_retained() -> Stage<'static> {
    let stage = Stage::new().await;
    stage.upload_key();
    stage.create_key_secret().await;
    stage.apply(with_secret(json!({"deletionPolicy": "Retain"}))).await;
    stage.until(ready()).await;
    stage
}

#[tokio::test]
async fn a_retained_secret_survives_its_resource_and_the_client_secret_does_not() {
    let stage = ready_and_retained().await;
    let before = stage.secret(NAME).await;
    assert_eq!(before.metadata.owner_references, None);

    stage.delete(PropagationPolicy::Background).await;

    stage.until_gone(CLIENT_SECRET).await;
    stage.operator_saw_it_all().await;
    assert_eq!(stage.secret(NAME).await, before);
}

#[tokio::test]
async fn a_retained_secret_is_taken_by_a_recreated_resource_only_if_it_says_so_and_costs_no_token() {
    let stage = ready_and_retained().await;
    let before = stage.published().await;
    stage.delete(PropagationPolicy::Background).await;
    stage.until_gone(CLIENT_SECRET).await;
    let mark = stage.mark();

    stage.apply(credential()).await;
    let acme = stage.until(not_ready(Reason::SecretNotOwned)).await;
    assert!(message(&acme, ConditionType::Ready).contains("IfUnowned"));
    assert_eq!(stage.published().await, before);

    stage.apply(with_secret(json!({"adoption": "IfUnowned"}))).await;
    stage.until(ready()).await;
    stage.operator_saw_it_all().await;
    assert_eq!(stage.published().await["access_token"], before["access_token"]);
    assert_eq!(stage.token_requests_since(&mark), 0);
    assert!(stage.secret(NAME).await.metadata.owner_references.is_some());
}

#[tokio::test]
async fn the_policy_can_change_at_any_time() {
    let stage = Stage::ready().await;
    let mark = stage.mark();
    stage.apply(with_secret(json!({"deletionPolicy": "Retain"}))).await;
    stage.until_secret(NAME, "no owner", |secret| secret.metadata.owner_references.is_none()).await;

    stage.apply(with_secret(json!({"deletionPolicy": "Delete"}))).await;
    stage.until_secret(NAME, "an owner", |secret| secret.metadata.owner_references.is_some()).await;
    stage.operator_saw_it_all().await;
    assert_eq!(stage.token_requests_since(&mark), 0);

    stage.delete(PropagationPolicy::Background).await;
    stage.until_gone(NAME).await;
}

#[tokio::test]
async fn an_orphaned_secret_is_left_alone() {
    let stage = Stage::ready().await;
    let before = stage.published().await;

    stage.delete(PropagationPolicy::Orphan).await;

    stage.operator_saw_it_all().await;
    let after = stage.until_secret(NAME, "no owner", |secret| secret.metadata.owner_references.is_none()).await;
    assert_eq!(entries(&after), before);
    assert!(stage.secrets().get_opt(CLIENT_SECRET).await.unwrap().is_some());
}

#[tokio::test]
async fn a_secret_of_our_type_that_nobody_owns_is_adopted_with_what_is_in_it() {
    let stage = Stage::new().await;
    stage.upload_key();
    stage.create_key_secret().await;
    stage.create_secret(NAME, OWN_TYPE, &[("theirs", "stays"), ("org_id", "old")]).await;
    let mark = stage.mark();

    stage.apply(with_secret(json!({"adoption": "IfUnowned"}))).await;

    stage.until(ready()).await;
    let published = stage.published().await;
    assert_eq!(published["theirs"], "stays");
    assert_ne!(published["org_id"], "old");
    assert!(stage.call_platform(&published).await.0.is_success());
    assert_eq!(stage.token_requests_since(&mark), 1);
}

/// Somebody's Secret at the name, which is not to be adopted for this reason.
async fn is_not_adopted(type_: &str, marks: Value, reason: Reason, words: &str) {
    let stage = Stage::new().await;
    stage.upload_key();
    stage.create_key_secret().await;
    stage.create_secret(NAME, type_, &[("password", "somebody's")]).await;
    let before = stage.change_secret(NAME, json!({"metadata": marks})).await;
    let mark = stage.mark();

    stage.apply(with_secret(json!({"adoption": "IfUnowned"}))).await;

    let acme = stage.until(not_ready(reason)).await;
    assert!(message(&acme, ConditionType::Ready).contains(words), "{}", message(&acme, ConditionType::Ready));
    stage.operator_saw_it_all().await;
    assert_eq!(stage.secret(NAME).await, before);
    assert_eq!(stage.token_requests_since(&mark), 0, "the target is checked before a token is asked for");
}

#[tokio::test]
async fn a_secret_of_another_type_is_not_adopted() {
    is_not_adopted("Opaque", json!({}), Reason::SecretTypeMismatch, OWN_TYPE).await;
}

#[tokio::test]
async fn a_secret_that_something_owns_is_not_adopted() {
    // An owner that exists, or garbage collection would take the Secret.
    let stage = Stage::new().await;
    stage.upload_key();
    stage.create_key_secret().await;
    let key = stage.secret("acme-key").await;
    stage.create_secret(NAME, OWN_TYPE, &[("password", "somebody's")]).await;
    let owner = json!([{"apiVersion": "v1", "kind": "Secret", "name": "acme-key", "uid": key.metadata.uid}]);
    let before = stage.change_secret(NAME, json!({"metadata": {"ownerReferences": owner}})).await;

    stage.apply(with_secret(json!({"adoption": "IfUnowned"}))).await;

    let acme = stage.until(not_ready(Reason::SecretNotOwned)).await;
    assert!(message(&acme, ConditionType::Ready).contains("belongs to Secret acme-key"));
    stage.operator_saw_it_all().await;
    assert_eq!(stage.secret(NAME).await, before);
}

#[tokio::test]
async fn of_two_resources_the_one_that_has_the_secret_keeps_it_though_the_other_would_adopt_it() {
    let stage = ready_and_retained().await;
    let before = stage.secret(NAME).await;
    stage.create_secret("other-key", "Opaque", &[("private-key.pem", stage.key.private())]).await;

    stage.apply(credential().named("other").with("secret", json!({"name": NAME, "adoption": "IfUnowned"}))).await;

    let other = stage.until_named("other", "refusal", |other| not_ready(Reason::SecretNotOwned).holds(other)).await;
    assert!(message(&other, ConditionType::Ready).contains("belongs to AsaCredential acme"));
    stage.operator_saw_it_all().await;
    assert_eq!(stage.secret(NAME).await, before);
}
