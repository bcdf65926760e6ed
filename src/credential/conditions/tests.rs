use std::time::Duration;

use serde_json::json;

use super::*;
use crate::{
    api::{AppStoreConnectCredential, AsaCredential},
    credential::{
        memory::Memory,
        probing::{Probe, Proof},
        sight::{Sight, Sights},
    },
};

fn acme(status: &serde_json::Value) -> AsaCredential {
    serde_json::from_value(json!({
        "apiVersion": "asa-operator.dev/v1alpha1",
        "kind": "AsaCredential",
        "metadata": {"name": "acme", "namespace": "marketing", "uid": "u", "generation": 1},
        "spec": {
            "clientId": "SEARCHADS.c", "teamId": "SEARCHADS.t", "keyId": "k",
            "privateKey": {"secretRef": {"name": "key"}},
        },
        "status": status,
    }))
    .unwrap()
}

fn now() -> Now {
    Now { wall: "2026-11-22T12:00:00Z".parse().unwrap(), steady: Duration::from_hours(1) }
}

/// The status of a resource of which only itself is known.
fn after_a_restart(object: &AsaCredential) -> CredentialStatus {
    let [key_secret, managed, client_secret] = [Sight::Absent, Sight::Absent, Sight::Absent];
    let memory = Memory::of("u");
    let sights = Sights { key_secret, managed, client_secret, ..Sights::default() };
    let object = object.clone().into();
    status(&Observed::new(&object, sights, None, &memory), now())
}

#[test]
fn what_an_earlier_version_said_at_length_is_repeated_in_one_short_line() {
    let said = json!({
        "type": "OrganizationResolved", "status": "False", "reason": "Ambiguous",
        "message": format!("choose\n{}", "m".repeat(1000)), "lastTransitionTime": "2026-11-22T11:00:00Z",
    });
    let status = after_a_restart(&acme(&json!({"conditions": [said]})));
    let repeated = find(&status.conditions, ConditionType::OrganizationResolved).unwrap();
    assert_eq!(repeated.reason, "Ambiguous");
    assert_eq!(repeated.message, format!("choose {}", "m".repeat(193)));
}

/// What is said of an API key whose proof stands beside the published token, where the status said this before.
fn key_verified_after(status: ConditionStatus, reason: Reason) -> (ConditionStatus, String) {
    let said = json!({
        "type": "KeyVerified", "status": status, "reason": reason.as_str(), "message": "m",
        "lastTransitionTime": "2026-11-22T11:00:00Z",
    });
    let object: AppStoreConnectCredential = serde_json::from_value(json!({
        "apiVersion": "asa-operator.dev/v1alpha1",
        "kind": "AppStoreConnectCredential",
        "metadata": {"name": "acme", "namespace": "apps", "uid": "u", "generation": 1},
        "spec": {
            "keyId": "2X9R4HXF34", "issuerId": "57246542-96fe-1a63-e053-0824d011072a",
            "privateKey": {"secretRef": {"name": "key"}},
        },
        "status": {"conditions": [said]},
    }))
    .unwrap();
    let (object, memory) = (object.into(), Memory::of("u"));
    let seen = Observed::new(&object, Sights::default(), None, &memory);
    let proved_at = Some(now().wall);
    let probe = Some(Probe { proof: Some(Proof::Accepted), proved_at, ..Probe::default() });
    let told = super::status(&Observed { probe, ..seen }, now());
    let condition = find(&told.conditions, ConditionType::KeyVerified).unwrap();
    (condition.status, condition.reason.clone())
}

#[test]
fn a_proof_that_is_found_after_a_restart_is_told_though_the_status_said_otherwise() {
    let verified = (ConditionStatus::True, "Verified".to_owned());
    assert_eq!(key_verified_after(ConditionStatus::Unknown, Reason::Pending), verified);
    assert_eq!(key_verified_after(ConditionStatus::False, Reason::KeyRejected), verified, "that was another key");
    let missing = (ConditionStatus::True, "AgreementMissing".to_owned());
    assert_eq!(key_verified_after(ConditionStatus::True, Reason::AgreementMissing), missing);
}
