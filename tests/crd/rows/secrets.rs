//! The Secrets that are written: their names, which differ, and what becomes of the managed one.

use serde_json::{Value, json};

use super::{Row, about, spec};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = secret_names();
    rows.extend(three_secrets());
    rows.extend(long_names());
    rows.extend(renames());
    rows.extend(formats());
    rows.extend(policies());
    rows
}

fn secret_names() -> Vec<Row> {
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
            "a client secret's Secret with an underscore",
            spec(json!({"clientSecret": {"secretName": "acme_client"}})),
            about("spec.clientSecret.secretName", "should match '^[a-z0-9]"),
        ),
        Row::accepted("a secret with its defaults", spec(json!({"secret": {}}))),
        Row::accepted(
            "objects that leave everything to their defaults",
            spec(json!({"clientSecret": {}, "accessToken": {}})),
        ),
    ]
}

fn three_secrets() -> Vec<Row> {
    let key = about("spec.privateKey.secretRef.name", "must not be the Secret that the access token is published in");
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
        Row::refused("the key's Secret as the token's by default", with("acme", default.clone(), default.clone()), key),
        Row::refused("the key's Secret as the token's", with("one", json!("one"), default.clone()), key),
        Row::accepted(
            "a key's Secret of the resource's name, and another for the token",
            with("acme", json!("token"), default.clone()),
        )
        .under(key),
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
    let token = |name: &str| spec(json!({"secret": {"name": name}}));
    let signed = |name: &str| spec(json!({"clientSecret": {"secretName": name}}));
    let both =
        |token: &str, signed: &str| spec(json!({"secret": {"name": token}, "clientSecret": {"secretName": signed}}));
    vec![
        Row::accepted("the Secret renamed", token("two")).after(token("one")),
        Row::accepted("the Secret given a name", token("one")).after(json!({})),
        Row::accepted("the Secret's name taken away", json!({})).after(token("one")),
        Row::accepted("the client secret's Secret renamed", signed("two")).after(signed("one")),
        Row::accepted("the client secret's Secret given a name", signed("one")).after(json!({})),
        Row::accepted("the client secret's Secret's name taken away", json!({})).after(signed("one")),
        Row::accepted("both Secrets under each other's name", both("two", "one")).after(both("one", "two")),
        Row::refused(
            "the Secret renamed to the key's",
            token("acme-key"),
            about("spec.privateKey.secretRef.name", "must not be the Secret that the access token is published in"),
        )
        .after(token("one")),
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
