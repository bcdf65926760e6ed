//! Metrics over TLS, for those who may read them.

use std::fs;
use std::path::Path;
use std::process::Command;

use reqwest::{Certificate, Client};

use super::scrape::Scrape;
use crate::support::eventually;
use crate::support::stage::Stage;

/// Writes a certificate for this machine and its key; the certificate.
pub(crate) fn write_pair(folder: &Path) -> String {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    fs::write(folder.join("tls.crt"), made.cert.pem()).unwrap();
    fs::write(folder.join("tls.key"), made.signing_key.serialize_pem()).unwrap();
    made.cert.pem()
}

/// A client that trusts this certificate and no other.
pub(crate) fn trusting(certificate: &str) -> Client {
    asa_operator::operator::install_crypto_provider();
    let certificate = Certificate::from_pem(certificate.as_bytes()).unwrap();
    Client::builder().tls_certs_only([certificate]).build().unwrap()
}

async fn status(client: &Client, url: &str, token: &str) -> u16 {
    let ask = async || client.get(url).bearer_auth(token).send().await;
    eventually(url, ask).await.status().as_u16()
}

#[tokio::test]
async fn secured_metrics_are_shown_to_those_who_may_get_them_and_under_a_new_certificate_once_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = write_pair(folder.path());
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (cert, key) = (file("tls.crt"), file("tls.key"));
    let arguments = ["--metrics-address", "127.0.0.1:0", "--metrics-authorization"];
    let tls = ["--metrics-tls-cert", &cert, "--metrics-tls-key", &key];
    let stage = Stage::with_arguments(&[&arguments[..], &tls[..], &["--log-filter", "trace"]].concat()).await;
    let (probes, metrics) = (stage.serves_at("http_address").await, stage.serves_at("metrics_address").await);
    let stranger = token_of(&stage, "stranger");
    let scraper = token_of(&stage, "scraper");
    may_scrape(&stage, "scraper");
    let (client, url) = (trusting(&certificate), format!("https://{metrics}/metrics"));

    assert_eq!(client.get(&url).send().await.unwrap().status(), 401);
    assert_eq!(status(&client, &url, "made.up.token").await, 401);
    assert_eq!(status(&client, &url, &stranger).await, 403);
    assert_eq!(status(&client, &url, &scraper).await, 200);
    assert_eq!(reqwest::get(format!("http://{probes}/metrics")).await.unwrap().status(), 404);
    assert_eq!(reqwest::get(format!("http://{probes}/livez")).await.unwrap().status(), 200);

    let reviews = async || {
        let text = client.get(&url).bearer_auth(&scraper).send().await.unwrap().text().await.unwrap();
        Scrape(text).value("rest_client_requests_total", &[("method", "POST"), ("code", "201")])
    };
    assert_eq!(reviews().await.to_bits(), reviews().await.to_bits(), "a decision is kept for a while");

    let renewed = trusting(&write_pair(folder.path()));
    eventually("the new certificate", async || renewed.get(&url).bearer_auth(&scraper).send().await).await;

    let log = stage.operator_log();
    assert!(log.contains("hyper_util::"), "a log that does not tell everything proves nothing");
    for token in [&stranger, &scraper] {
        assert!(token.split('.').all(|part| !log.contains(part)), "a scraper's token is in the log");
    }
}

#[test]
fn metrics_are_not_authorized_over_a_connection_that_anybody_can_read() {
    let mut operator = Command::new(env!("CARGO_BIN_EXE_asa-operator"));
    let refused = operator.args(["run", "--metrics-authorization"]).output().unwrap();
    let words = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && words.contains("--metrics-tls-cert"), "{words}");
}

/// The token of a new `ServiceAccount`.
pub(crate) fn token_of(stage: &Stage<'_>, account: &str) -> String {
    stage.kubectl(&["create", "serviceaccount", account]);
    stage.kubectl(&["create", "token", account]).trim().to_owned()
}

fn may_scrape(stage: &Stage<'_>, account: &str) {
    let (role, subject) = (format!("metrics-{}", stage.namespace), format!("{}:{account}", stage.namespace));
    stage.kubectl(&["create", "clusterrole", &role, "--verb=get", "--non-resource-url=/metrics"]);
    let binding = ["create", "clusterrolebinding", &role, "--clusterrole", &role, "--serviceaccount", &subject];
    stage.kubectl(&binding);
}
