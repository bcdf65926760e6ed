//! What the operator reports of a credential.
//!
//! Bounds here are wider than what the operator writes: a report that the API server refuses helps nobody.

#![allow(unreachable_pub, reason = "KubeSchema repeats each struct, with its `pub`, inside a function")]
#![allow(clippy::doc_markdown, reason = "field docs are what `kubectl explain` prints, where backticks are noise")]

use jiff::Timestamp;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::conditions::{Condition, MAX_CONDITIONS};
use super::schema::{MAX_ID, MAX_NAME_CHARS, MAX_REQUEST_CHARS, timestamp};

/// At most so many organizations, and so many ad accounts, are listed in status.
pub const MAX_CHOICES: usize = 50;

/// What the operator last did and saw.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct CredentialStatus {
    /// The generation of the resource that this status speaks of; older than metadata.generation while a change waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = MAX_ID))]
    pub observed_generation: Option<i64>,

    /// The last request for a renewal that was carried out: the value of the annotation asa-operator.dev/requestedAt or
    /// reconcile.fluxcd.io/requestedAt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_REQUEST_CHARS))]
    pub last_handled_reconcile_at: Option<String>,

    /// How far things got. Ready: what is in the Secret works now. RenewalHealthy: the next renewal is going well. In the
    /// order of the work: PrivateKeyLoaded, ClientSecretIssued, AccessTokenIssued, OrganizationResolved, SecretPublished
    /// (Apple Ads); PrivateKeyLoaded, TokenIssued, KeyVerified, SecretPublished (App Store Connect). Present only while
    /// True: Reconciling, Stalled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_CONDITIONS))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,

    /// The key that was loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_key: Option<PrivateKeyStatus>,

    /// The client secret in use, and the Secret that it was last published in; absent where it is signed anew for each use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<ClientSecretStatus>,

    /// The life of the published token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<Life>,

    /// The organization that the published ids belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<Organization>,

    /// The organizations that the API user may use: the choices for spec.organization. At most 50 are listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_CHOICES))]
    pub organizations: Vec<Organization>,

    /// The ad account whose id is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ad_account: Option<AdAccount>,

    /// The ad accounts of the organization: the choices for spec.adAccount. At most 50 are listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_CHOICES))]
    pub ad_accounts: Vec<AdAccount>,

    /// The Secret that was last published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<PublishedSecret>,

    /// The Secret that workloads may bind to (servicebinding.io).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding: Option<Binding>,
}

/// The public half of the key, to be compared with what Apple has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PrivateKeyStatus {
    /// The public key as PEM, as it is pasted into Apple Ads › Account Settings › API. App Store Connect has it already.
    #[schemars(length(max = 1024))]
    pub public_key: String,

    /// SHA256: followed by the SHA-256 of the public key (SPKI, DER) in lowercase hex.
    #[schemars(length(max = 128))]
    pub fingerprint: String,
}

/// From when to when something is valid, and when it is replaced. RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Life {
    /// When it was issued.
    #[schemars(schema_with = "timestamp")]
    pub issued_at: Timestamp,

    /// When it ends.
    #[schemars(schema_with = "timestamp")]
    pub expires_at: Timestamp,

    /// When it is to be replaced.
    #[schemars(schema_with = "timestamp")]
    pub renewal_time: Timestamp,
}

/// The client secret in use: from when to when, and where it is published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientSecretStatus {
    /// When it was signed.
    #[schemars(schema_with = "timestamp")]
    pub issued_at: Timestamp,

    /// When it ends.
    #[schemars(schema_with = "timestamp")]
    pub expires_at: Timestamp,

    /// When it is to be replaced.
    #[schemars(schema_with = "timestamp")]
    pub renewal_time: Timestamp,

    /// The Secret that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_NAME_CHARS))]
    pub secret_name: Option<String>,
}

impl Life {
    /// A life in whole seconds, each rounded down: what status shows, and what an expiry may safely lose.
    pub fn new(issued_at: Timestamp, expires_at: Timestamp, renewal_time: Timestamp) -> Self {
        Self {
            issued_at: whole_seconds(issued_at),
            expires_at: whole_seconds(expires_at),
            renewal_time: whole_seconds(renewal_time),
        }
    }
}

/// An organization of Apple Ads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Organization {
    /// The orgId: of a campaign group where CampaignManagementV5 is in use, else of the Platform API's organization.
    #[schemars(range(min = 1, max = MAX_ID))]
    pub org_id: i64,

    /// The name that Apple shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub name: Option<String>,

    /// The account over the campaign group: what the Platform API calls orgId.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = MAX_ID))]
    pub parent_org_id: Option<i64>,
}

/// An ad account of the Platform API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdAccount {
    /// The id: what the header X-AP-Context calls adAccountId.
    #[schemars(range(min = 1, max = MAX_ID))]
    pub id: i64,

    /// The name that Apple shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub name: Option<String>,

    /// The Platform API's organization that the account belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = MAX_ID))]
    pub org_id: Option<i64>,
}

/// The Secret that was last published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PublishedSecret {
    /// Its name.
    #[schemars(length(max = MAX_NAME_CHARS))]
    pub name: String,

    /// Its resourceVersion after that write: another one means that somebody edited it.
    #[schemars(length(max = 128))]
    pub resource_version: String,
}

/// What servicebinding.io looks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Binding {
    /// The Secret's name.
    #[schemars(length(max = MAX_NAME_CHARS))]
    pub name: String,
}

/// `at` without its fraction of a second, as Kubernetes writes times.
pub(super) fn whole_seconds(at: Timestamp) -> Timestamp {
    let fraction = at.subsec_nanosecond().rem_euclid(1_000_000_000);
    Timestamp::from_nanosecond(at.as_nanosecond() - i128::from(fraction)).unwrap_or(at)
}
