//! What a token may be used for: entries of a method and a path.

use serde_json::{Value, json};

use crate::document::within;
use crate::rows::{Row, about};

const SCOPE: &str = "spec.token.scope";

pub(super) fn rows() -> Vec<Row> {
    let mut rows = forms();
    rows.extend(methods());
    rows.extend(amounts());
    rows
}

fn scope(entries: Value) -> Value {
    within(SCOPE, entries)
}

fn forms() -> Vec<Row> {
    let form = about("spec.token.scope[0]", "should match '^(GET|POST|PATCH|PUT|DELETE) /");
    let refused = |name, entry: &str| Row::refused(name, scope(json!([entry])), form);
    let accepted = |name, entry: &str| Row::accepted(name, scope(json!([entry])));
    vec![
        refused("a scope entry with a blank in its path", "GET /v1/apps and more"),
        refused("a scope entry with a blank at its end", "GET /v1/apps "),
        refused("a scope entry with a blank before it", " GET /v1/apps"),
        refused("a scope entry with two blanks", "GET  /v1/apps"),
        refused("a scope entry with a tab", "GET\t/v1/apps"),
        refused("a scope entry with a line break at its end", "GET /v1/apps\n"),
        refused("a scope entry with a second line", "GET /v1/apps\nPOST /v1/apps"),
        refused("a scope entry with a control character", "GET /v1/apps\u{7}"),
        refused("a scope entry with a DEL", "GET /v1/apps\u{7f}"),
        refused("a scope entry with a letter beyond ASCII", "GET /v1/äpps"),
        refused("a scope entry with a quotation mark", "GET /v1/apps?filter[name]=\"a\""),
        refused("a scope entry with a backslash", "GET /v1\\apps"),
        refused("a scope entry without a method", "/v1/apps"),
        refused("a scope entry without a path", "DELETE"),
        refused("a scope entry whose path begins without a slash", "GET v1/apps"),
        refused("a scope entry with a whole URL", "GET https://api.appstoreconnect.apple.com/v1/apps"),
        accepted("a scope entry with the shortest path", "GET /"),
        accepted("a scope entry with a query, as Apple shows it", "GET /v1/apps?filter[platform]=IOS"),
        accepted("a scope entry with several values and escapes", "GET /v1/apps?filter[sku]=a,b%20c&limit=200"),
    ]
}

fn methods() -> Vec<Row> {
    let form = about("spec.token.scope[1]", "should match '^(GET|POST|PATCH|PUT|DELETE) /");
    let after_a_good_one = |name, entry: &str| Row::refused(name, scope(json!(["GET /v1/apps", entry])), form);
    vec![
        after_a_good_one("a scope entry with an unknown method", "HEAD /v1/apps"),
        after_a_good_one("a scope entry with a method in lower case", "get /v1/apps"),
        after_a_good_one("a scope entry with two methods", "GET|POST /v1/apps"),
        after_a_good_one("a scope entry for any method", "* /v1/apps"),
        Row::accepted(
            "a scope entry of each method",
            scope(json!(["GET /v1/apps", "POST /v1/apps", "PATCH /v1/apps", "PUT /v1/apps", "DELETE /v1/apps"])),
        ),
    ]
}

fn amounts() -> Vec<Row> {
    let long = |length: usize, number: usize| format!("GET /{number:0>width$}", width = length - 5);
    let many = |count: usize, length: usize| scope((1..=count).map(|number| json!(long(length, number))).collect());
    let mut longest_lived = many(32, 512);
    longest_lived["spec"]["token"]["lifetime"] = json!("4320h");
    vec![
        Row::refused("an empty scope entry", scope(json!([""])), about("spec.token.scope[0]", "should be at least 5")),
        Row::refused(
            "a scope entry of 513 characters",
            many(1, 513),
            about("spec.token.scope[0]", "may not be more than 512"),
        ),
        Row::accepted("a scope entry of 512 characters", many(1, 512)),
        Row::refused("33 scope entries", many(33, 12), about(SCOPE, "must have at most 32")),
        Row::accepted("as many scope entries as there may be, each as long as it gets", longest_lived),
        Row::refused(
            "a scope entry twice",
            scope(json!(["GET /v1/apps", "GET /v1/builds", "GET /v1/apps"])),
            about("spec.token.scope[2]", "Duplicate value"),
        ),
        Row::accepted("one path with two methods", scope(json!(["GET /v1/apps", "POST /v1/apps"]))),
        Row::accepted("the same scope entries in another order", scope(json!(["GET /v1/b", "GET /v1/a"])))
            .after(scope(json!(["GET /v1/a", "GET /v1/b"]))),
        Row::refused(
            "a scope entry that is no text",
            scope(json!([{"GET": "/v1/apps"}])),
            about("spec.token.scope[0]", "must be of type string"),
        ),
        Row::refused("a scope outside a list", scope(json!("GET /v1/apps")), about(SCOPE, "must be of type array")),
        Row::accepted("an empty scope", scope(json!([]))),
    ]
}
