//! `AsaCredential`: an API client of Apple Ads, as Apple's pages show it and as the user wants its token published.
//!
//! Every bound and every rule stands here once, in the schema: the API server refuses what breaks it, so nothing behind it
//! has to. Static defaults are in the schema too; computed ones are in `effective.rs`.

#![allow(unreachable_pub, reason = "KubeSchema repeats each struct, with its `pub`, inside a function")]
#![allow(clippy::doc_markdown, reason = "field docs are what `kubectl explain` prints, where backticks are noise")]

use kube::core::Duration;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::schema::{APPLE_ID, DNS_SUBDOMAIN, DURATION, MAX_DURATION_CHARS, MAX_ID, MAX_NAME_CHARS, SECRET_ENTRY};
use super::status::AsaCredentialStatus;

/// The life of a client secret unless the user says otherwise: 179 days, a day under Apple's limit. Written out in the
/// schema, where `Duration` would print its seconds.
const DEFAULT_LIFETIME: &str = "4296h";
const DEFAULT_LIFETIME_SECONDS: u64 = 4296 * 3600;

/// The entry of the private key's Secret unless the user says otherwise.
const DEFAULT_KEY_ENTRY: &str = "private-key.pem";

/// The API client as Apple shows it, and how its token is to be published.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "asa-operator.dev",
    version = "v1alpha1",
    kind = "AsaCredential",
    plural = "asacredentials",
    shortname = "asacred",
    category = "apple",
    namespaced,
    status = "AsaCredentialStatus",
    derive = "PartialEq",
    doc = "An API client of Apple Ads. From its private key and the ids that Apple shows, the operator keeps a Secret \
           with a live access token, the organization's id and the ad account's id.",
    printcolumn(
        name = "Ready",
        type_ = "string",
        description = "Whether what is in the Secret works now",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        description = "Why it is ready or not",
        json_path = r#".status.conditions[?(@.type=="Ready")].reason"#
    ),
    printcolumn(
        name = "Secret",
        type_ = "string",
        description = "The Secret with the access token",
        json_path = ".status.secret.name"
    ),
    // Type date would show a moment to come as <invalid>.
    printcolumn(
        name = "Expires",
        type_ = "string",
        description = "When the access token in the Secret expires",
        json_path = ".status.accessToken.expiresAt"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(
        name = "Org",
        type_ = "integer",
        description = "The organization that the ids belong to",
        json_path = ".status.organization.orgId",
        priority = 1
    ),
    printcolumn(
        name = "Renews",
        type_ = "string",
        description = "When the access token is renewed",
        json_path = ".status.accessToken.renewalTime",
        priority = 1
    ),
    printcolumn(
        name = "Message",
        type_ = "string",
        description = "What is the matter, and what to do",
        json_path = r#".status.conditions[?(@.type=="Ready")].message"#,
        priority = 1
    ),
    validation = Rule::new(
        "self.spec.privateKey.secretRef.name != \
         (has(self.spec.secret) && has(self.spec.secret.name) ? self.spec.secret.name : self.metadata.name)"
    )
    .message(
        "must not be the Secret that the access token is published in (spec.secret.name, by default the resource's name)"
    )
    .field_path(".spec.privateKey.secretRef.name"),
    validation = Rule::new(
        "self.spec.privateKey.secretRef.name != \
         (has(self.spec.clientSecret) && has(self.spec.clientSecret.secretName) \
         ? self.spec.clientSecret.secretName : self.metadata.name + '-client-secret')"
    )
    .message(
        "must not be the private key's Secret (spec.privateKey.secretRef.name); the default is <name>-client-secret"
    )
    .field_path(".spec.clientSecret.secretName"),
    validation = Rule::new(
        "(has(self.spec.secret) && has(self.spec.secret.name) ? self.spec.secret.name : self.metadata.name) != \
         (has(self.spec.clientSecret) && has(self.spec.clientSecret.secretName) \
         ? self.spec.clientSecret.secretName : self.metadata.name + '-client-secret')"
    )
    .message(
        "must differ from spec.clientSecret.secretName, as token and client secret are published in two Secrets; the \
         defaults are <name> and <name>-client-secret"
    )
    .field_path(".spec.secret.name"),
    validation = Rule::new(
        "self.metadata.name.size() <= 239 || \
         (has(self.spec.clientSecret) && has(self.spec.clientSecret.secretName))"
    )
    .message(
        "must have at most 239 characters, as -client-secret is added for the client secret's Secret; or set \
         spec.clientSecret.secretName"
    )
    .field_path(".metadata.name"),
    // Effective names are compared, so that writing out a default is no change.
    validation = Rule::new(
        "(has(self.spec.secret) && has(self.spec.secret.name) ? self.spec.secret.name : self.metadata.name) == \
         (has(oldSelf.spec.secret) && has(oldSelf.spec.secret.name) \
         ? oldSelf.spec.secret.name : oldSelf.metadata.name)"
    )
    .message(
        "must not change, as readers of the old Secret would be left with an expired token; create another \
         AsaCredential instead"
    )
    .field_path(".spec.secret.name"),
    validation = Rule::new(
        "(has(self.spec.clientSecret) && has(self.spec.clientSecret.secretName) \
         ? self.spec.clientSecret.secretName : self.metadata.name + '-client-secret') == \
         (has(oldSelf.spec.clientSecret) && has(oldSelf.spec.clientSecret.secretName) \
         ? oldSelf.spec.clientSecret.secretName : oldSelf.metadata.name + '-client-secret')"
    )
    .message(
        "must not change, as readers of the old Secret would be left with an expired client secret; create another \
         AsaCredential instead"
    )
    .field_path(".spec.clientSecret.secretName")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.organization) || !has(self.apis) || 'CampaignManagementV5' in self.apis")
        .message(
            "chooses among the campaign groups of CampaignManagementV5; add that to apis, or remove organization: a token \
             of the Platform API belongs to exactly one"
        )
        .field_path(".organization"),
    validation = Rule::new("!has(self.adAccount) || !has(self.apis) || 'PlatformV1' in self.apis")
        .message("chooses among the ad accounts of PlatformV1; add that to apis, or remove adAccount")
        .field_path(".adAccount")
)]
pub struct AsaCredentialSpec {
    /// The clientId that Apple Ads shows under Account Settings › API beside the uploaded key, for example
    /// SEARCHADS.27478e71-3bb0-4588-998c-182e2b405577.
    #[schemars(length(min = 1, max = 128), regex(pattern = APPLE_ID))]
    pub client_id: String,

