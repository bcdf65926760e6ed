//! What the chart grants to the operator is what the operator uses, in each tier.

use std::collections::BTreeSet;

use asa_operator::api::{ConditionType, Reason};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use serde_json::{Value, json};

use crate::app_store_connect::api_key;
use crate::metrics::secured::{token_of, trusting, write_pair};
use crate::support::awaited::{is, is_not, ready};
use crate::support::credential::{KEY_SECRET, NAME, credential};
use crate::support::eventually;
use crate::support::rbac::{self, Installed, Secrets};
use crate::support::stage::Stage;

/// The name that the lease has by default.
const LEASE: &str = "asa-operator";

/// The other kind's resource, and its Secret.
const API_KEY: &str = "api-key";

impl Stage<'_> {
    /// Everything for which the operator needs a right.
    async fn live_through_all(&self) {
        self.become_ready().await;
        self.register_api_key(self.team_key());
        let key_secret = format!("{API_KEY}-key");
        self.create_secret(&key_secret, "Opaque", &[("private-key.pem", self.key.private())]).await;
        self.apply_api_key(api_key().named(API_KEY)).await;
        self.until_api_key_named(API_KEY, ready()).await;

        let before = self.token().await;
        self.request_renewal("now").await;
        self.token_other_than(&before).await;
        for secret in [NAME, API_KEY] {
            self.delete_secret(secret).await;
            self.until_secret(secret, "the Secret", |_| true).await;
        }
        // The second time it is the same Event again.
        for _ in 0..2 {
            self.write_entry(KEY_SECRET, "private-key.pem", "no key").await;
            self.until(is_not(ConditionType::PrivateKeyLoaded, Reason::KeyInvalid)).await;
            self.write_entry(KEY_SECRET, "private-key.pem", self.key.private()).await;
            self.until(is(ConditionType::PrivateKeyLoaded, Reason::Loaded)).await;
        }
        self.apply(credential().with("secret", json!({"name": "renamed"}))).await;
        self.until_gone(NAME).await;
    }

    /// All rights that were used, each as verb and resource.
    fn used(&self, operator: &Installed) -> BTreeSet<String> {
        let requests = self.cluster.audit().unwrap().into_iter();
        let its = requests.filter(|request| request.user == operator.user && request.code != 403);
        its.map(|request| match request.subresource {
            Some(subresource) => format!("{} {}/{subresource}", request.verb, request.resource),
            None => format!("{} {}", request.verb, request.resource),
        })
        .collect()
    }

    fn listed(&self, kind: &str) -> Vec<Value> {
        let listed: Value = serde_json::from_str(&self.kubectl(&["get", kind, "-A", "-o", "json"])).unwrap();
        listed["items"].as_array().unwrap().clone()
    }

    /// All rights that some role grants.
    fn granted(&self, operator: &Installed) -> BTreeSet<String> {
        let is_bound = |binding: &Value| {
            let subjects = binding["subjects"].as_array().into_iter().flatten();
            let mut its = subjects.filter(|subject| subject["namespace"] == json!(operator.namespace));
            its.any(|subject| subject["name"] == "asa-operator")
        };
        let mut granted = BTreeSet::new();
        for (bindings, roles) in [("clusterrolebindings", "clusterroles"), ("rolebindings", "roles")] {
            let bound = self.listed(bindings).into_iter().filter(is_bound);
            let bound: Vec<_> =
                bound.map(|it| (it["metadata"]["namespace"].clone(), it["roleRef"]["name"].clone())).collect();
            let is_its = |role: &Value| {
                let meta = &role["metadata"];
                bound.contains(&(meta["namespace"].clone(), meta["name"].clone()))
            };
            for role in self.listed(roles).iter().filter(|role| is_its(role)) {
                for rule in role["rules"].as_array().unwrap() {
                    granted.extend(rights(rule));
                }
            }
        }
        granted
    }
}

fn rights(rule: &Value) -> Vec<String> {
    let words = |of: &str| rule[of].as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect();
    let (verbs, resources): (Vec<String>, Vec<String>) = (words("verbs"), words("resources"));
    verbs.iter().flat_map(|verb| resources.iter().map(move |resource| format!("{verb} {resource}"))).collect()
}

/// Makes the operator's lease. Gives access to it.
async fn lease_of(stage: &Stage<'_>, operator: &Installed, spec: Value) -> Api<Lease> {
    let leases = Api::namespaced(stage.kube.clone(), &operator.namespace);
    let lease = serde_json::from_value(json!({"metadata": {"name": LEASE}, "spec": spec})).unwrap();
    leases.create(&PostParams::default(), &lease).await.unwrap();
    leases
}

/// Waits until each right that this tier grants was used.
async fn uses_all_that_is_granted(secrets: Secrets) {
    let mut stage = Stage::in_tier(cluster::shared().await, secrets).await;
    let operator = rbac::operator(stage.cluster, secrets).await;
    // A leader that is gone: whoever stands by watches the lease.
    let leases = lease_of(&stage, &operator, json!({"holderIdentity": "gone", "leaseDurationSeconds": 2})).await;
    let folder = tempfile::tempdir().unwrap();
    let certificate = write_pair(folder.path());
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (cert, key) = (file("tls.crt"), file("tls.key"));
    let leads = ["--leader-election", "--lease-namespace", &operator.namespace];
    let answers = ["--metrics-address", "127.0.0.1:0", "--metrics-authorization"];
    let tls = ["--metrics-tls-cert", &cert, "--metrics-tls-key", &key, "--secret-poll-interval", "1s"];
    stage.launch_operator(&[&leads[..], &answers[..], &tls[..]].concat());

    stage.live_through_all().await;
    let url = format!("https://{}/metrics", stage.serves_at("metrics_address").await);
    let stranger = token_of(&stage, "stranger");
    let refused = trusting(&certificate).get(url).bearer_auth(stranger).send().await.unwrap();
    assert_eq!(refused.status(), 403);

    leases.delete(LEASE, &DeleteParams::default()).await.unwrap();

    let granted = stage.granted(&operator);
    assert!(granted.contains("delete secrets"), "{granted:?}");
    eventually("a use of each right", async || {
        let used = stage.used(&operator);
        let unused: Vec<_> = granted.difference(&used).cloned().collect();
        if unused.is_empty() { Ok(()) } else { Err(format!("{unused:?} were not used")) }
    })
    .await;
}

#[tokio::test]
async fn where_secrets_are_watched_no_right_is_granted_that_the_operator_does_not_use() {
    uses_all_that_is_granted(Secrets::Watch).await;
}

#[tokio::test]
async fn where_secrets_are_not_watched_no_right_is_granted_that_the_operator_does_not_use() {
    uses_all_that_is_granted(Secrets::Get).await;
}
