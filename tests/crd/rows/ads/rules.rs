//! What several fields may hold together: for each CEL rule what breaks it, and what comes closest and does not.

use serde_json::{Value, json};

use crate::rows::{Row, about, spec};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = apis();
    rows.extend(access_token());
    rows.extend(selection());
    rows.extend(ephemeral());
    rows.push(defaults_left_out());
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

fn selection() -> Vec<Row> {
    let organization = about("spec.organization.orgId", "must be absent where selection is Any");
    let account = about("spec.adAccount.id", "must be absent where selection is Any");
    vec![
        Row::refused(
            "an orgId where any organization will do",
            spec(json!({"organization": {"orgId": 40_669_820, "selection": "Any"}})),
            organization,
        ),
        Row::accepted("any organization", spec(json!({"organization": {"selection": "Any"}}))).under(organization),
        Row::accepted(
            "one organization by its orgId",
            spec(json!({"organization": {"orgId": 40_669_820, "selection": "One"}})),
        )
        .under(organization),
        Row::refused(
            "an id where any ad account will do",
            spec(json!({"adAccount": {"id": 9001, "selection": "Any"}})),
            account,
        ),
        Row::accepted("any ad account", spec(json!({"adAccount": {"selection": "Any"}}))).under(account),
        Row::accepted("one ad account by its id", spec(json!({"adAccount": {"id": 9001, "selection": "One"}})))
            .under(account),
        Row::accepted("another organization", spec(json!({"organization": {"orgId": 2}})))
            .after(spec(json!({"organization": {"orgId": 1}}))),
        Row::accepted("any organization after one", spec(json!({"organization": {"selection": "Any"}})))
            .after(spec(json!({"organization": {"orgId": 1}}))),
    ]
}

fn ephemeral() -> Vec<Row> {
    let renewal = about("spec.clientSecret.renewBefore", "must be absent in mode Ephemeral");
    let name = about("spec.clientSecret.secretName", "must be absent in mode Ephemeral");
    let of = |change: Value| spec(json!({ "clientSecret": change }));
    let all = |mode: &str| of(json!({"mode": mode, "lifetime": "720h", "renewBefore": "24h", "secretName": "signed"}));
    vec![
        Row::refused(
            "an ephemeral client secret that is renewed",
            of(json!({"mode": "Ephemeral", "renewBefore": "1s"})),
            renewal,
        ),
        Row::refused(
            "an ephemeral client secret that is stored",
            of(json!({"mode": "Ephemeral", "secretName": "signed"})),
            name,
        ),
        Row::accepted(
            "an ephemeral client secret with a lifetime",
            of(json!({"mode": "Ephemeral", "lifetime": "720h"})),
        )
        .under(renewal),
        Row::accepted("an ephemeral client secret", of(json!({"mode": "Ephemeral"}))).under(name),
        Row::accepted("a persistent client secret with every field", all("Persistent")).under(renewal),
        Row::accepted("a client secret that becomes ephemeral", of(json!({"mode": "Ephemeral"})))
            .after(all("Persistent")),
        Row::refused("a client secret that becomes ephemeral and keeps its name", all("Ephemeral"), name)
            .after(all("Persistent")),
        Row::accepted("a client secret that becomes persistent", all("Persistent"))
            .after(of(json!({"mode": "Ephemeral"}))),
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

/// What was written before a field with a default was there stays valid.
fn defaults_left_out() -> Row {
    let change = spec(json!({
        "privateKey": {"secretRef": {"name": "acme-key", "key": "key.pem"}},
        "apis": ["PlatformV1", "CampaignManagementV5"],
        "organization": {"orgId": 40_669_820},
        "adAccount": {"id": 9001},
        "clientSecret": {"renewBefore": "720h", "secretName": "signed"},
        "accessToken": {"renewBefore": "45m"},
        "secret": {"name": "token"},
    }));
    Row::accepted("every object, without the fields that have defaults", change)
}
