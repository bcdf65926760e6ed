//! Workloads: each uses the token of one managed Secret, as it was last read.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::api::ListParams;
use kube::{Api, ResourceExt as _};
use reqwest::{Client, StatusCode};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::support::secrets::entries;
use crate::support::stage::Stage;

/// Between two looks at the Secrets, and between two calls of a workload.
const PAUSE: Duration = Duration::from_millis(250);

/// A look that takes longer failed: an API server that is just starting may accept a connection and not answer.
const LONGEST_LOOK: Duration = Duration::from_secs(2);

/// The entries of each managed Secret, by its name: what a mounted file holds while the API server is away.
type Held = Arc<Mutex<BTreeMap<String, BTreeMap<String, String>>>>;

/// One task that looks, and one for each workload.
pub(crate) struct Readers {
    looks: JoinSet<()>,
    workloads: JoinSet<Calls>,
    enough: Arc<AtomicBool>,
}

/// How the calls of a workload ended.
#[derive(Default)]
struct Calls {
    accepted: usize,
    refused: Vec<StatusCode>,
}

impl Readers {
    /// One for each managed Secret that is there.
    pub(crate) fn start(stage: &Stage<'_>, names: impl IntoIterator<Item = String>) -> Self {
        let (held, enough) = (Held::default(), Arc::new(AtomicBool::new(false)));
        let (mut looks, mut workloads) = (JoinSet::new(), JoinSet::new());
        looks.spawn(look(stage.secrets(), Arc::clone(&held)));
        let (apple, url) = (Client::new(), format!("{}/v1/campaigns", stage.apple.url()));
        for name in names {
            workloads.spawn(work(name, apple.clone(), url.clone(), Arc::clone(&held), Arc::clone(&enough)));
        }
        Self { looks, workloads, enough }
    }

    /// Ends them.
    ///
    /// # Panics
    /// If Apple refused a call, or a workload made none.
    pub(crate) async fn were_never_refused(mut self) {
        self.enough.store(true, Ordering::Relaxed);
        let calls = self.workloads.join_all().await;
        self.looks.abort_all();
        let refused: Vec<_> = calls.iter().flat_map(|calls| &calls.refused).collect();
        let accepted: usize = calls.iter().map(|calls| calls.accepted).sum();
        assert!(refused.is_empty(), "{} refused beside {accepted} accepted: {:?}", refused.len(), refused[0]);
        assert!(calls.iter().all(|calls| calls.accepted > 0), "a workload was deaf");
    }
}

/// Looks at all managed Secrets, over and over; where that fails, what was read last stays.
async fn look(secrets: Api<Secret>, held: Held) {
    let managed = ListParams::default().fields("type=asa-operator.dev/access-token");
    loop {
        if let Ok(Ok(list)) = timeout(LONGEST_LOOK, secrets.list(&managed)).await {
            let read = list.iter().map(|secret| (secret.name_any(), entries(secret)));
            held.lock().unwrap_or_else(PoisonError::into_inner).extend(read);
        }
        sleep(PAUSE).await;
    }
}

/// Calls Apple with what is held, over and over. That nobody answers is no refusal.
async fn work(name: String, apple: Client, url: String, held: Held, enough: Arc<AtomicBool>) -> Calls {
    let mut calls = Calls::default();
    while !enough.load(Ordering::Relaxed) {
        let entries = held.lock().unwrap_or_else(PoisonError::into_inner).get(&name).cloned();
        if let Some(entries) = entries {
            let request = apple.get(&url).header("Authorization", &entries["authorization"]);
            match request.header("X-AP-Context", &entries["x_ap_context_ad_account"]).send().await {
                Ok(answer) if answer.status().is_success() => calls.accepted += 1,
                Ok(answer) => calls.refused.push(answer.status()),
                Err(_) => {}
            }
        }
        sleep(PAUSE).await;
    }
    calls
}
