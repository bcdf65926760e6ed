//! `AsaCredential`: an API client of Apple Ads, as Apple's pages show it and as the user wants its token published.
//!
//! Every bound and every rule stands here once, in the schema: the API server refuses what breaks it, so nothing behind it
//! has to. Static defaults are in the schema too; computed ones are in `effective.rs`.

#![allow(unreachable_pub, reason = "KubeSchema repeats each struct, with its `pub`, inside a function")]
#![allow(clippy::doc_markdown, reason = "field docs are what `kubectl explain` prints, where backticks are noise")]

mod client_secret;
mod identity;

use kube::core::Duration;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

pub(super) use client_secret::default_lifetime;
pub use client_secret::{ClientSecretMode, ClientSecretSpec};
pub use identity::{AdAccountChoice, AdsApi, OrganizationChoice, Selection};

use super::managed_secret::SecretSpec;
use super::private_key::PrivateKeySource;
use super::schema::{APPLE_ID, DURATION, MAX_DURATION_CHARS};
use super::status::CredentialStatus;

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
    status = "CredentialStatus",
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
    // Mode Ephemeral stores no client secret, so it has no Secret whose name could be taken or too long.
    validation = Rule::new(
        "has(self.spec.clientSecret) && self.spec.clientSecret.mode == 'Ephemeral' || \
         self.spec.privateKey.secretRef.name != \
         (has(self.spec.clientSecret) && has(self.spec.clientSecret.secretName) \
         ? self.spec.clientSecret.secretName : self.metadata.name + '-client-secret')"
    )
    .message(
        "must not be the private key's Secret (spec.privateKey.secretRef.name); the default is <name>-client-secret"
    )
    .field_path(".spec.clientSecret.secretName"),
    validation = Rule::new(
        "has(self.spec.clientSecret) && self.spec.clientSecret.mode == 'Ephemeral' || \
         (has(self.spec.secret) && has(self.spec.secret.name) ? self.spec.secret.name : self.metadata.name) != \
         (has(self.spec.clientSecret) && has(self.spec.clientSecret.secretName) \
         ? self.spec.clientSecret.secretName : self.metadata.name + '-client-secret')"
    )
    .message(
        "must differ from spec.clientSecret.secretName, as token and client secret are published in two Secrets; the \
         defaults are <name> and <name>-client-secret"
    )
    .field_path(".spec.secret.name"),
    validation = Rule::new(
        "self.metadata.name.size() <= 239 || has(self.spec.clientSecret) && \
         (has(self.spec.clientSecret.secretName) || self.spec.clientSecret.mode == 'Ephemeral')"
    )
    .message(
        "must have at most 239 characters, as -client-secret is added for the client secret's Secret; or set \
         spec.clientSecret.secretName"
    )
    .field_path(".metadata.name")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.clientId) || self.privateKey.generate == 'IfMissing'")
        .message(
            "Apple Ads shows the clientId under Account Settings › API; it may be absent only while privateKey.generate is \
             IfMissing"
        )
        .reason(Reason::FieldValueRequired)
        .field_path(".clientId"),
    validation = Rule::new("has(self.teamId) || self.privateKey.generate == 'IfMissing'")
        .message(
            "Apple Ads shows the teamId under Account Settings › API; it may be absent only while privateKey.generate is \
             IfMissing"
        )
        .reason(Reason::FieldValueRequired)
        .field_path(".teamId"),
    validation = Rule::new("has(self.keyId) || self.privateKey.generate == 'IfMissing'")
        .message(
            "Apple Ads shows the keyId under Account Settings › API; it may be absent only while privateKey.generate is \
             IfMissing"
        )
        .reason(Reason::FieldValueRequired)
        .field_path(".keyId"),
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
    /// SEARCHADS.27478e71-3bb0-4588-998c-182e2b405577. It may be absent only while privateKey.generate is IfMissing, until
    /// the public key was uploaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), regex(pattern = APPLE_ID))]
    pub client_id: Option<String>,

    /// The teamId that Apple Ads shows beside the clientId, and of the same form. It may be absent where the
    /// clientId may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), regex(pattern = APPLE_ID))]
    pub team_id: Option<String>,

    /// The keyId that Apple Ads shows beside the clientId, for example bacaebda-e219-41ee-a907-e2c25b24d1b2. Once it is set,
    /// no key is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), regex(pattern = APPLE_ID))]
    pub key_id: Option<String>,

    /// Where the private key is whose public half is uploaded to Apple, and who makes it.
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

    /// The client secret: a JWT that the operator signs with the private key, exchanges for access tokens and, unless its
    /// mode is Ephemeral, publishes in a Secret of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<ClientSecretSpec>,

    /// The access token, which Apple lets live for one hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<AccessTokenSpec>,

    /// The Secret that the access token and the resolved ids are published in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretSpec>,

    /// Whether the operator leaves this credential alone: while true, nothing is asked of Apple and nothing is written but
    /// status; the Secret stays as it is, and Ready turns False when its token expires. Default: false.
    #[serde(default)]
    pub suspend: bool,
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
