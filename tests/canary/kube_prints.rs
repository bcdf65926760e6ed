//! What kube would print, and under which target: why `telemetry.rs` restrains three of them.
//!
//! Where a test here fails because kube no longer prints a secret, that target need not be restrained any longer.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Secret;
use kube::config::Kubeconfig;
use kube::core::PartialObjectMeta;
use kube::{Api, Client, Config};
use kube_runtime::watcher::{self, watcher};
use serde_json::{Value, json};
use tracing::subscriber;
use tracing_subscriber::fmt;

use crate::between::{Answer, Behind, Between, Trick};
use crate::mishaps::{edited, halved, html, status};
use crate::needles::Needles;
use crate::support::key::KeyPair;

/// A log without a filter.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    /// The targets of the lines that tell of `needles`.
    fn leaky_targets(&self, needles: &Needles) -> BTreeSet<String> {
        let lines = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let leaky = lines.lines().filter(|line| needles.find(line).is_some());
        leaky.map(|line| serde_json::from_str::<Value>(line).unwrap()["target"].as_str().unwrap().to_owned()).collect()
    }
}

/// A client whose API server knows these answers to one request each, all of it logged.
async fn client_of(answers: Vec<Answer>) -> (Between, Client) {
    let nobody = Behind::Apple("http://127.0.0.1:9".to_owned(), reqwest::Client::new());
    let api_server = Between::start(nobody, Box::new(|_, _| {})).await;
    for answer in answers {
        api_server.play(Trick {
            name: "an answer".to_owned(),
            to: Box::new(|_| true),
            has_effect: false,
            spoil: Box::new(|_, _| answer),
        });
    }
    let client = Client::try_from(Config::new(api_server.url.parse().unwrap())).unwrap();
    (api_server, client)
}

fn secret(key: &KeyPair) -> Answer {
    let metadata = json!({"name": "a", "uid": "u", "annotations": {"applied": key.private()}});
    let body = json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata});
    Answer { status: 200, body: body.to_string(), ..Answer::default() }
}

#[tokio::test]
async fn of_a_secret_that_it_cannot_read_kube_prints_the_body_under_one_target() {
    let key = KeyPair::new();
    let mut needles = Needles::default();
    needles.key("the key", key.private());
    let whole = secret(&key);
    let unreadable = [
        halved(Answer { body: whole.body.repeat(2)[..whole.body.len() * 2 - 2].to_owned(), ..whole.clone() }),
        edited(&whole, |secret| secret["data"] = json!("none")),
        html(500, &whole.body),
        status(500, "InternalError", &whole.body),
    ];
    for answer in unreadable {
        let lines = Lines::default();
        let written = lines.clone();
        let log = fmt().json().with_max_level(tracing::Level::TRACE).with_writer(move || written.clone()).finish();
        let logged = subscriber::set_default(log);
        let body = answer.body.clone();
        let (_api_server, client) = client_of(vec![answer]).await;

        Api::<Secret>::namespaced(client, "a").get("a").await.unwrap_err();

        drop(logged);
        assert_eq!(lines.leaky_targets(&needles), ["kube_client::client".to_owned()].into(), "{body}");
    }
}

#[tokio::test]
async fn of_a_list_that_it_cannot_read_kube_prints_the_error_with_the_body_in_it() {
    let key = KeyPair::new();
    let mut needles = Needles::default();
    needles.key("the key", key.private());
    let lines = Lines::default();
    let written = lines.clone();
    let log = fmt().json().with_max_level(tracing::Level::TRACE).with_writer(move || written.clone()).finish();
    let logged = subscriber::set_default(log);
    let (_api_server, client) = client_of(vec![html(500, &secret(&key).body)]).await;
    let secrets = Api::<PartialObjectMeta<Secret>>::namespaced(client, "a");

    let mut events = watcher(secrets, watcher::Config::default()).boxed();
    while events.next().await.unwrap().is_ok() {}

    drop(logged);
    let expected = ["kube_client::client".to_owned(), "kube_runtime::watcher".to_owned()];
    assert_eq!(lines.leaky_targets(&needles), expected.into());
}

#[test]
fn of_a_kubeconfig_that_it_cannot_read_kube_shows_lines() {
    let mut needles = Needles::default();
    needles.bytes("the password", "correct-horse-battery-staple");

    let shown = Kubeconfig::from_yaml(&crate::start::broken_kubeconfig("correct-horse-battery-staple")).unwrap_err();

    assert!(needles.find(shown.to_string()).is_some(), "{shown}");
}
