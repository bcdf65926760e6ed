//! Thirty credentials of Apple Ads and sixteen of App Store Connect, each with a mishap of its own, ten more with keys that are
//! none, and the log at its most talkative.

use std::fs;
use std::path::Path;

use asa_operator::api::Reason;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use fake_apple::{Client, Endpoint};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::api_keys;
use crate::between::{Behind, Between, Trick};
use crate::haystack::{Haystack, Transcript};
use crate::mishaps::{edited, html, mishaps, status};
use crate::needles::{Needles, WINDOW, hex, scalar};
use crate::refused::{Refused, refused};
use crate::seen::Seen;
use crate::support::awaited::{not_ready, ready};
use crate::support::credential::{AD_ACCOUNT, NAME, ORG, credential};
use crate::support::eventually;
use crate::support::key::KeyPair;
use crate::support::operator::{Operator, command};
use crate::support::stage::Stage;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_goes_wrong_nothing_secret_is_told_in_lines_of_json() {
    nothing_secret_is_told("json").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_goes_wrong_nothing_secret_is_told_in_lines_of_text() {
    nothing_secret_is_told("text").await;
}

async fn nothing_secret_is_told(format: &'static str) {
    let scene = Scene::new(format).await;
    let mut needles = Needles::default();
    needles.key("the key", scene.stage.key.private());
    needles.key("the API key", scene.api_key.private());
    let mut operator = Operator::new();

    let first = scene.until_ready_without_mishap(&mut operator).await;
    needles.token("the first access token", &first);
    scene.until_all_went_wrong(&mut operator, &first, &mut needles).await;

    let (client_secrets, tokens, signed) = scene.seen.add_to(&mut needles);
    let issued = scene.stage.apple.state().counts().at(Endpoint::Token).with_status(200).total();
    assert_eq!(tokens as u64 + 1, issued, "every token is known");
    assert!(client_secrets > 30, "{client_secrets} client secrets");
    assert!(signed > 30, "{signed} tokens of API keys, to be published or to ask with");
    let said = Haystack::of(&scene.stage, &operator, &scene.transcript).await;
    // hyper_util has its lines from its feature `client`; none of kube's features is needed for them.
    for target in ["hyper_util::client", "kube_client::client::builder", "reqwest::", "rustls::", "asa_operator::"] {
        let begins = [format!("\"target\":\"{target}"), format!(" {target}")];
        let is_its = |line: &str| begins.iter().any(|begin| line.contains(begin));
        assert!(said.part("the log").lines().any(is_its), "no line of {target}: a deaf test proves nothing");
    }
    assert_eq!(said.find(&needles), [], "of {} windows", needles.len());

    scene.plant(&first).await;
    let said = Haystack::of(&scene.stage, &operator, &scene.transcript).await;
    let found: Vec<_> = said.find(&needles).into_iter().map(|(part, _)| part).collect();
    assert_eq!(found, said.parts_that_can_tell(), "what is planted is found");
}

/// A stage with somebody who listens on the way to either server.
struct Scene {
    stage: Stage<'static>,
    /// The key of all credentials of App Store Connect.
    api_key: KeyPair,
    format: &'static str,
    transcript: Transcript,
    seen: Seen,
    api_server: Between,
    apple: Between,
    folder: TempDir,
}

impl Scene {
    async fn new(format: &'static str) -> Self {
        let stage = Stage::without_operator(cluster::shared().await).await;
        let seen = Seen::default();
        let listener = {
            let seen = seen.clone();
            Box::new(move |asked: &_, answer: &_| seen.listen(asked, answer))
        };
        let listener_to_writes = {
            let seen = seen.clone();
            Box::new(move |asked: &_, _: &_| seen.listen_to_writes(asked))
        };
        let behind = Behind::Apple(stage.apple.url(), reqwest::Client::new());
        Self {
            api_key: KeyPair::new(),
            format,
            transcript: Transcript::of(&stage),
            seen,
            api_server: Between::start(Behind::ApiServer(stage.kube.clone()), listener_to_writes).await,
            apple: Between::start(behind, listener).await,
            folder: tempfile::tempdir().unwrap(),
            stage,
        }
    }

    /// Over TLS to both, and nothing in between; the token.
    async fn until_ready_without_mishap(&self, operator: &mut Operator) -> String {
        self.apply(&[self.key_secret(NAME)], &[NAME]);
        let ca = self.folder.path().join("ca.pem");
        fs::write(&ca, self.stage.apple.ca_pem()).unwrap();
        let kubeconfig = self.stage.cluster.kubeconfig();
        self.run(operator, &self.stage.apple.https_url(), kubeconfig, &["--ca-bundle", ca.to_str().unwrap()]);
        self.stage.until(ready()).await;
        operator.kill();
        self.stage.token().await
    }

    async fn until_all_went_wrong(&self, operator: &mut Operator, first: &str, needles: &mut Needles) {
        let (mishaps, refused) = (mishaps(), refused(needles));
        let outcomes: Vec<_> = mishaps.iter().map(|mishap| (mishap.name, mishap.outcome)).collect();
        let outcomes = outcomes.into_iter().chain(refused.iter().map(|refused| (refused.name, refused.outcome)));
        let outcomes: Vec<_> = outcomes.collect();
        let keys = mishaps.iter().map(|mishap| self.key_secret(mishap.name));
        let secrets = keys.chain(refused.into_iter().map(Refused::secret));
        let others: Vec<_> = secrets.chain(api_keys::documents(&self.stage, &self.api_key)).collect();
        self.apply(&others, &outcomes.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        self.spoil_the_first_sight();
        for mishap in mishaps {
            let on_the_way_to = if mishap.place.is_at_apple() { &self.apple } else { &self.api_server };
            on_the_way_to.play(mishap.trick(&self.seen));
        }
        api_keys::lie_in_wait(&self.seen, &self.apple, &self.api_server);
        let kubeconfig = self.folder.path().join("kubeconfig");
        fs::write(&kubeconfig, plain(&self.api_server.url).to_string()).unwrap();
        self.run(operator, &self.apple.url, &kubeconfig, &[]);
        self.api_server.play(Trick {
            name: "a renewal quoted by admission".to_owned(),
            to: Box::new(|asked| asked.method == "PATCH" && asked.path.contains("/secrets/acme?")),
            has_effect: false,
            spoil: Box::new(|asked, _| status(403, "Forbidden", &asked.body)),
        });
        self.stage.request_renewal("with the client secret that is published").await;

        for (name, outcome) in outcomes {
            self.stage.until_named(name, &outcome.to_string(), |seen| outcome.holds(seen)).await;
        }
        self.stage.token_other_than(first).await;
        api_keys::until_all_went_wrong(&self.stage, &self.seen, &self.apple, &self.api_server).await;
        self.stage.operator_saw_it_all().await;
        assert_eq!((self.api_server.unplayed(), self.apple.unplayed()), (vec![], vec![]));
    }

    fn run(&self, operator: &mut Operator, apple: &str, kubeconfig: &Path, arguments: &[&str]) {
        let mut command = command(&self.stage.namespace, apple, kubeconfig);
        command.args(["--log-filter", "trace", "--log-format", self.format]).args(arguments);
        operator.run(command.env("RUST_BACKTRACE", "full"));
    }

    /// The user applies documents by `kubectl apply`, which copies each whole into an annotation, and registers a client
    /// for each credential.
    fn apply(&self, others: &[Value], credentials: &[&str]) {
        let documents = credentials.iter().map(|name| self.credential(name));
        let items: Vec<_> = others.iter().cloned().chain(documents).collect();
        let file = self.folder.path().join("documents.json");
        fs::write(&file, json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()).unwrap();
        self.stage.kubectl_apply(&file);
    }

    fn credential(&self, name: &str) -> Value {
        let document = credential().named(name).with("clientId", json!(name)).document().clone();
        let id = |field: &str| document["spec"][field].as_str().unwrap();
        let client = Client::new(name, id("teamId"), id("keyId"), self.stage.key.public());
        self.stage.register(client.organization(ORG, "Acme").ad_account(AD_ACCOUNT, "Acme Europe"));
        document
    }

    fn key_secret(&self, name: &str) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": format!("{name}-key")},
            "stringData": {"private-key.pem": self.stage.key.private()},
        })
    }

    /// The list and the watch of Secrets go wrong at first; what a user applied is in their metadata too.
    fn spoil_the_first_sight(&self) {
        let key = self.stage.key.private().to_owned();
        let listed = |name: &str, spoil| Trick {
            name: name.to_owned(),
            to: Box::new(|asked| asked.path.contains("/secrets?") && !asked.path.contains("watch=")),
            has_effect: true,
            spoil,
        };
        self.api_server.play(listed("a list in a 500", Box::new(|_, answer| html(500, &answer.body))));
        self.api_server.play(listed(
            "a list of another type",
            Box::new(|_, answer| edited(&answer, |list| list["items"] = json!(list["items"].to_string()))),
        ));
        self.api_server.play(Trick {
            name: "a watch of another type".to_owned(),
            to: Box::new(|asked| asked.path.contains("/secrets?") && asked.path.contains("watch=")),
            has_effect: false,
            spoil: Box::new(move |_, mut answer| {
                let status = json!({"kind": "Status", "code": 500, "message": key, "reason": "InternalError"});
                answer.status = 200;
                answer.body = format!(
                    "{}\n{}\n",
                    json!({"type": "MODIFIED", "object": key}),
                    json!({"type": "ERROR", "object": status})
                );
                answer
            }),
        });
    }

    /// Makes the operator tell a few characters of the key and of `token`: as the names of a Secret and of its entry.
    async fn plant(&self, token: &str) {
        let [hex, api_hex] = [&self.stage.key, &self.api_key].map(|key| hex(&scalar(key.private())));
        let some = token.rsplit('.').next().unwrap();
        let document = credential().named(&hex[..WINDOW]).key_entry(&some[some.len() - WINDOW..]);
        self.stage.apply(document).await;
        let outcome = not_ready(Reason::KeySecretNotFound);
        self.stage.until_named(&hex[..WINDOW], &outcome.to_string(), |seen| outcome.holds(seen)).await;
        eventually("planted Event", async || {
            let events = self.stage.kubectl(&["get", "events", "--output=yaml"]);
            if events.contains(&hex[..WINDOW]) { Ok(()) } else { Err("none") }
        })
        .await;
        let api_token = self.stage.api_token(api_keys::RENEWED).await;
        api_keys::plant(&self.stage, &api_hex[..WINDOW], &api_token[api_token.len() - WINDOW..]).await;
        let annotations = json!({"planted": BASE64_STANDARD.encode(some)});
        self.stage.change_secret(NAME, json!({"metadata": {"annotations": annotations}})).await;
        self.stage.operator_saw_it_all().await;
    }
}

/// A kubeconfig for an API server that asks nobody who he is.
pub(crate) fn plain(url: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "between", "cluster": {"server": url}}],
        "users": [{"name": "anybody", "user": {}}],
        "contexts": [{"name": "between", "context": {"cluster": "between", "user": "anybody"}}],
        "current-context": "between",
    })
}