    /// The teamId that Apple Ads shows beside the clientId, and of the same form.
    #[schemars(length(min = 1, max = 128), regex(pattern = APPLE_ID))]
    pub team_id: String,

    /// The keyId that Apple Ads shows beside the clientId, for example bacaebda-e219-41ee-a907-e2c25b24d1b2.
    #[schemars(length(min = 1, max = 128), regex(pattern = APPLE_ID))]
    pub key_id: String,

    /// Where the private key is whose public half was uploaded to Apple.
    pub private_key: PrivateKeySource,

    /// The APIs whose ids are resolved, and by which a token is proved before it is published, in this order: PlatformV1
    /// (Apple Ads Platform API v1), CampaignManagementV5 (Campaign Management API v5, which ends on 2027-01-26). One
    /// token serves both. Default: both, PlatformV1 first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2))]
    #[x_kube(
        validation = Rule::new("self.all(api, self.exists_one(other, other == api))")
            .message("must not name an API twice"),
        // The order counts, so a list owned as a whole and not a set.
        merge_strategy = ListMerge::Atomic
    )]
    pub apis: Option<Vec<AdsApi>>,

    /// Which of several organizations (campaign groups of CampaignManagementV5) the published org_id names. Needed only
    /// where the API user may use more than one; status.organizations lists them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationChoice>,

    /// Which of several ad accounts (of PlatformV1) the published ad_account_id names. Needed only where the
    /// organization has more than one; status.adAccounts lists them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ad_account: Option<AdAccountChoice>,

    /// The client secret: a JWT that the operator signs with the private key, exchanges for access tokens and publishes
    /// in a Secret of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<ClientSecretSpec>,

    /// The access token, which Apple lets live for one hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<AccessTokenSpec>,

    /// The Secret that the access token and the resolved ids are published in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretSpec>,
}

