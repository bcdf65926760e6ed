//! A release from its installation to its end, on a cluster that has no CRDs yet.

use cluster::{Cluster, Options};
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use serde_json::json;

use crate::helm::{RELEASE, on, run, text, workspace};
use crate::rbac::eventually;

const CRD: &str = "asacredentials.asa-operator.dev";

#[tokio::test]
async fn crds_and_credentials_outlive_the_release_unless_they_are_not_to_be_kept() {
    let cluster = Cluster::start(Options::default()).await.unwrap();
    let namespace = cluster.namespace("release").await.unwrap();
    let chart = workspace("charts/asa-operator");
    let helm = |command: &[&str], values| {
        let told = run(on(&cluster, command, &namespace).arg(&chart), &values);
        assert!(told.status.success(), "{command:?}: {}", text(&told.stderr));
        text(&told.stdout)
    };
    let uninstall = || {
        let told = on(&cluster, &["uninstall", RELEASE], &namespace).output().unwrap();
        assert!(told.status.success(), "{}", text(&told.stderr));
    };
    let accounts: Api<ServiceAccount> = Api::namespaced(cluster.client().unwrap(), &namespace);
    let crds: Api<CustomResourceDefinition> = Api::all(cluster.client().unwrap());

    let notes = helm(&["install", RELEASE], json!({}));
    for command in
        ["kubectl --namespace default create secret generic acme-key", "kubectl --namespace default apply -f -"]
    {
        assert!(notes.contains(command), "{notes}");
    }
    apply_credential(&cluster, &namespace).await;
    helm(&["upgrade", RELEASE], json!({"commonLabels": {"team": "growth"}}));
    let account = accounts.get("test-asa-operator").await.unwrap();
    assert_eq!(account.metadata.labels.unwrap()["team"], "growth");

    uninstall();
    assert!(accounts.get_opt("test-asa-operator").await.unwrap().is_none());
    let mut kubectl = cluster.kubectl();
    let kept = kubectl.args(["--namespace", &namespace, "get", "asacred", "acme", "-o", "name"]).output().unwrap();
    assert!(kept.status.success(), "{}", text(&kept.stderr));

    helm(&["install", RELEASE], json!({"crds": {"keep": false}}));
    uninstall();
    eventually(async || match crds.get_opt(CRD).await.unwrap() {
        None => Ok(()),
        Some(_) => Err(format!("{CRD} is still there")),
    })
    .await;
}

async fn apply_credential(cluster: &Cluster, namespace: &str) {
    // A new kind is served a moment after its CRD was taken.
    eventually(async || {
        let mut kubectl = cluster.kubectl();
        kubectl.args(["--namespace", namespace, "apply", "-f"]).arg(workspace("examples/minimal.yaml"));
        let told = kubectl.output().unwrap();
        if told.status.success() { Ok(()) } else { Err(text(&told.stderr)) }
    })
    .await;
}
