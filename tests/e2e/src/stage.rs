//! The cluster with its node, and the words in which the story speaks to it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use cluster::{Cluster, NodeOptions, Options};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::image;
use crate::objects::OPERATOR;
use crate::shell::{Done, Failure, cannot, fail, run};

/// Seconds that `helm test` is given.
pub(crate) const TEST_LIMIT: u32 = 60;

/// Everything that runs. It ends, and is cleaned up, when it is dropped.
pub(crate) struct Stage {
    cluster: Cluster,
    /// The cluster stops within it.
    _runtime: Runtime,
    helm: PathBuf,
    chart: PathBuf,
    dir: PathBuf,
    /// The addresses of all pods of the operator that were ever seen ready, and their names.
    addresses: Mutex<BTreeMap<String, String>>,
}

impl Stage {
    /// Starts control plane and node. `dir` is for files of the story.
    pub(crate) fn start(repository: &Path, dir: &Path, images: Vec<PathBuf>) -> Done<Stage> {
        let helm = run(Command::new("python3").arg(repository.join("tools/fetched.py")).arg("helm"))?;
        let node = NodeOptions { images, sandbox_image: image::TOOLS.to_owned() };
        let options = Options { node: Some(node), ..Options::default() };
        let runtime = Runtime::new().map_err(cannot("start a runtime"))?;
        let cluster = runtime.block_on(Cluster::start(options)).map_err(|error| Failure(error.report()))?;
        let stage = Stage {
            cluster,
            _runtime: runtime,
            helm: helm.trim().into(),
            chart: repository.join("charts/asa-operator"),
            dir: dir.to_owned(),
            addresses: Mutex::default(),
        };
        fs::create_dir_all(stage.apple_folder()).map_err(cannot("create a folder for the stand-in for Apple"))?;
        Ok(stage)
    }

    /// The folder in which the stand-in for Apple leaves its certificate.
    pub(crate) fn apple_folder(&self) -> PathBuf {
        self.dir.join("apple")
    }

    /// The control plane's audit log.
    pub(crate) fn audit_log(&self) -> PathBuf {
        self.cluster.kubeconfig().with_file_name("audit.log")
    }

    /// kubectl, to be given its arguments.
    pub(crate) fn kubectl_command(&self) -> Command {
        self.cluster.kubectl()
    }

