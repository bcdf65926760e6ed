//! What holds for every field and every rule of the schema, whoever adds one.

use asa_operator::api::{Kind, crd};
use serde_json::Value;

use crate::document::schema;
use crate::rows::{Row, Verdict, rows};

#[test]
fn the_generated_file_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/crds/asa-operator.dev.yaml");
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == crd::yaml().unwrap(), "{path} is not what the types say: run `make generate`");
}

#[test]
fn every_field_is_described() {
    for (path, field) in Kind::ALL.into_iter().flat_map(fields) {
        let described = field["description"].as_str().is_some_and(|text| text.ends_with('.'));
        assert!(described || path.starts_with("metadata"), "{path} has no description in sentences");
    }
}

#[test]
fn every_field_is_bounded() {
    for (path, field) in Kind::ALL.into_iter().flat_map(fields) {
        let has = |keyword: &str| !field[keyword].is_null();
        let bounded = match field["type"].as_str() {
            Some("string") => has("enum") || has("maxLength"),
            Some("integer") => has("minimum") && has("maximum") && field["format"] == "int64",
            Some("array") => has("items") && has("maxItems"),
            Some("object") if has("additionalProperties") => has("maxProperties") && bounds_keys(&field),
            Some("object") => has("properties"),
            Some("boolean") => true,
            _ => false,
        };
        assert!(bounded, "{path} has no bound: {field:#}");
        assert!(field["format"] != "duration", "{path}: that format lets `2 weeks` pass");
        assert!(!has("nullable"), "{path}: a null would be kept and satisfy has()");
    }
}

#[test]
fn every_rule_has_a_message_of_its_own_and_blames_a_field() {
    for kind in Kind::ALL {
        let mut seen = std::collections::BTreeSet::new();
        for rule in rules(kind) {
            assert!(!rule.message.is_empty() && rule.message.len() <= 200, "{rule:?}");
            assert!(!rule.path.is_empty(), "{rule:?}");
            assert!(seen.insert(rule.message.clone()), "said twice of {}: {rule:?}", kind.as_str());
        }
    }
}

#[test]
fn every_rule_has_a_row_that_breaks_it_and_one_that_keeps_to_it() {
    for kind in Kind::ALL {
        let rows = rows(kind);
        for rule in rules(kind) {
            for verdict in [Verdict::Refused, Verdict::Accepted] {
                let tried = rows.iter().any(|row| row.verdict == verdict && rule.is_tried_by(row));
                let verdict = if verdict == Verdict::Refused { "breaks" } else { "keeps to" };
                assert!(tried, "no row of {} {verdict} {rule:?}", kind.as_str());
            }
        }
    }
}

/// Whether rules say which keys a map may have, which no other keyword can.
fn bounds_keys(map: &Value) -> bool {
    let rules = map["x-kubernetes-validations"].as_array().into_iter().flatten();
    rules.filter_map(|rule| rule["rule"].as_str()).any(|rule| rule.contains("format.qualifiedName().validate(key)"))
}

/// A CEL rule: the field that it blames and what it says.
#[derive(Debug)]
struct Rule {
    path: String,
    message: String,
}

impl Rule {
    fn is_tried_by(&self, row: &Row) -> bool {
        row.about.is_some_and(|about| about.path == self.path && self.message.contains(about.text))
    }
}

fn rules(kind: Kind) -> Vec<Rule> {
    let mut rules = Vec::new();
    let root = (String::new(), schema(kind));
    for (path, field) in std::iter::once(root).chain(fields(kind)) {
        for rule in field["x-kubernetes-validations"].as_array().into_iter().flatten() {
            let blamed = rule["fieldPath"].as_str().unwrap_or_default();
            let message = rule["message"].as_str().unwrap_or_default().to_owned();
            rules.push(Rule { path: format!("{path}{blamed}").trim_start_matches('.').to_owned(), message });
        }
    }
    rules
}

/// All fields, down to the items of lists and the values of maps, by their paths.
pub(crate) fn fields(kind: Kind) -> Vec<(String, Value)> {
    fn collect(path: &str, schema: &Value, fields: &mut Vec<(String, Value)>) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{name}").trim_start_matches('.').to_owned();
            fields.push((path.clone(), property.clone()));
            collect(&path, property, fields);
        }
        for (keyword, mark) in [("items", "[]"), ("additionalProperties", "{}")] {
            if let Some(items) = schema.get(keyword) {
                let path = format!("{path}{mark}");
                fields.push((path.clone(), items.clone()));
                collect(&path, items, fields);
            }
        }
    }
    let mut fields = Vec::new();
    collect("", &schema(kind), &mut fields);
    fields
}
