//! The private key: who makes it, and the ids that Apple shows beside it.

use serde_json::{Value, json};

use crate::rows::{Row, about, spec};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = generation();
    rows.extend(absent_ids());
    rows
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
