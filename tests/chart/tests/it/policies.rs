//! The admission policies: with the operator's own token one can write what the operator writes, and nothing else.

mod secrets;

use cluster::Cluster;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::events::v1::Event;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::helm::install;
use crate::rbac::{client_of, eventually};

/// A namespace with the operator's release, and who is who there.
struct Stage {
    namespace: String,
    admin: Client,
    operator: Client,
}

impl Stage {
    async fn new(cluster: &Cluster) -> Self {
        let namespace = cluster.namespace("policies").await.unwrap();
        install(cluster, &namespace, &json!({}));
        let user = format!("system:serviceaccount:{namespace}:test-asa-operator");
        let operator = client_of(&cluster.user(&user, &[]).unwrap()).await;
        let stage = Self { namespace, admin: cluster.client().unwrap(), operator };
        stage.await_policies().await;
        stage
    }

    fn api<K>(&self, client: &Client) -> Api<K>
    where
        K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    {
        Api::namespaced(client.clone(), &self.namespace)
    }

    /// Until roles and policies are known, an attempt fails for want of rights or succeeds.
    async fn await_policies(&self) {
        let without_effect = PostParams { dry_run: true, ..PostParams::default() };
        let secret = json!({"metadata": {"name": "first"}, "type": "Opaque"});
        let lease = json!({"metadata": {"name": "first"}});
        let event = event("other", &json!({"namespace": self.namespace}));
        let secret: Secret = serde_json::from_value(secret).unwrap();
        let lease: Lease = serde_json::from_value(lease).unwrap();
        let event: Event = serde_json::from_value(event).unwrap();
        eventually(async || {
            let answers = [
                self.api::<Secret>(&self.operator).create(&without_effect, &secret).await.map(drop),
                self.api::<Lease>(&self.operator).create(&without_effect, &lease).await.map(drop),
                self.api::<Event>(&self.operator).create(&without_effect, &event).await.map(drop),
            ];
            let is_denied = |answer: &kube::Result<()>| {
                answer.as_ref().is_err_and(|error| error.to_string().contains("ValidatingAdmissionPolicy"))
            };
            if answers.iter().all(is_denied) { Ok(()) } else { Err(format!("{answers:?}")) }
        })
        .await;
    }
}

/// Whether an answer is that of a policy, in these words.
fn is_denial(answer: &kube::Result<()>, words: &str) -> bool {
    answer.as_ref().is_err_and(|error| error.to_string().contains(words))
}

fn event(reporter: &str, regarding: &Value) -> Value {
    json!({
        "metadata": {"generateName": "acme-"}, "eventTime": "2026-01-01T00:00:00.000000Z", "type": "Normal",
        "reason": "Issued", "action": "Ready", "reportingController": reporter, "reportingInstance": "pod",
        "regarding": regarding,
    })
}

#[tokio::test]
async fn events_are_the_operator_s_own_and_about_its_resources() {
    let stage = Stage::new(cluster::shared().await).await;
    let events: Api<Event> = stage.api(&stage.operator);
    let of_all: Api<Event> = stage.api(&stage.admin);
    let about = |version: &str, kind: &str| json!({"apiVersion": version, "kind": kind, "name": "acme", "namespace": stage.namespace});
    let ours = event("asa-operator", &about("asa-operator.dev/v1alpha1", "AsaCredential"));
    let made = events.create(&PostParams::default(), &serde_json::from_value(ours.clone()).unwrap()).await.unwrap();
    let series = json!({"series": {"count": 2, "lastObservedTime": "2026-01-01T00:00:01.000000Z"}});
    let again = Patch::Merge(&series);
    events.patch(&made.metadata.name.unwrap(), &PatchParams::default(), &again).await.unwrap();

    let words = "the operator writes no Events but its own";
    let foreign = [
        event("kubelet", &about("asa-operator.dev/v1alpha1", "AsaCredential")),
        event("asa-operator", &about("v1", "Pod")),
    ];
    for wrong in foreign {
        let wrong: Event = serde_json::from_value(wrong).unwrap();
        let answer = events.create(&PostParams::default(), &wrong).await.map(drop);
        assert!(is_denial(&answer, words), "{answer:?}");
        let theirs = of_all.create(&PostParams::default(), &wrong).await.unwrap().metadata.name.unwrap();
        let answer = events.patch(&theirs, &PatchParams::default(), &again).await.map(drop);
        assert!(is_denial(&answer, words), "{answer:?}");
    }
}

#[tokio::test]
async fn leases_are_the_operator_s_own() {
    let stage = Stage::new(cluster::shared().await).await;
    let leases: Api<Lease> = stage.api(&stage.operator);
    let lease = |name: &str| -> Lease {
        serde_json::from_value(json!({"metadata": {"name": name}, "spec": {"holderIdentity": "a"}})).unwrap()
    };
    let made = leases.create(&PostParams::default(), &lease("test-asa-operator")).await.unwrap();
    leases.replace("test-asa-operator", &PostParams::default(), &made).await.unwrap();
    let answer = leases.create(&PostParams::default(), &lease("other")).await.map(drop);
    assert!(is_denial(&answer, "the operator writes no Lease but its own"), "{answer:?}");
}

#[tokio::test]
async fn policies_hold_for_the_operator_alone() {
    let stage = Stage::new(cluster::shared().await).await;
    let secret: Secret = serde_json::from_value(json!({"metadata": {"name": "theirs"}, "type": "Opaque"})).unwrap();
    stage.api::<Secret>(&stage.admin).create(&PostParams::default(), &secret).await.unwrap();
}
