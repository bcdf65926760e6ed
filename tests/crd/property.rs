//! Each property of the spec with two values that are valid and one that is not.

use serde_json::{Value, json};

use super::document::{base, merge, within};

/// A property with two values that are valid and one that is not.
pub(crate) struct Property {
    pub(crate) path: &'static str,
    pub(crate) valid: [Value; 2],
    pub(crate) invalid: Value,
    /// What else has to hold for the property to be absent.
    context: Value,
}

impl Property {
    fn new(path: &'static str, valid: [Value; 2], invalid: Value) -> Self {
        Self { path, valid, invalid, context: json!({}) }
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.path.split('.').collect()
    }

    /// The base document with the property at this value.
    pub(crate) fn at(&self, value: &Value) -> Value {
        let mut document = base();
        merge(&mut document, &self.context);
        // First away, as a merge would keep what stands in an object now.
        merge(&mut document, &within(&self.names(), Value::Null));
        merge(&mut document, &within(&self.names(), value.clone()));
        document
    }

    /// The base document without the property, but with the objects that it would stand in.
    pub(crate) fn absent(&self) -> Value {
        let mut document = self.at(&self.valid[0]);
        merge(&mut document, &within(&self.names(), Value::Null));
        document
    }

    pub(crate) fn is_required(&self) -> bool {
        REQUIRED.contains(&self.path)
    }
}

/// Properties that nothing is valid without.
const REQUIRED: [&str; 3] = ["spec.privateKey", "spec.privateKey.secretRef", "spec.privateKey.secretRef.name"];

pub(crate) fn properties() -> Vec<Property> {
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
