//! What befalls a cluster: rights are taken away, a quota is used up, the store hangs.

use asa_operator::api::{ConditionType, Reason};
use cluster::{Cluster, Options};
use fake_apple::Endpoint;
use k8s_openapi::api::core::v1::ResourceQuota;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::support::awaited::{is, is_not, message, not_ready, ready};
use crate::support::credential::{NAME, credential};
use crate::support::rbac::Secrets;
use crate::support::stage::Stage;

/// Who the operator is where its rights are the test's.
const USER: &str = "user-of-few-rights";

/// The Role with what is granted on Secrets.
const ON_SECRETS: &str = "secrets";

impl Stage<'_> {
    /// Grants the operator these rights in its namespace.
    async fn grant(&self, name: &str, rules: Value) {
        let role = json!({"metadata": {"name": name}, "rules": rules});
        let all: Api<Role> = Api::namespaced(self.kube.clone(), &self.namespace);
        all.create(&PostParams::default(), &serde_json::from_value(role).unwrap()).await.unwrap();
        self.bind(name).await;
    }

    async fn bind(&self, name: &str) {
        let binding = json!({
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": USER}],
        });
        self.bindings().create(&PostParams::default(), &serde_json::from_value(binding).unwrap()).await.unwrap();
    }

    fn bindings(&self) -> Api<RoleBinding> {
        Api::namespaced(self.kube.clone(), &self.namespace)
    }

    /// No further Secret may be made in the namespace.
    async fn use_up_the_quota(&self) -> Api<ResourceQuota> {
        let quotas: Api<ResourceQuota> = Api::namespaced(self.kube.clone(), &self.namespace);
        let hard = json!({"count/secrets": "1"});
        let quota = json!({"metadata": {"name": "quota"}, "spec": {"hard": hard}});
        quotas.create(&PostParams::default(), &serde_json::from_value(quota).unwrap()).await.unwrap();
        // What a controller finds out, which does not run here.
        let status = json!({"status": {"hard": hard, "used": hard}});
        quotas.patch_status("quota", &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
        quotas
    }
}

#[tokio::test]
async fn a_quota_that_leaves_no_room_is_told_and_the_token_in_hand_is_published_once_there_is() {
    let stage = Stage::new().await;
    stage.upload_key();
    stage.create_key_secret().await;
    let quotas = stage.use_up_the_quota().await;
    let mark = stage.mark();

    stage.apply(credential()).await;

    let acme = stage.until(not_ready(Reason::KubernetesRefused)).await;
    let told = message(&acme, ConditionType::Ready);
    assert!(told.contains(": exceeded quota: quota, requested: count/secrets=1, used:"), "{told}");

    quotas.delete("quota", &DeleteParams::default()).await.unwrap();
    stage.until(ready()).await;
    assert_eq!(stage.token_requests_since(&mark), 1, "the token in hand was kept");
}

#[tokio::test]
async fn rights_that_are_taken_away_are_told_and_the_token_in_hand_is_published_once_they_are_back() {
    let mut stage = Stage::in_tier(cluster::shared().await, Secrets::Watch).await;
    let rule = |group: &str, resources: &[&str], verbs: &[&str]| json!({"apiGroups": [group], "resources": resources, "verbs": verbs});
    let on_the_rest = [
        rule("asa-operator.dev", &["*"], &["get", "list", "watch", "update"]),
        rule("events.k8s.io", &["events"], &["create", "patch"]),
    ];
    stage.grant("the-rest", json!(on_the_rest)).await;
    let verbs = ["get", "list", "watch", "create", "patch", "delete"];
    stage.grant(ON_SECRETS, json!([rule("", &["secrets"], &verbs)])).await;
    stage.operator_is(stage.cluster.user(USER, &[]).unwrap());
    stage.start_operator(&[]).await;
    stage.become_ready().await;
    let before = stage.token().await;
    let mark = stage.mark();

    stage.bindings().delete(ON_SECRETS, &DeleteParams::default()).await.unwrap();
    stage.request_renewal("now").await;

    let acme = stage.until(is_not(ConditionType::RenewalHealthy, Reason::KubernetesRefused)).await;
    let told = message(&acme, ConditionType::RenewalHealthy);
    assert!(told.contains("Check RBAC"), "{told}");
    assert!(ready().holds(&acme), "the published token works");

    stage.bind(ON_SECRETS).await;
    stage.token_other_than(&before).await;
    stage.until(is(ConditionType::RenewalHealthy, Reason::OnSchedule)).await;
    assert_eq!(stage.token_requests_since(&mark), 1, "the token in hand was kept");
}

#[tokio::test]
async fn while_the_store_hangs_readers_have_a_token_that_works_and_afterwards_the_new_one_is_published() {
    let cluster = Cluster::start(Options::of_workspace().unwrap()).await.unwrap();
    let mut stage = Stage::without_operator(&cluster).await;
    stage.start_operator(&[]).await;
    stage.apple.state().set_token_life(30);
    stage.become_ready().await;
    let before = stage.token().await;
    let mark = stage.mark();

    cluster.freeze_etcd().unwrap();
    stage.apple.state().until(|counts| counts.at(Endpoint::Token).total() == 2).await;
    cluster.thaw_etcd().unwrap();

    stage.token_other_than(&before).await;
    let acme = stage.until(is(ConditionType::RenewalHealthy, Reason::OnSchedule)).await;
    assert!(ready().holds(&acme), "{NAME}");
    assert_eq!(stage.token_requests_since(&mark), 1, "the token in hand was kept");
}
