//! What several fields may hold together: for each CEL rule what breaks it, and what comes closest and does not.

use serde_json::{Value, json};

use super::{Row, about, spec};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = apis();
    rows.extend(client_secret());
    rows.extend(access_token());
    rows.extend(three_secrets());
    rows.extend(long_names());
    rows.extend(changes_of_the_secret());
    rows.extend(changes_of_the_client_secret());
    rows
}

fn apis() -> Vec<Row> {
    let twice = about("spec.apis", "must not name an API twice");
    let organization = about("spec.organization", "chooses among the campaign groups");
    let account = about("spec.adAccount", "chooses among the ad accounts");
    vec![
        Row::refused("one API twice", spec(json!({"apis": ["PlatformV1", "PlatformV1"]})), twice),
        Row::accepted("both APIs in the other order", spec(json!({"apis": ["CampaignManagementV5", "PlatformV1"]})))
            .under(twice),
        Row::refused(
            "an organization where only the Platform API is in use",
            spec(json!({"apis": ["PlatformV1"], "organization": {"orgId": 40_669_820}})),
            organization,
        ),
        Row::accepted(
            "an organization where only API v5 is in use",
            spec(json!({"apis": ["CampaignManagementV5"], "organization": {"orgId": 40_669_820}})),
        )
        .under(organization),
        Row::accepted(
            "an organization where both APIs are in use by default",
            spec(json!({"organization": {"orgId": 40_669_820}})),
        )
        .under(organization),
        Row::refused(
            "an ad account where only API v5 is in use",
            spec(json!({"apis": ["CampaignManagementV5"], "adAccount": {"id": 9001}})),
            account,
        ),
        Row::accepted(
            "an ad account where only the Platform API is in use",
            spec(json!({"apis": ["PlatformV1"], "adAccount": {"id": 9001}})),
        )
        .under(account),
        Row::accepted("an ad account where both APIs are in use by default", spec(json!({"adAccount": {"id": 9001}})))
            .under(account),
    ]
}

fn client_secret() -> Vec<Row> {
    let life = about("spec.clientSecret.lifetime", "must be between 60s and 4320h");
    let renewal = about("spec.clientSecret.renewBefore", "must be between 1s and 4320h");
    let shorter = about("spec.clientSecret.renewBefore", "must be shorter than lifetime");
    let of = |change: Value| spec(json!({ "clientSecret": change }));
    vec![
        Row::refused("a lifetime under a minute", of(json!({"lifetime": "59.9s"})), life),
        Row::accepted("a lifetime of a minute", of(json!({"lifetime": "60s"}))).under(life),
        Row::refused("a lifetime over 180 days", of(json!({"lifetime": "4320h1s"})), life),
        Row::accepted("a lifetime of 180 days", of(json!({"lifetime": "4320h"}))).under(life),
        Row::refused("a lifetime that overflows a duration", of(json!({"lifetime": "99999999999999999999h"})), life),
        Row::refused("a renewal at the very end", of(json!({"renewBefore": "0s"})), renewal),
        Row::refused("a renewal years before", of(json!({"renewBefore": "99999h"})), renewal),
        Row::accepted("a renewal in the last second", of(json!({"renewBefore": "1s"}))).under(renewal),
        Row::refused("a renewBefore as long as the default lifetime", of(json!({"renewBefore": "4296h"})), shorter),
        Row::refused(
            "a renewBefore longer than a lifetime in another unit",
            of(json!({"lifetime": "1h", "renewBefore": "61m"})),
            shorter,
        ),
        Row::accepted(
            "a renewBefore just shorter than the default lifetime",
            of(json!({"renewBefore": "4295h59m59s"})),
        )
        .under(shorter),
    ]
}

fn access_token() -> Vec<Row> {
    let rule = about("spec.accessToken.renewBefore", "must be between 1s and 60m");
    let of = |value: &str| spec(json!({"accessToken": {"renewBefore": value}}));
    vec![
        Row::refused("a token renewed half a second before its end", of("0.5s"), rule),
        Row::refused("a token renewed before it was issued", of("60m1s"), rule),
        Row::accepted("a token renewed a second before its end", of("1s")).under(rule),
        Row::accepted("a token renewed all the time", of("1h")).under(rule),
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
            with("acme-key", default, json!("acme")),
            both,
        ),
        Row::accepted(
            "a token's Secret of the client secret's default name, and another for that",
            with("acme-key", json!("acme-client-secret"), json!("signed")),
        )
        .under(both),
    ]
}

fn long_names() -> Vec<Row> {
    let rule = about("metadata.name", "must have at most 239 characters");
    let named = |length| json!({"metadata": {"name": "a".repeat(length)}});
    let mut with_secret_name = named(253);
    with_secret_name["spec"] = json!({"clientSecret": {"secretName": "signed"}});
    vec![
        Row::refused("a name of 240 characters", named(240), rule),
        Row::accepted("a name of 239 characters", named(239)).under(rule),
        Row::accepted("a name of 253 characters and a secretName", with_secret_name).under(rule),
    ]
}

fn changes_of_the_secret() -> Vec<Row> {
    let rule =
        about("spec.secret.name", "must not change, as readers of the old Secret would be left with an expired token");
    let named = |name: Value| spec(json!({"secret": {"name": name}}));
    let (default, one, two) = (json!({}), named(json!("one")), named(json!("two")));
    vec![
        Row::refused("the Secret renamed", two, rule).after(one.clone()),
        Row::refused("the Secret given a name", one.clone(), rule).after(default.clone()),
        Row::refused("the Secret's name taken away", default.clone(), rule).after(one.clone()),
        Row::accepted("the Secret's name as it was", one.clone()).under(rule).after(one),
        Row::accepted("the Secret's default name written out", named(json!("acme"))).under(rule).after(default),
    ]
}

fn changes_of_the_client_secret() -> Vec<Row> {
    let rule =
        about("spec.clientSecret.secretName", "readers of the old Secret would be left with an expired client secret");
    let named = |name: Value| spec(json!({"clientSecret": {"secretName": name}}));
    let (default, one, two) = (json!({}), named(json!("one")), named(json!("two")));
    vec![
        Row::refused("the client secret's Secret renamed", two, rule).after(one.clone()),
        Row::refused("the client secret's Secret given a name", one.clone(), rule).after(default.clone()),
        Row::refused("the client secret's Secret's name taken away", default.clone(), rule).after(one.clone()),
        Row::accepted("another lifetime under the same name", {
            let mut change = one.clone();
            change["spec"]["clientSecret"]["lifetime"] = json!("720h");
            change
        })
        .under(rule)
        .after(one),
        Row::accepted("the client secret's Secret's default name written out", named(json!("acme-client-secret")))
            .under(rule)
            .after(default.clone()),
        Row::accepted("another key's Secret", spec(json!({"privateKey": {"secretRef": {"name": "new-key"}}})))
            .under(rule)
            .after(default),
    ]
}
