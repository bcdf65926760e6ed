//! What Apple knows: clients with their keys, organizations and ad accounts, and how this stand-in is set.
//!
//! The types are the documents of the control endpoint and of `--config` (camelCase), and the arguments in process.
//! Unknown fields are refused, so that a misspelt one does not go unnoticed.

use serde::{Deserialize, Serialize};

use crate::{api_key::ApiKey, fault::Fault};

/// An API client as the page Account Settings › API shows it, and what its user may see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Client {
    /// `SEARCHADS.<uuid-like>`: `client_id` of the token request and `sub` of the client secret.
    pub client_id: String,
    /// `SEARCHADS.<uuid-like>`: `iss` of the client secret.
    pub team_id: String,
    /// The uploaded keys; several during a rollover. The same `keyId` may occur with several keys.
    pub keys: Vec<Key>,
    /// `userId` of `/me` in both APIs.
    #[serde(default = "default_user_id")]
    pub user_id: i64,
    /// `orgId` of the Platform API's `/me`, and of every ad account.
    #[serde(default = "default_org_id")]
    pub platform_org_id: i64,
    /// `parentOrgId` of the Campaign Management API's `/me`.
    #[serde(default = "default_org_id")]
    pub parent_org_id: i64,
    /// Rows of the Campaign Management API's `/acls`; each `orgId` is a context that the client may use.
    #[serde(default)]
    pub organizations: Vec<Organization>,
    /// Rows of the Platform API's `/acls`; each `id` is a context that the client may use.
    #[serde(default)]
    pub ad_accounts: Vec<AdAccount>,
    /// The life of this client's tokens in seconds; absent: [`Settings::token_life_seconds`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_life_seconds: Option<u32>,
}

/// One uploaded public key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Key {
    /// `kid` of the client secret.
    pub key_id: String,
    /// P-256, `SubjectPublicKeyInfo` as PEM (`PUBLIC KEY`).
    pub public_key: String,
}

/// A campaign group. Serialized, it is the row of the Campaign Management API's `/acls`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Organization {
    /// What `X-AP-Context: orgId=…` names.
    pub org_id: i64,
    /// The group's name.
    pub org_name: String,
    /// The account over the group.
    #[serde(default)]
    pub parent_org_id: Option<i64>,
    /// ISO 4217.
    #[serde(default = "default_currency")]
    pub currency: String,
    /// A name of the tz database.
    #[serde(default = "default_time_zone")]
    pub time_zone: String,
    /// `PAYG`, `LOC` or empty.
    #[serde(default = "default_payment_model")]
    pub payment_model: String,
    /// Open strings: Apple adds roles.
    #[serde(default = "default_roles")]
    pub role_names: Vec<String>,
    /// What Apple's pages show.
    #[serde(default)]
    pub display_name: String,
}

/// An ad account of the Platform API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdAccount {
    /// What `X-AP-Context: adAccountId=…` names.
    pub id: i64,
    /// The account's name.
    pub name: String,
    /// Open strings.
    #[serde(default = "default_roles")]
    pub roles: Vec<String>,
}

/// How this stand-in is set, for all clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// `expires_in` of an access token, in seconds.
    pub token_life_seconds: u32,
    /// What Apple's clock shows minus what the clock of this process shows, in seconds. It moves `Date` and the
    /// moment by which `iat` and `exp` are judged, not the pace at which tokens age.
    pub clock_offset_seconds: i64,
    /// What `RateLimit-*` of the Platform API counts down, per client.
    pub platform_limit: WindowLimit,
    /// `user-hour-lim` of App Store Connect and the Enterprise Program: requests within any sixty minutes and key; one
    /// more gets 429.
    pub hourly_limit: u32,
    /// Their other limit, which Apple does not publish, per key. Beyond it 429 without `Retry-After`.
    pub burst_limit: WindowLimit,
}

/// A fixed window of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WindowLimit {
    /// Requests per window and client or key; one more gets 429.
    pub requests: u32,
    /// The window's length in seconds.
    pub window_seconds: u32,
}

/// Everything that can be set, in one document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    /// For all clients.
    pub settings: Settings,
    /// The registered clients.
    pub clients: Vec<Client>,
    /// The registered keys of App Store Connect and the Enterprise Program.
    pub api_keys: Vec<ApiKey>,
    /// What goes wrong, the first match first.
    pub faults: Vec<Fault>,
}

impl Client {
    /// A client with one key, and no organization or ad account yet.
    pub fn new(
        client_id: impl Into<String>,
        team_id: impl Into<String>,
        key_id: impl Into<String>,
        public_key: impl Into<String>,
    ) -> Self {
        Self {
            client_id: client_id.into(),
            team_id: team_id.into(),
            keys: vec![Key { key_id: key_id.into(), public_key: public_key.into() }],
            user_id: default_user_id(),
            platform_org_id: default_org_id(),
            parent_org_id: default_org_id(),
            organizations: Vec::new(),
            ad_accounts: Vec::new(),
            token_life_seconds: None,
        }
    }

    /// Adds a key, as during a rollover.
    #[must_use]
    pub fn key(mut self, key_id: impl Into<String>, public_key: impl Into<String>) -> Self {
        self.keys.push(Key { key_id: key_id.into(), public_key: public_key.into() });
        self
    }

    /// Adds a campaign group under this client's `parentOrgId`.
    #[must_use]
    pub fn organization(mut self, org_id: i64, name: impl Into<String>) -> Self {
        let name = name.into();
        self.organizations.push(Organization {
            org_id,
            org_name: name.clone(),
            parent_org_id: Some(self.parent_org_id),
            currency: default_currency(),
            time_zone: default_time_zone(),
            payment_model: default_payment_model(),
            role_names: default_roles(),
            display_name: name,
        });
        self
    }

    /// Adds an ad account.
    #[must_use]
    pub fn ad_account(mut self, id: i64, name: impl Into<String>) -> Self {
        self.ad_accounts.push(AdAccount { id, name: name.into(), roles: default_roles() });
        self
    }

    /// Sets the life of this client's tokens.
    #[must_use]
    pub fn token_life(mut self, seconds: u32) -> Self {
        self.token_life_seconds = Some(seconds);
        self
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            token_life_seconds: 3600,
            clock_offset_seconds: 0,
            platform_limit: WindowLimit::default(),
            hourly_limit: 3500,
            burst_limit: WindowLimit::default(),
        }
    }
}

impl Default for WindowLimit {
    /// Apple's numbers are unknown; these are out of the way of tests that do not ask for less.
    fn default() -> Self {
        Self { requests: 10_000, window_seconds: 60 }
    }
}

fn default_user_id() -> i64 {
    10_235_711
}

fn default_org_id() -> i64 {
    40_669_820
}

fn default_currency() -> String {
    "EUR".to_owned()
}

fn default_time_zone() -> String {
    "Europe/Berlin".to_owned()
}

fn default_payment_model() -> String {
    "PAYG".to_owned()
}

fn default_roles() -> Vec<String> {
    vec!["API Account Manager".to_owned()]
}
