//! Each property of the spec with two values that are valid and one that is not.

use asa_operator::api::Kind;
use serde_json::{Value, json};

use super::document::{base, merge, within};

/// A property with two values that are valid and one that is not.
#[derive(Debug)]
pub(crate) struct Property {
    pub(crate) path: &'static str,
    pub(crate) valid: [Value; 2],
    pub(crate) invalid: Value,
    /// Whether nothing is valid without it.
    pub(crate) is_required: bool,
    kind: Kind,
    /// What else has to hold for the property to have a value, or to be absent: a change to the base document.
    context: fn(Option<&Value>) -> Value,
}

impl Property {
    fn new(kind: Kind, path: &'static str, valid: [Value; 2], invalid: Value) -> Self {
        Self { path, valid, invalid, is_required: false, kind, context: |_| json!({}) }
    }

    fn required(self) -> Self {
        Self { is_required: true, ..self }
    }

    fn where_holds(self, context: fn(Option<&Value>) -> Value) -> Self {
        Self { context, ..self }
    }

    /// The base document with the property at this value.
    pub(crate) fn at(&self, value: &Value) -> Value {
        self.set(value, Some(value))
    }

    /// The base document without the property, but with the objects that it would stand in.
    pub(crate) fn absent(&self) -> Value {
        let mut document = self.set(&self.valid[0], None);
        merge(&mut document, &within(self.path, Value::Null));
        document
    }

    fn set(&self, value: &Value, of_context: Option<&Value>) -> Value {
        let mut document = base(self.kind);
        merge(&mut document, &(self.context)(of_context));
        // First away, as a merge would keep what stands in an object now.
        merge(&mut document, &within(self.path, Value::Null));
        merge(&mut document, &within(self.path, value.clone()));
        document
    }
}

pub(crate) fn properties(kind: Kind) -> Vec<Property> {
    let mut properties = private_key(kind);
    properties.extend(secret(kind));
    properties.push(Property::new(kind, "spec.suspend", [json!(true), json!(false)], json!("yes")));
    match kind {
        Kind::Ads => {
            properties.extend(ads_ids());
            properties.extend(ads_choices());
            properties.extend(ads_tokens());
        }
        Kind::AppStoreConnect => {
            properties.extend(api_keys());
            properties.extend(api_tokens());
        }
    }
    properties
}

fn private_key(kind: Kind) -> Vec<Property> {
    let new = |path, valid, invalid| Property::new(kind, path, valid, invalid);
    let source = |name: &str| json!({"secretRef": {"name": name}});
    vec![
        new("spec.privateKey", [source("one"), source("two")], source("acme")).required(),
        new("spec.privateKey.secretRef", [json!({"name": "one"}), json!({"name": "two"})], json!({})).required(),
        new("spec.privateKey.secretRef.name", [json!("one"), json!("two")], json!("Three")).required(),
        new("spec.privateKey.secretRef.key", [json!("one.pem"), json!("two.pem")], json!("../three.pem")),
    ]
}

fn secret(kind: Kind) -> Vec<Property> {
    let new = |path, valid, invalid| Property::new(kind, path, valid, invalid);
    let team = |name: &str| json!({"example.com/team": name});
    vec![
        new("spec.secret", [json!({"name": "one"}), json!({"formats": ["Json"]})], json!({"name": "acme-key"})),
        new("spec.secret.name", [json!("one"), json!("two")], json!("acme-key")),
        new("spec.secret.formats", [json!(["Json"]), json!(["CurlConfig", "Dotenv"])], json!(["Yaml"])),
        new("spec.secret.labels", [team("growth"), team("sales")], json!({"k8s.io/team": "growth"})),
        new("spec.secret.annotations", [team("growth"), team("sales")], json!({"k8s.io/team": "growth"})),
        new("spec.secret.adoption", [json!("IfUnowned"), json!("Never")], json!("Always")),
        new("spec.secret.deletionPolicy", [json!("Retain"), json!("Delete")], json!("Orphan")),
    ]
}

/// Of an `AsaCredential`.
fn ads(path: &'static str, valid: [Value; 2], invalid: Value) -> Property {
    Property::new(Kind::Ads, path, valid, invalid)
}

