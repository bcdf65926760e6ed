//! What tests get from the control plane that they share.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::time::Duration;

use cluster::{Cluster, Request, shared};
use futures::StreamExt as _;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use k8s_openapi::api::rbac::v1::{PolicyRule, Role, RoleBinding, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config, ResourceExt as _};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

fn config_map(name: &str) -> ConfigMap {
    let mut map = ConfigMap::default();
    map.metadata.name = Some(name.to_owned());
    map
}

async fn config_maps(cluster: &Cluster, prefix: &str) -> (String, Api<ConfigMap>) {
    let namespace = cluster.namespace(prefix).await.unwrap();
    let api = Api::namespaced(cluster.client().unwrap(), &namespace);
    (namespace, api)
}

/// A request as one word for each of its parts.
fn words(request: &Request) -> String {
    let Request { verb, resource, subresource, name, code, .. } = request;
    format!("{verb} {resource}/{} {} {code}", subresource.as_deref().unwrap_or("-"), name.as_deref().unwrap_or("-"))
}

#[tokio::test]
async fn each_namespace_is_new_and_can_be_written_to() {
    let cluster = tokio::spawn(shared()).await.unwrap();
    let (first, maps) = config_maps(cluster, "twin").await;
    let (second, _) = config_maps(cluster, "twin").await;
    assert_ne!(first, second);
    assert!(first.starts_with("twin-"), "{first}");
    maps.create(&PostParams::default(), &config_map("a")).await.unwrap();
}

#[tokio::test]
async fn kubectl_is_of_the_servers_version_and_needs_no_configuration() {
    let cluster = shared().await;
    let output = cluster.kubectl().args(["version", "--output=json"]).output().unwrap();
    let version: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(version["serverVersion"]["gitVersion"], version["clientVersion"]["gitVersion"], "{version}");

    let output = cluster.kubectl().args(["cluster-info"]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains(cluster.url()), "{output:?}");
    assert!(cluster.kubeconfig().with_file_name("kubectl-cache").is_dir(), "caches outside the home directory");
}

#[tokio::test]
async fn a_user_may_do_what_rbac_grants_and_nothing_else() {
    let cluster = shared().await;
    let (namespace, _) = config_maps(cluster, "rbac").await;
    let path = cluster.user(&format!("system:serviceaccount:{namespace}:reader"), &[]).unwrap();
    let other = cluster.user("jane", &["readers", "writers"]).unwrap();
    let reader: Api<ConfigMap> = Api::namespaced(client_of(&path).await, &namespace);
    let jane: Api<ConfigMap> = Api::namespaced(client_of(&other).await, &namespace);
    assert!(
        matches!(reader.list(&ListParams::default()).await, Err(kube::Error::Api(status)) if status.is_forbidden())
    );
    assert!(matches!(jane.list(&ListParams::default()).await, Err(kube::Error::Api(status)) if status.is_forbidden()));

    grant_reading(cluster, &namespace).await;

    for api in [&reader, &jane] {
        // The authorizer learns of a binding by a watch.
        while api.list(&ListParams::default()).await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
        let created = api.create(&PostParams::default(), &config_map("a")).await;
        assert!(matches!(created, Err(kube::Error::Api(status)) if status.is_forbidden()));
    }
}

async fn client_of(kubeconfig: &std::path::Path) -> Client {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    Client::try_from(config).unwrap()
}

/// To the group of the namespace's service accounts, and to the second of two groups of a user.
async fn grant_reading(cluster: &Cluster, namespace: &str) {
    let client = cluster.client().unwrap();
    let mut role = Role::default();
    role.metadata.name = Some("reader".into());
    role.rules = Some(vec![PolicyRule {
        api_groups: Some(vec![String::new()]),
        resources: Some(vec!["configmaps".into()]),
        verbs: vec!["list".into()],
        ..PolicyRule::default()
    }]);
    Api::namespaced(client.clone(), namespace).create(&PostParams::default(), &role).await.unwrap();
    let group = |name: String| Subject {
        kind: "Group".into(),
        name,
        api_group: Some("rbac.authorization.k8s.io".into()),
        ..Subject::default()
    };
    let mut binding = RoleBinding {
        role_ref: RoleRef { api_group: "rbac.authorization.k8s.io".into(), kind: "Role".into(), name: "reader".into() },
        subjects: Some(vec![group(format!("system:serviceaccounts:{namespace}")), group("writers".into())]),
        ..RoleBinding::default()
    };
    binding.metadata.name = Some("reader".into());
    Api::namespaced(client, namespace).create(&PostParams::default(), &binding).await.unwrap();
}

