//! The operator's own HTTP server.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Output};

use crate::support::eventually;
use crate::support::stage::Stage;

/// One that nobody listens on at the moment.
fn free_address() -> String {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().to_string()
}

/// Status and body.
async fn ask(url: &str) -> (u16, String) {
    let answer = eventually(url, async || reqwest::get(url).await).await;
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn probes_answer_ok_and_metrics_count_the_calls_to_apple() {
    let free = free_address();
    let stage = Stage::with_arguments(&["--http-address", &free]).await;
    stage.become_ready().await;

    assert_eq!(ask(&format!("http://{free}/livez")).await, (200, "ok".to_owned()));
    assert_eq!(ask(&format!("http://{free}/readyz")).await, (200, "ok".to_owned()));
    let (status, metrics) = ask(&format!("http://{free}/metrics")).await;
    assert_eq!(status, 200);
    let counted = |name: &str| metrics.lines().filter(|line| line.starts_with(name)).collect::<Vec<_>>();
    let apple = counted("asa_apple_requests_total{");
    assert_eq!(apple.len(), 3, "one line for each of Apple's hosts: {metrics}");
    assert!(apple.iter().all(|line| line.contains(r#"result="success""#)), "{apple:#?}");
    assert_eq!(counted("asa_tokens_issued_total"), ["asa_tokens_issued_total 1"]);
}

#[tokio::test]
async fn without_an_api_server_the_operator_lives_and_is_not_ready() {
    let free = free_address();
    let mut stage = Stage::without_operator(cluster::shared().await).await;
    let nowhere = tempfile::NamedTempFile::new().unwrap();
    let kubeconfig = std::fs::read_to_string(stage.cluster.kubeconfig()).unwrap();
    std::fs::write(nowhere.path(), kubeconfig.replace(stage.cluster.url(), "https://127.0.0.1:1")).unwrap();
    stage.operator_is(nowhere.path().to_owned());
    stage.launch_operator(&["--http-address", &free]);

    assert_eq!(ask(&format!("http://{free}/livez")).await, (200, "ok".to_owned()));
    assert_eq!(ask(&format!("http://{free}/readyz")).await.0, 503);
}

#[tokio::test]
async fn the_command_that_helm_test_runs_tells_a_good_answer_from_a_bad_one_and_from_none() {
    let free = free_address();
    let probe = async |url: String| -> Output {
        let asking = tokio::task::spawn_blocking(move || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_asa-operator"));
            // A proxy would be asked instead of the operator.
            command.args(["probe", &url]).env("HTTP_PROXY", "http://127.0.0.1:1").output().unwrap()
        });
        asking.await.unwrap()
    };
    let silent = probe(format!("http://{free}/readyz")).await;
    assert!(!silent.status.success());
    assert!(String::from_utf8_lossy(&silent.stderr).contains("did not answer"), "{silent:?}");

    let stage = Stage::with_arguments(&["--http-address", &free]).await;
    stage.become_ready().await;
    let good = probe(format!("http://{free}/readyz")).await;
    assert!(good.status.success() && good.stdout == b"ok", "{good:?}");
    let bad = probe(format!("http://{free}/nothing")).await;
    assert!(!bad.status.success());
    assert!(String::from_utf8_lossy(&bad.stderr).contains("/nothing answered 404 Not Found"), "{bad:?}");
}
