//! Each property of the spec comes, changes, is refused and goes: what is stored after that is what would have been
//! stored without it.

use kube::Api;
use kube::api::{DeleteParams, DynamicObject, PostParams};
use serde_json::{Value, json};

use crate::document::{base, merge, schema, within};
use crate::offline;
use crate::server::{object, resources, typed};
use crate::shape::fields;

/// A property with two values that are valid and one that is not.
struct Property {
    path: &'static str,
    valid: [Value; 2],
    invalid: Value,
    /// What else has to hold for the property to be absent.
    context: Value,
}

impl Property {
    fn new(path: &'static str, valid: [Value; 2], invalid: Value) -> Self {
        Self { path, valid, invalid, context: json!({}) }
    }

    fn names(&self) -> Vec<&str> {
        self.path.split('.').collect()
    }

    /// The base document with the property at this value.
    fn at(&self, value: &Value) -> Value {
        let mut document = base();
        merge(&mut document, &self.context);
        // First away, as a merge would keep what stands in an object now.
        merge(&mut document, &within(&self.names(), Value::Null));
        merge(&mut document, &within(&self.names(), value.clone()));
        document
    }

    /// The base document without the property, but with the objects that it would stand in.
    fn absent(&self) -> Value {
        let mut document = self.at(&self.valid[0]);
        merge(&mut document, &within(&self.names(), Value::Null));
        document
    }

    fn is_required(&self) -> bool {
        REQUIRED.contains(&self.path)
    }
}

/// Properties that nothing is valid without.
const REQUIRED: [&str; 3] = ["spec.privateKey", "spec.privateKey.secretRef", "spec.privateKey.secretRef.name"];

fn properties() -> Vec<Property> {
    let mut properties = ids();
    properties.extend(private_key());
    properties.extend(identity());
    properties.extend(client_secret());
    properties.extend(secret());
    properties.push(Property::new("spec.suspend", [json!(true), json!(false)], json!("yes")));
    properties
}

fn ids() -> Vec<Property> {
    let context = json!({"spec": {"privateKey": {"generate": "IfMissing"}}});
    let id = |path| Property {
        context: context.clone(),
        ..Property::new(path, [json!("SEARCHADS.1"), json!("SEARCHADS.2")], json!("SEARCHADS 3"))
    };
    ["spec.clientId", "spec.teamId", "spec.keyId"].into_iter().map(id).collect()
}

fn private_key() -> Vec<Property> {
    let source = |name: &str| json!({"secretRef": {"name": name}});
    vec![
        Property::new("spec.privateKey", [source("one"), source("two")], source("acme")),
        Property::new("spec.privateKey.secretRef", [json!({"name": "one"}), json!({"name": "two"})], json!({})),
        Property::new("spec.privateKey.secretRef.name", [json!("one"), json!("two")], json!("Three")),
        Property::new("spec.privateKey.secretRef.key", [json!("one.pem"), json!("two.pem")], json!("../three.pem")),
        Property::new("spec.privateKey.generate", [json!("IfMissing"), json!("Never")], json!("Always")),
    ]
}

fn identity() -> Vec<Property> {
    let chosen = json!({"orgId": 1, "selection": "Any"});
    let account = json!({"id": 1, "selection": "Any"});
    vec![
        Property::new("spec.apis", [json!(["PlatformV1"]), json!(["CampaignManagementV5", "PlatformV1"])], json!([])),
        Property::new("spec.organization", [json!({"orgId": 1}), json!({"selection": "Any"})], chosen),
        Property::new("spec.organization.orgId", [json!(1), json!(2)], json!(0)),
        Property::new("spec.organization.selection", [json!("Any"), json!("One")], json!("All")),
        Property::new("spec.adAccount", [json!({"id": 1}), json!({"selection": "Any"})], account),
        Property::new("spec.adAccount.id", [json!(1), json!(2)], json!(0)),
        Property::new("spec.adAccount.selection", [json!("Any"), json!("One")], json!("All")),
    ]
}

