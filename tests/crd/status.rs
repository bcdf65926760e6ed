//! Status as the operator writes it and the API server keeps it.

use asa_operator::api::conditions::set_condition;
use asa_operator::api::{
    AdAccount, AsaCredential, Binding, ClientSecretStatus, Condition, ConditionStatus, ConditionType, CredentialStatus,
    Life, MAX_CHOICES, MAX_ID, MAX_REQUEST_CHARS, Organization, PrivateKeyStatus, PublishedSecret, Reason,
};
use cluster::Cluster;
use k8s_openapi::jiff::Timestamp;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::document::base;
use crate::server::causes;

#[tokio::test]
async fn the_largest_status_is_kept_as_it_was_written() {
    let cluster = cluster::shared().await;
    let resources = with_one(cluster, "status").await;
    let written = full();
    write(&resources, json!(&written)).await.unwrap();
    assert_eq!(resources.get("acme").await.unwrap().status, Some(written));
}

#[tokio::test]
async fn a_status_beyond_its_bounds_is_refused() {
    let cluster = cluster::shared().await;
    let resources = with_one(cluster, "status").await;
    let condition = json!({
        "type": "Ready",
        "status": "Maybe",
        "reason": "Pending",
        "message": "",
        "lastTransitionTime": "1970-01-01T00:00:00Z",
    });
    let one_too_many = vec![json!({"orgId": 1}); MAX_CHOICES + 1];
    let refused = [
        (json!({"conditions": [condition]}), "status.conditions[0].status"),
        (json!({"organizations": one_too_many}), "status.organizations"),
        (json!({"organization": {"orgId": "40669820"}}), "status.organization.orgId"),
        (json!({"lastHandledReconcileAt": "a".repeat(257)}), "status.lastHandledReconcileAt"),
        (
            json!({"accessToken": {"issuedAt": "now", "expiresAt": "later", "renewalTime": "sooner"}}),
            "status.accessToken.issuedAt",
        ),
    ];
    for (status, field) in refused {
        match write(&resources, status).await {
            Err(kube::Error::Api(answer)) if answer.code == 422 => {
                let causes = causes(*answer);
                assert!(causes.iter().any(|cause| cause.field == field), "{field}: {causes:?}");
            }
            answer => panic!("{field}: {answer:?}"),
        }
    }
}

/// Reports of the resource that its token works.
pub(crate) async fn report(cluster: &Cluster, namespace: &str, name: &str) {
    let resources: Api<AsaCredential> = Api::namespaced(cluster.client().unwrap(), namespace);
    let patch = Patch::Merge(json!({ "status": full() }));
    resources.patch_status(name, &PatchParams::default(), &patch).await.unwrap();
}

async fn with_one(cluster: &Cluster, prefix: &str) -> Api<AsaCredential> {
    let namespace = cluster.namespace(prefix).await.unwrap();
    let resources = Api::namespaced(cluster.client().unwrap(), &namespace);
    let resource = serde_json::from_value(base()).unwrap();
    resources.create(&PostParams::default(), &resource).await.unwrap();
    resources
}

async fn write(resources: &Api<AsaCredential>, status: Value) -> kube::Result<AsaCredential> {
    let patch = Patch::Merge(json!({ "status": status }));
    resources.patch_status("acme", &PatchParams::default(), &patch).await
}

/// Every field, each as large as the operator writes it.
fn full() -> CredentialStatus {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let life = Life::new(
        at("2026-03-01T12:00:00.123456789Z"),
        at("2026-03-01T13:00:00.123456789Z"),
        at("2026-03-01T12:28:00.5Z"),
    );
    let organization = Organization { org_id: 40_669_820, name: Some("ü".repeat(100)), parent_org_id: Some(MAX_ID) };
    let account = AdAccount { id: MAX_ID, name: Some("ü".repeat(100)), org_id: Some(1) };
    CredentialStatus {
        observed_generation: Some(1),
        last_handled_reconcile_at: Some("ü".repeat(MAX_REQUEST_CHARS as usize)),
        conditions: conditions(at("2026-03-01T12:00:00.9Z")),
        private_key: Some(PrivateKeyStatus {
            public_key: format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", "A".repeat(124)),
            fingerprint: format!("SHA256:{}", "0".repeat(64)),
        }),
        client_secret: Some(ClientSecretStatus {
            issued_at: life.issued_at,
            expires_at: life.expires_at,
            renewal_time: life.renewal_time,
            secret_name: Some("a".repeat(253)),
        }),
        access_token: Some(life),
        organization: Some(organization.clone()),
        organizations: vec![organization; MAX_CHOICES],
        ad_account: Some(account.clone()),
        ad_accounts: vec![account; MAX_CHOICES],
        secret: Some(PublishedSecret { name: "acme".into(), resource_version: u64::MAX.to_string() }),
        binding: Some(Binding { name: "acme".into() }),
    }
}

/// One of each type, with reasons and messages as long as they get.
fn conditions(now: Timestamp) -> Vec<Condition> {
    let longest = *Reason::ALL.iter().max_by_key(|reason| reason.as_str().len()).unwrap();
    let mut conditions = Vec::new();
    for type_ in ConditionType::ALL {
        let (reason, message) = match type_ {
            ConditionType::Ready => (Reason::Available, "The token works".to_owned()),
            _ => (longest, "ü".repeat(200)),
        };
        let condition = Condition::new(*type_, ConditionStatus::True, reason, message, 1, now);
        set_condition(&mut conditions, condition);
    }
    conditions
}
