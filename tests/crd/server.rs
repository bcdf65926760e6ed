//! What a real API server says to every row.

use asa_operator::api::{AppStoreConnectCredential, AsaCredential, Credential, Kind};
use cluster::Cluster;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, PostParams};
use kube::core::Status;
use kube::core::response::StatusCause;
use serde_json::Value;

use crate::document::changed;
use crate::rows::{Row, Verdict, rows};

#[tokio::test]
async fn every_row_gets_its_verdict_from_the_api_server() {
    let cluster = cluster::shared().await;
    let mut wrong = Vec::new();
    for kind in Kind::ALL {
        let resources = resources(cluster, kind, "rows").await;
        for row in rows(kind) {
            let answer = judge(&resources, kind, &row).await;
            if !agrees(&row, &answer) {
                wrong.push(format!("{}: {}: {answer:#?}", kind.as_str(), row.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The API server's complaints: none, those of a refusal for what is in the resource, or another error.
async fn judge(resources: &Api<DynamicObject>, kind: Kind, row: &Row) -> Result<Vec<StatusCause>, kube::Error> {
    let without_effect = PostParams { dry_run: true, ..PostParams::default() };
    let mut wanted = object(changed(kind, &row.change));
    let answer = if let Some(before) = &row.before {
        let before = resources.create(&PostParams::default(), &object(changed(kind, before))).await?;
        wanted.metadata.resource_version.clone_from(&before.metadata.resource_version);
        let answer = resources.replace("acme", &without_effect, &wanted).await;
        resources.delete("acme", &DeleteParams::default()).await?;
        answer
    } else {
        resources.create(&without_effect, &wanted).await
    };
    match answer {
        Ok(accepted) => {
            typed(&accepted);
            Ok(Vec::new())
        }
        Err(kube::Error::Api(status)) if status.code == 422 => Ok(causes(*status)),
        Err(error) => Err(error),
    }
}

fn agrees(row: &Row, answer: &Result<Vec<StatusCause>, kube::Error>) -> bool {
    let Ok(causes) = answer else { return false };
    match row.verdict {
        Verdict::Accepted => causes.is_empty(),
        Verdict::Refused => causes.iter().any(|cause| {
            row.about.is_some_and(|about| cause.field == about.path && cause.message.contains(about.text))
        }),
    }
}

/// The fields that a refusal blames, with its words on each.
pub(crate) fn causes(refusal: Status) -> Vec<StatusCause> {
    refusal.details.map_or_else(Vec::new, |details| details.causes)
}

/// The resource as the operator's watch reads it, which has to understand all that the API server accepts.
pub(crate) fn typed(accepted: &DynamicObject) -> Credential {
    let document = serde_json::to_value(accepted).unwrap();
    if document["kind"] == Kind::Ads.as_str() {
        serde_json::from_value::<AsaCredential>(document).unwrap().into()
    } else {
        serde_json::from_value::<AppStoreConnectCredential>(document).unwrap().into()
    }
}

/// The resources of a kind in a namespace of their own.
pub(crate) async fn resources(cluster: &Cluster, kind: Kind, prefix: &str) -> Api<DynamicObject> {
    let namespace = cluster.namespace(prefix).await.unwrap();
    resources_in(cluster, kind, &namespace)
}

pub(crate) fn resources_in(cluster: &Cluster, kind: Kind, namespace: &str) -> Api<DynamicObject> {
    let kind = match kind {
        Kind::Ads => ApiResource::erase::<AsaCredential>(&()),
        Kind::AppStoreConnect => ApiResource::erase::<AppStoreConnectCredential>(&()),
    };
    Api::namespaced_with(cluster.client().unwrap(), namespace, &kind)
}

pub(crate) fn object(document: Value) -> DynamicObject {
    serde_json::from_value(document).unwrap()
}
