//! The `CustomResourceDefinition`, as the API server gets it.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt as _;
use serde_json::json;

use super::app_store_connect_credential::AppStoreConnectCredential;
use super::asa_credential::AsaCredential;
use super::conditions::{ConditionStatus, ConditionType, Reason};
use super::schema::MAX_NAME_CHARS;

/// The first line of the YAML.
const HEADER: &str =
    "# Generated from src/api by `asa-operator crd`. To change it, change the types and run `make generate`.\n";

/// Fields of status that an `AsaCredential` alone has.
const STATUS_OF_ADS: [&str; 5] = ["clientSecret", "organization", "organizations", "adAccount", "adAccounts"];

/// Every definition of this operator: what to install, rather than what the types derive alone.
pub fn crds() -> Vec<CustomResourceDefinition> {
    let mut app_store_connect = AppStoreConnectCredential::crd();
    take_away_what_belongs_to_ads(&mut app_store_connect);
    vec![finished(AsaCredential::crd()), finished(app_store_connect)]
}

/// Every definition of this operator as YAML documents: what stands in `crds/`.
pub fn yaml() -> Result<String, serde_saphyr::SerializeError> {
    Ok(format!("{HEADER}{}\n", serde_saphyr::to_string_multiple(&crds())?.trim_end()))
}

/// Adds to a derived definition what attributes cannot say.
fn finished(mut crd: CustomResourceDefinition) -> CustomResourceDefinition {
    let schemas = crd.spec.versions.iter_mut().filter_map(|version| version.schema.as_mut());
    for root in schemas.filter_map(|schema| schema.open_api_v3_schema.as_mut()) {
        tidy(root);
        let properties = root.properties.get_or_insert_default();
        properties.insert("metadata".into(), metadata());
        if let Some(status) = properties.get_mut("status") {
            status.default = Some(initial_status());
        }
    }
    crd
}

/// The kinds share the type of their status. What only Apple Ads knows is not in the other's schema.
fn take_away_what_belongs_to_ads(crd: &mut CustomResourceDefinition) {
    let schemas =
        crd.spec.versions.iter_mut().filter_map(|version| version.schema.as_mut()?.open_api_v3_schema.as_mut());
    let statuses = schemas.filter_map(|root| root.properties.as_mut()?.get_mut("status")?.properties.as_mut());
    for status in statuses {
        status.retain(|name, _| !STATUS_OF_ADS.contains(&name.as_str()));
    }
}

/// Goes through the whole schema and
///
/// - takes away `nullable`: a null in a nullable field is kept, satisfies `has()` and gets no default; in any other it is
///   as good as absent, which is what a user means by it;
/// - joins the lines of each paragraph in descriptions, as `kubectl explain` breaks lines itself.
fn tidy(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    if let Some(text) = &mut schema.description {
        let paragraphs: Vec<String> = text.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect();
        *text = paragraphs.join("\n\n");
    }
    for property in schema.properties.iter_mut().flat_map(|properties| properties.values_mut()) {
        tidy(property);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        tidy(items);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        tidy(values);
    }
}

/// What rules may see of the metadata: only what is in the schema can be the field that a rule blames, and only what is
/// bounded lets the API server estimate a rule's cost.
fn metadata() -> JSONSchemaProps {
    let name = JSONSchemaProps {
        type_: Some("string".into()),
        max_length: Some(MAX_NAME_CHARS.into()),
        ..JSONSchemaProps::default()
    };
    JSONSchemaProps {
        type_: Some("object".into()),
        properties: Some([("name".into(), name)].into()),
        ..JSONSchemaProps::default()
    }
}

/// The status of a resource that the operator has not seen yet, so that no tool takes a missing status for success.
fn initial_status() -> JSON {
    JSON(json!({
        "conditions": [{
            "type": ConditionType::Ready,
            "status": ConditionStatus::Unknown,
            "reason": Reason::Pending,
            "message": "Waiting for the operator",
            "lastTransitionTime": "1970-01-01T00:00:00Z",
        }],
    }))
}