#[tokio::test]
async fn every_request_in_a_namespace_is_counted_once() {
    let cluster = shared().await;
    let (namespace, maps) = config_maps(cluster, "audit").await;
    let (_, elsewhere) = config_maps(cluster, "audit").await;
    elsewhere.create(&PostParams::default(), &config_map("a")).await.unwrap();

    maps.create(&PostParams::default(), &config_map("a")).await.unwrap();
    let patch = Patch::Merge(json!({"data": {"key": "value"}}));
    maps.patch("a", &PatchParams::default(), &patch).await.unwrap();
    maps.get_opt("b").await.unwrap();
    let events = maps.watch(&WatchParams::default().timeout(1), "0").await.unwrap();
    let before_its_end = cluster.requests(&namespace, "").unwrap();
    events.count().await;
    maps.delete("a", &DeleteParams::default()).await.unwrap();

    let requests = cluster.requests(&namespace, "").unwrap();
    // What the control plane makes in each namespace.
    let ours = |request: &&Request| !request.user_agent.starts_with("kube-controller-manager");
    let told = |requests: &[Request]| requests.iter().filter(ours).map(words).collect::<Vec<_>>();
    let expected = [
        "create configmaps/- a 201",
        "patch configmaps/- a 200",
        "get configmaps/- b 404",
        "watch configmaps/- - 200",
        "delete configmaps/- a 200",
    ];
    assert_eq!(told(&before_its_end), expected[..4]);
    assert_eq!(told(&requests), expected);
    assert!(cluster.audit().unwrap().len() > requests.len());
}

#[tokio::test]
async fn what_was_answered_is_in_the_audit_log_at_once() {
    let cluster = shared().await;
    let (namespace, maps) = config_maps(cluster, "at-once").await;
    let mut large = config_map("large");
    large.data = Some(BTreeMap::from([("key".to_owned(), "x".repeat(200_000))]));
    maps.create(&PostParams::default(), &large).await.unwrap();
    for count in 1..=50 {
        maps.get("large").await.unwrap();
        let requests = cluster.requests(&namespace, "").unwrap();
        assert_eq!(
            requests.iter().filter(|request| request.verb == "get" && request.resource == "configmaps").count(),
            count
        );
    }
}

#[tokio::test]
async fn requests_are_told_apart_by_user_agent() {
    let cluster = shared().await;
    let (namespace, maps) = config_maps(cluster, "agent").await;
    maps.create(&PostParams::default(), &config_map("a")).await.unwrap();
    let output = cluster.kubectl().args(["get", "configmap", "a", "--namespace", &namespace]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let requests = cluster.requests(&namespace, "kubectl/").unwrap();
    assert_eq!(requests.iter().map(words).collect::<Vec<_>>(), ["get configmaps/- a 200"]);
}

#[tokio::test]
async fn what_a_deleted_owner_owned_is_collected() {
    let cluster = shared().await;
    let (_, maps) = config_maps(cluster, "owner").await;
    let parent = maps.create(&PostParams::default(), &config_map("owner")).await.unwrap();
    let mut child = config_map("owned");
    child.metadata.owner_references = Some(vec![OwnerReference {
        api_version: "v1".into(),
        kind: "ConfigMap".into(),
        name: parent.name_any(),
        uid: parent.uid().unwrap(),
        ..OwnerReference::default()
    }]);
    maps.create(&PostParams::default(), &child).await.unwrap();
    maps.delete("owner", &DeleteParams::default()).await.unwrap();
    gone(&maps, "owned").await;
}

#[tokio::test]
async fn a_deleted_namespace_goes() {
    let cluster = shared().await;
    let (namespace, _) = config_maps(cluster, "deleted").await;
    let namespaces: Api<Namespace> = Api::all(cluster.client().unwrap());
    namespaces.delete(&namespace, &DeleteParams::default()).await.unwrap();
    gone(&namespaces, &namespace).await;
}

async fn gone<K>(api: &Api<K>, name: &str)
where
    K: kube::Resource + Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    let gone = async {
        while api.get_opt(name).await.unwrap().is_some() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(30), gone).await.unwrap();
}
