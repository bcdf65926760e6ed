//! The private key: where it is, who makes it, and the ids that Apple shows beside it.

use serde_json::{Value, json};

use super::{Row, about, spec};
use crate::document::within;

fn key(change: Value) -> Value {
    within(&["spec", "privateKey", "secretRef"], change)
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = key_reference();
    rows.extend(generation());
    rows.extend(absent_ids());
    rows
}

fn key_reference() -> Vec<Row> {
    let name = "spec.privateKey.secretRef.name";
    let entry = "spec.privateKey.secretRef.key";
    vec![
        Row::refused("no privateKey", spec(json!({"privateKey": null})), about("spec.privateKey", "Required value")),
        Row::refused(
            "a privateKey without a source",
            spec(json!({"privateKey": {"secretRef": null}})),
            about("spec.privateKey.secretRef", "Required value"),
        ),
        Row::refused("a source without a name", key(json!({"name": null})), about(name, "Required value")),
        Row::refused("a key Secret in capitals", key(json!({"name": "Acme"})), about(name, "should match '^[a-z0-9]")),
        Row::refused(
            "a key Secret ending in a hyphen",
            key(json!({"name": "acme-"})),
            about(name, "should match '^[a-z0-9]"),
        ),
        Row::refused(
            "a key Secret of another namespace",
            key(json!({"name": "other/acme-key"})),
            about(name, "should match '^[a-z0-9]"),
        ),
        Row::refused(
            "a key Secret's name of 254 characters",
            key(json!({"name": "a".repeat(254)})),
            about(name, "may not be more than 253"),
        ),
        Row::refused("an empty entry", key(json!({"key": ""})), about(entry, "should be at least")),
        Row::refused("an entry with a slash", key(json!({"key": "keys/private.pem"})), about(entry, "should match '^")),
        Row::refused(
            "an entry that leaves its folder",
            key(json!({"key": "..private"})),
            about(entry, "should match '^"),
        ),
        Row::refused("an entry that is a folder", key(json!({"key": "."})), about(entry, "should match '^")),
        Row::refused(
            "an entry of 254 characters",
            key(json!({"key": "a".repeat(254)})),
            about(entry, "may not be more than 253"),
        ),
        Row::accepted("an entry with a leading dot", key(json!({"key": ".key_1.pem"}))),
        Row::accepted("a key Secret with dots", key(json!({"name": "acme.ads.key"}))),
    ]
}

fn generation() -> Vec<Row> {
    let generate = "spec.privateKey.generate";
    let of = |change: Value| spec(json!({"privateKey": {"generate": change}}));
    vec![
        Row::refused("a key made at all times", of(json!("Always")), about(generate, "Unsupported value")),
        Row::refused("a key made by true", of(json!(true)), about(generate, "must be of type string")),
        Row::accepted("a key made if it is missing, and its ids", of(json!("IfMissing"))),
        Row::accepted("the operator told to make the next key", of(json!("IfMissing"))).after(json!({})),
        Row::accepted("the operator told to make no key", of(json!("Never"))).after(of(json!("IfMissing"))),
    ]
}

fn absent_ids() -> Vec<Row> {
    let client = about("spec.clientId", "Apple Ads shows the clientId under Account Settings › API");
    let team = about("spec.teamId", "Apple Ads shows the teamId under Account Settings › API");
    let key = about("spec.keyId", "Apple Ads shows the keyId under Account Settings › API");
    let none = |generate: &str| {
        spec(json!({
            "clientId": null, "teamId": null, "keyId": null,
            "privateKey": {"generate": generate},
        }))
    };
    let without = |id: &str| {
        let mut change = spec(json!({"privateKey": {"generate": "IfMissing"}}));
        change["spec"][id] = Value::Null;
        change
    };
    vec![
        Row::refused("no clientId", spec(json!({"clientId": null})), client),
        Row::refused("no teamId", spec(json!({"teamId": null})), team),
        Row::refused("no keyId", spec(json!({"keyId": null})), key),
        Row::refused(
            "no ids, and no key made",
            none("Never"),
            about("spec.keyId", "while privateKey.generate is IfMissing"),
        ),
        Row::accepted("no clientId while the key is made", without("clientId")).under(client),
        Row::accepted("no teamId while the key is made", without("teamId")).under(team),
        Row::accepted("no keyId while the key is made", without("keyId")).under(key),
        Row::accepted("no ids while the key is made", none("IfMissing")),
        Row::accepted("ids for the key that was made", json!({})).after(none("IfMissing")),
        Row::refused("the operator told to make no key while the ids are missing", none("Never"), client)
            .after(none("IfMissing")),
        Row::refused("an id taken away", spec(json!({"keyId": null})), key).after(json!({})),
    ]
}
