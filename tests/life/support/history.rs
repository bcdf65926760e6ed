//! What was reported and published, state by state: nothing that was there for a moment is missed.

use std::time::Duration;

use asa_operator::api::AsaCredential;
use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Resource};
use kube_runtime::watcher::{Config, Event, watcher};
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::awaited::told;
use super::stage::Stage;

/// Longer than what is waited for here takes on a busy machine: two requests that hang for ten seconds, for example.
const PATIENCE: Duration = Duration::from_secs(90);

/// The states of all credentials and of their managed Secrets since it began.
pub(crate) struct History {
    credentials: watch::Receiver<Vec<AsaCredential>>,
    secrets: watch::Receiver<Vec<Secret>>,
    /// Ends the watches with it.
    _watches: JoinSet<()>,
}

impl Stage<'_> {
    /// Begins to record.
    pub(crate) fn history(&self) -> History {
        let mut watches = JoinSet::new();
        let managed = Config::default().fields("type=asa-operator.dev/access-token");
        History {
            credentials: record(self.credentials(), Config::default(), &mut watches),
            secrets: record(self.secrets(), managed, &mut watches),
            _watches: watches,
        }
    }
}

fn record<K>(api: Api<K>, config: Config, watches: &mut JoinSet<()>) -> watch::Receiver<Vec<K>>
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug + Send + Sync + 'static,
{
    let (states, recorded) = watch::channel(Vec::new());
    watches.spawn(async move {
        let mut events = watcher(api, config).boxed();
        while let Some(event) = events.next().await {
            // A watch that breaks and begins anew would miss what was between.
            if let Event::InitApply(state) | Event::Apply(state) = event.unwrap() {
                states.send_modify(|states| states.push(state));
            }
        }
    });
    recorded
}

impl History {
    /// The states of a credential, oldest first.
    pub(crate) fn of(&self, name: &str) -> Vec<AsaCredential> {
        named(&self.credentials.borrow(), name)
    }

    /// The states of its managed Secret, oldest first.
    pub(crate) fn secrets_of(&self, name: &str) -> Vec<Secret> {
        named(&self.secrets.borrow(), name)
    }

    /// Waits until a credential has a past like this.
    pub(crate) async fn until(&self, name: &str, wanted: &str, is: impl Fn(&[AsaCredential]) -> bool) {
        let mut credentials = self.credentials.clone();
        let is = |states: &Vec<AsaCredential>| is(&named(states, name));
        let seen = timeout(PATIENCE, credentials.wait_for(is)).await.map(|seen| drop(seen.unwrap()));
        if seen.is_err() {
            let past: Vec<_> = self.of(name).iter().map(told).collect();
            panic!("{name} is not {wanted}, but: {}", past.join("\n"));
        }
    }

    /// Waits until its managed Secret had so many states: they come by a watch of their own, later than the status at times.
    pub(crate) async fn until_secrets_of(&self, name: &str, count: usize) {
        let mut secrets = self.secrets.clone();
        let enough = |states: &Vec<Secret>| named(states, name).len() >= count;
        let seen = timeout(PATIENCE, secrets.wait_for(enough)).await.map(|seen| drop(seen.unwrap()));
        assert!(seen.is_ok(), "{name} had {} Secrets, not {count}", self.secrets_of(name).len());
    }
}

fn named<K: Resource + Clone>(states: &[K], name: &str) -> Vec<K> {
    states.iter().filter(|state| state.meta().name.as_deref() == Some(name)).cloned().collect()
}