fn ads_ids() -> Vec<Property> {
    let id = |path| {
        ads(path, [json!("SEARCHADS.1"), json!("SEARCHADS.2")], json!("SEARCHADS 3"))
            .where_holds(|_| within("spec.privateKey.generate", json!("IfMissing")))
    };
    let mut properties: Vec<_> = ["spec.clientId", "spec.teamId", "spec.keyId"].into_iter().map(id).collect();
    properties.push(ads("spec.privateKey.generate", [json!("IfMissing"), json!("Never")], json!("Always")));
    properties
}

fn ads_choices() -> Vec<Property> {
    let chosen = json!({"orgId": 1, "selection": "Any"});
    let account = json!({"id": 1, "selection": "Any"});
    vec![
        ads("spec.apis", [json!(["PlatformV1"]), json!(["CampaignManagementV5", "PlatformV1"])], json!([])),
        ads("spec.organization", [json!({"orgId": 1}), json!({"selection": "Any"})], chosen),
        ads("spec.organization.orgId", [json!(1), json!(2)], json!(0)),
        ads("spec.organization.selection", [json!("Any"), json!("One")], json!("All")),
        ads("spec.adAccount", [json!({"id": 1}), json!({"selection": "Any"})], account),
        ads("spec.adAccount.id", [json!(1), json!(2)], json!(0)),
        ads("spec.adAccount.selection", [json!("Any"), json!("One")], json!("All")),
    ]
}

fn ads_tokens() -> Vec<Property> {
    let ephemeral = json!({"mode": "Ephemeral"});
    let stored = json!({"mode": "Ephemeral", "secretName": "signed"});
    let token = |before: &str| json!({"renewBefore": before});
    vec![
        ads("spec.clientSecret", [ephemeral, json!({"lifetime": "720h"})], stored),
        ads("spec.clientSecret.mode", [json!("Ephemeral"), json!("Persistent")], json!("Forever")),
        ads("spec.clientSecret.lifetime", [json!("720h"), json!("90m")], json!("4321h")),
        ads("spec.clientSecret.renewBefore", [json!("720h"), json!("90m")], json!("4296h")),
        ads("spec.clientSecret.secretName", [json!("one"), json!("two")], json!("acme")),
        ads("spec.accessToken", [token("30m"), token("45m")], token("2h")),
        ads("spec.accessToken.renewBefore", [json!("30m"), json!("45m")], json!("0s")),
    ]
}

/// Of an `AppStoreConnectCredential`.
fn asc(path: &'static str, valid: [Value; 2], invalid: Value) -> Property {
    Property::new(Kind::AppStoreConnect, path, valid, invalid)
}

fn api_keys() -> Vec<Property> {
    let issuers = [json!("57246542-96fe-1a63-e053-0824d011072a"), json!("69a6de70-03db-47e3-e053-5b8c7c11a4d1")];
    vec![
        asc("spec.program", [json!("Enterprise"), json!("AppStore")], json!("AppleAds")),
        asc("spec.keyType", [json!("Individual"), json!("Team")], json!("User")).where_holds(|type_| match type_ {
            Some(type_) if type_ == "Individual" => within("spec.issuerId", Value::Null),
            _ => json!({}),
        }),
        asc("spec.keyId", [json!("2X9R4HXF34"), json!("D383SF739X")], json!("2x9r4hxf34")).required(),
        asc("spec.issuerId", issuers, json!("57246542")).where_holds(|issuer| match issuer {
            Some(_) => json!({}),
            None => within("spec.keyType", json!("Individual")),
        }),
        asc("spec.verify", [json!("None"), json!("Probe")], json!("Always")),
    ]
}

fn api_tokens() -> Vec<Property> {
    let read = json!(["GET /v1/apps"]);
    let both = json!(["POST /v1/ciBuildRuns", "GET /v1/apps"]);
    vec![
        asc("spec.token", [json!({"lifetime": "10m"}), json!({"renewBefore": "15m"})], json!({"lifetime": "21m"})),
        asc("spec.token.lifetime", [json!("10m"), json!("90s")], json!("21m")),
        asc("spec.token.renewBefore", [json!("15m"), json!("90s")], json!("20m")),
        asc("spec.token.scope", [read, both], json!(["HEAD /v1/apps"])),
    ]
}
