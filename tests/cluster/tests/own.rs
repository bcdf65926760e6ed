//! What a test gets that starts a control plane of its own.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use cluster::{Cluster, Error, Options, Part};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::{Api, ResourceExt as _};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

const WIDGETS: &str = r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        required: [spec]
        properties:
          spec: {type: object, properties: {size: {type: integer}}}
---
{"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "gadgets.example.com"},
 "spec": {"group": "example.com", "names": {"kind": "Gadget", "plural": "gadgets"}, "scope": "Cluster", "versions": [
  {"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}]}}
"#;

fn config_map(name: &str) -> ConfigMap {
    let mut map = ConfigMap::default();
    map.metadata.name = Some(name.to_owned());
    map
}

#[tokio::test]
async fn new_kinds_are_usable_at_once_and_own_what_they_own() {
    let cluster = Cluster::start(Options { crds: vec![WIDGETS.to_owned()], ..Options::default() }).await.unwrap();
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("example.com", "v1", "Widget"));
    let widgets: Api<DynamicObject> = Api::default_namespaced_with(cluster.client().unwrap(), &kind);
    let maps: Api<ConfigMap> = Api::default_namespaced(cluster.client().unwrap());

    let widget = DynamicObject::new("w", &kind).data(json!({"spec": {"size": 1}}));
    let started = Instant::now();
    let widget = widgets.create(&PostParams::default(), &widget).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(2), "the first create was held up: {:?}", started.elapsed());

    let mut owned = config_map("owned");
    owned.metadata.owner_references = Some(vec![
        serde_json::from_value(json!(
            {"apiVersion": "example.com/v1", "kind": "Widget", "name": "w", "uid": widget.uid().unwrap()}
        ))
        .unwrap(),
    ]);
    maps.create(&PostParams::default(), &owned).await.unwrap();
    widgets.delete("w", &DeleteParams::default()).await.unwrap();
    // A controller manager that is older than the kind takes up to 41 s.
    let collected = async {
        while maps.get_opt("owned").await.unwrap().is_some() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(10), collected).await.unwrap();
}

#[tokio::test]
async fn the_parts_can_crash_and_hang_and_come_back() {
    let options = Options { apiserver_flags: vec!["--request-timeout=3s".to_owned()], ..Options::default() };
    let cluster = Cluster::start(options).await.unwrap();
    let dir = cluster.kubeconfig().parent().unwrap().to_owned();
    let client = || Api::<ConfigMap>::default_namespaced(cluster.client().unwrap());
    client().create(&PostParams::default(), &config_map("before")).await.unwrap();

    cluster.stop_apiserver();
    assert!(matches!(client().get("before").await, Err(kube::Error::HyperError(_) | kube::Error::Service(_))));
    assert!(matches!(cluster.freeze_apiserver(), Err(Error::NotRunning(Part::ApiServer))));
    let url = cluster.url().to_owned();
    cluster.start_apiserver().await.unwrap();
    assert_eq!(cluster.url(), url);
    client().get("before").await.unwrap();

    cluster.freeze_apiserver().unwrap();
    assert!(timeout(Duration::from_secs(1), client().get("before")).await.is_err(), "a frozen server answers");
    cluster.thaw_apiserver().unwrap();
    client().get("before").await.unwrap();

    cluster.freeze_etcd().unwrap();
    let write = config_map("during");
    assert!(timeout(Duration::from_secs(1), client().create(&PostParams::default(), &write)).await.is_err());
    client().list(&ListParams::default().match_any()).await.unwrap();
    cluster.thaw_etcd().unwrap();
    client().create(&PostParams::default(), &config_map("after")).await.unwrap();

    drop(cluster);
    assert!(!dir.exists());
}

#[tokio::test]
async fn an_api_server_that_cannot_start_tells_why() {
    let options = Options { apiserver_flags: vec!["--no-such-flag".to_owned()], ..Options::default() };
    // Spawned, which asks of the future that it can move between threads.
    let error = tokio::spawn(Cluster::start(options)).await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Ended { part: Part::ApiServer, .. }));
    assert!(error.report().contains("unknown flag: --no-such-flag"), "{}", error.report());
}
