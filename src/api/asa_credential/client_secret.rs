//! `spec.clientSecret`: whether the client secret is kept, for how long, and where it is published.

#![allow(unreachable_pub, reason = "KubeSchema repeats each struct, with its `pub`, inside a function")]
#![allow(clippy::doc_markdown, reason = "field docs are what `kubectl explain` prints, where backticks are noise")]

use kube::KubeSchema;
use kube::core::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::schema::{DNS_SUBDOMAIN, DURATION, MAX_DURATION_CHARS, MAX_NAME_CHARS};

/// The life of a client secret unless the user says otherwise: 179 days, a day under Apple's limit. Written out in the
/// schema, where `Duration` would print its seconds.
const DEFAULT_LIFETIME: &str = "4296h";
const DEFAULT_LIFETIME_SECONDS: u64 = 4296 * 3600;

/// How the client secret lives and where it is published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.renewBefore) || duration(self.renewBefore) < duration(self.lifetime)")
        .message("must be shorter than lifetime (default 4296h)")
        .field_path(".renewBefore"),
    validation = Rule::new("self.mode != 'Ephemeral' || !has(self.renewBefore)")
        .message(
            "must be absent in mode Ephemeral, where each use signs a client secret of five minutes and none is renewed; \
             remove renewBefore, or set mode to Persistent"
        )
        .field_path(".renewBefore"),
    validation = Rule::new("self.mode != 'Ephemeral' || !has(self.secretName)")
        .message(
            "must be absent in mode Ephemeral, where the client secret is stored nowhere; remove secretName, or set mode \
             to Persistent"
        )
        .field_path(".secretName")
)]
pub struct ClientSecretSpec {
    /// Persistent: the client secret lives as long as lifetime says and is published in a Secret of its own. Ephemeral:
    /// one is signed for five minutes at each use and stored nowhere; lifetime does not count, renewBefore and
    /// secretName are refused. Default: Persistent.
    #[serde(default)]
    pub mode: ClientSecretMode,

    /// How long a client secret is valid, in hours, minutes and seconds (4296h, 90m, 1h30m), from 60s to 4320h: Apple
    /// refuses more than 180 days. Mode Ephemeral ignores it. Default: 4296h (179 days).
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

    /// The name of the Secret with the client secret, for example acme-client-secret. When it changes, the Secret of the
    /// new name is there before the old one goes. Default: the resource's name followed by -client-secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = MAX_NAME_CHARS), regex(pattern = DNS_SUBDOMAIN))]
    pub secret_name: Option<String>,
}

/// How long a client secret is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ClientSecretMode {
    /// For its lifetime, published in a Secret of its own.
    #[default]
    Persistent,
    /// For one use: signed for five minutes and stored nowhere.
    Ephemeral,
}

impl Default for ClientSecretSpec {
    fn default() -> Self {
        Self { mode: ClientSecretMode::default(), lifetime: default_lifetime(), renew_before: None, secret_name: None }
    }
}

pub(in crate::api) fn default_lifetime() -> Duration {
    std::time::Duration::from_secs(DEFAULT_LIFETIME_SECONDS).into()
}
