//! What is the same for both kinds, tried on each of them.

mod durations;
mod key;
mod marks;
mod secret;

use asa_operator::api::Kind;
use serde_json::json;

use super::{Row, about, spec};

pub(super) fn rows(kind: Kind) -> Vec<Row> {
    let mut rows = durations::rows(kind);
    rows.extend(key::rows());
    rows.extend(marks::rows());
    rows.extend(secret::rows());
    rows.extend(suspension());
    rows
}

fn suspension() -> Vec<Row> {
    let suspended = |value: bool| spec(json!({ "suspend": value }));
    vec![
        Row::refused(
            "a suspend in words",
            spec(json!({"suspend": "yes"})),
            about("spec.suspend", "must be of type boolean"),
        ),
        Row::accepted("a credential that is suspended", suspended(true)).after(json!({})),
        Row::accepted("a credential that goes on", suspended(false)).after(suspended(true)),
    ]
}
