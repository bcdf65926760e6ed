//! The document that every row changes, and the schema that judges it.

use asa_operator::api::crd::crds;
use serde_json::{Map, Value, json};

/// A resource with nothing but what is required.
pub(crate) fn base() -> Value {
    json!({
        "apiVersion": "asa-operator.dev/v1alpha1",
        "kind": "AsaCredential",
        "metadata": {"name": "acme"},
        "spec": {
            "clientId": "SEARCHADS.27478e71-3bb0-4588-998c-182e2b405577",
            "teamId": "SEARCHADS.27478e71-3bb0-4588-998c-182e2b405577",
            "keyId": "bacaebda-e219-41ee-a907-e2c25b24d1b2",
            "privateKey": {"secretRef": {"name": "acme-key"}},
        },
    })
}

/// The base document, changed by a JSON merge patch (RFC 7386): null takes a field away.
pub(crate) fn changed(patch: &Value) -> Value {
    let mut document = base();
    merge(&mut document, patch);
    document
}

/// Changes a document by a JSON merge patch.
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let fields = target.as_object_mut().unwrap();
    for (field, change) in changes {
        if change.is_null() {
            fields.remove(field);
        } else {
            merge(fields.entry(field).or_insert(Value::Null), change);
        }
    }
}

/// A change to what is under these fields.
pub(crate) fn within(fields: &[&str], change: Value) -> Value {
    let fields = fields.iter().rev();
    fields.fold(change, |inner, field| Map::from_iter([((*field).to_owned(), inner)]).into())
}

/// The schema of the resource, as it is sent to the API server.
pub(crate) fn schema() -> Value {
    let crds = serde_json::to_value(crds()).unwrap();
    crds[0]["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
}
