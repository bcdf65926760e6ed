//! The names of the Secrets that are written, which differ: the client secret needs one of its own.

use serde_json::{Value, json};

use crate::rows::{Row, about, spec};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = secret_names();
    rows.extend(three_secrets());
    rows.extend(long_names());
    rows.extend(renames());
    rows
}

fn secret_names() -> Vec<Row> {
    vec![
        Row::refused(
            "a client secret's Secret with an underscore",
            spec(json!({"clientSecret": {"secretName": "acme_client"}})),
            about("spec.clientSecret.secretName", "should match '^[a-z0-9]"),
        ),
        Row::accepted(
            "objects that leave everything to their defaults",
            spec(json!({"clientSecret": {}, "accessToken": {}})),
        ),
    ]
}

fn three_secrets() -> Vec<Row> {
    let client = about("spec.clientSecret.secretName", "must not be the private key's Secret");
    let both = about("spec.secret.name", "must differ from spec.clientSecret.secretName");
    let with = |key: &str, secret: Value, client: Value| {
        spec(json!({
            "privateKey": {"secretRef": {"name": key}},
            "secret": {"name": secret},
            "clientSecret": {"secretName": client},
        }))
    };
    let default = Value::Null;
    let ephemeral = json!({"mode": "Ephemeral"});
    vec![
        Row::refused(
            "the key's Secret as the client secret's by default",
            with("acme-client-secret", default.clone(), default.clone()),
            client,
        ),
        Row::refused("the key's Secret as the client secret's", with("one", default.clone(), json!("one")), client),
        Row::accepted(
            "a key's Secret of the client secret's default name, and another for that",
            with("acme-client-secret", default.clone(), json!("signed")),
        )
        .under(client),
        Row::refused(
            "the token's Secret as the client secret's by default",
            with("acme-key", json!("acme-client-secret"), default.clone()),
            both,
        ),
        Row::refused(
            "the client secret's Secret as the token's by default",
            with("acme-key", default.clone(), json!("acme")),
            both,
        ),
        Row::accepted(
            "a token's Secret of the client secret's default name, and another for that",
            with("acme-key", json!("acme-client-secret"), json!("signed")),
        )
        .under(both),
        Row::accepted("the key's Secret under the default name of a client secret that is not stored", {
            let mut change = with("acme-client-secret", default.clone(), default.clone());
            change["spec"]["clientSecret"] = ephemeral.clone();
            change
        })
        .under(client),
        Row::accepted("the token's Secret under the default name of a client secret that is not stored", {
            let mut change = with("acme-key", json!("acme-client-secret"), default);
            change["spec"]["clientSecret"] = ephemeral;
            change
        })
        .under(both),
    ]
}

fn long_names() -> Vec<Row> {
    let rule = about("metadata.name", "must have at most 239 characters");
    let named = |length| json!({"metadata": {"name": "a".repeat(length)}});
    let mut with_secret_name = named(253);
    with_secret_name["spec"] = json!({"clientSecret": {"secretName": "signed"}});
    let mut ephemeral = named(253);
    ephemeral["spec"] = json!({"clientSecret": {"mode": "Ephemeral"}});
    vec![
        Row::refused("a name of 240 characters", named(240), rule),
        Row::accepted("a name of 239 characters", named(239)).under(rule),
        Row::accepted("a name of 253 characters and a secretName", with_secret_name).under(rule),
        Row::accepted("a name of 253 characters and a client secret that is not stored", ephemeral).under(rule),
    ]
}

fn renames() -> Vec<Row> {
    let signed = |name: &str| spec(json!({"clientSecret": {"secretName": name}}));
    let both =
        |token: &str, signed: &str| spec(json!({"secret": {"name": token}, "clientSecret": {"secretName": signed}}));
    vec![
        Row::accepted("the client secret's Secret renamed", signed("two")).after(signed("one")),
        Row::accepted("the client secret's Secret given a name", signed("one")).after(json!({})),
        Row::accepted("the client secret's Secret's name taken away", json!({})).after(signed("one")),
        Row::accepted("both Secrets under each other's name", both("two", "one")).after(both("one", "two")),
    ]
}
