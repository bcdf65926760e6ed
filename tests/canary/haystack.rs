//! Everything that the operator says, and where.

use std::sync::{Arc, Mutex};

use asa_operator::api::names::LABEL_OWNER_UID;
use asa_operator::api::{AppStoreConnectCredential, AsaCredential};
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::events::v1::Event;
use kube::api::ListParams;
use kube::core::PartialObjectMeta;
use kube::{Api, Resource};
use kube_runtime::watcher::{self, watcher};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::needles::{Hit, Needles};
use crate::support::operator::Operator;
use crate::support::stage::Stage;

/// Texts, and where they stand.
pub(crate) struct Haystack(Vec<(&'static str, String)>);

/// Every state that the resources, the Events and the metadata of the operator's Secrets had.
pub(crate) struct Transcript {
    states: Arc<Mutex<String>>,
    watches: [JoinHandle<()>; 4],
}

impl Transcript {
    /// From now on.
    pub(crate) fn of(stage: &Stage<'_>) -> Self {
        let states = Arc::default();
        let (kube, namespace) = (&stage.kube, &stage.namespace);
        let all = watcher::Config::default();
        let ours = all.clone().labels(LABEL_OWNER_UID);
        let resources = Api::<AsaCredential>::namespaced(kube.clone(), namespace);
        let api_keys = Api::<AppStoreConnectCredential>::namespaced(kube.clone(), namespace);
        let events = Api::<Event>::namespaced(kube.clone(), namespace);
        let secrets = Api::<PartialObjectMeta<Secret>>::namespaced(kube.clone(), namespace);
        let watches = [
            tokio::spawn(record(resources, all.clone(), Arc::clone(&states))),
            tokio::spawn(record(api_keys, all.clone(), Arc::clone(&states))),
            tokio::spawn(record(events, all, Arc::clone(&states))),
            tokio::spawn(record(secrets, ours, Arc::clone(&states))),
        ];
        Self { states, watches }
    }

    fn text(&self) -> String {
        assert!(self.watches.iter().all(|watch| !watch.is_finished()), "nothing was missed");
        self.states.lock().unwrap().clone()
    }
}

async fn record<K>(api: Api<K>, which: watcher::Config, states: Arc<Mutex<String>>)
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Serialize + std::fmt::Debug + Send + 'static,
{
    let mut events = watcher(api, which).boxed();
    while let Some(event) = events.try_next().await.unwrap() {
        if let watcher::Event::InitApply(object) | watcher::Event::Apply(object) = event {
            let mut states = states.lock().unwrap();
            states.push_str(&serde_json::to_string(&object).unwrap());
            states.push('\n');
        }
    }
}

impl Haystack {
    /// What `operator` said so far.
    pub(crate) async fn of(stage: &Stage<'_>, operator: &Operator, transcript: &Transcript) -> Self {
        let log = operator.log();
        let http = http_address(&log);
        let kubectl = |arguments: &[&str]| stage.kubectl(arguments);
        let whole = "--show-managed-fields";
        let mut said = vec![
            ("the transcript", transcript.text()),
            ("the resources as JSON", kubectl(&["get", "asacredentials", "--output=json", whole])),
            ("the resources as YAML", kubectl(&["get", "asacredentials", "--output=yaml", whole])),
            ("the resources as a table", kubectl(&["get", "asacredentials", "--output=wide"])),
            ("the resources' description", kubectl(&["describe", "asacredentials"])),
            ("the API keys as JSON", kubectl(&["get", "appstoreconnectcredentials", "--output=json", whole])),
            ("the API keys as YAML", kubectl(&["get", "appstoreconnectcredentials", "--output=yaml", whole])),
            ("the API keys as a table", kubectl(&["get", "appstoreconnectcredentials", "--output=wide"])),
            ("the API keys' description", kubectl(&["describe", "appstoreconnectcredentials"])),
            ("the Events as JSON", kubectl(&["get", "events.events.k8s.io", "--output=json"])),
            ("the Events as YAML", kubectl(&["get", "events", "--output=yaml"])),
            ("the Secrets' metadata", metadata_of_secrets(stage).await),
            ("the Secrets' description", kubectl(&["describe", "secrets", "--selector", LABEL_OWNER_UID])),
        ];
        for (part, path) in OVER_HTTP {
            said.push((part, reqwest::get(format!("http://{http}{path}")).await.unwrap().text().await.unwrap()));
        }
        said.push(("the log", log));
        Self(said)
    }

    /// All that is told of `needles`, at most one a part.
    pub(crate) fn find(&self, needles: &Needles) -> Vec<(&'static str, Hit)> {
        self.0.iter().filter_map(|(part, text)| Some((*part, needles.find(text)?))).collect()
    }

    /// A part's text.
    pub(crate) fn part(&self, name: &str) -> &str {
        &self.0.iter().find(|(part, _)| *part == name).unwrap().1
    }

    /// The names of the parts into which something can be planted from outside: all but fixed words.
    pub(crate) fn parts_that_can_tell(&self) -> Vec<&'static str> {
        self.0.iter().map(|(part, _)| *part).filter(|part| !["/livez", "/readyz"].contains(part)).collect()
    }
}

const OVER_HTTP: [(&str, &str); 3] =
    [("the metrics", "/metrics"), ("/livez", "/livez?verbose"), ("/readyz", "/readyz?verbose")];

/// Where the operator serves probes and metrics, from its first line after the last start.
fn http_address(log: &str) -> String {
    let (_, rest) = log.rsplit_once("http_address").unwrap();
    let rest = rest.trim_start_matches(['"', ':', '=']);
    rest.split(|char: char| !char.is_ascii_digit() && !['.', ':'].contains(&char)).next().unwrap().to_owned()
}

/// Everything but `data` of the Secrets that the operator wrote.
async fn metadata_of_secrets(stage: &Stage<'_>) -> String {
    let ours = ListParams::default().labels(LABEL_OWNER_UID);
    let secrets = stage.secrets().list(&ours).await.unwrap();
    let without_data = secrets.into_iter().map(|secret| json!(Secret { data: None, ..secret }));
    Value::Array(without_data.collect()).to_string()
}
