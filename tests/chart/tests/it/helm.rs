//! The real helm.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use cluster::Cluster;
use serde_json::{Value, json};

/// The name of the release, unless a test says another.
pub(crate) const RELEASE: &str = "test";

/// Its namespace, where that is not a real one.
pub(crate) const NAMESPACE: &str = "apple";

/// A file or folder of the workspace.
pub(crate) fn workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// A YAML file of the workspace.
pub(crate) fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&std::fs::read_to_string(workspace(path)).unwrap()).unwrap()
}

/// helm, found or fetched by the script that `make lint` uses too; nothing of the developer's own configuration counts.
pub(crate) fn helm() -> Command {
    static HELM: OnceLock<PathBuf> = OnceLock::new();
    let found = HELM.get_or_init(|| {
        let told = Command::new("python3").arg(workspace("tools/fetched.py")).arg("helm").output().unwrap();
        assert!(told.status.success(), "no helm: {}", text(&told.stderr));
        text(&told.stdout).trim().into()
    });
    let mut helm = Command::new(found);
    let nowhere = std::env::temp_dir().join("asa-operator-chart-tests");
    helm.env("HELM_CONFIG_HOME", &nowhere).env("HELM_CACHE_HOME", &nowhere).env("HELM_DATA_HOME", nowhere);
    helm
}

/// Runs helm with values on its standard input.
pub(crate) fn run(helm: &mut Command, values: &Value) -> Output {
    let mut child = helm
        .args(["--values", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(values.to_string().as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn template(namespace: &str, values: &Value) -> Output {
    run(
        helm().args(["template", RELEASE]).arg(workspace("charts/asa-operator")).args(["--namespace", namespace]),
        values,
    )
}

/// The objects that the chart renders to in this namespace.
pub(crate) fn rendered_in(namespace: &str, values: &Value) -> Vec<Value> {
    let told = template(namespace, values);
    assert!(told.status.success(), "{values}: {}", text(&told.stderr));
    let documents: Vec<Value> = serde_saphyr::from_multiple(&text(&told.stdout)).unwrap();
    documents.into_iter().filter(|document| !document.is_null()).collect()
}

/// The objects that the chart renders to.
pub(crate) fn rendered(values: &Value) -> Vec<Value> {
    rendered_in(NAMESPACE, values)
}

/// What helm says of values that the chart does not take.
pub(crate) fn refusal(values: &Value) -> String {
    let told = template(NAMESPACE, values);
    assert!(!told.status.success(), "helm takes {values}");
    text(&told.stderr)
}

/// The one object of a kind, or of a kind and a name (`Role/a`).
pub(crate) fn find<'a>(objects: &'a [Value], wanted: &str) -> Option<&'a Value> {
    let (kind, name) = wanted.split_once('/').map_or((wanted, None), |(kind, name)| (kind, Some(name)));
    objects.iter().find(|object| object["kind"] == kind && name.is_none_or(|name| object["metadata"]["name"] == name))
}

/// The values with which everything is on.
pub(crate) fn everything() -> Value {
    yaml("tests/chart/everything.yaml")
}

/// Each tier of rights, by the values that choose it.
pub(crate) fn tiers(namespaces: &[&str]) -> Vec<Value> {
    let tier = |namespaces: &[&str], secrets| json!({"rbac": {"namespaces": namespaces, "secrets": secrets}});
    vec![tier(&[], "watch"), tier(&[], "get"), tier(namespaces, "watch"), tier(namespaces, "get")]
}

/// `over` on top of `values`, maps entry by entry, as helm does it.
pub(crate) fn merged(values: &Value, over: &Value) -> Value {
    match (values, over) {
        (Value::Object(values), Value::Object(over)) => {
            let mut both = values.clone();
            for (key, value) in over {
                let old = both.get(key).cloned().unwrap_or_default();
                both.insert(key.clone(), merged(&old, value));
            }
            Value::Object(both)
        }
        _ => over.clone(),
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Installs the chart, but for the CRDs, which the shared control plane has.
pub(crate) fn install(cluster: &Cluster, namespace: &str, values: &Value) {
    let values = merged(values, &json!({"crds": {"enabled": false}}));
    let mut install = on(cluster, &["install", RELEASE], namespace);
    let told = run(install.arg(workspace("charts/asa-operator")), &values);
    assert!(told.status.success(), "{values}: {}", text(&told.stderr));
}

/// helm with a command for this namespace of a cluster.
pub(crate) fn on(cluster: &Cluster, command: &[&str], namespace: &str) -> Command {
    let mut helm = helm();
    helm.args(command).args(["--namespace", namespace]).env("KUBECONFIG", cluster.kubeconfig());
    helm
}
