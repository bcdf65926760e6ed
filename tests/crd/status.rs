//! Status as the operator writes it and the API server keeps it.

use asa_operator::api::conditions::set_condition;
use asa_operator::api::{
    AdAccount, Binding, ClientSecretStatus, Condition, ConditionStatus, ConditionType, CredentialStatus, Kind, Life,
    MAX_CHOICES, MAX_ID, MAX_REQUEST_CHARS, Organization, PrivateKeyStatus, PublishedSecret, Reason,
};
use cluster::Cluster;
use k8s_openapi::jiff::Timestamp;
use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::document::base;
use crate::server::{causes, object, resources, typed};

#[tokio::test]
async fn the_largest_status_is_kept_as_it_was_written() {
    let cluster = cluster::shared().await;
    for kind in Kind::ALL {
        let resources = with_one(cluster, kind).await;
        report(&resources, kind).await;
        let stored = typed(&resources.get("acme").await.unwrap());
        assert_eq!(stored.status(), Some(&full(kind)));
    }
}

#[tokio::test]
async fn a_status_for_app_store_connect_has_nothing_that_apple_ads_alone_knows() {
    let kind = Kind::AppStoreConnect;
    let resources = with_one(cluster::shared().await, kind).await;
    report(&resources, Kind::Ads).await;
    let stored = typed(&resources.get("acme").await.unwrap());
    assert_ne!(full(Kind::Ads), full(kind));
    assert_eq!(stored.status(), Some(&full(kind)));
}

#[tokio::test]
async fn a_status_beyond_its_bounds_is_refused() {
    let cluster = cluster::shared().await;
    for kind in Kind::ALL {
        let resources = with_one(cluster, kind).await;
        for (status, field) in beyond_bounds(kind) {
            match write(&resources, status).await {
                Err(kube::Error::Api(answer)) if answer.code == 422 => {
                    let causes = causes(*answer);
                    assert!(causes.iter().any(|cause| cause.field == field), "{field}: {causes:?}");
                }
                answer => panic!("{field}: {answer:?}"),
            }
        }
    }
}

/// Changes to status that are refused, and the field that is to blame.
fn beyond_bounds(kind: Kind) -> Vec<(Value, &'static str)> {
    let condition = json!({
        "type": "Ready",
        "status": "Maybe",
        "reason": "Pending",
        "message": "",
        "lastTransitionTime": "1970-01-01T00:00:00Z",
    });
    let one_too_many = vec![json!({"orgId": 1}); MAX_CHOICES + 1];
    let life = json!({"issuedAt": "now", "expiresAt": "later", "renewalTime": "sooner"});
    let mut refused = vec![
        (json!({"conditions": [condition]}), "status.conditions[0].status"),
        (json!({"lastHandledReconcileAt": "a".repeat(257)}), "status.lastHandledReconcileAt"),
        (json!({"accessToken": life}), "status.accessToken.issuedAt"),
        (json!({"binding": {"name": "a".repeat(254)}}), "status.binding.name"),
    ];
    if kind == Kind::Ads {
        refused.extend([
            (json!({"organizations": one_too_many}), "status.organizations"),
            (json!({"organization": {"orgId": "40669820"}}), "status.organization.orgId"),
        ]);
    }
    refused
}

/// Reports of the resource that its token works.
pub(crate) async fn report(resources: &Api<DynamicObject>, kind: Kind) {
    write(resources, json!(full(kind))).await.unwrap();
}

async fn with_one(cluster: &Cluster, kind: Kind) -> Api<DynamicObject> {
    let resources = resources(cluster, kind, "status").await;
    resources.create(&PostParams::default(), &object(base(kind))).await.unwrap();
    resources
}

async fn write(resources: &Api<DynamicObject>, status: Value) -> kube::Result<DynamicObject> {
    let patch = Patch::Merge(json!({ "status": status }));
    resources.patch_status("acme", &PatchParams::default(), &patch).await
}

/// Every field of the kind, each as large as the operator writes it.
fn full(kind: Kind) -> CredentialStatus {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let life = Life::new(
        at("2026-03-01T12:00:00.123456789Z"),
        at("2026-03-01T13:00:00.123456789Z"),
        at("2026-03-01T12:28:00.5Z"),
    );
    let of_both = CredentialStatus {
        observed_generation: Some(1),
        last_handled_reconcile_at: Some("ü".repeat(MAX_REQUEST_CHARS as usize)),
        conditions: conditions(at("2026-03-01T12:00:00.9Z")),
        private_key: Some(PrivateKeyStatus {
            public_key: format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", "A".repeat(124)),
            fingerprint: format!("SHA256:{}", "0".repeat(64)),
        }),
        access_token: Some(life),
        secret: Some(PublishedSecret { name: "acme".into(), resource_version: u64::MAX.to_string() }),
        binding: Some(Binding { name: "acme".into() }),
        ..CredentialStatus::default()
    };
    match kind {
        Kind::Ads => with_what_ads_alone_knows(of_both, life),
        Kind::AppStoreConnect => of_both,
    }
}

fn with_what_ads_alone_knows(status: CredentialStatus, life: Life) -> CredentialStatus {
    let organization = Organization { org_id: 40_669_820, name: Some("ü".repeat(100)), parent_org_id: Some(MAX_ID) };
    let account = AdAccount { id: MAX_ID, name: Some("ü".repeat(100)), org_id: Some(1) };
    CredentialStatus {
        client_secret: Some(ClientSecretStatus {
            issued_at: life.issued_at,
            expires_at: life.expires_at,
            renewal_time: life.renewal_time,
            secret_name: Some("a".repeat(253)),
        }),
        organization: Some(organization.clone()),
        organizations: vec![organization; MAX_CHOICES],
        ad_account: Some(account.clone()),
        ad_accounts: vec![account; MAX_CHOICES],
        ..status
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
