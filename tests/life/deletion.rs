//! The resource deleted, or its whole namespace.

use asa_operator::api::Reason;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{DeleteParams, PropagationPolicy};
use kube::{Api, ResourceExt as _};

use crate::support::awaited::{not_ready, ready};
use crate::support::credential::{CLIENT_SECRET, KEY_SECRET, NAME, credential};
use crate::support::eventually;
use crate::support::stage::Stage;

impl Stage<'_> {
    /// Waits until the resource is gone.
    async fn until_absent(&self) {
        eventually("absence", async || match self.credentials().get_opt(NAME).await.unwrap() {
            Some(acme) => Err(format!("{:?}", acme.metadata)),
            None => Ok(()),
        })
        .await;
    }
}

async fn takes_both_secrets_along(how: PropagationPolicy) {
    let stage = Stage::ready().await;
    let key = stage.secret(KEY_SECRET).await;
    let mark = stage.mark();

    let how = DeleteParams { propagation_policy: Some(how), ..DeleteParams::default() };
    stage.credentials().delete(NAME, &how).await.unwrap();

    stage.until_gone(NAME).await;
    stage.until_gone(CLIENT_SECRET).await;
    stage.until_absent().await;
    stage.operator_saw_it_all().await;
    assert_eq!(stage.work_since(&mark), Vec::<String>::new());
    assert_eq!(stage.secret(KEY_SECRET).await, key, "the key is the user's");
    assert!(stage.secrets().get_opt(NAME).await.unwrap().is_none(), "nothing came back");
}

#[tokio::test]
async fn a_deleted_resource_takes_both_secrets_along_and_leaves_the_key() {
    takes_both_secrets_along(PropagationPolicy::Background).await;
}

#[tokio::test]
async fn a_resource_deleted_in_the_foreground_takes_both_secrets_along_and_leaves_the_key() {
    takes_both_secrets_along(PropagationPolicy::Foreground).await;
}

#[tokio::test]
async fn a_resource_deleted_and_created_again_becomes_ready_anew() {
    let stage = Stage::ready().await;
    let old = stage.token().await;
    stage.credentials().delete(NAME, &DeleteParams::default()).await.unwrap();

    let acme = stage.apply(credential()).await;

    let uid = acme.metadata.uid.clone().unwrap();
    stage
        .until_secret(NAME, "a Secret of the new resource", |secret| {
            secret.metadata.owner_references.iter().flatten().all(|owner| owner.uid == uid)
        })
        .await;
    stage.until(ready()).await;
    assert_ne!(stage.token().await, old);
}

#[tokio::test]
async fn secrets_that_outlive_their_resource_are_not_taken_by_its_successor() {
    let stage = Stage::ready().await;
    let orphan = DeleteParams { propagation_policy: Some(PropagationPolicy::Orphan), ..DeleteParams::default() };
    stage.credentials().delete(NAME, &orphan).await.unwrap();
    let orphaned = stage.until_secret(NAME, "no owner", |secret| secret.owner_references().is_empty()).await;
    stage.until_absent().await;

    stage.apply(credential()).await;

    stage.until(not_ready(Reason::SecretNotOwned)).await;
    stage.operator_saw_it_all().await;
    assert_eq!(stage.secret(NAME).await, orphaned);
}

#[tokio::test]
async fn a_deleted_namespace_goes_and_the_operator_does_nothing_against_it() {
    let stage = Stage::ready().await;
    let namespaces: Api<Namespace> = Api::all(stage.kube.clone());
    let mark = stage.mark();

    namespaces.delete(&stage.namespace, &DeleteParams::default()).await.unwrap();

    eventually("absence", async || match namespaces.get_opt(&stage.namespace).await.unwrap() {
        Some(namespace) => Err(format!("{:?}", namespace.status)),
        None => Ok(()),
    })
    .await;
    assert_eq!(stage.token_requests_since(&mark), 0);
    let written = |line: &String| line.starts_with("create ") && !line.ends_with(" 403");
    assert!(!stage.work_since(&mark).iter().any(written), "{:#?}", stage.work_since(&mark));
}
