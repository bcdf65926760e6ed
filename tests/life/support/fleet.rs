//! Many credentials on one stage, each another client at Apple.

use std::collections::BTreeMap;

use asa_operator::api::AsaCredential;
use futures::{StreamExt as _, stream};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt as _;
use kube::api::{ListParams, PostParams};

use super::awaited::told;
use super::credential::Credential;
use super::eventually;
use super::stage::Stage;

/// Apple's rate is out of the way: what is measured is one credential's pace, not that of all together. Where Secrets are
/// not watched, those of a hundred credentials are looked at less often than those of one.
pub(crate) const UNPACED: [&str; 6] =
    ["--apple-rate", "10000", "--apple-burst", "10000", "--secret-poll-interval", "5s"];

/// So many requests of the test's own are under way at once; more would make the operator's wait.
pub(crate) const AT_ONCE: usize = 4;

impl Stage<'_> {
    /// The user applies all of them at once.
    pub(crate) async fn apply_all(&self, documents: Vec<Credential>) {
        stream::iter(documents.into_iter().map(|document| self.apply(document)))
            .buffer_unordered(AT_ONCE)
            .for_each(async |_| ())
            .await;
    }

    /// The user creates all of these Secrets at once: name, type, entry and what is in it.
    pub(crate) async fn create_secrets(&self, secrets: Vec<(String, String, String, Vec<u8>)>) {
        let created = secrets.into_iter().map(async |(name, type_, entry, bytes)| {
            let data = BTreeMap::from([(entry, ByteString(bytes))]);
            let mut secret = Secret { type_: Some(type_), data: Some(data), ..Secret::default() };
            secret.metadata.name = Some(name);
            self.secrets().create(&PostParams::default(), &secret).await.unwrap();
        });
        stream::iter(created).buffer_unordered(AT_ONCE).for_each(async |()| ()).await;
    }

    /// Waits until each credential is seen to be so; all of them by their names.
    pub(crate) async fn until_each(
        &self,
        wanted: &str,
        is: impl Fn(&AsaCredential) -> bool,
    ) -> BTreeMap<String, AsaCredential> {
        eventually(wanted, async || {
            let all = self.credentials().list(&ListParams::default()).await.map_err(|error| error.to_string())?;
            match all.iter().filter(|credential| !is(credential)).collect::<Vec<_>>().as_slice() {
                [] => Ok(all.into_iter().map(|credential| (credential.name_any(), credential)).collect()),
                [first, others @ ..] => {
                    Err(format!("{} and {} others: {}", first.name_any(), others.len(), told(*first)))
                }
            }
        })
        .await
    }
}
