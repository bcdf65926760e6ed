//! Each value changes what it says, and what is no value is refused.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::helm::{find, merged, refusal, rendered, yaml};

/// One value, and what it changes; see `rows.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    value: String,
    to: Value,
    #[serde(default)]
    with: Value,
    #[serde(rename = "in")]
    object: String,
    #[serde(default)]
    at: String,
    is: Option<Value>,
    has: Option<Value>,
    #[serde(default)]
    gone: bool,
}

impl Row {
    fn with_it(&self) -> Value {
        let changed = self.value.rsplit('.').fold(self.to.clone(), |inner, key| json!({ key: inner }));
        merged(&self.without_it(), &changed)
    }

    fn without_it(&self) -> Value {
        if self.with.is_null() { json!({}) } else { self.with.clone() }
    }

    fn holds(&self, values: &Value) -> bool {
        let objects = rendered(values);
        let found = find(&objects, &self.object).and_then(|object| object.pointer(&self.at));
        match (&self.is, &self.has, self.gone) {
            (Some(is), None, false) => found == Some(is),
            (None, Some(has), false) => found.is_some_and(|found| contains(found, has)),
            (None, None, true) => found.is_none(),
            _ => panic!("a row says one of is, has and gone: {self:?}"),
        }
    }
}

fn contains(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Array(items), _) => items.contains(wanted),
        (Value::String(text), Value::String(part)) => text.contains(part),
        _ => false,
    }
}

fn rows() -> Vec<Row> {
    serde_json::from_value(yaml("tests/chart/rows.yaml")).unwrap()
}

/// Paths of all that is no map with entries.
fn leaves(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                leaves(value, &path, found);
            }
        }
        _ => {
            found.insert(path.to_owned());
        }
    }
}

#[test]
fn every_value_changes_what_its_row_says() {
    let rows = rows();
    let wrong = in_parallel(&rows, |row| {
        if row.holds(&row.without_it()) {
            Some(format!("{}: so it is without the value too", row.value))
        } else {
            (!row.holds(&row.with_it())).then(|| format!("{}: it changes nothing of the kind", row.value))
        }
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_value_has_a_row() {
    let mut values = BTreeSet::new();
    leaves(&yaml("charts/asa-operator/values.yaml"), "", &mut values);
    let rows: BTreeSet<String> = rows().into_iter().map(|row| row.value).collect();
    assert_eq!(values, rows);
}

#[test]
fn what_is_no_value_is_refused_with_its_place() {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Refused {
        values: Value,
        says: String,
    }
    let rows: Vec<Refused> = serde_json::from_value(yaml("tests/chart/refusals.yaml")).unwrap();
    let wrong = in_parallel(&rows, |row| {
        let said = refusal(&row.values);
        (!said.contains(&row.says)).then(|| format!("{}: {said}", row.values))
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_schema_takes_no_map_with_entries_that_it_does_not_know() {
    // Free are those whose entries are the user's own, or fields of Kubernetes that the API server checks.
    fn check(schema: &Value, path: &str, defaults: &Value, open: &mut Vec<String>) {
        if let (Some(properties), Value::Object(defaults)) = (schema["properties"].as_object(), defaults) {
            if schema["additionalProperties"] != false {
                open.push(path.to_owned());
            }
            for (key, default) in defaults {
                match properties.get(key) {
                    Some(schema) => check(schema, &format!("{path}.{key}"), default, open),
                    None => open.push(format!("{path}.{key} is not in the schema")),
                }
            }
        }
    }
    let mut open = Vec::new();
    let schema = yaml("charts/asa-operator/values.schema.json");
    check(&schema, "", &yaml("charts/asa-operator/values.yaml"), &mut open);
    assert!(open.is_empty(), "{open:?}");
}

/// What `complain` has to say of the items, each asked on a thread of a few: helm mostly starts.
fn in_parallel<T: Sync>(items: &[T], complain: impl Fn(&T) -> Option<String> + Sync) -> Vec<String> {
    let each = items.len().div_ceil(4);
    std::thread::scope(|scope| {
        let parts: Vec<_> = items
            .chunks(each)
            .map(|part| scope.spawn(|| part.iter().filter_map(&complain).collect::<Vec<_>>()))
            .collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    })
}
