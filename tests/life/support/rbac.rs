//! What the operator may do, where a test gives it less than everything.

use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::Api;
use kube::api::PostParams;
use serde_json::{Value, json};

use super::eventually;
use super::stage::Stage;

impl Stage<'_> {
    /// Makes the operator a user who may neither list nor watch Secrets, and all else that it needs.
    pub(crate) async fn operator_may_not_watch_secrets(&mut self) {
        let user = format!("system:serviceaccount:{}:operator", self.namespace);
        let role = json!({"metadata": {"name": "operator"}, "rules": [
            rule("asa-operator.dev", "*", &["get", "list", "watch", "update"]),
            rule("", "secrets", &["get", "create", "patch", "delete"]),
            rule("events.k8s.io", "events", &["create", "patch"]),
        ]});
        let binding = json!({
            "metadata": {"name": "operator"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "operator"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
        });
        let roles: Api<Role> = Api::namespaced(self.kube.clone(), &self.namespace);
        roles.create(&PostParams::default(), &serde_json::from_value(role).unwrap()).await.unwrap();
        let bindings: Api<RoleBinding> = Api::namespaced(self.kube.clone(), &self.namespace);
        bindings.create(&PostParams::default(), &serde_json::from_value(binding).unwrap()).await.unwrap();

        // The authorizer learns of a binding by a watch.
        eventually("permission", async || {
            let asked = ["auth", "can-i", "list", "asacredentials.asa-operator.dev", "--as", &user];
            let mut kubectl = self.cluster.kubectl();
            let output = kubectl.args(["--namespace", &self.namespace]).args(asked).output().unwrap();
            if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stdout).into_owned()) }
        })
        .await;
        self.operator_is(self.cluster.user(&user, &[]).unwrap());
    }
}

fn rule(group: &str, resource: &str, verbs: &[&str]) -> Value {
    json!({"apiGroups": [group], "resources": [resource], "verbs": verbs})
}
