//! Every write of Secrets that the operator makes, and those that it never does.

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::Api;
use kube::api::{ApiResource, DeleteParams, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::{Stage, is_denial};
use crate::helm::{merged, yaml};

const ACCESS_TOKEN: &str = "asa-operator.dev/access-token";
const CLIENT_SECRET: &str = "asa-operator.dev/client-secret";
const API_TOKEN: &str = "asa-operator.dev/app-store-connect-token";
const KEY: &str = "asa-operator.dev/private-key";

const TYPES: &str = "the operator writes no Secrets but those of its own types";
const KEYS: &str = "the operator never changes or deletes a private key";
const KEY_OWNER: &str = "a private key that the operator makes has no owner";
const LABEL: &str = "a Secret that the operator writes has the label asa-operator.dev/owner-uid";
const FOREIGN: &str = "the operator changes no Secret of another owner, and deletes none that is not its own";
const OWNERS: &str = "the operator adds no owners but its own resources";
const FINALIZERS: &str = "the operator adds no finalizers";

enum Act {
    Create,
    Change(Value),
    Delete,
}

use Act::{Change, Create, Delete};

/// What is tried: with the Secret that somebody else made before, or to create it. And the words of the refusal.
type Attempt = (&'static str, Value, Act, Result<(), &'static str>);

/// The owners that Secrets of the test may have: they exist, or the garbage collector would take a part.
struct Owners {
    credential: Value,
    other: Value,
}

impl Owners {
    async fn new(stage: &Stage) -> Self {
        let kind = GroupVersionKind::gvk("asa-operator.dev", "v1alpha1", "AsaCredential");
        let resources: Api<DynamicObject> =
            Api::namespaced_with(stage.admin.clone(), &stage.namespace, &ApiResource::from_gvk(&kind));
        let resource = serde_json::from_value(yaml("examples/minimal.yaml")).unwrap();
        let resource = resources.create(&PostParams::default(), &resource).await.unwrap();
        let map: ConfigMap = serde_json::from_value(json!({"metadata": {"name": "owner"}})).unwrap();
        let map = stage.api::<ConfigMap>(&stage.admin).create(&PostParams::default(), &map).await.unwrap();
        Self {
            credential: json!({
                "apiVersion": "asa-operator.dev/v1alpha1", "kind": "AsaCredential", "name": "acme",
                "uid": resource.metadata.uid, "controller": true,
            }),
            other: json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": map.metadata.uid}),
        }
    }

    fn label(&self) -> Value {
        json!({"labels": {"asa-operator.dev/owner-uid": self.credential["uid"]}})
    }

    fn owned_by(owners: &[&Value]) -> Value {
        json!({"ownerReferences": owners})
    }

    /// Both marks of the credential, as a Secret of deletionPolicy Delete has them.
    fn marks(&self) -> Value {
        merged(&self.label(), &Self::owned_by(&[&self.credential]))
    }
}

fn secret(type_: &str, metadata: &Value) -> Value {
    json!({"type": type_, "metadata": metadata, "stringData": {"access_token": "a"}})
}

fn change(metadata: &Value) -> Value {
    json!({"metadata": metadata, "stringData": {"access_token": "b"}})
}

fn legitimate(owners: &Owners) -> Vec<Attempt> {
    let (marks, label, none) = (owners.marks(), owners.label(), json!({}));
    let owner = Owners::owned_by(&[&owners.credential]);
    let with_other = Owners::owned_by(&[&owners.other, &owners.credential]);
    let stale = json!({"labels": {"asa-operator.dev/owner-uid": "gone"}});
    let record = merged(&marks, &json!({"annotations": {"asa-operator.dev/record": "{}"}, "labels": {"team": "a"}}));
    vec![
        ("create the managed Secret", secret(ACCESS_TOKEN, &record), Create, Ok(())),
        ("create a retained one", secret(ACCESS_TOKEN, &label), Create, Ok(())),
        ("create that of an API key", secret(API_TOKEN, &marks), Create, Ok(())),
        ("create the client secret's", secret(CLIENT_SECRET, &marks), Create, Ok(())),
        ("create a generated key", secret(KEY, &none), Create, Ok(())),
        ("renew", secret(ACCESS_TOKEN, &marks), Change(change(&record)), Ok(())),
        ("renew a client secret", secret(CLIENT_SECRET, &marks), Change(change(&record)), Ok(())),
        ("renew a retained Secret", secret(API_TOKEN, &label), Change(change(&label)), Ok(())),
        ("restore the label", secret(ACCESS_TOKEN, &owner), Change(json!({"metadata": label})), Ok(())),
        ("restore the owner", secret(ACCESS_TOKEN, &label), Change(json!({"metadata": marks})), Ok(())),
        (
            "restore the owner beside another",
            secret(ACCESS_TOKEN, &merged(&label, &Owners::owned_by(&[&owners.other]))),
            Change(json!({"metadata": with_other})),
            Ok(()),
        ),
        (
            "retain from now on",
            secret(ACCESS_TOKEN, &marks),
            Change(json!({"metadata": merged(&label, &Owners::owned_by(&[]))})),
            Ok(()),
        ),
        ("adopt one that nobody marked", secret(ACCESS_TOKEN, &none), Change(change(&marks)), Ok(())),
        ("adopt one of an earlier resource", secret(API_TOKEN, &stale), Change(change(&marks)), Ok(())),
        ("delete after a renaming", secret(ACCESS_TOKEN, &marks), Delete, Ok(())),
        ("delete by the label", secret(ACCESS_TOKEN, &label), Delete, Ok(())),
        ("delete by the owner", secret(CLIENT_SECRET, &owner), Delete, Ok(())),
    ]
}

fn forbidden(owners: &Owners) -> Vec<Attempt> {
    let (marks, label, none) = (owners.marks(), owners.label(), json!({}));
    let theirs = Owners::owned_by(&[&owners.other]);
    let account = json!({"annotations": {"kubernetes.io/service-account.name": "test-asa-operator"}});
    let account_token = secret("kubernetes.io/service-account-token", &merged(&marks, &account));
    let blocking = merged(&owners.credential, &json!({"blockOwnerDeletion": true}));
    let finalizer = json!({"finalizers": ["example.com/hold"]});
    let bootstrap = json!({"type": "bootstrap.kubernetes.io/token", "metadata": marks});
    vec![
        ("create an Opaque Secret", secret("Opaque", &marks), Create, Err(TYPES)),
        ("have a ServiceAccount's token made", account_token, Create, Err(TYPES)),
        ("create a bootstrap token", bootstrap, Create, Err(TYPES)),
        ("create a Secret of a type like ours", secret("asa-operator.dev/other", &marks), Create, Err(TYPES)),
        ("create a Secret without label", secret(ACCESS_TOKEN, &none), Create, Err(LABEL)),
        ("create one with an owner only", secret(ACCESS_TOKEN, &theirs), Create, Err(LABEL)),
        ("create one for another owner", secret(ACCESS_TOKEN, &merged(&label, &theirs)), Create, Err(OWNERS)),
        ("create a key with an owner", secret(KEY, &theirs), Create, Err(KEY_OWNER)),
        ("create one with a finalizer", secret(ACCESS_TOKEN, &merged(&marks, &finalizer)), Create, Err(FINALIZERS)),
        ("change an Opaque Secret", secret("Opaque", &none), Change(change(&none)), Err(TYPES)),
        ("mark an Opaque Secret as ours", secret("Opaque", &none), Change(json!({"metadata": marks})), Err(TYPES)),
        ("change an Opaque Secret marked as ours", secret("Opaque", &marks), Change(change(&marks)), Err(TYPES)),
        ("delete an Opaque Secret", secret("Opaque", &none), Delete, Err(TYPES)),
        ("delete an Opaque Secret marked as ours", secret("Opaque", &marks), Delete, Err(TYPES)),
        ("change a private key", secret(KEY, &none), Change(change(&none)), Err(KEYS)),
        ("mark a private key", secret(KEY, &none), Change(json!({"metadata": marks})), Err(KEYS)),
        ("delete a private key", secret(KEY, &none), Delete, Err(KEYS)),
        ("delete a private key marked as ours", secret(KEY, &marks), Delete, Err(KEYS)),
        (
            "take the label away",
            secret(ACCESS_TOKEN, &marks),
            Change(json!({"metadata": {"labels": {"asa-operator.dev/owner-uid": null}}})),
            Err(LABEL),
        ),
        ("take another's Secret of our type", secret(ACCESS_TOKEN, &theirs), Change(change(&label)), Err(FOREIGN)),
        ("delete another's Secret of our type", secret(ACCESS_TOKEN, &theirs), Delete, Err(FOREIGN)),
        ("delete one that nobody owns", secret(ACCESS_TOKEN, &none), Delete, Err(FOREIGN)),
        (
            "give one of ours to another owner",
            secret(ACCESS_TOKEN, &marks),
            Change(json!({"metadata": Owners::owned_by(&[&owners.credential, &owners.other])})),
            Err(OWNERS),
        ),
        (
            "hold up the deletion of a credential",
            secret(ACCESS_TOKEN, &label),
            Change(json!({"metadata": Owners::owned_by(&[&blocking])})),
            Err(OWNERS),
        ),
        (
            "hold up the deletion of a Secret",
            secret(ACCESS_TOKEN, &marks),
            Change(json!({"metadata": finalizer})),
            Err(FINALIZERS),
        ),
    ]
}

#[tokio::test]
async fn what_the_operator_writes_is_admitted_and_nothing_else() {
    let stage = Stage::new(cluster::shared().await).await;
    let owners = Owners::new(&stage).await;
    let attempts = legitimate(&owners).into_iter().chain(forbidden(&owners));
    let mut wrong = Vec::new();
    for (number, (what, secret, act, expected)) in attempts.enumerate() {
        let answer = attempt(&stage, &format!("secret-{number}"), &secret, act).await;
        let is_as_expected = match expected {
            Ok(()) => answer.is_ok(),
            Err(words) => is_denial(&answer, words),
        };
        if !is_as_expected {
            wrong.push(format!("{what}: {answer:?} instead of {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn attempt(stage: &Stage, name: &str, secret: &Value, act: Act) -> kube::Result<()> {
    let secret = merged(secret, &json!({"metadata": {"name": name}}));
    let secret: Secret = serde_json::from_value(secret).unwrap();
    let (ours, theirs): (Api<Secret>, Api<Secret>) = (stage.api(&stage.operator), stage.api(&stage.admin));
    if !matches!(act, Create) {
        theirs.create(&PostParams::default(), &secret).await.unwrap();
    }
    match act {
        Create => ours.create(&PostParams::default(), &secret).await.map(drop),
        Change(patch) => ours.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.map(drop),
        Delete => ours.delete(name, &DeleteParams::default()).await.map(drop),
    }
}
