//! `AppStoreConnectCredential`: an API key of App Store Connect or of the Enterprise Program, and how the token that it
//! signs is to be published.
//!
//! As with `AsaCredential`, every bound and every rule stands in the schema.

#![allow(unreachable_pub, reason = "KubeSchema repeats each struct, with its `pub`, inside a function")]
#![allow(clippy::doc_markdown, reason = "field docs are what `kubectl explain` prints, where backticks are noise")]
#![allow(rustdoc::broken_intra_doc_links, reason = "and where brackets are those of a list or a query")]

use kube::core::Duration;
use kube::{CustomResource, KubeSchema};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::managed_secret::SecretSpec;
use super::private_key::SecretKeyRef;
use super::program::Program;
use super::schema::{DURATION, MAX_DURATION_CHARS};
use super::status::CredentialStatus;

/// A keyId as App Store Connect shows it.
const KEY_ID: &str = "^[A-Z0-9]{10}$";

/// An issuerId: characters and length only, as with every id of Apple's.
const ISSUER_ID: &str = "^[0-9A-Za-z-]{36}$";

/// An entry of a scope: a method and a path with its query, in visible ASCII without `"` and `\`, which no URL holds.
const SCOPE_ENTRY: &str = r"^(GET|POST|PATCH|PUT|DELETE) /[!#-\[\]-~]*$";

/// The life of a token unless the user says otherwise: Apple's limit for one without a scope.
const DEFAULT_LIFETIME: &str = "20m";
const DEFAULT_LIFETIME_SECONDS: u64 = 20 * 60;

/// The API key as Apple shows it, and how its token is to be published.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "asa-operator.dev",
    version = "v1alpha1",
    kind = "AppStoreConnectCredential",
    plural = "appstoreconnectcredentials",
    shortname = "asccred",
    category = "apple",
    namespaced,
    status = "CredentialStatus",
    derive = "PartialEq",
    doc = "An API key of App Store Connect or of the Apple Developer Enterprise Program. From its private key and the ids \
           that Apple shows, the operator keeps a Secret with a live signed token.",
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
        description = "The Secret with the token",
        json_path = ".status.secret.name"
    ),
    // Type date would show a moment to come as <invalid>.
    printcolumn(
        name = "Expires",
        type_ = "string",
        description = "When the token in the Secret expires",
        json_path = ".status.accessToken.expiresAt"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(
        name = "Program",
        type_ = "string",
        description = "Whose API the key opens",
        json_path = ".spec.program",
        priority = 1
    ),
    printcolumn(
        name = "Renews",
        type_ = "string",
        description = "When the token is renewed",
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
    .message("must not be the Secret that the token is published in (spec.secret.name, by default the resource's name)")
    .field_path(".spec.privateKey.secretRef.name")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.keyType != 'Individual' || !has(self.issuerId)")
        .message("must be absent with an individual key, whose tokens name no issuer; remove it, or set keyType to Team")
        .reason(Reason::FieldValueForbidden)
        .field_path(".issuerId"),
    validation = Rule::new("self.keyType != 'Team' || has(self.issuerId)")
        .message(
            "is shown above the team keys in App Store Connect under Users and Access › Integrations; only an individual \
             key (keyType Individual) has none"
        )
        .reason(Reason::FieldValueRequired)
        .field_path(".issuerId"),
    validation = Rule::new("self.program != 'Enterprise' || self.keyType == 'Team'")
        .message("must be Team: the Enterprise Program has no individual keys")
        .field_path(".keyType"),
    validation = Rule::new(
        "!has(self.token) || duration(self.token.lifetime) <= duration('20m') || self.program != 'Enterprise'"
    )
    .message("must be at most 20m: the Enterprise Program takes no longer tokens")
    .field_path(".token.lifetime")
)]
pub struct AppStoreConnectCredentialSpec {
    /// Whose API the key opens: AppStore (App Store Connect), or Enterprise (Apple Developer Enterprise Program). Nothing
    /// in a key tells which. Default: AppStore.
    #[serde(default)]
    pub program: Program,

    /// Team: a key of the team, made under Users and Access › Integrations. Individual: a user's own key, without an
    /// issuerId. Default: Team.
    #[serde(default)]
    pub key_type: KeyType,

    /// The keyId that Apple shows beside the key, ten capitals and digits, for example 2X9R4HXF34.
    #[schemars(length(min = 10, max = 10), regex(pattern = KEY_ID))]
    pub key_id: String,

