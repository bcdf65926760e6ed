//! The two Secrets, deleted, edited or stripped of their marks: healed at once, and Apple is not asked.

use asa_operator::api::{ConditionType, Reason};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::PostParams;
use kube::{Api, ResourceExt as _};
use serde_json::{Value, json};

use crate::support::awaited::{is, is_not, ready};
use crate::support::credential::{CLIENT_SECRET, NAME};
use crate::support::secrets::entries;
use crate::support::stage::Stage;
use crate::support::work::Mark;

const STATUS: &str = "update asacredentials/status acme";

/// What it has lost is back.
fn is_healed(before: &Secret) -> impl Fn(&Secret) -> bool {
    move |now| {
        entries(now) == entries(before)
            && now.type_ == before.type_
            && now.labels() == before.labels()
            && now.owner_references() == before.owner_references()
    }
}

impl Stage<'_> {
    /// Somebody deletes a Secret; waits until it is there again as it was.
    async fn heals_after_deletion(&self, name: &str) -> Mark {
        let before = self.secret(name).await;
        let mark = self.mark();
        self.delete_secret(name).await;
        self.until_secret(name, "the same Secret", |now| now.uid() != before.uid() && is_healed(&before)(now)).await;
        self.operator_saw_it_all().await;
        mark
    }

    /// Somebody changes a Secret by this patch; waits until it is as it was.
    async fn heals_after(&self, name: &str, patch: Value) -> Mark {
        let before = self.secret(name).await;
        let mark = self.mark();
        self.change_secret(name, patch).await;
        self.until_secret(name, "the same content", |now| {
            now.resource_version() != before.resource_version() && is_healed(&before)(now)
        })
        .await;
        self.operator_saw_it_all().await;
        mark
    }

    /// An owner beside the resource. It exists, or garbage collection would take the reference away.
    async fn owner_reference_to_config_map(&self, name: &str) -> OwnerReference {
        let maps: Api<ConfigMap> = Api::namespaced(self.kube.clone(), &self.namespace);
        let mut map = ConfigMap::default();
        map.metadata.name = Some(name.to_owned());
        let uid = maps.create(&PostParams::default(), &map).await.unwrap().uid().unwrap();
        let (api_version, kind) = ("v1".to_owned(), "ConfigMap".to_owned());
        OwnerReference { api_version, kind, name: name.to_owned(), uid, ..OwnerReference::default() }
    }
}

#[tokio::test]
async fn a_deleted_managed_secret_is_back_at_once_with_the_same_token() {
    let stage = Stage::ready().await;
    let mark = stage.heals_after_deletion(NAME).await;
    // Whether the resource is still there is asked first: its Secrets may have gone with it.
    assert_eq!(stage.work_since(&mark), ["create secrets acme", "get asacredentials acme", STATUS]);
}

#[tokio::test]
async fn a_deleted_client_secret_is_back_at_once_and_is_the_same() {
    let stage = Stage::ready().await;
    let mark = stage.heals_after_deletion(CLIENT_SECRET).await;
    assert_eq!(stage.work_since(&mark), ["create secrets acme-client-secret", "get asacredentials acme"]);
}

#[tokio::test]
async fn an_edited_managed_secret_is_healed_at_once() {
    let stage = Stage::ready().await;
    for patch in [
        json!({"stringData": {"access_token": "edited", "authorization": "Bearer edited"}}),
        json!({"data": {"org_id": null}}),
        json!({"data": {"access_token": null}}),
        json!({"metadata": {"annotations": {"asa-operator.dev/record": "{}"}}, "stringData": {"org_id": "1"}}),
    ] {
        let mark = stage.heals_after(NAME, patch).await;
        assert_eq!(stage.work_since(&mark), ["get secrets acme", "patch secrets acme", STATUS]);
    }
    assert_eq!(stage.events().await, ["Normal Available"], "healing makes no Event");
}

#[tokio::test]
async fn an_edited_client_secret_is_healed_at_once() {
    let stage = Stage::ready().await;
    for patch in [json!({"stringData": {"client_secret": "edited"}}), json!({"data": {"client_secret": null}})] {
        let mark = stage.heals_after(CLIENT_SECRET, patch).await;
        assert_eq!(stage.work_since(&mark), ["get secrets acme-client-secret", "patch secrets acme-client-secret"]);
    }
}

#[tokio::test]
async fn either_mark_of_ownership_restores_the_other() {
    let stage = Stage::ready().await;
    let without_owner = json!({"metadata": {"ownerReferences": null}});
    let without_label = json!({"metadata": {"labels": {"asa-operator.dev/owner-uid": null}}});
    // Whether the resource is still there is asked before an owner is set: an orphaned Secret stays one.
    let owner = ["get asacredentials acme"];
    for (patch, asked) in [(without_owner, &owner[..]), (without_label, &[])] {
        let mark = stage.heals_after(NAME, patch.clone()).await;
        assert_eq!(stage.work_since(&mark), [asked, &["get secrets acme", "patch secrets acme", STATUS]].concat());

        let mark = stage.heals_after(CLIENT_SECRET, patch).await;
        let work = ["get secrets acme-client-secret", "patch secrets acme-client-secret"];
        assert_eq!(stage.work_since(&mark), [asked, &work].concat());
    }
}

#[tokio::test]
async fn what_others_add_to_the_managed_secret_stays_and_is_not_fought() {
    let stage = Stage::ready().await;
    let mark = stage.mark();
    let added = json!({
        "metadata": {"labels": {"team": "marketing"}, "annotations": {"example.com/note": "mounted by reports"}},
        "stringData": {"note": "theirs"},
    });

    let changed = stage.change_secret(NAME, added).await;
    stage.operator_saw_it_all().await;

    assert_eq!(stage.secret(NAME).await, changed);
    assert_eq!(stage.work_since(&mark), ["get secrets acme"]);
}

#[tokio::test]
async fn what_others_added_survives_a_renewal() {
    let stage = Stage::ready_with_tokens_of(8).await;
    let old = stage.token().await;
    let mut owners = stage.secret(NAME).await.owner_references().to_vec();
    owners.push(stage.owner_reference_to_config_map("reports").await);
    stage.change_secret(NAME, json!({"metadata": {"labels": {"team": "marketing"}, "ownerReferences": owners}})).await;

    stage.token_other_than(&old).await;

    let secret = stage.secret(NAME).await;
    assert_eq!(secret.labels()["team"], "marketing");
    assert_eq!(secret.owner_references(), owners);
}

#[tokio::test]
async fn an_immutable_managed_secret_is_told_and_made_anew_after_its_deletion() {
    let stage = Stage::ready_with_tokens_of(8).await;
    stage.change_secret(NAME, json!({"immutable": true})).await;

    stage.until(is_not(ConditionType::SecretPublished, Reason::SecretImmutable)).await;
    stage.delete_secret(NAME).await;

    stage.until(is(ConditionType::SecretPublished, Reason::Published)).await;
    stage.until(ready()).await;
}
