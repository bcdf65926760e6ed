//! The life of an `AppStoreConnectCredential`, as a user sees it.

mod published;
mod ready;
mod refused;
mod renewed;
mod revoked;

use asa_operator::api::{AppStoreConnectCredential, ConditionType, Reason};
use fake_apple::ApiKey;
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::support::awaited::{Awaited, is_not, ready, told};
use crate::support::credential::{Credential, KEY_SECRET, NAME};
use crate::support::stage::{Stage, WITNESS};
use crate::support::{a_minute_later, eventually};

const KEY_ID: &str = "2X9R4HXF34";
const ISSUER_ID: &str = "57246542-96fe-1a63-e053-0824d011072a";

/// What is reported of a new token.
const STATUS: &str = "update appstoreconnectcredentials/status acme";

/// A document with nothing but what is required, of a team key.
pub(crate) fn api_key() -> Credential {
    Credential::of_document(json!({
        "apiVersion": "asa-operator.dev/v1alpha1",
        "kind": "AppStoreConnectCredential",
        "metadata": {"name": NAME},
        "spec": {
            "keyId": KEY_ID,
            "issuerId": ISSUER_ID,
            "privateKey": {"secretRef": {"name": KEY_SECRET}},
        },
    }))
}

impl Stage<'_> {
    fn api_keys(&self) -> Api<AppStoreConnectCredential> {
        Api::namespaced(self.kube.clone(), &self.namespace)
    }

    /// The team key as Apple knows it.
    pub(crate) fn team_key(&self) -> ApiKey {
        ApiKey::team(KEY_ID, ISSUER_ID, self.key.public())
    }

    pub(crate) fn register_api_key(&self, key: ApiKey) {
        self.apple.state().register_api_key(key).unwrap();
    }

    pub(crate) async fn apply_api_key(&self, document: Credential) -> AppStoreConnectCredential {
        let patch = Patch::Apply(document.document());
        self.api_keys().patch(document.name(), &PatchParams::apply("user"), &patch).await.unwrap()
    }

    /// The user asks for a renewal.
    async fn request_token_of(&self, name: &str, value: &str) {
        let patch = json!({"metadata": {"annotations": {"asa-operator.dev/requestedAt": value}}});
        self.api_keys().patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }

    async fn until_api_key(&self, awaited: Awaited) -> AppStoreConnectCredential {
        self.until_api_key_named(NAME, awaited).await
    }

    pub(crate) async fn until_api_key_named(&self, name: &str, awaited: Awaited) -> AppStoreConnectCredential {
        eventually(&format!("{name}: {awaited}"), async || {
            let seen = self.api_keys().get(name).await.map_err(|error| error.to_string())?;
            if awaited.holds(&seen) { Ok(seen) } else { Err(told(&seen)) }
        })
        .await
    }

    /// The same for what takes a minute.
    async fn until_api_key_late(&self, awaited: Awaited) {
        a_minute_later(&awaited.to_string(), async || {
            let seen = self.api_keys().get(NAME).await.map_err(|error| error.to_string())?;
            if awaited.holds(&seen) { Ok(()) } else { Err(told(&seen)) }
        })
        .await;
    }

    /// Apple knows the key, its Secret is there, and the document is applied.
    async fn begin_with(&self, key: ApiKey, document: Credential) {
        self.register_api_key(key);
        self.create_key_secret().await;
        self.apply_api_key(document).await;
    }

    /// A stage with a team key that is Ready.
    async fn with_ready_api_key() -> Stage<'static> {
        let stage = Stage::new().await;
        stage.begin_with(stage.team_key(), api_key()).await;
        stage.until_api_key(ready()).await;
        stage.event(Reason::Available).await;
        stage
    }

    /// Returns once the operator has dealt with all that happened before: as [`Stage::operator_saw_it_all`], by the
    /// watch of this kind.
    async fn operator_saw_all_api_keys(&self) {
        self.operator_saw_it_all().await;
        let witness =
            format!("{WITNESS}-api-{}", self.api_keys().list(&ListParams::default()).await.unwrap().items.len());
        self.apply_api_key(api_key().named(&witness)).await;
        let absent = is_not(ConditionType::PrivateKeyLoaded, Reason::KeySecretNotFound);
        self.until_api_key_named(&witness, absent).await;
    }

    /// A call with the published token, as a consumer makes it.
    async fn call_app_store_connect(&self, path: &str) -> u16 {
        let authorization = self.published().await.remove("authorization").unwrap();
        let url = format!("{}{path}", self.apple.url());
        let call = reqwest::Client::new().get(url).header("authorization", authorization);
        call.send().await.unwrap().status().as_u16()
    }
}

/// With these fields of the spec; null takes one away.
fn api_key_with(fields: &Value) -> Credential {
    let mut document = api_key().document().clone();
    let spec = document["spec"].as_object_mut().unwrap();
    spec.extend(fields.as_object().unwrap().clone());
    spec.retain(|_, value| !value.is_null());
    Credential::of_document(document)
}
