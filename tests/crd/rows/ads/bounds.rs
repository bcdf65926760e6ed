//! What a single field may hold.

use serde_json::json;

use crate::rows::{Row, about, spec};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = ids();
    rows.extend(choices());
    rows
}

fn ids() -> Vec<Row> {
    vec![
        Row::refused("an empty clientId", spec(json!({"clientId": ""})), about("spec.clientId", "should be at least")),
        Row::refused(
            "a clientId with a blank",
            spec(json!({"clientId": "SEARCHADS.27478e71 3bb0"})),
            about("spec.clientId", "should match '^[A-Za-z0-9]"),
        ),
        Row::refused(
            "a clientId with a line break at its end",
            spec(json!({"clientId": "SEARCHADS.27478e71\n"})),
            about("spec.clientId", "should match '^[A-Za-z0-9]"),
        ),
        Row::refused(
            "a clientId of 129 characters",
            spec(json!({"clientId": "a".repeat(129)})),
            about("spec.clientId", "may not be more than 128"),
        ),
        Row::refused(
            "a teamId that brings a parameter of its own",
            spec(json!({"teamId": "SEARCHADS.1&scope=all"})),
            about("spec.teamId", "should match '^[A-Za-z0-9]"),
        ),
        Row::refused(
            "a keyId that is a number",
            spec(json!({"keyId": 12})),
            about("spec.keyId", "must be of type string"),
        ),
        Row::refused(
            "a keyId in quotes",
            spec(json!({"keyId": "\"bacaebda\""})),
            about("spec.keyId", "should match '^[A-Za-z0-9]"),
        ),
        Row::accepted(
            "ids that are no uuids, like Apple's own examples",
            spec(json!({"clientId": "SEARCHADS.27478e71-3bb0-4588-998c-182e2b405577zz", "keyId": "bacaebda"})),
        ),
    ]
}

fn choices() -> Vec<Row> {
    vec![
        Row::refused(
            "an unknown API",
            spec(json!({"apis": ["PlatformV2"]})),
            about("spec.apis[0]", "Unsupported value"),
        ),
        Row::refused("no API at all", spec(json!({"apis": []})), about("spec.apis", "should have at least 1")),
        Row::refused(
            "three APIs",
            spec(json!({"apis": ["PlatformV1", "CampaignManagementV5", "PlatformV1"]})),
            about("spec.apis", "must have at most 2"),
        ),
        Row::refused(
            "an API outside a list",
            spec(json!({"apis": "PlatformV1"})),
            about("spec.apis", "must be of type array"),
        ),
        Row::accepted("an organization that is left to its defaults", spec(json!({"organization": {}}))),
        Row::refused(
            "another selection of the organization",
            spec(json!({"organization": {"selection": "All"}})),
            about("spec.organization.selection", "Unsupported value"),
        ),
        Row::refused(
            "an orgId that brings a header of its own",
            spec(json!({"organization": {"orgId": "123;orgId=9"}})),
            about("spec.organization.orgId", "must be of type integer"),
        ),
        Row::refused(
            "an orgId of zero",
            spec(json!({"organization": {"orgId": 0}})),
            about("spec.organization.orgId", "should be greater than or equal to 1"),
        ),
        Row::refused(
            "an orgId that not every JSON reader carries",
            spec(json!({"organization": {"orgId": 9_007_199_254_740_992_i64}})),
            about("spec.organization.orgId", "should be less than or equal to"),
        ),
        Row::refused(
            "half an orgId",
            spec(json!({"organization": {"orgId": 1.5}})),
            about("spec.organization.orgId", "must be of type int"),
        ),
        Row::accepted("the largest orgId", spec(json!({"organization": {"orgId": 9_007_199_254_740_991_i64}}))),
        Row::accepted("an ad account that is left to its defaults", spec(json!({"adAccount": {}}))),
        Row::refused(
            "another selection of the ad account",
            spec(json!({"adAccount": {"selection": "one"}})),
            about("spec.adAccount.selection", "Unsupported value"),
        ),
        Row::refused(
            "a negative ad account",
            spec(json!({"adAccount": {"id": -9001}})),
            about("spec.adAccount.id", "should be greater than or equal to 1"),
        ),
        Row::refused(
            "another mode of the client secret",
            spec(json!({"clientSecret": {"mode": "Forever"}})),
            about("spec.clientSecret.mode", "Unsupported value"),
        ),
        Row::refused(
            "a renewBefore of the token in words",
            spec(json!({"accessToken": {"renewBefore": "half"}})),
            about("spec.accessToken.renewBefore", "should match '^([0-9]"),
        ),
    ]
}
