//! Who the operator is: the chart's own `ServiceAccount`, with the chart's rules and admission policies and nothing else.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use cluster::Cluster;
use tokio::sync::Mutex;

use super::eventually;

/// The chart's value `rbac.secrets`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Secrets {
    Watch,
    Get,
}

impl Secrets {
    /// What this run of the suite is about: `ASA_OPERATOR_TEST_SECRETS`, which is `watch` or `get`; `watch` without it.
    pub(crate) fn of_this_run() -> Self {
        match env::var("ASA_OPERATOR_TEST_SECRETS").as_deref() {
            Ok("get") => Self::Get,
            Ok("watch") | Err(env::VarError::NotPresent) => Self::Watch,
            other => panic!("ASA_OPERATOR_TEST_SECRETS is {other:?}, not watch or get"),
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Watch => "watch",
            Self::Get => "get",
        }
    }
}

/// An operator as the chart installs it.
#[derive(Clone, Debug)]
pub(crate) struct Installed {
    /// The namespace of the release.
    pub(crate) namespace: String,
    /// The `ServiceAccount`, as the API server names it.
    pub(crate) user: String,
    /// With which it acts as that.
    pub(crate) kubeconfig: PathBuf,
}

/// The operators that were installed, by control plane.
static INSTALLED: Mutex<BTreeMap<(PathBuf, Secrets), Installed>> = Mutex::const_new(BTreeMap::new());

/// An operator as the chart installs it, once for each control plane.
pub(crate) async fn operator(cluster: &Cluster, secrets: Secrets) -> Installed {
    let mut installed = INSTALLED.lock().await;
    let key = (cluster.kubeconfig().to_owned(), secrets);
    if let Some(operator) = installed.get(&key) {
        return operator.clone();
    }
    let namespace = cluster.namespace("operator").await.unwrap();
    let user = format!("system:serviceaccount:{namespace}:asa-operator");
    install(cluster, &namespace, secrets);
    // The API server learns of bindings and policies by watches. Until then it refuses less politely, or not at all.
    eventually("policy", async || {
        let mut kubectl = cluster.kubectl();
        kubectl.args([
            "--namespace",
            &namespace,
            "--as",
            &user,
            "create",
            "secret",
            "generic",
            "a",
            "--dry-run=server",
        ]);
        let told = String::from_utf8(kubectl.output().unwrap().stderr).unwrap();
        if told.contains("ValidatingAdmissionPolicy") { Ok(()) } else { Err(told) }
    })
    .await;
    let operator = Installed { kubeconfig: cluster.user(&user, &[]).unwrap(), namespace, user };
    installed.insert(key, operator.clone());
    operator
}

fn install(cluster: &Cluster, namespace: &str, secrets: Secrets) {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"));
    let helm = Command::new("python3").arg(workspace.join("tools/fetched.py")).arg("helm").output().unwrap();
    let mut helm = Command::new(String::from_utf8(helm.stdout).unwrap().trim());
    helm.args(["install", "asa-operator", "charts/asa-operator", "--namespace", namespace])
        .args(["--set", "crds.enabled=false", "--set", "metrics.secure.enabled=true"])
        .args(["--set", "metrics.secure.tlsSecretName=tls", "--set"])
        .arg(format!("rbac.secrets={}", secrets.as_str()))
        .current_dir(workspace)
        .env("KUBECONFIG", cluster.kubeconfig());
    let told = helm.output().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
}
