use kube::core::ObjectMeta;
use serde_json::json;

use super::*;
use crate::api::AsaCredential;

fn credential(name: &str, version: u64) -> AsaCredential {
    serde_json::from_value(json!({
        "apiVersion": "asa-operator.dev/v1alpha1",
        "kind": "AsaCredential",
        "metadata": {"name": name, "namespace": "marketing", "uid": format!("uid-{name}"), "resourceVersion": version.to_string()},
        "spec": {
            "clientId": "SEARCHADS.c", "teamId": "SEARCHADS.t", "keyId": "k",
            "privateKey": {"secretRef": {"name": "key"}},
        },
    }))
    .unwrap()
}

fn secret(name: &str) -> SecretName {
    SecretName { namespace: "marketing".into(), name: name.into() }
}

fn meta(uid: &str, version: u64) -> SecretMeta {
    SecretMeta::of(&ObjectMeta {
        uid: Some(uid.into()),
        resource_version: Some(version.to_string()),
        ..ObjectMeta::default()
    })
    .unwrap()
}

fn names(ids: &[Id]) -> Vec<String> {
    ids.iter().map(|id| id.name.to_string()).collect()
}

/// Watches all namespaces, in which these Secrets were listed.
fn watching(listed: &[&str]) -> Index {
    let mut index = Index::default();
    index.apply_credential(credential("acme", 1));
    index.secrets_listed(&None, &listed.iter().map(|name| secret(name)).collect());
    index
}

#[test]
fn before_secrets_were_listed_nothing_is_known_of_them() {
    assert_eq!(Index::default().sight(&secret("acme")), Sight::Unknown);
}

#[test]
fn what_a_list_does_not_name_is_absent_and_what_it_names_has_to_be_looked_at() {
    let index = watching(&["foreign"]);
    assert_eq!(index.sight(&secret("acme")), Sight::Absent);
    assert_eq!(index.sight(&secret("foreign")), Sight::Unknown);
}

#[test]
fn a_credential_that_is_gone_concerns_those_that_name_its_secrets_but_not_those_that_share_its_key() {
    let mut index = watching(&[]);
    let mut heir = credential("heir", 1);
    heir.spec.secret = Some(serde_json::from_value(json!({"name": "acme"})).unwrap());
    index.apply_credential(heir);
    index.apply_credential(credential("other", 1));
    assert_eq!(names(&index.remove_credential(&Id::new(Kind::Ads, "marketing", "acme"))), ["heir", "acme"]);
}

#[test]
fn an_answer_that_a_secret_is_not_there_undoes_nothing_that_a_watch_told_meanwhile() {
    let mut index = watching(&[]);
    let asked = index.sight(&secret("key"));
    index.apply_secret(secret("key"), meta("u", 5));
    index.learn_absence(secret("key"), &asked);
    assert!(index.sight(&secret("key")).meta().is_some(), "it was created after the answer");

    let asked = index.sight(&secret("key"));
    index.learn_absence(secret("key"), &asked);
    assert_eq!(index.sight(&secret("key")), Sight::Absent);
}

#[test]
fn a_foreign_secret_concerns_nobody_and_is_not_kept() {
    let mut index = watching(&[]);
    assert!(index.apply_secret(secret("foreign"), meta("u", 5)).is_empty());
    assert!(index.secrets.is_empty());
    assert_eq!(index.sight(&secret("foreign")), Sight::Unknown, "it may be there");
}

#[test]
fn the_key_and_both_targets_concern_the_credential_that_names_them() {
    let mut index = watching(&[]);
    for name in ["key", "acme", "acme-client-secret"] {
        assert_eq!(names(&index.apply_secret(secret(name), meta(name, 5))), ["acme"], "{name}");
        assert_eq!(names(&index.remove_secret(secret(name), Some(name))), ["acme"], "{name}");
        assert_eq!(index.sight(&secret(name)), Sight::Absent);
    }
}

#[test]
fn one_key_of_two_credentials_concerns_both() {
    let mut index = watching(&[]);
    index.apply_credential(credential("globex", 2));
    assert_eq!(names(&index.apply_secret(secret("key"), meta("u", 5))), ["acme", "globex"]);
}

