//! What the API server makes of what a user left out.

use asa_operator::api::Kind;
use kube::api::PostParams;
use serde_json::{Value, json};

use crate::document::{base, changed};
use crate::server::{object, resources, typed};

#[tokio::test]
async fn every_static_default_is_filled_in_and_a_null_is_as_good_as_absent() {
    for kind in Kind::ALL {
        let mut document = base(kind);
        let fields = document["spec"].as_object_mut().unwrap();
        fields.extend(left_out(kind).as_object().unwrap().clone());
        let mut expected = changed(kind, &json!({ "spec": filled_in(kind) }));
        expected["status"] = json!({"conditions": [{
            "type": "Ready",
            "status": "Unknown",
            "reason": "Pending",
            "message": "Waiting for the operator",
            "lastTransitionTime": "1970-01-01T00:00:00Z",
        }]});
        assert_eq!(stored(kind, document).await, expected);
    }
}

#[tokio::test]
async fn an_object_that_is_left_out_stays_out() {
    for kind in Kind::ALL {
        let stored = stored(kind, base(kind)).await;
        let fields: Vec<_> = stored["spec"].as_object().unwrap().keys().collect();
        let expected = match kind {
            Kind::Ads => vec!["clientId", "keyId", "privateKey", "suspend", "teamId"],
            Kind::AppStoreConnect => vec!["issuerId", "keyId", "keyType", "privateKey", "program", "suspend", "verify"],
        };
        assert_eq!(fields, expected);
    }
}

/// The whole document as the API server stores it, but for the metadata that it adds itself.
async fn stored(kind: Kind, document: Value) -> Value {
    let resources = resources(cluster::shared().await, kind, "defaults").await;
    let created = resources.create(&PostParams::default(), &object(document)).await.unwrap();
    typed(&created);
    let mut stored = serde_json::to_value(&created).unwrap();
    stored["metadata"] = json!({"name": created.metadata.name});
    stored
}

/// Objects that leave out what has a default, some by a null.
fn left_out(kind: Kind) -> Value {
    let secret = json!({"formats": null, "labels": {"team": null}, "adoption": null});
    match kind {
        Kind::Ads => json!({
            "apis": null,
            "organization": {},
            "adAccount": {"id": null},
            "clientSecret": {"lifetime": null, "renewBefore": null},
            "accessToken": null,
            "secret": secret,
            "suspend": null,
        }),
        Kind::AppStoreConnect => json!({
            "program": null,
            "keyType": null,
            "token": {"lifetime": null, "renewBefore": null, "scope": null},
            "verify": null,
            "secret": secret,
            "suspend": null,
        }),
    }
}

/// What becomes of them: a change to the spec of the base document.
fn filled_in(kind: Kind) -> Value {
    let secret = json!({"labels": {}, "adoption": "Never", "deletionPolicy": "Delete"});
    match kind {
        Kind::Ads => json!({
            "privateKey": {"secretRef": {"key": "private-key.pem"}, "generate": "Never"},
            "organization": {"selection": "One"},
            "adAccount": {"selection": "One"},
            "clientSecret": {"mode": "Persistent", "lifetime": "4296h"},
            "secret": secret,
            "suspend": false,
        }),
        Kind::AppStoreConnect => json!({
            "program": "AppStore",
            "keyType": "Team",
            "privateKey": {"secretRef": {"key": "private-key.pem"}},
            "token": {"lifetime": "20m"},
            "verify": "Probe",
            "secret": secret,
            "suspend": false,
        }),
    }
}
