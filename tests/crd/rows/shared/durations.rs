//! The life of the JWT that the operator signs, and when it is replaced: of the client secret, or of the token itself.

use asa_operator::api::Kind;
use serde_json::{Value, json};

use crate::document::{merge, within};
use crate::rows::{Row, about};

/// Where the life of what is signed stands.
struct Signed {
    lifetime: &'static str,
    renew_before: &'static str,
    /// What allows the longest life.
    context: Value,
    default: &'static str,
    just_shorter: &'static str,
}

impl Signed {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Ads => Self {
                lifetime: "spec.clientSecret.lifetime",
                renew_before: "spec.clientSecret.renewBefore",
                context: json!({}),
                default: "4296h",
                just_shorter: "4295h59m59s",
            },
            Kind::AppStoreConnect => Self {
                lifetime: "spec.token.lifetime",
                renew_before: "spec.token.renewBefore",
                context: within("spec.token.scope", json!(["GET /v1/apps"])),
                default: "20m",
                just_shorter: "19m59s",
            },
        }
    }

    fn living(&self, lifetime: Value) -> Value {
        self.with(&within(self.lifetime, lifetime))
    }

    fn renewed(&self, renew_before: Value) -> Value {
        self.with(&within(self.renew_before, renew_before))
    }

    fn both(&self, lifetime: &str, renew_before: &str) -> Value {
        let mut change = self.living(json!(lifetime));
        merge(&mut change, &within(self.renew_before, json!(renew_before)));
        change
    }

    fn with(&self, change: &Value) -> Value {
        let mut whole = self.context.clone();
        merge(&mut whole, change);
        whole
    }
}

pub(super) fn rows(kind: Kind) -> Vec<Row> {
    let signed = Signed::of(kind);
    let mut rows = texts(&signed);
    rows.extend(bounds(&signed));
    rows
}

fn texts(signed: &Signed) -> Vec<Row> {
    let refused = |name, value: Value, text| Row::refused(name, signed.living(value), about(signed.lifetime, text));
    vec![
        refused("a lifetime in words", json!("2 weeks"), "should match '^([0-9]"),
        refused("a negative lifetime", json!("-5m"), "should match '^([0-9]"),
        refused("a lifetime in days", json!("179d"), "should match '^([0-9]"),
        refused("a lifetime as ISO 8601 has it", json!("PT1H"), "should match '^([0-9]"),
        refused("a lifetime without a unit", json!("3600"), "should match '^([0-9]"),
        refused("a lifetime that is a number", json!(3600), "must be of type string"),
        refused("an empty lifetime", json!(""), "should be at least"),
        refused("a lifetime of 33 characters", json!(format!("{}1h", "0".repeat(31))), "may not be more than 32"),
        Row::refused(
            "a renewBefore in milliseconds",
            signed.renewed(json!("500ms")),
            about(signed.renew_before, "should match '^([0-9]"),
        ),
        Row::refused(
            "a renewBefore of 33 characters",
            signed.renewed(json!(format!("{}1m", "0".repeat(31)))),
            about(signed.renew_before, "may not be more than 32"),
        ),
        Row::accepted("a lifetime in several units and fractions", signed.both("1h30m0.5s", "0.25h")),
    ]
}

fn bounds(signed: &Signed) -> Vec<Row> {
    let life = about(signed.lifetime, "must be between 60s and 4320h");
    let renewal = about(signed.renew_before, "must be between 1s and 4320h");
    let shorter = about(signed.renew_before, "must be shorter than lifetime");
    let living = |lifetime: &str| signed.living(json!(lifetime));
    let renewed = |renew_before: &str| signed.renewed(json!(renew_before));
    vec![
        Row::refused("a lifetime under a minute", living("59.9s"), life),
        Row::refused("a lifetime of 59 seconds", living("59s"), life),
        Row::accepted("a lifetime of a minute", living("60s")).under(life),
        Row::refused("a lifetime over 180 days", living("4320h1s"), life),
        Row::refused("a lifetime of 4321 hours", living("4321h"), life),
        Row::accepted("a lifetime of 180 days", living("4320h")).under(life),
        Row::refused("a lifetime that overflows a duration", living("99999999999999999999h"), life),
        Row::refused("a renewal at the very end", renewed("0s"), renewal),
        Row::refused("a renewal years before", renewed("99999h"), renewal),
        Row::refused("a renewal that overflows a duration", renewed("99999999999999999999h"), renewal),
        Row::accepted("a renewal in the last second", renewed("1s")).under(renewal),
        Row::refused("a renewBefore as long as the default lifetime", renewed(signed.default), shorter),
        Row::refused("a renewBefore longer than a lifetime in another unit", signed.both("1h", "61m"), shorter),
        Row::refused("a renewBefore as long as the lifetime in another unit", signed.both("1h", "60m"), shorter),
        Row::accepted("a renewBefore just shorter than the default lifetime", renewed(signed.just_shorter))
            .under(shorter),
    ]
}
