//! The entries of a Secret's data. They are wiped when dropped.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use sha2::Sha256;
use zeroize::Zeroizing;

pub use super::formats::Choices;
use super::{
    formats::{self, Values},
    hash::{hex, measured},
    identity::Ids,
    schedule::Life,
    target::Target,
};
use crate::api::{AdsApi, Kind, SecretFormat};

impl Target {
    /// Every key that we ever write: what has no value now is dropped, what others added stays.
    fn vocabulary(self, kind: Kind) -> &'static [&'static str] {
        match (self, kind) {
            (Self::Managed, Kind::Ads) => &[
                "access_token",
                "ad_account_id",
                "authorization",
                "client_id",
                "credentials.env",
                "credentials.json",
                "curl-campaign-v5",
                "curl-platform-v1",
                "expires_at",
                "issued_at",
                "org_id",
                "organizations.json",
                "parent_org_id",
                "token_type",
                "x_ap_context_ad_account",
                "x_ap_context_org",
            ],
            (Self::Managed, Kind::AppStoreConnect) => &[
                "authorization",
                "credentials.env",
                "credentials.json",
                "curl-app-store-connect",
                "expires_at",
                "issued_at",
                "issuer_id",
                "key_id",
                "token",
            ],
            (Self::ClientSecret, _) => &["client_id", "client_secret", "expires_at"],
        }
    }
}

/// What the managed Secret of an `AppStoreConnectCredential` is made of.
#[derive(Clone, Copy, Debug)]
pub struct KeyParts<'a> {
    /// The API key.
    pub key_id: &'a str,
    /// The team's issuer; none with an individual key.
    pub issuer_id: Option<&'a str>,
    /// The token.
    pub token: &'a SecretString,
    /// From when to when it lives.
    pub life: Life,
    /// In which formats everything is said once more.
    pub formats: &'a BTreeSet<SecretFormat>,
}

/// What the managed Secret of an `AsaCredential` is made of.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// For whom Apple issued the token.
    pub client_id: &'a str,
    /// The token.
    pub token: &'a SecretString,
    /// From when to when it lives.
    pub life: Life,
    /// The ids that are known.
    pub ids: Ids,
    /// The APIs in use.
    pub apis: &'a [AdsApi],
    /// In which formats everything is said once more.
    pub formats: &'a BTreeSet<SecretFormat>,
    /// What there is to choose from at each call.
    pub choices: Choices<'a>,
}