    /// The issuerId that Apple shows above the team keys, for example 57246542-96fe-1a63-e053-0824d011072a. Individual keys
    /// have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 36, max = 36), regex(pattern = ISSUER_ID))]
    pub issuer_id: Option<String>,

    /// Where the private key is: the content of the .p8 file, which Apple lets download once.
    pub private_key: ApiKeySource,

    /// The token: a JWT that the operator signs with the private key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenSpec>,

    /// Whether Apple is asked if it knows the key: Probe (before the first token is published, and then once an hour for
    /// each key), or None (never). Default: Probe.
    #[serde(default)]
    pub verify: Verify,

    /// The Secret that the token is published in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretSpec>,

    /// Whether the operator leaves this credential alone: while true, nothing is asked of Apple and nothing is written but
    /// status; the Secret stays as it is, and Ready turns False when its token expires. Default: false.
    #[serde(default)]
    pub suspend: bool,
}

/// Whose key it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum KeyType {
    /// The team's: its tokens name the issuer.
    #[default]
    Team,
    /// A user's own: its tokens name the subject `user`.
    Individual,
}

/// Where the private key is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiKeySource {
    /// The entry of a Secret in the resource's own namespace that holds the EC P-256 private key as PEM. The Secret's type
    /// is Opaque or asa-operator.dev/private-key; no other is read.
    pub secret_ref: SecretKeyRef,
}

/// How long a token lives, when it is renewed, and what it may be used for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.renewBefore) || duration(self.renewBefore) < duration(self.lifetime)")
        .message("must be shorter than lifetime (default 20m)")
        .field_path(".renewBefore"),
    validation = Rule::new(
        "duration(self.lifetime) <= duration('20m') || \
         has(self.scope) && self.scope.size() > 0 && self.scope.all(entry, entry.startsWith('GET '))"
    )
    .message("must be at most 20m unless scope lists what the token may be used for, and all of that is GET")
    .field_path(".lifetime")
)]
pub struct TokenSpec {
    /// How long a token is valid from its signing on, in hours, minutes and seconds (20m, 90s), from 60s to 4320h. Apple
    /// takes more than 20m only with a scope of GET entries. It is back-dated by a minute, so that one of 20m works for 19
    /// minutes. Default: 20m.
    #[serde(default = "default_lifetime")]
    #[schemars(
        length(min = 1, max = MAX_DURATION_CHARS),
        regex(pattern = DURATION),
        extend("default" = DEFAULT_LIFETIME)
    )]
    #[x_kube(
        validation = Rule::new("duration(self) >= duration('60s') && duration(self) <= duration('4320h')")
            .message("must be between 60s and 4320h; without a scope Apple takes 20m at most")
    )]
    pub lifetime: Duration,

    /// How long before its end a token is renewed, shorter than lifetime. It can only make the renewal earlier: by default,
    /// and at the latest, a token is renewed at half of its life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = MAX_DURATION_CHARS), regex(pattern = DURATION))]
    #[x_kube(
        validation = Rule::new("duration(self) >= duration('1s') && duration(self) <= duration('4320h')")
            .message("must be between 1s and 4320h, and shorter than lifetime")
    )]
    pub renew_before: Option<Duration>,

    /// The requests that the token may be used for, for example [GET /v1/apps?filter[platform]=IOS]; Apple refuses it for
    /// all others. Default: none, which allows everything that the key's role allows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "scope")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub scope: Vec<String>,
}

/// Whether Apple is asked if it knows the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Verify {
    /// Once before the first publication, then once an hour.
    #[default]
    Probe,
    /// Never.
    None,
}

impl Default for TokenSpec {
    fn default() -> Self {
        Self { lifetime: default_lifetime(), renew_before: None, scope: Vec::new() }
    }
}

fn default_lifetime() -> Duration {
    std::time::Duration::from_secs(DEFAULT_LIFETIME_SECONDS).into()
}

/// What a token may be used for.
fn scope(_: &mut SchemaGenerator) -> Schema {
    let entry = json_schema!({
        "description": "A method, a blank, and a path with or without its query, for example GET /v1/apps.",
        "type": "string",
        "minLength": 5,
        "maxLength": 512,
        "pattern": SCOPE_ENTRY,
    });
    json_schema!({ "type": "array", "maxItems": 32, "items": entry })
}
