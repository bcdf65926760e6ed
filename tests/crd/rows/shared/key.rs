//! The private key: where it is.

use serde_json::{Value, json};

use crate::document::within;
use crate::rows::{Row, about, spec};

fn key(change: Value) -> Value {
    within("spec.privateKey.secretRef", change)
}

pub(super) fn rows() -> Vec<Row> {
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
