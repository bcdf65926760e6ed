//! The place where a test happens: a namespace, an Apple and an operator of its own, on a real API server.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use asa_operator::api::{AsaCredential, ConditionType, Reason};
use cluster::Cluster;
use fake_apple::FakeApple;
use k8s_openapi::api::events::v1::Event;
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use super::awaited::{Awaited, is_not, ready, told};
use super::credential::{self, Credential, KEY_SECRET, NAME, credential};
use super::key::KeyPair;
use super::operator::Operator;
use super::rbac::{self, Secrets};
use super::work::REFUSED_LIST;
use super::{a_minute_later, eventually};

/// Who applies documents here, as kubectl is who does elsewhere.
const FIELD_MANAGER: &str = "user";

pub(crate) struct Stage<'c> {
    pub(crate) cluster: &'c Cluster,
    pub(crate) apple: FakeApple,
    pub(crate) namespace: String,
    pub(crate) kube: Client,
    /// The key that goes with [`Stage::upload_key`] and [`Stage::create_key_secret`].
    pub(crate) key: KeyPair,
    operator: Operator,
    kubeconfig: PathBuf,
    /// How the operator learns of changed Secrets.
    pub(super) secrets: Secrets,
    witnesses: AtomicU32,
}

impl Stage<'static> {
    /// On the control plane that all tests share, with an operator that watches.
    pub(crate) async fn new() -> Self {
        Self::with_arguments(&[]).await
    }

    /// The same with further arguments of the operator.
    pub(crate) async fn with_arguments(arguments: &[&str]) -> Self {
        let mut stage = Stage::without_operator(cluster::shared().await).await;
        stage.start_operator(arguments).await;
        stage
    }

    /// The same with a credential that is Ready.
    pub(crate) async fn ready() -> Self {
        let stage = Self::new().await;
        stage.become_ready().await;
        stage
    }

    /// The same with tokens that live for so many seconds.
    pub(crate) async fn ready_with_tokens_of(seconds: u32) -> Self {
        let stage = Self::new().await;
        stage.apple.state().set_token_life(seconds);
        stage.become_ready().await;
        stage
    }
}

impl<'c> Stage<'c> {
    /// Nobody looks after it yet.
    pub(crate) async fn without_operator(cluster: &'c Cluster) -> Self {
        Self::in_tier(cluster, Secrets::of_this_run()).await
    }

    /// The same in this tier, whatever the run of the suite is about.
    pub(crate) async fn in_tier(cluster: &'c Cluster, secrets: Secrets) -> Self {
        Self {
            cluster,
            apple: FakeApple::start().await.unwrap(),
            namespace: cluster.namespace("life").await.unwrap(),
            kube: cluster.client().unwrap(),
            key: KeyPair::new(),
            operator: Operator::new(),
            kubeconfig: rbac::operator(cluster, secrets).await.kubeconfig,
            secrets,
            witnesses: AtomicU32::new(0),
        }
    }

    /// From its next start on the operator is another user.
    pub(crate) fn operator_is(&mut self, kubeconfig: PathBuf) {
        self.kubeconfig = kubeconfig;
    }

    /// Makes the operator one of whom the API server knows without RBAC what he may. One that has just started refuses the
    /// others for a moment, until it has read the roles.
    pub(crate) fn operator_may_do_everything(&mut self) {
        self.operator_is(self.cluster.kubeconfig().to_owned());
        self.secrets = Secrets::Watch;
    }

    /// Starts the operator; returns when it watches, or knows that it may not watch Secrets.
    pub(crate) async fn start_operator(&mut self, arguments: &[&str]) {
        let mark = self.mark();
        self.launch_operator(arguments);
        for kind in ["appstoreconnectcredentials", "asacredentials"] {
            self.operator_asked(&mark, &format!("watch {kind}")).await;
        }
        let of_secrets = match self.secrets {
            Secrets::Watch => "watch secrets",
            Secrets::Get => REFUSED_LIST,
        };
        self.operator_asked(&mark, of_secrets).await;
    }

