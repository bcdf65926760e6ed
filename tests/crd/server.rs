//! What a real API server says: to every row, to the definition itself, and in kubectl's table.

use std::process::Command;

use asa_operator::api::{AsaCredential, crd};
use cluster::Cluster;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, PostParams};
use kube::core::Status;
use kube::core::response::StatusCause;
use serde_json::{Value, json};

use crate::document::{base, changed};
use crate::rows::{Row, Verdict, rows};

#[tokio::test]
async fn every_row_gets_its_verdict_from_the_api_server() {
    let cluster = cluster::shared().await;
    let resources = resources(cluster, "rows").await;
    let mut wrong = Vec::new();
    for row in rows() {
        let answer = judge(&resources, &row).await;
        if !agrees(&row, &answer) {
            wrong.push(format!("{}: {answer:#?}", row.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_static_default_is_filled_in_and_a_null_is_as_good_as_absent() {
    let cluster = cluster::shared().await;
    let resources = resources(cluster, "defaults").await;
    let mut document = base();
    let spec = document["spec"].as_object_mut().unwrap();
    for absent in ["apis", "accessToken"] {
        spec.insert(absent.into(), Value::Null);
    }
    spec.insert("organization".into(), json!({}));
    spec.insert("adAccount".into(), json!({"id": null}));
    spec.insert("clientSecret".into(), json!({"lifetime": null, "renewBefore": null}));
    spec.insert("secret".into(), json!({"formats": null, "labels": {"team": null}, "adoption": null}));
    spec.insert("suspend".into(), Value::Null);
    let created = resources.create(&PostParams::default(), &object(document)).await.unwrap();

    let mut expected = base()["spec"].clone();
    expected["privateKey"] = json!({"secretRef": {"name": "acme-key", "key": "private-key.pem"}, "generate": "Never"});
    expected["organization"] = json!({"selection": "One"});
    expected["adAccount"] = json!({"selection": "One"});
    expected["clientSecret"] = json!({"mode": "Persistent", "lifetime": "4296h"});
    expected["secret"] = json!({"labels": {}, "adoption": "Never", "deletionPolicy": "Delete"});
    expected["suspend"] = json!(false);
    assert_eq!(created.data["spec"], expected);
    assert_eq!(
        created.data["status"],
        json!({"conditions": [{
            "type": "Ready",
            "status": "Unknown",
            "reason": "Pending",
            "message": "Waiting for the operator",
            "lastTransitionTime": "1970-01-01T00:00:00Z",
        }]})
    );
    typed(&created);
}

#[tokio::test]
async fn an_object_that_is_left_out_stays_out() {
    let cluster = cluster::shared().await;
    let created = resources(cluster, "absent").await.create(&PostParams::default(), &object(base())).await.unwrap();
    let spec = created.data["spec"].as_object().unwrap();
    let fields: Vec<_> = spec.keys().collect();
    assert_eq!(fields, ["clientId", "keyId", "privateKey", "suspend", "teamId"]);
}

#[tokio::test]
async fn the_definition_is_accepted_without_a_warning() {
    let cluster = cluster::shared().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let definition = crd::yaml().unwrap();

    std::fs::write(file.path(), &definition).unwrap();
    let (succeeded, _, stderr) = run(apply(cluster).arg(file.path()));
    assert!(succeeded && stderr.is_empty(), "{stderr}");

    // That a warning would be seen.
    std::fs::write(file.path(), definition.replace("int64", "uint64")).unwrap();
    let (succeeded, _, stderr) = run(apply(cluster).arg(file.path()));
    assert!(!succeeded && stderr.contains("unrecognized format"), "{stderr}");
}

#[tokio::test]
async fn kubectl_shows_the_columns() {
    let cluster = cluster::shared().await;
    let namespace = cluster.namespace("columns").await.unwrap();
    let resources = resources_in(cluster, &namespace);
    resources.create(&PostParams::default(), &object(base())).await.unwrap();
    crate::status::report(cluster, &namespace, "acme").await;

    let table = |arguments: &[&str]| {
        let (succeeded, stdout, stderr) =
            run(cluster.kubectl().args(["--namespace", &namespace, "get"]).args(arguments));
        assert!(succeeded && stderr.is_empty(), "{stderr}");
        stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    let narrow = table(&["asacred"]);
    assert_eq!(narrow[0], "NAME READY REASON SECRET EXPIRES AGE");
    assert!(narrow[1].starts_with("acme True Available acme 2026-03-01T13:00:00Z "), "{}", narrow[1]);

    let wide = table(&["apple", "--output=wide"]);
    assert_eq!(wide[0], "NAME READY REASON SECRET EXPIRES AGE ORG RENEWS MESSAGE");
    assert!(wide[1].ends_with(" 40669820 2026-03-01T12:28:00Z The token works"), "{}", wide[1]);
}

/// The API server's complaints: none, those of a refusal for what is in the resource, or another error.
async fn judge(resources: &Api<DynamicObject>, row: &Row) -> Result<Vec<StatusCause>, kube::Error> {
    let without_effect = PostParams { dry_run: true, ..PostParams::default() };
    let mut wanted = object(changed(&row.change));
    let answer = if let Some(before) = &row.before {
        let before = resources.create(&PostParams::default(), &object(changed(before))).await?;
        wanted.metadata.resource_version.clone_from(&before.metadata.resource_version);
        let answer = resources.replace("acme", &without_effect, &wanted).await;
        resources.delete("acme", &DeleteParams::default()).await?;
        answer
    } else {
        resources.create(&without_effect, &wanted).await
    };
    match answer {
        Ok(accepted) => {
            typed(&accepted);
            Ok(Vec::new())
        }
        Err(kube::Error::Api(status)) if status.code == 422 => Ok(causes(*status)),
        Err(error) => Err(error),
    }
}

fn agrees(row: &Row, answer: &Result<Vec<StatusCause>, kube::Error>) -> bool {
    let Ok(causes) = answer else { return false };
    match row.verdict {
        Verdict::Accepted => causes.is_empty(),
        Verdict::Refused => causes.iter().any(|cause| {
            row.about.is_some_and(|about| cause.field == about.path && cause.message.contains(about.text))
        }),
    }
}

/// The fields that a refusal blames, with its words on each.
pub(crate) fn causes(refusal: Status) -> Vec<StatusCause> {
    refusal.details.map_or_else(Vec::new, |details| details.causes)
}

/// The resource as the operator's watch reads it, which has to understand all that the API server accepts.
pub(crate) fn typed(accepted: &DynamicObject) -> AsaCredential {
    serde_json::from_value(serde_json::to_value(accepted).unwrap()).unwrap()
}

pub(crate) async fn resources(cluster: &Cluster, prefix: &str) -> Api<DynamicObject> {
    let namespace = cluster.namespace(prefix).await.unwrap();
    resources_in(cluster, &namespace)
}

fn resources_in(cluster: &Cluster, namespace: &str) -> Api<DynamicObject> {
    let kind = ApiResource::erase::<AsaCredential>(&());
    Api::namespaced_with(cluster.client().unwrap(), namespace, &kind)
}

pub(crate) fn object(document: Value) -> DynamicObject {
    serde_json::from_value(document).unwrap()
}

fn apply(cluster: &Cluster) -> Command {
    let mut kubectl = cluster.kubectl();
    kubectl.args(["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--warnings-as-errors"]);
    kubectl.arg("--filename");
    kubectl
}

/// Whether the command succeeded, and what it wrote to stdout and to stderr.
fn run(command: &mut Command) -> (bool, String, String) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}