fn client_secret() -> Vec<Property> {
    let ephemeral = json!({"mode": "Ephemeral"});
    let stored = json!({"mode": "Ephemeral", "secretName": "signed"});
    let token = |before: &str| json!({"renewBefore": before});
    vec![
        Property::new("spec.clientSecret", [ephemeral, json!({"lifetime": "720h"})], stored),
        Property::new("spec.clientSecret.mode", [json!("Ephemeral"), json!("Persistent")], json!("Forever")),
        Property::new("spec.clientSecret.lifetime", [json!("720h"), json!("90m")], json!("4321h")),
        Property::new("spec.clientSecret.renewBefore", [json!("720h"), json!("90m")], json!("4296h")),
        Property::new("spec.clientSecret.secretName", [json!("one"), json!("two")], json!("acme")),
        Property::new("spec.accessToken", [token("30m"), token("45m")], token("2h")),
        Property::new("spec.accessToken.renewBefore", [json!("30m"), json!("45m")], json!("0s")),
    ]
}

fn secret() -> Vec<Property> {
    let team = |name: &str| json!({"example.com/team": name});
    vec![
        Property::new(
            "spec.secret",
            [json!({"name": "one"}), json!({"formats": ["Json"]})],
            json!({"name": "acme-key"}),
        ),
        Property::new("spec.secret.name", [json!("one"), json!("two")], json!("acme-client-secret")),
        Property::new("spec.secret.formats", [json!(["Json"]), json!(["CurlConfig", "Dotenv"])], json!(["Yaml"])),
        Property::new("spec.secret.labels", [team("growth"), team("sales")], json!({"k8s.io/team": "growth"})),
        Property::new("spec.secret.annotations", [team("growth"), team("sales")], json!({"k8s.io/team": "growth"})),
        Property::new("spec.secret.adoption", [json!("IfUnowned"), json!("Never")], json!("Always")),
        Property::new("spec.secret.deletionPolicy", [json!("Retain"), json!("Delete")], json!("Orphan")),
    ]
}

#[test]
fn every_property_of_the_spec_is_tried() {
    let mut tried: Vec<_> = properties().iter().map(|property| property.path.to_owned()).collect();
    let fields = fields().into_iter().map(|(path, _)| path);
    let mut there: Vec<_> = fields.filter(|path| path.starts_with("spec.") && !path.ends_with(['}', ']'])).collect();
    tried.sort();
    there.sort();
    assert_eq!(tried, there);
}

#[test]
fn every_property_comes_changes_is_refused_and_goes_offline() {
    let schema = schema();
    for property in properties() {
        let judge = |document: &Value| offline::judge(&schema, document, None);
        for value in &property.valid {
            assert!(judge(&property.at(value)).is_empty(), "{} at {value}", property.path);
        }
        assert!(!judge(&property.at(&property.invalid)).is_empty(), "{} at {}", property.path, property.invalid);
        assert_eq!(judge(&property.absent()).is_empty(), !property.is_required(), "{} absent", property.path);
    }
}

#[tokio::test]
async fn every_property_comes_changes_is_refused_and_goes_on_the_api_server() {
    let resources = resources(cluster::shared().await, "properties").await;
    for property in properties() {
        let path = property.path;
        let first = if property.is_required() { property.at(&property.valid[0]) } else { property.absent() };
        let fresh = resources.create(&PostParams::default(), &object(first.clone())).await.unwrap();
        for value in &property.valid {
            let stored = change(&resources, property.at(value)).await.unwrap();
            assert!(holds(at(&stored, &property), value), "{path} at {value}: {stored:?}");
            typed(&stored);
        }
        let before = resources.get("acme").await.unwrap();
        refused(&resources, property.at(&property.invalid), path).await;
        if property.is_required() {
            refused(&resources, property.absent(), path).await;
        }
        assert_eq!(resources.get("acme").await.unwrap(), before, "{path} at {}", property.invalid);

        let last = change(&resources, first).await.unwrap();
        assert_eq!(last.data["spec"], fresh.data["spec"], "{path} as it was");
        resources.delete("acme", &DeleteParams::default()).await.unwrap();
    }
}

async fn change(resources: &Api<DynamicObject>, document: Value) -> kube::Result<DynamicObject> {
    let mut wanted = object(document);
    wanted.metadata.resource_version = resources.get("acme").await?.metadata.resource_version;
    resources.replace("acme", &PostParams::default(), &wanted).await
}

async fn refused(resources: &Api<DynamicObject>, document: Value, path: &str) {
    match change(resources, document).await {
        Err(kube::Error::Api(status)) => assert_eq!(status.code, 422, "{path}: {status}"),
        answer => panic!("{path}: {answer:?}"),
    }
}

/// The stored value of the property.
fn at<'a>(stored: &'a DynamicObject, property: &Property) -> &'a Value {
    property.names().into_iter().fold(&stored.data, |value, name| &value[name])
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
