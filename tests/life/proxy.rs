//! Clusters whose only way out is a proxy: Apple is asked through it, by `HTTPS_PROXY` and `NO_PROXY` as everywhere.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tempfile::TempDir;

use crate::python::environment;
use crate::support::awaited::ready;
use crate::support::credential::credential;
use crate::support::eventually;
use crate::support::operator::{Operator, command};
use crate::support::stage::Stage;

/// Without these the proxy refuses.
const CREDENTIALS: &str = "user:correct-horse-battery-staple";

/// proxy.py, which passes CONNECT on; it ends with the test.
struct Proxy {
    child: Child,
    folder: TempDir,
    port: u16,
}

impl Proxy {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pins = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/life/requirements.txt");
        let port_file = folder.path().join("port");
        let child = Command::new(environment("proxy.py", &pins).join("bin/proxy"))
            .args(["--hostname", "127.0.0.1", "--port", "0", "--num-workers", "1", "--num-acceptors", "1"])
            .args(["--basic-auth", CREDENTIALS])
            .arg("--port-file")
            .arg(&port_file)
            .arg("--log-file")
            .arg(folder.path().join("log"))
            .arg("--data-dir")
            .arg(folder.path().join("data"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // It has children, which end with the group.
            .process_group(0)
            .spawn()
            .unwrap();
        let read = async || fs::read_to_string(&port_file).unwrap_or_default().trim().parse();
        let port = eventually("the proxy's port", read).await;
        Self { child, folder, port }
    }

    /// Waits until the proxy tells that it passed connections to `port` on.
    async fn passed_on_to(&self, port: u16) {
        eventually(&format!("CONNECT to port {port}"), async || {
            let log = self.log();
            if is_connected(&log, port) { Ok(()) } else { Err(log) }
        })
        .await;
    }

    fn url(&self) -> String {
        format!("http://{CREDENTIALS}@127.0.0.1:{}", self.port)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Only if it ended by itself does either fail.
        let _ = Command::new("kill").args(["-9", "--", &format!("-{}", self.child.id())]).status();
        let _ = self.child.wait();
    }
}

fn is_connected(log: &str, port: u16) -> bool {
    log.lines().any(|line| line.contains("CONNECT") && line.contains(&format!(":{port} ")))
}

/// A credential becomes Ready by an operator with this environment, whose log tells all but the proxy's password; both its
/// Apple and its API server speak TLS.
async fn become_ready(stage: &Stage<'_>, environment: &[(&str, String)]) {
    let folder = tempfile::tempdir().unwrap();
    let ca: PathBuf = folder.path().join("ca.pem");
    fs::write(&ca, stage.apple.ca_pem()).unwrap();
    stage.upload_key();
    stage.create_key_secret().await;
    stage.apply(credential()).await;
    let apple = format!("https://localhost:{}", stage.apple.https_port());
    let mut operator = Operator::new();
    let mut command = command(&stage.namespace, &apple, stage.cluster.kubeconfig());
    command.arg("--ca-bundle").arg(&ca).args(["--log-filter", "trace"]).envs(environment.iter().cloned());
    operator.run(&mut command);
    stage.until(ready()).await;
    operator.kill();
    let (_, password) = CREDENTIALS.split_once(':').unwrap();
    let log = operator.log();
    assert!(log.contains("TRACE") && !log.contains(password) && !log.contains(&BASE64.encode(CREDENTIALS)), "{log}");
}

fn port_of_api_server(stage: &Stage<'_>) -> u16 {
    let kubeconfig = fs::read_to_string(stage.cluster.kubeconfig()).unwrap();
    let port = kubeconfig.split_once("https://127.0.0.1:").unwrap().1;
    port.split(|character: char| !character.is_ascii_digit()).next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn through_a_proxy_apple_is_reached_and_the_api_server_beside_it() {
    let stage = Stage::without_operator(cluster::shared().await).await;
    let proxy = Proxy::start().await;

    become_ready(&stage, &[("HTTPS_PROXY", proxy.url()), ("NO_PROXY", "127.0.0.1".to_owned())]).await;

    proxy.passed_on_to(stage.apple.https_port()).await;
    assert!(!is_connected(&proxy.log(), port_of_api_server(&stage)), "{}", proxy.log());
}

#[tokio::test]
async fn without_an_exception_for_it_the_api_server_of_a_kubeconfig_is_reached_through_the_proxy_too() {
    let stage = Stage::without_operator(cluster::shared().await).await;
    let proxy = Proxy::start().await;

    become_ready(&stage, &[("HTTPS_PROXY", proxy.url())]).await;

    proxy.passed_on_to(stage.apple.https_port()).await;
    proxy.passed_on_to(port_of_api_server(&stage)).await;
}
