//! The API server's verdict, reached from the schema alone: its CEL rules by kube's evaluator, its other keywords by the
//! few lines below, which know exactly those that the schema uses.

use asa_operator::api::Kind;
use kube::core::cel::cel::{Context, Program};
use kube::core::cel::{Validator, apply_defaults};
use serde_json::Value;

use crate::document::{base, changed, schema};
use crate::rows::{Row, Verdict, rows};

/// One complaint: about which field, in which words.
#[derive(Debug)]
pub(crate) struct Finding {
    path: String,
    text: String,
}

#[test]
fn every_row_gets_its_verdict_offline() {
    let mut wrong = Vec::new();
    for kind in Kind::ALL {
        let schema = schema(kind);
        for row in rows(kind) {
            let old = row.before.as_ref().map(|before| changed(kind, before));
            let findings = judge(&schema, &changed(kind, &row.change), old.as_ref());
            if !agrees(&row, &findings) {
                wrong.push(format!("{}: {}: {findings:#?}", kind.as_str(), row.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_base_documents_are_valid() {
    for kind in Kind::ALL {
        let findings = judge(&schema(kind), &base(kind), None);
        assert!(findings.is_empty(), "{}: {findings:#?}", kind.as_str());
    }
}

fn agrees(row: &Row, findings: &[Finding]) -> bool {
    match row.verdict {
        Verdict::Accepted => findings.is_empty(),
        Verdict::Refused => findings.iter().any(|finding| {
            row.about.is_some_and(|about| finding.path == about.path && finding.text.contains(about.text))
        }),
    }
}

/// The complaints about a document, and about its change if it was there before.
pub(crate) fn judge(schema: &Value, document: &Value, old: Option<&Value>) -> Vec<Finding> {
    let document = apply_defaults(schema, document);
    let mut findings = Vec::new();
    check(schema, &document, String::new(), &mut findings);
    if let Err(errors) = Validator::new().validate(schema, &document, old) {
        findings.extend(
            errors.into_iter().map(|error| Finding {
                path: error.field_path.trim_start_matches('.').to_owned(),
                text: error.message,
            }),
        );
    }
    findings
}

/// Checks a value and all that is in it against the keywords of the schema that are not CEL.
fn check(schema: &Value, value: &Value, path: String, findings: &mut Vec<Finding>) {
    let keywords = schema.as_object().unwrap();
    if !has_type(value, schema["type"].as_str().unwrap()) {
        let text = format!("must be of type {}", schema["type"]).replace('"', "");
        findings.push(Finding { path, text });
        return;
    }
    for (keyword, bound) in keywords {
        if let Some(text) = breaks(keyword, bound, value) {
            findings.push(Finding { path: path.clone(), text });
        }
    }
    for required in schema["required"].as_array().into_iter().flatten() {
        let required = required.as_str().unwrap();
        if value.get(required).is_none() {
            findings.push(Finding { path: join(&path, required), text: "Required value".into() });
        }
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = value.get(name) {
            check(property, value, join(&path, name), findings);
        }
    }
    if let (Some(values), Some(map)) = (schema.get("additionalProperties"), value.as_object()) {
        for (key, value) in map {
            check(values, value, join(&path, key), findings);
        }
    }
    if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
        for (index, value) in values.iter().enumerate() {
            let path = format!("{path}[{index}]");
            if schema["x-kubernetes-list-type"] == "set" && values[..index].contains(value) {
                findings.push(Finding { path: path.clone(), text: "Duplicate value".into() });
            }
            check(items, value, path, findings);
        }
    }
}

fn has_type(value: &Value, type_: &str) -> bool {
    match type_ {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        other => panic!("a type that these tests do not know: {other}"),
    }
}

/// What the API server says, in essence, of a value that one keyword refuses.
fn breaks(keyword: &str, bound: &Value, value: &Value) -> Option<String> {
    let text = || value.as_str().unwrap();
    let length = || text().chars().count() as u64;
    let items = || value.as_array().map_or_else(|| value.as_object().unwrap().len(), Vec::len) as u64;
    let number = || value.as_f64().unwrap();
    let (kept, complaint) = match keyword {
        "maxLength" => (length() <= bound.as_u64().unwrap(), "may not be more than"),
        "minLength" => (length() >= bound.as_u64().unwrap(), "should be at least"),
        "pattern" => (matches(bound.as_str().unwrap(), text()), "should match"),
        "maxItems" | "maxProperties" => (items() <= bound.as_u64().unwrap(), "must have at most"),
        "minItems" => (items() >= bound.as_u64().unwrap(), "should have at least"),
        "maximum" => (number() <= bound.as_f64().unwrap(), "should be less than or equal to"),
        "minimum" => (number() >= bound.as_f64().unwrap(), "should be greater than or equal to"),
        "enum" => (bound.as_array().unwrap().contains(value), "Unsupported value"),
        "description"
        | "title"
        | "default"
        | "format"
        | "type"
        | "properties"
        | "required"
        | "items"
        | "additionalProperties"
        | "x-kubernetes-validations"
        | "x-kubernetes-list-type"
        | "x-kubernetes-list-map-keys" => return None,
        other => panic!("a keyword that these tests do not know: {other}"),
    };
    let bound = bound.as_str().map_or_else(|| bound.to_string(), |text| format!("'{text}'"));
    (!kept).then(|| format!("{complaint} {bound}"))
}

/// By the regular expressions of CEL, which are those of patterns.
fn matches(pattern: &str, text: &str) -> bool {
    let mut context = Context::default();
    context.add_variable_from_value("text", text);
    context.add_variable_from_value("pattern", pattern);
    let verdict = Program::compile("text.matches(pattern)").unwrap().execute(&context);
    verdict.unwrap() == true.into()
}

fn join(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}
