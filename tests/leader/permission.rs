//! A replica that may not use leases.

use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::Api;
use kube::api::PostParams;
use serde_json::{Value, json};

use crate::replica::{Replica, in_namespace, user};
use crate::support::stage::Stage;

#[tokio::test]
async fn a_replica_that_may_not_use_leases_says_once_what_it_needs_and_leads_when_it_is_granted() {
    let stage = Stage::without_operator(cluster::shared().await).await;
    let rule = |group: &str, resource: &str, verbs: &[&str]| json!({"apiGroups": [group], "resources": [resource], "verbs": verbs});
    grant(
        &stage,
        "credentials",
        &[
            rule("asa-operator.dev", "*", &["get", "list", "watch", "update"]),
            rule("", "secrets", &["get", "list", "watch", "create", "patch", "delete"]),
            rule("events.k8s.io", "events", &["create", "patch"]),
        ],
    )
    .await;
    let kubeconfig = in_namespace(&stage, stage.cluster.user(&user(&stage, "replica"), &[]).unwrap());
    let mut replica = Replica::start_with(&stage, "replica", &kubeconfig, &["--leader-election"]);
    replica.becomes_ready().await;
    let needed = format!("grant get, create and update on leases (coordination.k8s.io) in {}", stage.namespace);
    replica.says(&needed, 1).await;
    let refused = || {
        let asked = stage.cluster.requests(&stage.namespace, "asa-operator/").unwrap();
        asked.iter().filter(|request| request.resource == "leases" && request.code == 403).count()
    };
    crate::support::eventually("a third refusal", async || match refused() {
        3.. => Ok(()),
        fewer => Err(fewer),
    })
    .await;
    assert_eq!(replica.said(&needed), 1);
    assert!(replica.is_there());

    grant(&stage, "leases", &[rule("coordination.k8s.io", "leases", &["get", "create", "update"])]).await;

    stage.led_by("replica").await;
    stage.become_ready().await;
    replica.signal("TERM");
    assert_eq!(replica.ends().await.code(), Some(0));
    assert_eq!(stage.lease().await.holder_identity.as_deref(), Some(""));
}

/// Grants the replica these rules in its namespace.
async fn grant(stage: &Stage<'_>, name: &str, rules: &[Value]) {
    let role = json!({"metadata": {"name": name}, "rules": rules});
    let binding = json!({
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user(stage, "replica")}],
    });
    let all: Api<Role> = Api::namespaced(stage.kube.clone(), &stage.namespace);
    all.create(&PostParams::default(), &serde_json::from_value(role).unwrap()).await.unwrap();
    let bindings: Api<RoleBinding> = Api::namespaced(stage.kube.clone(), &stage.namespace);
    bindings.create(&PostParams::default(), &serde_json::from_value(binding).unwrap()).await.unwrap();
}
