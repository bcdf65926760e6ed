//! A workload: it uses what is in the managed Secret, and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use reqwest::StatusCode;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::credential::NAME;
use super::secrets::entries;
use super::stage::Stage;

/// Between two uses of the token.
const PAUSE: Duration = Duration::from_millis(25);

/// Reads the Secret and uses the token, over and over.
pub(crate) struct Reader {
    task: JoinHandle<Vec<StatusCode>>,
    enough: Arc<AtomicBool>,
}

impl Stage<'_> {
    pub(crate) fn reader(&self) -> Reader {
        let enough = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(read(self.secrets(), self.apple.url(), Arc::clone(&enough)));
        Reader { task, enough }
    }

    /// A call to the Platform API with these entries of the managed Secret.
    pub(crate) async fn call_platform(&self, entries: &BTreeMap<String, String>) -> (StatusCode, String) {
        call(&format!("{}/v1/campaigns", self.apple.url()), entries, "x_ap_context_ad_account").await
    }

    /// Whether Apple accepts this token, whatever it may be used for.
    pub(crate) async fn is_accepted(&self, authorization: &str) -> bool {
        let request = reqwest::Client::new().get(format!("{}/v1/me", self.apple.url()));
        request.header("Authorization", authorization).send().await.unwrap().status().is_success()
    }

    /// A call to API v5 with these entries of the managed Secret.
    pub(crate) async fn call_campaign_management(&self, entries: &BTreeMap<String, String>) -> (StatusCode, String) {
        call(&format!("{}/api/v5/campaigns", self.apple.url()), entries, "x_ap_context_org").await
    }
}

impl Reader {
    /// Ends it.
    ///
    /// # Panics
    /// If Apple refused one of its calls, or it made none.
    pub(crate) async fn was_never_refused(self) {
        self.enough.store(true, Ordering::Relaxed);
        let answers = self.task.await.unwrap();
        assert!(!answers.is_empty());
        let refusals: Vec<_> = answers.iter().enumerate().filter(|(_, status)| !status.is_success()).collect();
        assert!(refusals.is_empty(), "of {} calls: {refusals:?}", answers.len());
    }
}

async fn read(secrets: Api<Secret>, apple: String, enough: Arc<AtomicBool>) -> Vec<StatusCode> {
    let mut answers = Vec::new();
    while !enough.load(Ordering::Relaxed) {
        let entries = entries(&secrets.get(NAME).await.unwrap());
        let (status, _) = call(&format!("{apple}/v1/campaigns"), &entries, "x_ap_context_ad_account").await;
        answers.push(status);
        sleep(PAUSE).await;
    }
    answers
}

async fn call(url: &str, entries: &BTreeMap<String, String>, context: &str) -> (StatusCode, String) {
    let request = reqwest::Client::new().get(url).header("Authorization", &entries["authorization"]);
    let answer = request.header("X-AP-Context", &entries[context]).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}