/// Where the private key is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PrivateKeySource {
    /// The entry of a Secret in the resource's own namespace that holds the EC P-256 private key as PEM (PKCS#8 or
    /// SEC1). The Secret's type is Opaque or asa-operator.dev/private-key; no other is read.
    pub secret_ref: SecretKeyRef,
}

/// One entry of a Secret in the resource's own namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecretKeyRef {
    /// The Secret's name.
    #[schemars(length(min = 1, max = MAX_NAME_CHARS), regex(pattern = DNS_SUBDOMAIN))]
    pub name: String,

    /// The entry of the Secret's data. Default: private-key.pem.
    #[serde(default = "default_key_entry")]
    #[schemars(length(min = 1, max = MAX_NAME_CHARS), regex(pattern = SECRET_ENTRY))]
    pub key: String,
}

/// An API of Apple Ads. Both take the same token; each has ids of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum AdsApi {
    /// Apple Ads Platform API v1.
    PlatformV1,
    /// Campaign Management API v5, which ends on 2027-01-26.
    CampaignManagementV5,
}

/// The organization chosen among several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationChoice {
    /// The orgId of a campaign group, for example 40669820.
    #[schemars(range(min = 1, max = MAX_ID))]
    pub org_id: i64,
}

/// The ad account chosen among several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdAccountChoice {
    /// The id of an ad account, which is never an orgId.
    #[schemars(range(min = 1, max = MAX_ID))]
    pub id: i64,
}

/// How the client secret lives and where it is published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.renewBefore) || duration(self.renewBefore) < duration(self.lifetime)")
        .message("must be shorter than lifetime (default 4296h)")
        .field_path(".renewBefore")
)]
pub struct ClientSecretSpec {
    /// How long a client secret is valid, in hours, minutes and seconds (4296h, 90m, 1h30m), from 60s to 4320h: Apple
    /// refuses more than 180 days. Default: 4296h (179 days).
    #[serde(default = "default_lifetime")]
    #[schemars(
        length(min = 1, max = MAX_DURATION_CHARS),
        regex(pattern = DURATION),
        extend("default" = DEFAULT_LIFETIME)
    )]
    #[x_kube(
        validation = Rule::new("duration(self) >= duration('60s') && duration(self) <= duration('4320h')")
            .message("must be between 60s and 4320h; Apple refuses client secrets of more than 180 days")
    )]
    pub lifetime: Duration,

    /// How long before its end a client secret is replaced, for example 720h; shorter than lifetime. Default: a sixth of
    /// lifetime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = MAX_DURATION_CHARS), regex(pattern = DURATION))]
    #[x_kube(
        validation = Rule::new("duration(self) >= duration('1s') && duration(self) <= duration('4320h')")
            .message("must be between 1s and 4320h, and shorter than lifetime")
    )]
    pub renew_before: Option<Duration>,

    /// The name of the Secret with the client secret; it cannot change. Default: the resource's name followed by
    /// -client-secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = MAX_NAME_CHARS), regex(pattern = DNS_SUBDOMAIN))]
    pub secret_name: Option<String>,
}

/// When the access token is renewed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessTokenSpec {
    /// How long before its end a token is renewed, from 1s to 60m. It can only make the renewal earlier: by default, and
    /// at the latest, a token is renewed at half of its life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = MAX_DURATION_CHARS), regex(pattern = DURATION))]
    #[x_kube(
        validation = Rule::new("duration(self) >= duration('1s') && duration(self) <= duration('60m')")
            .message("must be between 1s and 60m; a token lives for one hour")
    )]
    pub renew_before: Option<Duration>,
}

/// The managed Secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecretSpec {
    /// The Secret's name; it cannot change. Default: the resource's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = MAX_NAME_CHARS), regex(pattern = DNS_SUBDOMAIN))]
    pub name: Option<String>,
}

impl Default for ClientSecretSpec {
    fn default() -> Self {
        Self { lifetime: default_lifetime(), renew_before: None, secret_name: None }
    }
}

pub(super) fn default_lifetime() -> Duration {
    std::time::Duration::from_secs(DEFAULT_LIFETIME_SECONDS).into()
}

fn default_key_entry() -> String {
    DEFAULT_KEY_ENTRY.to_owned()
}
