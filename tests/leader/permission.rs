//! A replica that may not use leases.

use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::Api;
use kube::api::PostParams;
use serde_json::{Value, json};

use crate::replica::{Replica, in_namespace, user};
use crate::support::eventually;
use crate::support::stage::Stage;

#[tokio::test]
async fn a_replica_that_may_not_use_leases_says_once_what_it_needs_and_leads_when_it_is_granted() {
    let stage = Stage::without_operator(cluster::shared().await).await;
    let mut replica = with_all_rights_but_on_leases(&stage).await;
    let needed = format!("grant get, watch, create and update on leases (coordination.k8s.io) in {}", stage.namespace);
    replica.says(&needed, 1).await;
    let refused = || {
        let asked = stage.cluster.requests(&stage.namespace, "asa-operator/").unwrap();
        asked.iter().filter(|request| request.resource == "leases" && request.code == 403).count()
    };
    eventually("a third refusal", async || match refused() {
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

#[tokio::test]
async fn a_standby_that_may_not_watch_the_lease_asks_for_it_once_and_looks_now_and_then() {
    let stage = Stage::without_operator(cluster::shared().await).await;
    let leader = Replica::ready(&stage, "leader").await;
    stage.led_by("leader").await;
    grant(&stage, "leases", &[rule("coordination.k8s.io", "leases", &["get", "create", "update"])]).await;
    let replica = with_all_rights_but_on_leases(&stage).await;
    replica.says("another process leads", 1).await;
    let asked = |verb: &str| {
        let asked = stage.cluster.requests(&stage.namespace, "asa-operator/").unwrap();
        let user = user(&stage, "replica");
        asked.iter().filter(|it| it.user == user && it.resource == "leases" && it.verb == verb).count()
    };
    let before = asked("get");
    eventually("three looks", async || match asked("get") - before {
        3.. => Ok(()),
        fewer => Err(fewer),
    })
    .await;

    leader.signal("TERM");

    stage.led_by("replica").await;
    assert_eq!((asked("watch"), replica.said("became the leader")), (1, 1));
}

fn rule(group: &str, resource: &str, verbs: &[&str]) -> Value {
    json!({"apiGroups": [group], "resources": [resource], "verbs": verbs})
}

/// A replica whose rights on leases are somebody else's business.
async fn with_all_rights_but_on_leases(stage: &Stage<'_>) -> Replica {
    let rules = [
        rule("asa-operator.dev", "*", &["get", "list", "watch", "update"]),
        rule("", "secrets", &["get", "list", "watch", "create", "patch", "delete"]),
        rule("events.k8s.io", "events", &["create", "patch"]),
    ];
    grant(stage, "credentials", &rules).await;
    let kubeconfig = in_namespace(stage, stage.cluster.user(&user(stage, "replica"), &[]).unwrap());
    let replica = Replica::start_with(stage, "replica", &kubeconfig, &["--leader-election"]);
    replica.becomes_ready().await;
    replica
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