#[test]
fn a_state_that_is_known_or_older_is_no_news() {
    let mut index = watching(&[]);
    index.apply_secret(secret("acme"), meta("u", 5));
    assert!(index.apply_secret(secret("acme"), meta("u", 5)).is_empty());
    assert!(index.apply_secret(secret("acme"), meta("u", 4)).is_empty());
    assert_eq!(index.sight(&secret("acme")).meta().unwrap().version.resource_version, "5");
    assert_eq!(names(&index.apply_secret(secret("acme"), meta("another", 3))), ["acme"]);
}

#[test]
fn a_late_deletion_of_an_earlier_secret_takes_nothing_from_its_successor() {
    let mut index = watching(&[]);
    index.apply_secret(secret("acme"), meta("new", 9));
    assert!(index.remove_secret(secret("acme"), Some("old")).is_empty());
    assert!(index.sight(&secret("acme")).meta().is_some());
}

#[test]
fn an_answer_that_is_older_than_a_deletion_brings_no_secret_back() {
    let mut index = watching(&["acme"]);
    assert_eq!(names(&index.remove_secret(secret("acme"), Some("old"))), ["acme"]);
    assert!(index.apply_secret(secret("acme"), meta("old", 5)).is_empty());
    assert_eq!(index.sight(&secret("acme")), Sight::Absent);
    assert_eq!(names(&index.apply_secret(secret("acme"), meta("new", 9))), ["acme"]);
}

#[test]
fn the_answer_to_our_own_write_goes_before_older_events() {
    let mut index = watching(&[]);
    assert!(index.apply_credential(credential("acme", 7)).is_some());
    assert!(index.apply_credential(credential("acme", 7)).is_none());
    assert!(index.apply_credential(credential("acme", 3)).is_none());
    let mut successor = credential("acme", 2);
    successor.metadata.uid = Some("another".into());
    assert!(index.apply_credential(successor).is_some());
}

#[test]
fn a_list_removes_what_it_does_not_name() {
    let mut index = watching(&[]);
    index.apply_secret(secret("acme"), meta("u", 5));
    assert_eq!(names(&index.secrets_listed(&None, &HashSet::new())), ["acme"]);
    assert_eq!(index.sight(&secret("acme")), Sight::Absent);
    assert_eq!(names(&index.keep_credentials(Kind::Ads, &Some("other".into()), &HashSet::new())), [""; 0]);
    assert_eq!(names(&index.keep_credentials(Kind::Ads, &None, &HashSet::new())), ["acme"]);
}

#[test]
fn what_is_seen_of_its_secrets_outlives_a_change_of_the_credential() {
    let mut index = watching(&[]);
    index.apply_secret(secret("acme"), meta("u", 5));
    index.apply_credential(credential("acme", 2));
    assert_eq!(index.sight(&secret("acme")).meta().unwrap().version.resource_version, "5");
}

#[test]
fn what_a_credential_no_longer_names_is_forgotten() {
    let mut index = watching(&[]);
    index.apply_secret(secret("key"), meta("u", 5));
    let mut changed = credential("acme", 2);
    changed.spec.private_key.secret_ref.name = "other-key".into();
    index.apply_credential(changed);
    assert!(index.apply_secret(secret("key"), meta("u", 6)).is_empty());
    assert_eq!(index.sight(&secret("key")), Sight::Unknown, "its events are no longer kept");
}

#[test]
fn where_watching_is_refused_secrets_are_polled_until_it_is_allowed() {
    let mut index = watching(&[]);
    assert_eq!(names(&index.secrets_polled(&None)), ["acme"]);
    assert!(index.secrets_polled(&None).is_empty(), "told once");
    assert!(index.is_polled("marketing"));
    assert_eq!(index.sight(&secret("acme")), Sight::Unknown);
    index.remove_secret(secret("acme"), None);
    assert_eq!(index.sight(&secret("acme")), Sight::Absent, "one look is remembered");
    index.secrets_listed(&None, &HashSet::new());
    assert!(!index.is_polled("marketing"));
}
