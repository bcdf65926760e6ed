//! Secrets, as users and workloads see them.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::credential::NAME;
use super::eventually;
use super::stage::Stage;

impl Stage<'_> {
    pub(crate) fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.kube.clone(), &self.namespace)
    }

    /// A Secret that has to be there.
    pub(crate) async fn secret(&self, name: &str) -> Secret {
        self.secrets().get(name).await.unwrap()
    }

    /// What is in the managed Secret.
    pub(crate) async fn published(&self) -> BTreeMap<String, String> {
        entries(&self.secret(NAME).await)
    }

    /// The published token.
    pub(crate) async fn token(&self) -> String {
        self.published().await.remove("access_token").unwrap()
    }

    /// Waits until there is another token than `old`.
    pub(crate) async fn token_other_than(&self, old: &str) -> String {
        eventually("other token", async || {
            let token = self.token().await;
            if token == old { Err("the old one") } else { Ok(token) }
        })
        .await
    }

    pub(crate) async fn create_secret(&self, name: &str, type_: &str, entries: &[(&str, &str)]) -> Secret {
        let entries: BTreeMap<_, _> =
            entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let mut secret = Secret { type_: Some(type_.to_owned()), string_data: Some(entries), ..Secret::default() };
        secret.metadata.name = Some(name.to_owned());
        self.secrets().create(&PostParams::default(), &secret).await.unwrap()
    }

    /// Somebody changes a Secret; null takes something away.
    pub(crate) async fn change_secret(&self, name: &str, patch: Value) -> Secret {
        self.secrets().patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap()
    }

    /// Somebody puts this text into an entry of a Secret.
    pub(crate) async fn write_entry(&self, name: &str, entry: &str, text: &str) -> Secret {
        self.change_secret(name, json!({"stringData": {entry: text}})).await
    }

    pub(crate) async fn delete_secret(&self, name: &str) {
        self.secrets().delete(name, &DeleteParams::default()).await.unwrap();
    }

    /// Waits until a Secret is seen to be so.
    pub(crate) async fn until_secret(&self, name: &str, wanted: &str, is: impl Fn(&Secret) -> bool) -> Secret {
        eventually(wanted, async || match self.secrets().get_opt(name).await.unwrap() {
            Some(secret) if is(&secret) => Ok(secret),
            // Its data stay out of the tests' output.
            Some(secret) => Err(format!("{:?}", secret.metadata)),
            None => Err("no Secret".to_owned()),
        })
        .await
    }

    /// Waits until no such Secret is there.
    pub(crate) async fn until_gone(&self, name: &str) {
        eventually("absence", async || match self.secrets().get_opt(name).await.unwrap() {
            Some(_) => Err(format!("Secret {name} is there")),
            None => Ok(()),
        })
        .await;
    }
}

/// The entries of a Secret as text.
pub(crate) fn entries(secret: &Secret) -> BTreeMap<String, String> {
    let data = secret.data.iter().flatten();
    data.map(|(key, value)| (key.clone(), String::from_utf8(value.0.clone()).unwrap())).collect()
}
