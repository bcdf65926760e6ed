//! Installs custom resource definitions so that the first use of them is as quick as the second.

use std::time::Duration;

use futures::future::try_join_all;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition as Crd, CustomResourceDefinitionCondition as CrdCondition,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::api::{ListParams, Patch, PatchParams, PostParams, ValidationDirective};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::{Api, Client, ResourceExt as _};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::error::Error;

/// It takes less than a second. Definitions whose names conflict with others' are never served.
const SERVED_WITHIN: Duration = Duration::from_mins(1);

/// Between two looks at what the API server makes of a new definition: a few milliseconds of its work.
const POLL: Duration = Duration::from_millis(20);

/// Installs all definitions in these texts, each of which may have several YAML documents, and waits until objects of them
/// can be created and listed.
pub(crate) async fn install(client: &Client, texts: &[String]) -> Result<(), Error> {
    let mut documents = Vec::new();
    for text in texts {
        let parsed = serde_saphyr::from_multiple::<Value>(text).map_err(|error| Error::NotACrd(error.to_string()))?;
        documents.extend(parsed.into_iter().filter(|document| !document.is_null()));
    }
    try_join_all(documents.iter().map(|document| install_one(client, document))).await?;
    Ok(())
}

async fn install_one(client: &Client, document: &Value) -> Result<(), Error> {
    if document["kind"] != "CustomResourceDefinition" {
        return Err(Error::NotACrd(format!("a document of kind {}", document["kind"])));
    }
    let name = document["metadata"]["name"].as_str().unwrap_or_default();
    let crds: Api<Crd> = Api::all(client.clone());
    let strict = PatchParams { field_validation: Some(ValidationDirective::Strict), ..PatchParams::apply("cluster") };
    let crd = crds
        .patch(name, &strict, &Patch::Apply(document))
        .await
        .map_err(Error::kubernetes(format!("install CustomResourceDefinition {name}")))?;
    let served = async {
        skip_the_pause(&crds, name).await?;
        use_once(client, &crd).await
    };
    timeout(SERVED_WITHIN, served)
        .await
        .unwrap_or_else(|_| Err(Error::CrdNotServed { name: name.to_owned(), waited: SERVED_WITHIN }))
}

/// Waits until the definition is established, and dates that back.
///
/// The API server holds each create for 2 s while that condition is younger than 2 s, so that other API servers come to know
/// of the definition. There is no other.
async fn skip_the_pause(crds: &Api<Crd>, name: &str) -> Result<(), Error> {
    let failed = || Error::kubernetes(format!("await CustomResourceDefinition {name}"));
    loop {
        let crd = crds.get(name).await.map_err(failed())?;
        if let Some(conditions) = established_long_ago(&crd) {
            let status = json!({
                "metadata": {"resourceVersion": crd.resource_version()},
                "status": {"conditions": conditions},
            });
            match crds.patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await {
                // Another condition has come in between.
                Err(kube::Error::Api(status)) if status.is_conflict() => {}
                answer => return answer.map(drop).map_err(failed()),
            }
        }
        sleep(POLL).await;
    }
}

/// The definition's conditions with an old date at `Established`, once it is true.
fn established_long_ago(crd: &Crd) -> Option<Vec<CrdCondition>> {
    let mut conditions = crd.status.as_ref()?.conditions.clone()?;
    let established =
        conditions.iter_mut().find(|condition| condition.type_ == "Established" && condition.status == "True")?;
    established.last_transition_time = Some(Time(Timestamp::UNIX_EPOCH));
    Some(conditions)
}

/// Creates without effect and lists, until the server does both.
async fn use_once(client: &Client, crd: &Crd) -> Result<(), Error> {
    let Some(version) = crd.spec.versions.iter().find(|version| version.served) else {
        return Ok(());
    };
    let kind = GroupVersionKind::gvk(&crd.spec.group, &version.name, &crd.spec.names.kind);
    let resource = ApiResource::from_gvk_with_plural(&kind, &crd.spec.names.plural);
    let objects: Api<DynamicObject> = if crd.spec.scope == "Namespaced" {
        Api::default_namespaced_with(client.clone(), &resource)
    } else {
        Api::all_with(client.clone(), &resource)
    };
    let without_effect = PostParams { dry_run: true, ..PostParams::default() };
    let object = DynamicObject::new("first-use", &resource);
    let failed = || Error::kubernetes(format!("use {}", crd.name_any()));
    loop {
        let created = objects.create(&without_effect, &object).await;
        let listed = objects.list(&ListParams::default().limit(1)).await;
        if is_served(created).map_err(failed())? && is_served(listed).map_err(failed())? {
            return Ok(());
        }
        sleep(POLL).await;
    }
}

/// Whether the request was looked at, be it to refuse it for what is in it.
fn is_served<T>(answer: kube::Result<T>) -> kube::Result<bool> {
    match answer {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) => Ok(!matches!(status.code, 404 | 429 | 500..)),
        Err(error) => Err(error),
    }
}
