use kube::core::cel::apply_defaults;
use serde_json::{Value, json};

use super::*;
use crate::api::{AsaCredentialSpec, Credential, SecretFormat, crd::crds};

const HOUR: Duration = Duration::from_hours(1);

/// A spec with these fields besides those that are required; null takes one of them away.
fn spec(fields: Value) -> Value {
    let mut spec = json!({
        "clientId": "SEARCHADS.1",
        "teamId": "SEARCHADS.2",
        "keyId": "3",
        "privateKey": {"secretRef": {"name": "acme-key"}},
    });
    let Value::Object(fields) = fields else { panic!("fields are an object") };
    spec.as_object_mut().unwrap().extend(fields);
    spec
}

/// The resource `acme` of that spec.
fn acme(fields: Value) -> AsaCredential {
    AsaCredential::new("acme", serde_json::from_value(spec(fields)).unwrap())
}

/// Everything that there is to know about a resource.
fn all(acme: &AsaCredential) -> impl PartialEq + std::fmt::Debug + use<> {
    let both = Credential::from(acme.clone());
    (
        (both.generates_key(), acme.apis(), both.is_suspended()),
        (acme.organization_selection(), acme.organization_id(), acme.ad_account_selection(), acme.ad_account_id()),
        (acme.client_secret_mode(), acme.client_secret_name(), acme.client_secret_lifetime()),
        (acme.client_secret_renew_before(), acme.access_token_renew_before()),
        (both.secret_name(), both.formats(), both.secret_labels().clone(), both.secret_annotations().clone()),
        (both.adopts_unowned(), both.retains()),
    )
}

#[test]
fn a_bare_resource_has_every_default() {
    let acme = acme(json!({}));
    let both = Credential::from(acme.clone());
    assert!(!both.generates_key() && !both.is_suspended());
    assert_eq!(acme.apis(), [AdsApi::PlatformV1, AdsApi::CampaignManagementV5]);
    assert_eq!((acme.organization_selection(), acme.organization_id()), (Selection::One, None));
    assert_eq!((acme.ad_account_selection(), acme.ad_account_id()), (Selection::One, None));
    assert_eq!(acme.client_secret_mode(), ClientSecretMode::Persistent);
    assert_eq!(acme.client_secret_name().as_deref(), Some("acme-client-secret"));
    assert_eq!(acme.client_secret_lifetime(), 4296 * HOUR);
    assert_eq!(acme.client_secret_renew_before(), 716 * HOUR);
    assert_eq!(acme.access_token_renew_before(), None);
    assert_eq!(both.secret_name(), "acme");
    assert!(both.formats().is_empty() && both.secret_labels().is_empty() && both.secret_annotations().is_empty());
    assert!(!both.adopts_unowned() && !both.retains());
}

#[test]
fn an_empty_list_of_apis_is_as_none() {
    assert_eq!(acme(json!({"apis": []})).apis(), acme(json!({})).apis());
}

#[test]
fn what_the_user_says_counts() {
    let acme = acme(json!({
        "privateKey": {"secretRef": {"name": "acme-key"}, "generate": "IfMissing"},
        "apis": ["CampaignManagementV5"],
        "organization": {"orgId": 40_669_820},
        "adAccount": {"selection": "Any"},
        "clientSecret": {"lifetime": "1h30m", "renewBefore": "0.5h", "secretName": "signed"},
        "accessToken": {"renewBefore": "40m"},
        "secret": {
            "name": "token",
            "formats": ["CurlConfig", "Json", "Dotenv"],
            "labels": {"team": "growth"},
            "annotations": {"example.com/contact": "growth@example.com"},
            "adoption": "IfUnowned",
            "deletionPolicy": "Retain",
        },
        "suspend": true,
    }));
    let both = Credential::from(acme.clone());
    assert!(both.generates_key() && both.is_suspended());
    assert_eq!(acme.apis(), [AdsApi::CampaignManagementV5]);
    assert_eq!((acme.organization_selection(), acme.organization_id()), (Selection::One, Some(40_669_820)));
    assert_eq!((acme.ad_account_selection(), acme.ad_account_id()), (Selection::Any, None));
    assert_eq!(acme.client_secret_name().as_deref(), Some("signed"));
    assert_eq!(acme.client_secret_lifetime(), HOUR * 3 / 2);
    assert_eq!(acme.client_secret_renew_before(), HOUR / 2);
    assert_eq!(acme.access_token_renew_before(), Some(HOUR * 2 / 3));
    assert_eq!(both.secret_name(), "token");
    assert_eq!(both.formats(), [SecretFormat::Json, SecretFormat::Dotenv, SecretFormat::CurlConfig].into());
    assert_eq!(*both.secret_labels(), [("team".to_owned(), "growth".to_owned())].into());
    assert_eq!(*both.secret_annotations(), [("example.com/contact".into(), "growth@example.com".into())].into());
    assert!(both.adopts_unowned() && both.retains());
}

#[test]
fn objects_that_leave_everything_out_change_nothing() {
    let bare = acme(json!({}));
    let empty = acme(
        json!({"organization": {}, "adAccount": {}, "clientSecret": {}, "accessToken": {}, "secret": {}, "apis": null}),
    );
    assert_eq!(all(&empty), all(&bare));
}

#[test]
fn apple_can_be_asked_once_all_three_ids_are_there() {
    let ids = ClientIds { client_id: "SEARCHADS.1", team_id: "SEARCHADS.2", key_id: "3" };
    assert_eq!(acme(json!({})).client_ids(), Some(ids));
    for id in ["clientId", "teamId", "keyId"] {
        assert_eq!(acme(json!({id: null})).client_ids(), None, "{id}");
    }
}

#[test]
fn a_client_secret_is_renewed_when_a_sixth_of_its_life_is_left() {
    let acme = acme(json!({"clientSecret": {"lifetime": "60s"}}));
    assert_eq!(acme.client_secret_renew_before(), Duration::from_secs(10));
}

#[test]
fn an_ephemeral_client_secret_lives_for_five_minutes_and_is_stored_nowhere() {
    let acme = acme(json!({
        "clientSecret": {"mode": "Ephemeral", "lifetime": "720h", "renewBefore": "1h", "secretName": "signed"},
    }));
    assert_eq!(acme.client_secret_mode(), ClientSecretMode::Ephemeral);
    assert_eq!(acme.client_secret_name(), None);
    assert_eq!(acme.client_secret_lifetime(), HOUR / 12);
    assert_eq!(acme.client_secret_renew_before(), Duration::ZERO);
}

#[test]
fn the_types_and_the_schema_know_the_same_defaults() {
    let crds = serde_json::to_value(crds()).unwrap();
    let schema = &crds[0]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    let bare = spec(json!({"organization": {}, "adAccount": {}, "clientSecret": {}, "accessToken": {}, "secret": {}}));
    let filled = apply_defaults(schema, &bare);
    assert_ne!(filled, bare);
    let read = |spec| serde_json::from_value::<AsaCredentialSpec>(spec).unwrap();
    assert_eq!(read(bare), read(filled));
}
