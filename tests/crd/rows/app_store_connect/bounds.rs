//! What a single field may hold.

use serde_json::{Value, json};

use crate::rows::{Row, about, spec};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = key_ids();
    rows.extend(issuer_ids());
    rows.extend(choices());
    rows.extend(names());
    rows
}

fn key_ids() -> Vec<Row> {
    let path = "spec.keyId";
    let refused = |name, id: Value, text| Row::refused(name, spec(json!({ "keyId": id })), about(path, text));
    let accepted = |name, id: &str| Row::accepted(name, spec(json!({ "keyId": id })));
    vec![
        refused("no keyId", Value::Null, "Required value"),
        refused("an empty keyId", json!(""), "should be at least 10"),
        refused("a keyId of 9 characters", json!("2X9R4HXF3"), "should be at least 10"),
        refused("a keyId of 11 characters", json!("2X9R4HXF345"), "may not be more than 10"),
        refused("a keyId in lower case", json!("2x9r4hxf34"), "should match '^[A-Z0-9]"),
        refused("a keyId with a blank at its end", json!("2X9R4HXF3 "), "should match '^[A-Z0-9]"),
        refused("a keyId with a line break at its end", json!("2X9R4HXF3\n"), "should match '^[A-Z0-9]"),
        refused("a keyId with a letter beyond ASCII", json!("2X9R4HXFÄ4"), "should match '^[A-Z0-9]"),
        refused("a keyId that is a number", json!(1_234_567_890), "must be of type string"),
        refused("the name of the file with the key", json!("AuthKey_2X9R4HXF34.p8"), "may not be more than 10"),
        accepted("a keyId of digits alone", "1234567890"),
        accepted("a keyId of letters alone", "ABCDEFGHIJ"),
    ]
}

fn issuer_ids() -> Vec<Row> {
    let path = "spec.issuerId";
    let form = "should match '^[0-9A-Za-z-]{36}$'";
    let refused = |name, id: Value, text| Row::refused(name, spec(json!({ "issuerId": id })), about(path, text));
    let accepted = |name, id: &str| Row::accepted(name, spec(json!({ "issuerId": id })));
    vec![
        refused("an empty issuerId", json!(""), "should be at least 36"),
        refused("an issuerId without its hyphens", json!("5724654296fe1a63e0530824d011072a"), "should be at least 36"),
        refused("an issuerId of 35 characters", json!("a".repeat(35)), "should be at least 36"),
        refused("an issuerId of 37 characters", json!("a".repeat(37)), "may not be more than 36"),
        refused("an issuerId in braces", json!("{57246542-96fe-1a63-e053-0824d011072a}"), "may not be more than 36"),
        refused("an issuerId with a blank", json!("57246542 96fe-1a63-e053-0824d011072a"), form),
        refused("an issuerId with a line break at its end", json!("57246542-96fe-1a63-e053-0824d011072\n"), form),
        refused("an issuerId with a quotation mark", json!("57246542\"96fe-1a63-e053-0824d011072a"), form),
        refused("an issuerId that is a number", json!(57_246_542), "must be of type string"),
        accepted("an issuerId in capitals", "57246542-96FE-1A63-E053-0824D011072A"),
        accepted("an issuerId that is no uuid, like Apple's own examples", "57246542-96fe-1a63-e053-0824d011072z"),
    ]
}

fn choices() -> Vec<Row> {
    let unknown = |name, field: &'static str, path, value: &str| {
        Row::refused(name, spec(json!({ field: value })), about(path, "Unsupported value"))
    };
    let of = |field: &'static str, value: &str| spec(json!({ field: value }));
    vec![
        unknown("an unknown program", "program", "spec.program", "AppleAds"),
        unknown("an empty program", "program", "spec.program", ""),
        unknown("a program in lower case", "program", "spec.program", "enterprise"),
        unknown("an unknown type of key", "keyType", "spec.keyType", "User"),
        unknown("an unknown verification", "verify", "spec.verify", "Always"),
        Row::refused(
            "a verification that is turned off by false",
            spec(json!({"verify": false})),
            about("spec.verify", "must be of type string"),
        ),
        Row::accepted("the Enterprise Program", of("program", "Enterprise")),
        Row::accepted("another program", of("program", "AppStore")).after(of("program", "Enterprise")),
        Row::accepted("a key that is never asked about", of("verify", "None")),
        Row::accepted("a key that is asked about after all", of("verify", "Probe")).after(of("verify", "None")),
    ]
}

fn names() -> Vec<Row> {
    vec![Row::accepted("a name of 253 characters", json!({"metadata": {"name": "a".repeat(253)}}))]
}
