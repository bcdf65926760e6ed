//! Each property of the spec comes, changes, is refused and goes: what is stored after that is what would have been
//! stored without it.

use asa_operator::api::Kind;
use kube::Api;
use kube::api::{DeleteParams, DynamicObject, PostParams};
use serde_json::Value;

use crate::document::schema;
use crate::offline;
use crate::property::{Property, properties};
use crate::server::{object, resources, typed};
use crate::shape::fields;

#[test]
fn every_property_of_the_spec_is_tried() {
    for kind in Kind::ALL {
        let mut tried: Vec<_> = properties(kind).iter().map(|property| property.path.to_owned()).collect();
        let fields = fields(kind).into_iter().map(|(path, _)| path);
        let mut there: Vec<_> =
            fields.filter(|path| path.starts_with("spec.") && !path.ends_with(['}', ']'])).collect();
        tried.sort();
        there.sort();
        assert_eq!(tried, there, "{}", kind.as_str());
    }
}

#[test]
fn every_property_comes_changes_is_refused_and_goes_offline() {
    for kind in Kind::ALL {
        let schema = schema(kind);
        for property in properties(kind) {
            let judge = |document: &Value| offline::judge(&schema, document, None);
            for value in &property.valid {
                assert!(judge(&property.at(value)).is_empty(), "{property:?} at {value}");
            }
            assert!(!judge(&property.at(&property.invalid)).is_empty(), "{property:?} at {}", property.invalid);
            assert_eq!(judge(&property.absent()).is_empty(), !property.is_required, "{property:?} absent");
        }
    }
}

#[tokio::test]
async fn every_property_comes_changes_is_refused_and_goes_on_the_api_server() {
    for kind in Kind::ALL {
        let resources = resources(cluster::shared().await, kind, "properties").await;
        for property in properties(kind) {
            comes_changes_is_refused_and_goes(&resources, &property).await;
        }
    }
}

async fn comes_changes_is_refused_and_goes(resources: &Api<DynamicObject>, property: &Property) {
    let first = if property.is_required { property.at(&property.valid[0]) } else { property.absent() };
    let fresh = resources.create(&PostParams::default(), &object(first.clone())).await.unwrap();
    for value in &property.valid {
        let stored = change(resources, property.at(value)).await.unwrap();
        assert!(holds(at(&stored, property), value), "{property:?} at {value}: {stored:?}");
        typed(&stored);
    }
    let before = resources.get("acme").await.unwrap();
    refused(resources, property.at(&property.invalid), property).await;
    if property.is_required {
        refused(resources, property.absent(), property).await;
    }
    assert_eq!(resources.get("acme").await.unwrap(), before, "{property:?} at {}", property.invalid);

    let last = change(resources, first).await.unwrap();
    assert_eq!(last.data["spec"], fresh.data["spec"], "{property:?} as it was");
    resources.delete("acme", &DeleteParams::default()).await.unwrap();
}

async fn change(resources: &Api<DynamicObject>, document: Value) -> kube::Result<DynamicObject> {
    let mut wanted = object(document);
    wanted.metadata.resource_version = resources.get("acme").await?.metadata.resource_version;
    resources.replace("acme", &PostParams::default(), &wanted).await
}

async fn refused(resources: &Api<DynamicObject>, document: Value, property: &Property) {
    match change(resources, document).await {
        Err(kube::Error::Api(status)) => assert_eq!(status.code, 422, "{property:?}: {status}"),
        answer => panic!("{property:?}: {answer:?}"),
    }
}

/// The stored value of the property.
fn at<'a>(stored: &'a DynamicObject, property: &Property) -> &'a Value {
    property.path.split('.').fold(&stored.data, |value, name| &value[name])
}

/// Whether a stored value is the wanted one, but for defaults beside it.
fn holds(stored: &Value, wanted: &Value) -> bool {
    match (stored, wanted) {
        (Value::Object(stored), Value::Object(wanted)) => {
            wanted.iter().all(|(name, value)| stored.get(name).is_some_and(|stored| holds(stored, value)))
        }
        _ => stored == wanted,
    }
}
