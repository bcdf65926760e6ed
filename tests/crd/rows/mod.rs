//! The resources that are tried, offline and by the API server: what is the same for both kinds in `shared`, and what each
//! kind has of its own.

mod ads;
mod app_store_connect;
mod shared;

use std::collections::BTreeSet;

use asa_operator::api::Kind;
use serde_json::Value;

use crate::document::within;

/// What is to become of a resource.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted,
    Refused,
}

/// A field and words about it: of a refusal, or of a rule.
#[derive(Clone, Copy)]
pub(crate) struct About {
    pub(crate) path: &'static str,
    pub(crate) text: &'static str,
}

/// One resource and the verdict on it.
pub(crate) struct Row {
    /// What is tried, for whoever reads a failure.
    pub(crate) name: &'static str,
    /// Of an update: how the resource was before, as a change to the base document.
    pub(crate) before: Option<Value>,
    /// The resource, as a change to the base document.
    pub(crate) change: Value,
    pub(crate) verdict: Verdict,
    /// What a refusal says, or the rule that an accepted resource just keeps to.
    pub(crate) about: Option<About>,
}

impl Row {
    fn refused(name: &'static str, change: Value, about: About) -> Row {
        let verdict = Verdict::Refused;
        Row { name, before: None, change, verdict, about: Some(about) }
    }

    fn accepted(name: &'static str, change: Value) -> Row {
        let verdict = Verdict::Accepted;
        Row { name, before: None, change, verdict, about: None }
    }

    /// Names the rule that an accepted resource comes close to breaking.
    fn under(self, rule: About) -> Row {
        Row { about: Some(rule), ..self }
    }

    /// Makes the row an update of what stood there before.
    fn after(self, before: Value) -> Row {
        Row { before: Some(before), ..self }
    }
}

/// What is said `text` of the field at `path`.
fn about(path: &'static str, text: &'static str) -> About {
    About { path, text }
}

/// A change to the spec.
fn spec(change: Value) -> Value {
    within("spec", change)
}

/// The rows that are changes to the base document of this kind.
pub(crate) fn rows(kind: Kind) -> Vec<Row> {
    let mut rows = shared::rows(kind);
    rows.extend(match kind {
        Kind::Ads => ads::rows(),
        Kind::AppStoreConnect => app_store_connect::rows(),
    });
    rows
}

#[test]
fn the_tables_are_large_enough_and_no_name_is_used_twice() {
    for kind in Kind::ALL {
        let rows = rows(kind);
        let refused = rows.iter().filter(|row| row.verdict == Verdict::Refused);
        assert!(refused.count() >= 120, "{}", kind.as_str());
        let names: BTreeSet<&str> = rows.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), rows.len(), "{}", kind.as_str());
    }
}
