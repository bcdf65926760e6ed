//! Readers: every token that is published is used, over and over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::api::ListParams;
use kube::{Api, ResourceExt as _};
use reqwest::Client;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::support::secrets::entries;
use crate::support::stage::Stage;

/// Between two rounds. Apple remembers no more than the last ten thousand calls.
const PAUSE: Duration = Duration::from_secs(3);

/// So many calls of a round are under way at once; more would make the operator's wait.
const AT_ONCE: usize = 4;

const MANAGED: &str = "type=asa-operator.dev/access-token";

/// Rounds of calls, each with all tokens as they were read at its begin.
pub(crate) struct Reading {
    rounds: JoinHandle<(usize, BTreeSet<String>)>,
    is_caught_up: Arc<AtomicBool>,
    enough: Arc<AtomicBool>,
}

impl Stage<'_> {
    /// When each published token ends.
    pub(crate) async fn ends(&self) -> BTreeMap<String, Timestamp> {
        let all = self.secrets().list(&ListParams::default().fields(MANAGED)).await.unwrap();
        all.iter().map(|secret| (secret.name_any(), entries(secret)["expires_at"].parse().unwrap())).collect()
    }
}

impl Reading {
    /// Those of whom the token has ended are not asked for before all have caught up.
    pub(crate) fn start(stage: &Stage<'_>, late: BTreeSet<String>) -> Self {
        let (is_caught_up, enough) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let url = format!("{}/v1/campaigns", stage.apple.url());
        let read = read(stage.secrets(), url, late, Arc::clone(&is_caught_up), Arc::clone(&enough));
        Self { rounds: tokio::spawn(read), is_caught_up, enough }
    }

    /// From the next round on nobody is spared.
    pub(crate) fn all_are_caught_up(&self) {
        self.is_caught_up.store(true, Ordering::Relaxed);
    }

    /// Ends them; how many calls there were.
    ///
    /// # Panics
    /// If Apple refused one.
    pub(crate) async fn was_never_refused(self) -> usize {
        self.enough.store(true, Ordering::Relaxed);
        let (calls, refused) = self.rounds.await.unwrap();
        assert!(refused.is_empty(), "{} readers were refused, for example {:?}", refused.len(), refused.first());
        calls
    }
}

async fn read(
    secrets: Api<Secret>,
    url: String,
    late: BTreeSet<String>,
    is_caught_up: Arc<AtomicBool>,
    enough: Arc<AtomicBool>,
) -> (usize, BTreeSet<String>) {
    let (apple, mut calls, mut refused) = (Client::new(), 0, BTreeSet::new());
    while !enough.load(Ordering::Relaxed) {
        let spares_late = !is_caught_up.load(Ordering::Relaxed);
        let all = secrets.list(&ListParams::default().fields(MANAGED)).await.unwrap();
        let used = all.iter().map(|secret| (secret.name_any(), entries(secret)));
        let used: Vec<_> = used.filter(|(name, _)| !(spares_late && late.contains(name))).collect();
        let answers = used.into_iter().map(|(name, entries)| {
            let request = apple.get(&url).header("Authorization", &entries["authorization"]);
            let request = request.header("X-AP-Context", &entries["x_ap_context_ad_account"]);
            async move { (name, request.send().await.unwrap().status().is_success()) }
        });
        let answers: Vec<_> = stream::iter(answers).buffer_unordered(AT_ONCE).collect().await;
        calls += answers.len();
        refused.extend(answers.into_iter().filter(|(_, is_accepted)| !is_accepted).map(|(name, _)| name));
        sleep(PAUSE).await;
    }
    (calls, refused)
}