/// The entries of a Secret: every key of its vocabulary, with its value or none.
pub struct Entries(BTreeMap<&'static str, Option<Zeroizing<String>>>);

impl Entries {
    fn of(
        target: Target,
        kind: Kind,
        values: impl IntoIterator<Item = (&'static str, Option<Zeroizing<String>>)>,
    ) -> Self {
        let mut entries: BTreeMap<_, _> = target.vocabulary(kind).iter().map(|&key| (key, None)).collect();
        entries.extend(values);
        Self(entries)
    }

    /// The managed Secret's, of an `AsaCredential`.
    #[must_use]
    pub fn managed(parts: &Parts<'_>) -> Self {
        let plain = |text: String| Some(Zeroizing::new(text));
        let number = |id: Option<i64>| id.and_then(|id| plain(id.to_string()));
        let header = |name: &str, id: Option<i64>| id.and_then(|id| plain(format!("{name}={id}")));
        let (token, ids) = (parts.token.expose_secret(), parts.ids);
        let mut entries = Self::of(
            Target::Managed,
            Kind::Ads,
            [
                ("access_token", plain(token.to_owned())),
                ("ad_account_id", number(ids.ad_account_id)),
                ("authorization", plain(format!("Bearer {token}"))),
                ("client_id", plain(parts.client_id.to_owned())),
                ("expires_at", plain(parts.life.expires_at.to_string())),
                ("issued_at", plain(parts.life.issued_at.to_string())),
                ("org_id", number(ids.org_id)),
                ("parent_org_id", number(ids.parent_org_id)),
                ("token_type", plain("Bearer".to_owned())),
                ("x_ap_context_ad_account", header("adAccountId", ids.ad_account_id)),
                ("x_ap_context_org", header("orgId", ids.org_id)),
            ],
        );
        let formatted = entries.formatted(Kind::Ads, parts.formats, |entry, values| match entry {
            "curl-campaign-v5" if parts.apis.contains(&AdsApi::CampaignManagementV5) => {
                Some(formats::curl(values, Some("x_ap_context_org")))
            }
            "curl-platform-v1" if parts.apis.contains(&AdsApi::PlatformV1) => {
                Some(formats::curl(values, Some("x_ap_context_ad_account")))
            }
            _ => None,
        });
        entries.0.extend(formatted);
        entries.0.insert("organizations.json", formats::organizations(parts.choices));
        entries
    }

    /// The managed Secret's, of an `AppStoreConnectCredential`.
    #[must_use]
    pub fn app_store_connect(parts: &KeyParts<'_>) -> Self {
        let plain = |text: String| Some(Zeroizing::new(text));
        let token = parts.token.expose_secret();
        let mut entries = Self::of(
            Target::Managed,
            Kind::AppStoreConnect,
            [
                ("authorization", plain(format!("Bearer {token}"))),
                ("expires_at", plain(parts.life.expires_at.to_string())),
                ("issued_at", plain(parts.life.issued_at.to_string())),
                ("issuer_id", parts.issuer_id.and_then(|id| plain(id.to_owned()))),
                ("key_id", plain(parts.key_id.to_owned())),
                ("token", plain(token.to_owned())),
            ],
        );
        let formatted = entries.formatted(Kind::AppStoreConnect, parts.formats, |entry, values| {
            (entry == "curl-app-store-connect").then(|| formats::curl(values, None))
        });
        entries.0.extend(formatted);
        entries
    }

    /// The plain entries once more, in the formats that are wanted; `curl` writes the files for `curl -K`.
    fn formatted(
        &self,
        kind: Kind,
        wanted: &BTreeSet<SecretFormat>,
        curl: impl Fn(&str, &Values<'_>) -> Option<Zeroizing<String>>,
    ) -> Vec<(&'static str, Option<Zeroizing<String>>)> {
        let values: Values<'_> =
            self.0.iter().filter_map(|(key, value)| Some((*key, value.as_ref()?.as_str()))).collect();
        let wanted = wanted.iter().flat_map(|format| formats::entries_of(*format, kind));
        wanted
            .map(|&entry| {
                let text = match entry {
                    "credentials.json" => Some(formats::json(&values)),
                    "credentials.env" => Some(formats::dotenv(&values, kind)),
                    _ => curl(entry, &values),
                };
                (entry, text)
            })
            .collect()
    }

    /// The client secret's.
    #[must_use]
    pub fn client_secret(client_id: &str, jwt: &SecretString, life: Life) -> Self {
        let plain = |text: String| Some(Zeroizing::new(text));
        Self::of(
            Target::ClientSecret,
            Kind::Ads,
            [
                ("client_id", plain(client_id.to_owned())),
                ("client_secret", plain(jwt.expose_secret().to_owned())),
                ("expires_at", plain(life.expires_at.to_string())),
            ],
        )
    }

    /// Our entries among `data` as it was read; what is not text is taken for absent, and so for edited.
    pub fn read(target: Target, kind: Kind, data: impl IntoIterator<Item = (String, Zeroizing<Vec<u8>>)>) -> Self {
        let known = data.into_iter().filter_map(|(key, value)| {
            let key = target.vocabulary(kind).iter().find(|&&word| word == key)?;
            Some((*key, std::str::from_utf8(&value).ok().map(|text| Zeroizing::new(text.to_owned()))))
        });
        Self::of(target, kind, known.collect::<Vec<_>>())
    }

    /// The token.
    #[must_use]
    pub fn token(&self, kind: Kind) -> Option<&str> {
        self.get(match kind {
            Kind::Ads => "access_token",
            Kind::AppStoreConnect => "token",
        })
    }

    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_ref().map(|value| value.as_str())
    }

    /// SHA-256 over all of them, in hex.
    #[must_use]
    pub fn digest(&self) -> String {
        let present = self.0.iter().filter_map(|(key, value)| Some((key, value.as_ref()?)));
        hex(present
            .fold(Sha256::default(), |hash, (key, value)| measured(measured(hash, key.as_bytes()), value.as_bytes())))
    }

    /// As in a request's `data`; `keep_absent` drops at the server what has no value here.
    pub(super) fn encoded(&self, keep_absent: bool) -> Value {
        let kept = self.0.iter().filter(|(_, value)| keep_absent || value.is_some());
        kept.map(|(&key, value)| (key.to_owned(), json!(value.as_ref().map(|text| BASE64_STANDARD.encode(&**text)))))
            .collect::<Map<_, _>>()
            .into()
    }
}
