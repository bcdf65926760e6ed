//! The managed Secret: its name, what it carries, and what becomes of it.

use serde_json::{Value, json};

use crate::rows::{Row, about, spec};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = names();
    rows.extend(the_keys_secret());
    rows.extend(renames());
    rows.extend(formats());
    rows.extend(policies());
    rows
}

fn names() -> Vec<Row> {
    vec![
        Row::refused(
            "a Secret in capitals",
            spec(json!({"secret": {"name": "Acme"}})),
            about("spec.secret.name", "should match '^[a-z0-9]"),
        ),
        Row::refused(
            "a Secret of another namespace",
            spec(json!({"secret": {"name": "other/token"}})),
            about("spec.secret.name", "should match '^[a-z0-9]"),
        ),
        Row::refused(
            "a Secret without a name",
            spec(json!({"secret": {"name": ""}})),
            about("spec.secret.name", "should be at least"),
        ),
        Row::refused(
            "a Secret's name of 254 characters",
            spec(json!({"secret": {"name": "a".repeat(254)}})),
            about("spec.secret.name", "may not be more than 253"),
        ),
        Row::accepted("a Secret's name of 253 characters", spec(json!({"secret": {"name": "a".repeat(253)}}))),
        Row::accepted("a secret with its defaults", spec(json!({"secret": {}}))),
    ]
}

fn the_keys_secret() -> Vec<Row> {
    let rule =
        about("spec.privateKey.secretRef.name", "is published in (spec.secret.name, by default the resource's name)");
    let with = |key: &str, secret: Value| {
        spec(json!({"privateKey": {"secretRef": {"name": key}}, "secret": {"name": secret}}))
    };
    let token = |name: &str| spec(json!({"secret": {"name": name}}));
    vec![
        Row::refused("the key's Secret as the token's by default", with("acme", Value::Null), rule),
        Row::refused("the key's Secret as the token's", with("one", json!("one")), rule),
        Row::accepted("a key's Secret of the resource's name, and another for the token", with("acme", json!("token")))
            .under(rule),
        Row::refused("the Secret renamed to the key's", token("acme-key"), rule).after(token("one")),
    ]
}

fn renames() -> Vec<Row> {
    let token = |name: &str| spec(json!({"secret": {"name": name}}));
    vec![
        Row::accepted("the Secret renamed", token("two")).after(token("one")),
        Row::accepted("the Secret given a name", token("one")).after(json!({})),
        Row::accepted("the Secret's name taken away", json!({})).after(token("one")),
    ]
}

fn formats() -> Vec<Row> {
    let of = |formats: Value| spec(json!({"secret": {"formats": formats}}));
    vec![
        Row::refused("an unknown format", of(json!(["Yaml"])), about("spec.secret.formats[0]", "Unsupported value")),
        Row::refused(
            "a format outside a list",
            of(json!("Json")),
            about("spec.secret.formats", "must be of type array"),
        ),
        Row::refused(
            "one format twice",
            of(json!(["Json", "Json"])),
            about("spec.secret.formats[1]", "Duplicate value"),
        ),
        Row::refused(
            "four formats",
            of(json!(["Json", "Dotenv", "CurlConfig", "Json"])),
            about("spec.secret.formats", "must have at most 3"),
        ),
        Row::accepted("every format, in any order", of(json!(["CurlConfig", "Json", "Dotenv"]))),
        Row::accepted("an empty list of formats", of(json!([]))),
    ]
}

fn policies() -> Vec<Row> {
    let of = |secret: Value| spec(json!({ "secret": secret }));
    vec![
        Row::refused(
            "every Secret taken over",
            of(json!({"adoption": "Always"})),
            about("spec.secret.adoption", "Unsupported value"),
        ),
        Row::refused(
            "a Secret that is to be orphaned",
            of(json!({"deletionPolicy": "Orphan"})),
            about("spec.secret.deletionPolicy", "Unsupported value"),
        ),
        Row::accepted(
            "a retained Secret, to be taken over again",
            of(json!({"adoption": "IfUnowned", "deletionPolicy": "Retain"})),
        ),
        Row::accepted("a Secret that is no longer retained", of(json!({"deletionPolicy": "Delete"})))
            .after(of(json!({"deletionPolicy": "Retain"}))),
    ]
}
