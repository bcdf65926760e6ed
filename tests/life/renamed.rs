//! A Secret under another name.

use k8s_openapi::api::core::v1::Secret;
use serde_json::json;

use crate::support::awaited::ready;
use crate::support::credential::{CLIENT_SECRET, NAME, credential};
use crate::support::rbac::Secrets;
use crate::support::secrets::entries;
use crate::support::stage::Stage;

impl Stage<'_> {
    /// Waits until the status names this Secret.
    async fn until_published_as(&self, name: &str) {
        self.until_seen(&format!("Secret {name} in status"), |acme| {
            let secret = acme.status.as_ref().and_then(|status| status.secret.as_ref());
            secret.is_some_and(|secret| secret.name == name)
        })
        .await;
    }
}

#[tokio::test]
async fn the_managed_secret_is_there_under_the_new_name_before_the_old_one_goes() {
    let stage = Stage::ready().await;
    let before = stage.published().await;
    let mark = stage.mark();

    stage.apply(credential().with("secret", json!({"name": "renamed"}))).await;

    stage.until_published_as("renamed").await;
    stage.until_gone(NAME).await;
    assert_eq!(entries(&stage.secret("renamed").await), before, "the same token serves");
    stage.until(ready()).await;
    stage.operator_saw_it_all().await;
    let work = stage.work_since(&mark);
    let expected = [
        "create secrets renamed",
        "delete secrets acme",
        "get asacredentials acme",
        "get asacredentials acme",
        "get secrets acme",
        "update asacredentials/status acme",
    ];
    assert_eq!(work, expected);
    let binding = stage.credential().await.status.unwrap().binding.unwrap();
    assert_eq!(binding.name, "renamed");
}

#[tokio::test]
async fn the_client_secrets_secret_is_renamed_likewise() {
    let stage = Stage::ready().await;
    let before = entries(&stage.secret(CLIENT_SECRET).await);
    let mark = stage.mark();

    stage.apply(credential().with("clientSecret", json!({"secretName": "signed"}))).await;

    stage.until_gone(CLIENT_SECRET).await;
    assert_eq!(entries(&stage.secret("signed").await), before);
    stage.until(ready()).await;
    stage.operator_saw_it_all().await;
    assert_eq!(stage.token_requests_since(&mark), 0);
    let reported = stage.credential().await.status.unwrap().client_secret.unwrap();
    assert_eq!(reported.secret_name.as_deref(), Some("signed"));
}

#[tokio::test]
async fn a_rename_while_the_operator_was_down_costs_no_token() {
    let mut stage = Stage::ready().await;
    let before = stage.published().await;
    stage.kill_operator();
    stage.apply(credential().with("secret", json!({"name": "renamed"}))).await;
    let mark = stage.mark();

    stage.start_operator(&[]).await;

    stage.until_published_as("renamed").await;
    stage.until_gone(NAME).await;
    assert_eq!(entries(&stage.secret("renamed").await), before);
    assert_eq!(stage.token_requests_since(&mark), 0);
}

#[tokio::test]
async fn a_rename_to_a_name_that_is_taken_leaves_everything_where_it_is() {
    let stage = Stage::ready().await;
    stage.create_secret("taken", "Opaque", &[("password", "somebody's")]).await;
    let before = stage.secret(NAME).await;

    stage.apply(credential().with("secret", json!({"name": "taken"}))).await;

    stage
        .until_seen("refusal", |acme| {
            let conditions = &acme.status.as_ref().unwrap().conditions;
            conditions.iter().any(|condition| condition.reason == "SecretNotOwned")
        })
        .await;
    stage.operator_saw_it_all().await;
    assert_eq!(stage.secret(NAME).await, before);
    assert_eq!(entries(&stage.secret("taken").await), [("password".to_owned(), "somebody's".to_owned())].into());

    stage.apply(credential()).await;
    stage.until(ready()).await;
    stage.operator_saw_it_all().await;
    assert_eq!(entries(&stage.secret(NAME).await), entries(&before));
}

#[tokio::test]
async fn a_copy_that_a_user_made_under_another_name_stays() {
    let stage = Stage::ready().await;
    let original = stage.secret(NAME).await;
    let mut copy = Secret { data: original.data, type_: original.type_, ..Secret::default() };
    copy.metadata.name = Some("copy".to_owned());
    copy.metadata.labels = original.metadata.labels;
    copy.metadata.annotations = original.metadata.annotations;
    let copy = stage.secrets().create(&kube::api::PostParams::default(), &copy).await.unwrap();

    stage.apply(credential().with("secret", json!({"name": "renamed"}))).await;

    stage.until_published_as("renamed").await;
    stage.until_gone(NAME).await;
    stage.operator_saw_it_all().await;
    assert_eq!(stage.secret("copy").await, copy);
}

#[tokio::test]
async fn where_secrets_are_not_watched_a_rename_leaves_nothing_behind_either() {
    let mut stage = Stage::in_tier(cluster::shared().await, Secrets::Get).await;
    stage.launch_operator(&["--secret-poll-interval", "2s"]);
    stage.become_ready().await;

    let both =
        credential().with("secret", json!({"name": "renamed"})).with("clientSecret", json!({"secretName": "signed"}));
    stage.apply(both).await;

    stage.until_published_as("renamed").await;
    stage.until_gone(NAME).await;
    stage.until_gone(CLIENT_SECRET).await;
    stage.until(ready()).await;
}
