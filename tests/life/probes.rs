//! The operator's own HTTP server.

use std::num::NonZeroU32;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use asa_operator::controller::clock::Clock;
use asa_operator::controller::health::Health;
use asa_operator::controller::metrics::Metrics;
use asa_operator::controller::watches::follow;
use asa_operator::controller::world::{Settings, World};
use asa_operator::credential::pacing::Rate;
use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig};
use tokio::sync::watch;

use crate::support::eventually;
use crate::support::stage::Stage;

const MINUTE: Duration = Duration::from_mins(1);

/// Status and body.
async fn ask(url: &str) -> (u16, String) {
    let answer = eventually(url, async || reqwest::get(url).await).await;
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn probes_answer_ok_and_metrics_count_the_calls_to_apple() {
    let stage = Stage::ready().await;
    let free = stage.serves_at("http_address").await;

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
async fn each_probe_lists_its_checks_by_name() {
    let stage = Stage::new().await;
    let free = stage.serves_at("http_address").await;
    let livez = "[+]loop ok\n[+]queue ok\n[+]renewals ok\n[+]watches ok\nlivez check passed\n";
    assert_eq!(ask(&format!("http://{free}/livez?verbose")).await, (200, livez.to_owned()));
    eventually("readiness", async || match ask(&format!("http://{free}/readyz?verbose")).await {
        (200, text) if text == "[+]sync ok\n[+]shutdown ok\nreadyz check passed\n" => Ok(()),
        (_, otherwise) => Err(otherwise),
    })
    .await;
    assert_eq!(ask(&format!("http://{free}/livez/watches")).await, (200, "ok".to_owned()));
    assert_eq!(ask(&format!("http://{free}/livez/tides")).await.0, 404);
}

/// A process whose watches hang is played by one that ends them, and the time that passes is an argument.
#[tokio::test]
async fn a_watch_that_hangs_is_noticed_by_name_and_no_longer_once_it_goes_on() {
    let cluster = cluster::shared().await;
    let namespace = cluster.namespace("watches").await.unwrap();
    let kubeconfig = Kubeconfig::read_from(cluster.kubeconfig()).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    let (clock, health) = (Clock::system(), Health::default());
    let client = asa_operator::operator::client(config, &clock, &Metrics::default(), &health).unwrap();
    let rate = Rate { per_second: NonZeroU32::MIN, burst: NonZeroU32::MIN };
    let settings = Settings { rate, secret_poll_interval: MINUTE };
    let world = Arc::new(World::new((), (), clock.clone(), Metrics::default(), settings));
    let watch = || {
        let (synced, is_synced) = watch::channel(false);
        let task = tokio::spawn(follow(client.clone(), Some(namespace.clone()), Arc::clone(&world), synced));
        (task, is_synced)
    };
    let failing = |now| {
        let checks = health.live(now).into_iter().filter_map(|check| Some((check.name, check.fault?)));
        checks.collect::<Vec<_>>()
    };

    let (task, mut is_synced) = watch();
    is_synced.wait_for(|synced| *synced).await.unwrap();
    task.abort();
    let stopped = clock.now().steady;
    assert_eq!(failing(stopped + 9 * MINUTE), []);
    let noticed = failing(stopped + 10 * MINUTE);
    assert!(matches!(&noticed[..], [("watches", fault)] if fault.contains(&namespace)), "{noticed:?}");

    let (_task, mut is_synced) = watch();
    is_synced.wait_for(|synced| *synced).await.unwrap();
    assert_eq!(failing(clock.now().steady + 9 * MINUTE), []);
}

#[tokio::test]
async fn without_an_api_server_the_operator_lives_and_is_not_ready() {
    let mut stage = Stage::without_operator(cluster::shared().await).await;
    let nowhere = tempfile::NamedTempFile::new().unwrap();
    let kubeconfig = std::fs::read_to_string(stage.cluster.kubeconfig()).unwrap();
    std::fs::write(nowhere.path(), kubeconfig.replace(stage.cluster.url(), "https://127.0.0.1:1")).unwrap();
    stage.operator_is(nowhere.path().to_owned());
    stage.launch_operator(&[]);
    let free = stage.serves_at("http_address").await;

    assert_eq!(ask(&format!("http://{free}/livez")).await, (200, "ok".to_owned()));
    assert_eq!(ask(&format!("http://{free}/readyz")).await.0, 503);
}

#[tokio::test]
async fn the_command_that_helm_test_runs_tells_a_good_answer_from_a_bad_one_and_from_none() {
    let probe = async |urls: Vec<String>| -> Output {
        let asking = tokio::task::spawn_blocking(move || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_asa-operator"));
            // A proxy would be asked instead of the operator.
            command.arg("probe").args(urls).env("HTTP_PROXY", "http://127.0.0.1:1").output().unwrap()
        });
        asking.await.unwrap()
    };
    let silent = probe(vec!["http://127.0.0.1:1/readyz".to_owned()]).await;
    assert!(!silent.status.success());
    assert!(String::from_utf8_lossy(&silent.stderr).contains("did not answer: Connection refused"), "{silent:?}");

    let stage = Stage::ready().await;
    let free = stage.serves_at("http_address").await;
    let url = |path| format!("http://{free}/{path}");
    let good = probe(vec![url("livez"), url("readyz")]).await;
    assert!(good.status.success() && good.stdout == b"ok\nok\n", "{good:?}");
    // Each of them counts.
    for urls in [vec![url("nothing"), url("readyz")], vec![url("readyz"), url("nothing")]] {
        let bad = probe(urls).await;
        assert!(!bad.status.success());
        assert!(String::from_utf8_lossy(&bad.stderr).contains("/nothing answered 404 Not Found"), "{bad:?}");
    }
    assert!(!probe(Vec::new()).await.status.success(), "nothing was asked");
}
