//! What several fields may hold together: for each CEL rule what breaks it, and what comes closest and does not.

use serde_json::{Value, json};

use crate::rows::{Row, about, spec};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = issuers();
    rows.extend(programs());
    rows.extend(long_lives());
    rows.extend(long_lives_of_enterprise());
    rows.push(defaults_left_out());
    rows
}

/// A token that lives so long, for these requests.
fn token(lifetime: &str, scope: &Value) -> Value {
    json!({"lifetime": lifetime, "scope": scope})
}

fn issuers() -> Vec<Row> {
    let forbidden = about("spec.issuerId", "must be absent with an individual key");
    let required = about("spec.issuerId", "is shown above the team keys in App Store Connect");
    let individual = spec(json!({"keyType": "Individual", "issuerId": null}));
    vec![
        Row::refused("an individual key with an issuerId", spec(json!({"keyType": "Individual"})), forbidden),
        Row::accepted("an individual key without an issuerId", individual.clone()).under(forbidden),
        Row::accepted("an issuerId with a key that is said to be the team's", spec(json!({"keyType": "Team"})))
            .under(forbidden),
        Row::refused("no issuerId", spec(json!({"issuerId": null})), required),
        Row::refused("a team key without an issuerId", spec(json!({"keyType": "Team", "issuerId": null})), required),
        Row::accepted("an individual key has no issuer", individual.clone()).under(required),
        Row::refused(
            "a key that becomes an individual's and keeps its issuerId",
            spec(json!({"keyType": "Individual"})),
            forbidden,
        )
        .after(json!({})),
        Row::accepted("a key that becomes an individual's", individual.clone()).after(json!({})),
        Row::accepted("a key that becomes the team's", json!({})).after(individual.clone()),
        Row::refused("a key that becomes the team's without an issuerId", spec(json!({"issuerId": null})), required)
            .after(individual),
    ]
}

fn programs() -> Vec<Row> {
    let rule = about("spec.keyType", "must be Team: the Enterprise Program has no individual keys");
    let of = |program: &str, key_type: &str, issuer: Value| {
        spec(json!({"program": program, "keyType": key_type, "issuerId": issuer}))
    };
    let issuer = json!("57246542-96fe-1a63-e053-0824d011072a");
    vec![
        Row::refused("an individual key of the Enterprise Program", of("Enterprise", "Individual", Value::Null), rule),
        Row::accepted("a team key of the Enterprise Program", of("Enterprise", "Team", issuer)).under(rule),
        Row::accepted("an individual key of App Store Connect", of("AppStore", "Individual", Value::Null)).under(rule),
        Row::refused(
            "an individual key that moves to the Enterprise Program",
            of("Enterprise", "Individual", Value::Null),
            rule,
        )
        .after(of("AppStore", "Individual", Value::Null)),
    ]
}

fn long_lives() -> Vec<Row> {
    let rule = about("spec.token.lifetime", "must be at most 20m unless scope lists what the token may be used for");
    let of = |lifetime: &str, scope: Value| spec(json!({"token": token(lifetime, &scope)}));
    let read = json!(["GET /v1/ciProducts", "GET /v1/ciBuildRuns?limit=1"]);
    let mixed = json!(["GET /v1/ciProducts", "POST /v1/ciBuildRuns"]);
    vec![
        Row::refused("a token of 21 minutes for everything", of("21m", Value::Null), rule),
        Row::refused("a token of a second over 20 minutes for everything", of("1201s", Value::Null), rule),
        Row::accepted("a token of 20 minutes for everything", of("20m", Value::Null)).under(rule),
        Row::accepted("a token of 20 minutes in seconds", of("1200s", Value::Null)).under(rule),
        Row::refused("a token of 21 minutes with an empty scope", of("21m", json!([])), rule),
        Row::refused("a token of 21 minutes that writes", of("21m", json!(["POST /v1/ciBuildRuns"])), rule),
        Row::refused("a token of 21 minutes that reads and writes", of("21m", mixed.clone()), rule),
        Row::accepted("a token of 20 minutes that reads and writes", of("20m", mixed.clone())).under(rule),
        Row::accepted("a token of 21 minutes that reads", of("21m", read.clone())).under(rule),
        Row::accepted("a token of 180 days that reads", of("4320h", read.clone())).under(rule),
        Row::refused("a long-lived token that loses its scope", of("720h", Value::Null), rule)
            .after(of("720h", read.clone())),
        Row::refused("a long-lived token that comes to write", of("720h", mixed), rule).after(of("720h", read.clone())),
        Row::accepted("a token that becomes long-lived", of("720h", read.clone())).after(of("20m", read.clone())),
        Row::accepted("a token that is long-lived no more", json!({})).after(of("720h", read)),
    ]
}

fn long_lives_of_enterprise() -> Vec<Row> {
    let rule = about("spec.token.lifetime", "must be at most 20m: the Enterprise Program takes no longer tokens");
    let of = |program: &str, lifetime: &str, scope: Value| {
        spec(json!({"program": program, "token": token(lifetime, &scope)}))
    };
    let read = json!(["GET /v1/bundleIds"]);
    vec![
        Row::refused("an Enterprise token of 21 minutes that reads", of("Enterprise", "21m", read.clone()), rule),
        Row::refused("an Enterprise token of 21 minutes for everything", of("Enterprise", "21m", Value::Null), rule),
        Row::accepted("an Enterprise token of 20 minutes that reads", of("Enterprise", "20m", read.clone()))
            .under(rule),
        Row::accepted("an Enterprise token of 20 minutes for everything", of("Enterprise", "20m", Value::Null))
            .under(rule),
        Row::accepted("a token of App Store Connect of 21 minutes", of("AppStore", "21m", read.clone())).under(rule),
        Row::refused("a long-lived token that moves to Enterprise", of("Enterprise", "720h", read.clone()), rule)
            .after(of("AppStore", "720h", read)),
    ]
}

/// What was written before a field with a default was there stays valid.
fn defaults_left_out() -> Row {
    let change = spec(json!({
        "privateKey": {"secretRef": {"name": "acme-key", "key": "AuthKey_2X9R4HXF34.p8"}},
        "token": {"renewBefore": "15m"},
        "secret": {"name": "token"},
    }));
    Row::accepted("every object, without the fields that have defaults", change)
}