    /// Starts the operator, and nothing else.
    pub(crate) fn launch_operator(&mut self, arguments: &[&str]) {
        self.operator.start(&self.namespace, &self.apple, &self.kubeconfig, arguments);
    }

    /// Ends the operator as a crash would.
    pub(crate) fn kill_operator(&mut self) {
        self.operator.kill();
    }

    /// All that the operator wrote.
    pub(crate) fn operator_log(&self) -> String {
        self.operator.log()
    }

    /// Where the operator that was started last says that it serves: `http_address` or `metrics_address`.
    pub(crate) async fn serves_at(&self, what: &str) -> String {
        eventually(what, async || {
            let log = self.operator_log();
            let started = log.lines().rev().find(|line| line.contains(r#""message":"started""#));
            let line = started.and_then(|line| serde_json::from_str::<Value>(line).ok());
            line.and_then(|line| Some(line[what].as_str()?.to_owned())).ok_or(log)
        })
        .await
    }

    /// Of the operator's memory what the kernel calls so, in KiB.
    pub(crate) fn operator_memory(&self, field: &str) -> u64 {
        self.operator.memory(field)
    }

    /// Does everything that a user does, and waits until the credential is Ready and an Event tells so.
    pub(crate) async fn become_ready(&self) -> AsaCredential {
        self.upload_key();
        self.create_key_secret().await;
        self.apply(credential()).await;
        let acme = self.until(ready()).await;
        self.event(Reason::Available).await;
        acme
    }

    /// Apple comes to know the client by its key.
    pub(crate) fn upload_key(&self) {
        self.register(credential::client(&self.key));
    }

    /// Apple comes to know this client.
    pub(crate) fn register(&self, client: fake_apple::Client) {
        self.apple.state().register(client).unwrap();
    }

    /// The user puts the key into its Secret.
    pub(crate) async fn create_key_secret(&self) {
        self.create_secret(KEY_SECRET, "Opaque", &[("private-key.pem", self.key.private())]).await;
    }

    /// The user applies a document.
    pub(crate) async fn apply(&self, document: Credential) -> AsaCredential {
        let patch = Patch::Apply(document.document());
        self.credentials().patch(document.name(), &PatchParams::apply(FIELD_MANAGER), &patch).await.unwrap()
    }

    /// The user sets annotations.
    pub(crate) async fn annotate(&self, annotations: Value) {
        self.merge(json!({"metadata": {"annotations": annotations}})).await;
    }

    /// The user asks for a renewal.
    pub(crate) async fn request_renewal(&self, value: &str) {
        self.request_renewal_of(NAME, value).await;
    }

    /// The user asks for a renewal of another credential.
    pub(crate) async fn request_renewal_of(&self, name: &str, value: &str) {
        self.merge_into(name, json!({"metadata": {"annotations": {"asa-operator.dev/requestedAt": value}}})).await;
    }

    /// Somebody merges a patch into the resource.
    pub(crate) async fn merge(&self, patch: Value) -> AsaCredential {
        self.merge_into(NAME, patch).await
    }

    async fn merge_into(&self, name: &str, patch: Value) -> AsaCredential {
        self.credentials().patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap()
    }

    pub(crate) fn credentials(&self) -> Api<AsaCredential> {
        Api::namespaced(self.kube.clone(), &self.namespace)
    }

    pub(crate) async fn credential(&self) -> AsaCredential {
        self.credentials().get(NAME).await.unwrap()
    }

    /// Waits until the credential is reported to be so.
    pub(crate) async fn until(&self, awaited: Awaited) -> AsaCredential {
        self.until_other(NAME, awaited).await
    }

    /// Waits until the credential is reported to be so, which takes a minute.
    pub(crate) async fn until_late(&self, awaited: Awaited) -> AsaCredential {
        self.until_seen_late(&awaited.to_string(), |acme| awaited.holds(acme)).await
    }

    /// Waits until the credential is seen to be so, which takes a minute.
    pub(crate) async fn until_seen_late(&self, wanted: &str, is: impl Fn(&AsaCredential) -> bool) -> AsaCredential {
        a_minute_later(wanted, async || {
            let acme = self.credential().await;
            if is(&acme) { Ok(acme) } else { Err(told(&acme)) }
        })
        .await
    }

    async fn until_other(&self, name: &str, awaited: Awaited) -> AsaCredential {
        self.until_named(name, &awaited.to_string(), |credential| awaited.holds(credential)).await
    }

    /// Waits until the credential is seen to be so.
    pub(crate) async fn until_seen(&self, wanted: &str, is: impl Fn(&AsaCredential) -> bool) -> AsaCredential {
        self.until_named(NAME, wanted, is).await
    }

    pub(crate) async fn until_named(
        &self,
        name: &str,
        wanted: &str,
        is: impl Fn(&AsaCredential) -> bool,
    ) -> AsaCredential {
        eventually(wanted, async || {
            let credential = self.credentials().get(name).await.map_err(|error| error.to_string())?;
            if is(&credential) { Ok(credential) } else { Err(told(&credential)) }
        })
        .await
    }

    /// Waits until there is an Event of this reason, and the audit log tells of all Events: that is written after the answer.
    pub(crate) async fn event(&self, reason: Reason) {
        eventually(&format!("Event {reason}"), async || {
            let reasons = self.events().await;
            if reasons.iter().any(|told| told.ends_with(reason.as_str())) { Ok(()) } else { Err(reasons.join(", ")) }
        })
        .await;
        let there = self.listed_events().await.len();
        eventually("an audit log with all Events", async || match self.events_made() {
            made if made >= there => Ok(()),
            fewer => Err(format!("{fewer} of {there}")),
        })
        .await;
    }

    /// Type and reason of each Event about the credential.
    pub(crate) async fn events(&self) -> Vec<String> {
        let events = self.listed_events().await.into_iter();
        events.filter(|(name, _)| name == NAME).map(|(_, words)| words).collect()
    }

    /// Types and reasons of the Events about each credential.
    pub(crate) async fn all_events(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut all = BTreeMap::<_, BTreeSet<_>>::new();
        for (name, words) in self.listed_events().await {
            all.entry(name).or_default().insert(words);
        }
        all
    }

    async fn listed_events(&self) -> Vec<(String, String)> {
        let events: Api<Event> = Api::namespaced(self.kube.clone(), &self.namespace);
        let events = events.list(&ListParams::default()).await.unwrap();
        let is_operators = |event: &&Event| event.reporting_controller.as_deref() == Some("asa-operator");
        let about = |event: &Event| event.regarding.as_ref().filter(|_| is_operators(&event))?.name.clone();
        let words = |event: Event| format!("{} {}", event.type_.unwrap_or_default(), event.reason.unwrap_or_default());
        events.into_iter().filter_map(|event| Some((about(&event)?, words(event)))).collect()
    }

    /// Returns once the operator has seen all that happened before: a later resource and a later Secret, which come by
    /// the same watches, have been dealt with. Where Secrets are not watched, each had its turn since.
    pub(crate) async fn operator_saw_it_all(&self) {
        let witness = format!("{WITNESS}-{}", self.witnesses.fetch_add(1, Ordering::Relaxed));
        self.apply(credential().named(&witness)).await;
        self.until_other(&witness, is_not(ConditionType::PrivateKeyLoaded, Reason::KeySecretNotFound)).await;
        let key = format!("{witness}-key");
        self.create_secret(&key, "Opaque", &[("private-key.pem", "no key")]).await;
        self.until_other(&witness, is_not(ConditionType::PrivateKeyLoaded, Reason::KeyInvalid)).await;
        if self.secrets == Secrets::Get {
            self.operator_looked_at_all(&key).await;
        }
    }

    /// kubectl in this namespace; what it printed.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> String {
        let output = self.cluster.kubectl().args(["--namespace", &self.namespace]).args(arguments).output().unwrap();
        assert!(output.status.success(), "kubectl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// kubectl applies a file.
    pub(crate) fn kubectl_apply(&self, file: &Path) {
        self.kubectl(&["apply", "--filename", file.to_str().unwrap()]);
    }
}

/// How the names of witnesses begin; what the operator does for them does not count.
pub(crate) const WITNESS: &str = "witness";
