//! What holds for a resource of one kind once every default is applied; what holds for both stands in `credential.rs`.

use std::time::Duration;

use kube::ResourceExt as _;

use super::app_store_connect_credential::{AppStoreConnectCredential, KeyType, TokenSpec};
use super::asa_credential::{
    AccessTokenSpec, AdsApi, AsaCredential, ClientSecretMode, ClientSecretSpec, Selection, default_lifetime,
};

/// The life of a client secret that serves one use.
const EPHEMERAL_LIFETIME: Duration = Duration::from_mins(5);

/// The three ids that Apple shows beside an uploaded key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientIds<'a> {
    /// Who asks.
    pub client_id: &'a str,
    /// For whom the client secret is signed.
    pub team_id: &'a str,
    /// By which key.
    pub key_id: &'a str,
}

impl AsaCredential {
    /// The ids that Apple shows; `None` until all three are set, before which nothing can be asked of Apple.
    pub fn client_ids(&self) -> Option<ClientIds<'_>> {
        Some(ClientIds {
            client_id: self.spec.client_id.as_deref()?,
            team_id: self.spec.team_id.as_deref()?,
            key_id: self.spec.key_id.as_deref()?,
        })
    }

    /// The APIs in use, in the user's order; both, the Platform API first, where the user named none. An empty list, which
    /// the schema refuses, would leave nothing to prove a token by.
    pub fn apis(&self) -> Vec<AdsApi> {
        match &self.spec.apis {
            Some(apis) if !apis.is_empty() => apis.clone(),
            _ => vec![AdsApi::PlatformV1, AdsApi::CampaignManagementV5],
        }
    }

    /// Who chooses among several organizations.
    pub fn organization_selection(&self) -> Selection {
        self.spec.organization.unwrap_or_default().selection
    }

    /// The orgId that the user chose.
    pub fn organization_id(&self) -> Option<i64> {
        self.spec.organization.unwrap_or_default().org_id
    }

    /// Who chooses among several ad accounts.
    pub fn ad_account_selection(&self) -> Selection {
        self.spec.ad_account.unwrap_or_default().selection
    }

    /// The id of the ad account that the user chose.
    pub fn ad_account_id(&self) -> Option<i64> {
        self.spec.ad_account.unwrap_or_default().id
    }

    /// How long a client secret is kept.
    pub fn client_secret_mode(&self) -> ClientSecretMode {
        self.spec.client_secret.as_ref().map(|secret| secret.mode).unwrap_or_default()
    }

    /// The name of the Secret with the client secret; `None` where it is stored nowhere.
    pub fn client_secret_name(&self) -> Option<String> {
        if self.client_secret_mode() == ClientSecretMode::Ephemeral {
            return None;
        }
        Some(match &self.spec.client_secret {
            Some(ClientSecretSpec { secret_name: Some(name), .. }) => name.clone(),
            _ => format!("{}-client-secret", self.name_any()),
        })
    }

    /// How long a client secret is valid.
    pub fn client_secret_lifetime(&self) -> Duration {
        match (self.client_secret_mode(), &self.spec.client_secret) {
            (ClientSecretMode::Ephemeral, _) => EPHEMERAL_LIFETIME,
            (ClientSecretMode::Persistent, Some(secret)) => secret.lifetime.into(),
            (ClientSecretMode::Persistent, None) => default_lifetime().into(),
        }
    }

    /// How long before its end a client secret is replaced: a sixth of its life unless the user says otherwise, and zero
    /// where it serves one use.
    pub fn client_secret_renew_before(&self) -> Duration {
        match (self.client_secret_mode(), &self.spec.client_secret) {
            (ClientSecretMode::Ephemeral, _) => Duration::ZERO,
            (_, Some(ClientSecretSpec { renew_before: Some(renew_before), .. })) => (*renew_before).into(),
            _ => self.client_secret_lifetime() / 6,
        }
    }

    /// How long before its end a token is renewed; `None`: at half of its life.
    pub fn access_token_renew_before(&self) -> Option<Duration> {
        match &self.spec.access_token {
            Some(AccessTokenSpec { renew_before }) => renew_before.map(Into::into),
            None => None,
        }
    }
}

impl AppStoreConnectCredential {
    /// Until when a token is valid, from its signing on.
    pub fn token_lifetime(&self) -> Duration {
        match &self.spec.token {
            Some(token) => token.lifetime.into(),
            None => TokenSpec::default().lifetime.into(),
        }
    }

    /// How long before its end a token is renewed; `None`: at half of its life.
    pub fn token_renew_before(&self) -> Option<Duration> {
        self.spec.token.as_ref()?.renew_before.map(Into::into)
    }

    /// What the token may be used for; nothing: for everything.
    pub fn scope(&self) -> &[String] {
        self.spec.token.as_ref().map_or(&[], |token| &token.scope)
    }

    /// The issuer of the token; none with an individual key.
    pub fn issuer_id(&self) -> Option<&str> {
        self.spec.issuer_id.as_deref().filter(|_| self.spec.key_type == KeyType::Team)
    }
}

#[cfg(test)]
mod tests;