    /// What kubectl prints.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> Done<String> {
        run(self.cluster.kubectl().args(arguments))
    }

    /// What kubectl gets, as JSON.
    pub(crate) fn get(&self, arguments: &[&str]) -> Done<Value> {
        let told = self.kubectl(&[&["get", "--output=json"], arguments].concat())?;
        serde_json::from_str(&told).map_err(cannot("read what kubectl got"))
    }

    /// Applies objects.
    pub(crate) fn apply(&self, objects: &Value) -> Done {
        let file = self.dir.join("objects.json");
        fs::write(&file, objects.to_string()).map_err(cannot("write objects.json"))?;
        self.kubectl(&["apply", "--server-side", "--filename", &file.to_string_lossy()]).map(drop)
    }

    /// Installs or upgrades the chart with these values, and waits until its pods are ready.
    pub(crate) fn install(&self, values: &Value) -> Done {
        let file = self.dir.join("values.json");
        fs::write(&file, values.to_string()).map_err(cannot("write values.json"))?;
        let mut helm = self.helm(&["upgrade", "--install", "asa-operator"]);
        run(helm.arg(&self.chart).arg("--values").arg(file).args(["--wait", "--timeout=180s"])).map(drop)
    }

    /// Runs `helm test`; what it and its pod said, also where it fails.
    pub(crate) fn test(&self) -> Done<String> {
        run(self.helm(&["test", "asa-operator", "--logs"]).arg(format!("--timeout={TEST_LIMIT}s")))
    }

    /// Has DNS lead a name to a Service.
    pub(crate) fn name(&self, name: &str, namespace: &str, service: &str) -> Done {
        let service = self.get(&["service", "--namespace", namespace, service])?;
        let address = service["spec"]["clusterIP"].as_str().unwrap_or_default();
        let address = address.parse().map_err(cannot(format!("read the address {address:?} of a Service")))?;
        self.cluster.name(name, address).map_err(|error| Failure(error.report()))
    }

    /// Takes the chart away.
    pub(crate) fn uninstall(&self) -> Done {
        run(&mut self.helm(&["uninstall", "asa-operator", "--wait", "--timeout=120s"])).map(drop)
    }

    fn helm(&self, arguments: &[&str]) -> Command {
        let mut helm = Command::new(&self.helm);
        helm.args(arguments).args(["--namespace", OPERATOR]).env("KUBECONFIG", self.cluster.kubeconfig());
        for (variable, folder) in
            [("HELM_CACHE_HOME", "cache"), ("HELM_CONFIG_HOME", "config"), ("HELM_DATA_HOME", "data")]
        {
            helm.env(variable, self.dir.join("helm").join(folder));
        }
        helm.stdin(Stdio::null());
        helm
    }

    /// The operator's pods that are ready and not about to end.
    pub(crate) fn operators(&self) -> Done<Vec<Value>> {
        let pods = self.get(&["pods", "--namespace", OPERATOR, "--selector=app.kubernetes.io/name=asa-operator"])?;
        let ready = |pod: &&Value| {
            let conditions = pod["status"]["conditions"].as_array();
            pod["metadata"]["deletionTimestamp"].is_null()
                && conditions.is_some_and(|all| all.iter().any(|one| one["type"] == "Ready" && one["status"] == "True"))
        };
        let pods: Vec<Value> = pods["items"].as_array().into_iter().flatten().filter(ready).cloned().collect();
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        for pod in &pods {
            if let (Some(ip), Some(name)) = (pod["status"]["podIP"].as_str(), pod["metadata"]["name"].as_str()) {
                addresses.insert(ip.to_owned(), name.to_owned());
            }
        }
        Ok(pods)
    }

    /// Which pod had which address. The network gives none out twice before it has given out all.
    pub(crate) fn addresses(&self) -> BTreeMap<String, String> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The process of a pod's only container, as this machine sees it.
    pub(crate) fn process(&self, pod: &str) -> Done<String> {
        let pod = self.get(&["pod", "--namespace", OPERATOR, pod])?;
        let id = pod["status"]["containerStatuses"][0]["containerID"].as_str().unwrap_or_default();
        let id = id.trim_start_matches("containerd://").to_owned();
        let tasks = self.cluster.ctr(&["tasks", "ls"]).map_err(|error| Failure(error.report()))?;
        let line = tasks.lines().find(|line| line.starts_with(&id) && !id.is_empty());
        let pid = line.and_then(|line| line.split_whitespace().nth(1));
        pid.map_or_else(|| fail(format!("no process of container {id}")), |pid| Ok(pid.to_owned()))
    }

    /// What kubectl and the pods have to say when something failed.
    pub(crate) fn tell(&self) -> String {
        let asked: [&[&str]; 6] = [
            &["get", "pods,leases,asacred,asccred", "--all-namespaces", "--output=wide"],
            &["get", "events", "--all-namespaces", "--sort-by=.lastTimestamp"],
            &["describe", "pods", "--namespace", OPERATOR],
            &[
                "logs",
                "--namespace",
                OPERATOR,
                "--selector=app.kubernetes.io/name=asa-operator",
                "--prefix",
                "--tail=40",
            ],
            &["logs", "--namespace", "marketing", "workload", "--tail=20"],
            &["logs", "--namespace", "apple", "apple", "--tail=20"],
        ];
        let told = asked.map(|arguments| {
            let output = self.cluster.kubectl().args(arguments).output();
            let output = output.map(|output| [output.stdout, output.stderr].concat()).unwrap_or_default();
            format!("\n$ kubectl {}\n{}", arguments.join(" "), String::from_utf8_lossy(&output))
        });
        told.concat()
    }
}
