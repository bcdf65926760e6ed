use std::time::Duration;

use serde_json::json;

use super::*;
use crate::{
    api::AsaCredential,
    credential::{
        memory::Memory,
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
