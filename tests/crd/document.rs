//! The document of each kind that every row changes, and the schema that judges it.

use asa_operator::api::Kind;
use asa_operator::api::crd::crds;
use serde_json::{Map, Value, json};

/// A resource with nothing but what is required.
pub(crate) fn base(kind: Kind) -> Value {
    let mut document = json!({
        "apiVersion": "asa-operator.dev/v1alpha1",
        "kind": kind.as_str(),
        "metadata": {"name": "acme"},
        "spec": {"privateKey": {"secretRef": {"name": "acme-key"}}},
    });
    let ids = match kind {
        Kind::Ads => json!({
            "clientId": "SEARCHADS.27478e71-3bb0-4588-998c-182e2b405577",
            "teamId": "SEARCHADS.27478e71-3bb0-4588-998c-182e2b405577",
            "keyId": "bacaebda-e219-41ee-a907-e2c25b24d1b2",
        }),
        Kind::AppStoreConnect => json!({
            "keyId": "2X9R4HXF34",
            "issuerId": "57246542-96fe-1a63-e053-0824d011072a",
        }),
    };
    merge(&mut document["spec"], &ids);
    document
}

/// The base document, changed by a JSON merge patch (RFC 7386): null takes a field away.
pub(crate) fn changed(kind: Kind, patch: &Value) -> Value {
    let mut document = base(kind);
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

/// A change to what is at this path: names of fields with dots between them.
pub(crate) fn within(path: &str, change: Value) -> Value {
    let fields = path.rsplit('.');
    fields.fold(change, |inner, field| Map::from_iter([(field.to_owned(), inner)]).into())
}

/// The definition of the kind, as it is sent to the API server.
pub(crate) fn definition(kind: Kind) -> Value {
    let crds = crds().into_iter().map(|crd| serde_json::to_value(crd).unwrap());
    let mut of_kind = crds.filter(|crd| crd["spec"]["names"]["kind"] == kind.as_str());
    of_kind.next().unwrap()
}

/// The schema of the kind.
pub(crate) fn schema(kind: Kind) -> Value {
    definition(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
}
