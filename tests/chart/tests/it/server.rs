//! What a real API server says to all that the chart renders.

use std::io::Write as _;
use std::process::Stdio;

use cluster::Cluster;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::helm::{everything, find, install, merged, rendered_in, text, tiers};

#[tokio::test]
async fn the_api_server_takes_every_manifest_in_every_tier_with_everything_on() {
    let cluster = cluster::shared().await;
    let namespace = cluster.namespace("manifests").await.unwrap();
    let other = cluster.namespace("manifests").await.unwrap();
    for tier in tiers(&[&namespace, &other]) {
        for values in [tier.clone(), merged(&everything(), &tier)] {
            let objects: Vec<Value> = rendered_in(&namespace, &values)
                .into_iter()
                .filter(|object| object["apiVersion"] != "monitoring.coreos.com/v1")
                .collect();
            let sent: Vec<_> = objects.iter().map(|object| object["kind"].as_str().unwrap()).collect();
            assert!(sent.contains(&"Deployment") && sent.contains(&"CustomResourceDefinition"), "{sent:?}");
            try_out(cluster, &json!({"apiVersion": "v1", "kind": "List", "items": objects}));
        }
    }
}

/// Sends the objects without effect. Strict: a field that the API server does not know is refused.
fn try_out(cluster: &Cluster, objects: &Value) {
    let mut kubectl = cluster.kubectl();
    kubectl.args(["apply", "--dry-run=server", "--validate=strict", "--server-side", "--force-conflicts", "-f", "-"]);
    let mut child = kubectl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(objects.to_string().as_bytes()).unwrap();
    let told = child.wait_with_output().unwrap();
    assert!(told.status.success(), "{}", text(&told.stderr));
    // What is deprecated is taken all the same.
    assert!(!text(&told.stderr).contains("Warning"), "{}", text(&told.stderr));
}

#[tokio::test]
async fn the_pods_are_admitted_where_the_restricted_standard_is_enforced() {
    let cluster = cluster::shared().await;
    let namespace = cluster.namespace("restricted").await.unwrap();
    let namespaces: Api<Namespace> = Api::all(cluster.client().unwrap());
    let enforced = json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}});
    namespaces.patch(&namespace, &PatchParams::default(), &Patch::Merge(enforced)).await.unwrap();
    install(cluster, &namespace, &json!({}));

    for values in [json!({}), everything()] {
        for pod in pods(&namespace, &values) {
            admit(cluster, &namespace, pod).await.unwrap();
        }
    }
    let relaxed = [
        json!({"podSecurityContext": {"runAsNonRoot": false}}),
        json!({"podSecurityContext": {"seccompProfile": {"type": "Unconfined"}}}),
        json!({"securityContext": {"allowPrivilegeEscalation": true}}),
        json!({"securityContext": {"capabilities": {"drop": []}}}),
    ];
    for values in relaxed {
        for pod in pods(&namespace, &values) {
            let refused = admit(cluster, &namespace, pod).await.unwrap_err();
            assert!(refused.to_string().contains("violates PodSecurity \"restricted:"), "{values}: {refused}");
        }
    }
}

/// The operator's pod and that of `helm test`.
fn pods(namespace: &str, values: &Value) -> [Value; 2] {
    let objects = rendered_in(namespace, values);
    let template = &find(&objects, "Deployment").unwrap()["spec"]["template"];
    let operator = json!({"metadata": {"name": "operator"}, "spec": template["spec"]});
    [operator, find(&objects, "Pod").unwrap().clone()]
}

async fn admit(cluster: &Cluster, namespace: &str, pod: Value) -> kube::Result<Pod> {
    let without_effect = PostParams { dry_run: true, ..PostParams::default() };
    let pods: Api<Pod> = Api::namespaced(cluster.client().unwrap(), namespace);
    pods.create(&without_effect, &serde_json::from_value(pod).unwrap()).await
}
