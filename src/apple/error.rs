//! Where a call was going, and in which class it ended.
//!
//! Every answer and every silence ends in exactly one [`Class`]; what to do about it, others decide. Nothing here holds a
//! URL, a body, a token or a key: what is kept of an answer is its status, two numbers and at most one code of Apple's.

use std::fmt;
use std::time::Duration;

use jiff::SignedDuration;
use thiserror::Error;

pub use super::private_key::KeyError;
use super::rate_limit::RateLimit;
use super::text::printable;
use crate::api::{AdsApi, Program};

/// The longest code of Apple's that is kept, in characters.
const LONGEST_CODE: usize = 64;

/// A call to Apple that gave no result.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{endpoint}: {class}{}", InBrackets(.code.as_deref()))]
pub struct Error {
    /// Where the call was going.
    pub endpoint: Endpoint,
    /// How it ended.
    pub class: Class,
    /// What Apple called it: `messageCode` of API v5, `code` of all others. For people, not for decisions: at most 64
    /// characters, none of which controls anything.
    pub code: Option<String>,
    /// Apple's clock minus ours, from the answer's `Date`; absent if there was no answer or no readable date.
    ///
    /// Ours was read before the request, so up to ten seconds of this are the request itself, and one is rounding.
    pub skew: Option<SignedDuration>,
    /// How long Apple asks to be left alone (`Retry-After`), at most ten minutes; absent where it asks for nothing.
    pub retry_after: Option<Duration>,
    /// How much of the key's hour is left (`X-Rate-Limit`); absent where the answer does not say.
    pub rate_limit: Option<RateLimit>,
}

impl Error {
    /// An error of which only place and class are known.
    pub fn new(endpoint: Endpoint, class: Class) -> Self {
        Self { endpoint, class, code: None, skew: None, retry_after: None, rate_limit: None }
    }
}

struct InBrackets<'a>(Option<&'a str>);

impl fmt::Display for InBrackets<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |code| write!(f, " ({code})"))
    }
}

/// The calls that are made to Apple.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// Client secret in, access token out.
    TokenEndpoint,
    /// Who am I? Also the proof that a token works.
    Me(AdsApi),
    /// What may I use?
    Acls(AdsApi),
    /// Does this key still serve?
    Probe(Program),
}

impl Endpoint {
    /// The host that serves it.
    pub fn host(self) -> Host {
        match self {
            Self::TokenEndpoint => Host::AppleId,
            Self::Me(AdsApi::PlatformV1) | Self::Acls(AdsApi::PlatformV1) => Host::AdsPlatform,
            Self::Me(AdsApi::CampaignManagementV5) | Self::Acls(AdsApi::CampaignManagementV5) => Host::AdsCampaign,
            Self::Probe(Program::AppStore) => Host::AppStoreConnect,
            Self::Probe(Program::Enterprise) => Host::Enterprise,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TokenEndpoint => "POST /auth/oauth2/token",
            Self::Me(AdsApi::PlatformV1) => "GET /v1/me",
            Self::Me(AdsApi::CampaignManagementV5) => "GET /api/v5/me",
            Self::Acls(AdsApi::PlatformV1) => "GET /v1/acls",
            Self::Acls(AdsApi::CampaignManagementV5) => "GET /api/v5/acls",
            Self::Probe(Program::AppStore) => "GET /v1/apps",
            Self::Probe(Program::Enterprise) => "GET /v1/bundleIds",
        })
    }
}

/// The hosts of Apple's; pacing and metrics go by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// `appleid.apple.com`, unless configured otherwise.
    AppleId,
    /// `api.ads.apple.com`, unless configured otherwise.
    AdsPlatform,
    /// `api.searchads.apple.com`, unless configured otherwise.
    AdsCampaign,
    /// `api.appstoreconnect.apple.com`, unless configured otherwise.
    AppStoreConnect,
    /// `api.enterprise.developer.apple.com`, unless configured otherwise.
    Enterprise,
}

impl Host {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::AppleId, Self::AdsPlatform, Self::AdsCampaign, Self::AppStoreConnect, Self::Enterprise];

    /// The value of the metrics' label `host`.
    pub fn label(self) -> &'static str {
        match self {
            Self::AppleId => "apple_id",
            Self::AdsPlatform => "ads_platform",
            Self::AdsCampaign => "ads_campaign",
            Self::AppStoreConnect => "app_store_connect",
            Self::Enterprise => "enterprise",
        }
    }
}

/// How a call ended that gave no result.
///
/// A body that ends before its announced length is [`Class::Unreachable`]. One that ends where HTTP allows it (no length
/// announced) is judged by what arrived, and then is [`Class::Unintelligible`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Class {
    /// The token endpoint said no, with a code (RFC 6749 § 5.2), or App Store Connect or the Enterprise Program refused the
    /// key, with one of theirs ([`OAuthError::Other`]).
    Rejected(OAuthError),
    /// 401: this token, or this client secret, is not accepted.
    Unauthorized,
    /// 403: accepted, and not allowed.
    Forbidden,
    /// 404.
    NotFound,
    /// 410.
    Gone,
    /// 429.
    Throttled,
    /// 3xx; never followed, since a redirect could carry a credential elsewhere.
    Redirected,
    /// 5xx.
    Server(u16),
    /// Any other status but 200.
    Status(u16),
    /// 200, and not what Apple documents; says what was amiss.
    Unintelligible(&'static str),
    /// The body is longer than 256 KiB, or says so.
    TooLarge,
    /// Not finished after ten seconds in all.
    TimedOut,
    /// No whole answer; says what broke.
    Unreachable(&'static str),
}

impl Class {
    /// The class of a status that is not 200.
    pub(super) fn of(status: u16) -> Self {
        match status {
            300..=399 => Self::Redirected,
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            410 => Self::Gone,
            429 => Self::Throttled,
            500..=599 => Self::Server(status),
            other => Self::Status(other),
        }
    }

    /// The value of the metrics' label `result`.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Rejected(_) => "rejected",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Gone => "gone",
            Self::Throttled => "throttled",
            Self::Redirected => "redirected",
            Self::Server(_) => "server_error",
            Self::Status(_) => "other_status",
            Self::Unintelligible(_) => "unintelligible",
            Self::TooLarge => "too_large",
            Self::TimedOut => "timed_out",
            Self::Unreachable(_) => "unreachable",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(error) => write!(f, "rejected, {error}"),
            Self::Unauthorized => f.write_str("401, not accepted"),
            Self::Forbidden => f.write_str("403, not allowed"),
            Self::NotFound => f.write_str("404, not found"),
            Self::Gone => f.write_str("410, gone"),
            Self::Throttled => f.write_str("429, too many requests"),
            Self::Redirected => f.write_str("a redirect, which is not followed"),
            Self::Server(status) => write!(f, "{status}, trouble at Apple"),
            Self::Status(status) => write!(f, "unexpected status {status}"),
            Self::Unintelligible(amiss) => write!(f, "not Apple's form: {amiss}"),
            Self::TooLarge => f.write_str("an answer of more than 256 KiB"),
            Self::TimedOut => f.write_str("no whole answer within 10 s"),
            Self::Unreachable(broken) => write!(f, "no answer: {broken}"),
        }
    }
}

/// The codes of RFC 6749 § 5.2 that Apple's token endpoint gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OAuthError {
    /// Wrong ids, a key that was not uploaded, a client secret that is expired or too long, a wrong clock, a removed user.
    InvalidClient,
    /// Something is missing or doubled in the request.
    InvalidRequest,
    /// The grant is not accepted.
    InvalidGrant,
    /// This client may not use this grant.
    UnauthorizedClient,
    /// The grant is unknown.
    UnsupportedGrantType,
    /// The scope is unknown.
    InvalidScope,
    /// A code that is not in the RFC, App Store Connect's among them: at most 64 characters, none of which controls
    /// anything.
    Other(String),
}

impl OAuthError {
    pub(super) fn of(code: &str) -> Self {
        match code {
            "invalid_client" => Self::InvalidClient,
            "invalid_request" => Self::InvalidRequest,
            "invalid_grant" => Self::InvalidGrant,
            "unauthorized_client" => Self::UnauthorizedClient,
            "unsupported_grant_type" => Self::UnsupportedGrantType,
            "invalid_scope" => Self::InvalidScope,
            other => Self::Other(printable_code(other)),
        }
    }

    /// The code as Apple sends it.
    pub fn code(&self) -> &str {
        match self {
            Self::InvalidClient => "invalid_client",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::Other(code) => code,
        }
    }
}

impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A code of Apple's, fit to be shown.
pub(super) fn printable_code(text: &str) -> String {
    printable(text, LONGEST_CODE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_one_class() {
        let table = [
            (101, Class::Status(101)),
            (201, Class::Status(201)),
            (204, Class::Status(204)),
            (301, Class::Redirected),
            (304, Class::Redirected),
            (307, Class::Redirected),
            (400, Class::Status(400)),
            (401, Class::Unauthorized),
            (403, Class::Forbidden),
            (404, Class::NotFound),
            (410, Class::Gone),
            (418, Class::Status(418)),
            (429, Class::Throttled),
            (500, Class::Server(500)),
            (503, Class::Server(503)),
            (599, Class::Server(599)),
            (999, Class::Status(999)),
        ];
        for (status, class) in table {
            assert_eq!(Class::of(status), class, "{status}");
        }
    }

    #[test]
    fn codes_go_there_and_back() {
        for code in [
            "invalid_client",
            "invalid_request",
            "invalid_grant",
            "unauthorized_client",
            "unsupported_grant_type",
            "invalid_scope",
        ] {
            let error = OAuthError::of(code);
            assert!(!matches!(error, OAuthError::Other(_)), "{code}");
            assert_eq!(error.code(), code);
        }
        let long = format!("new\u{7}_code\n{}", "x".repeat(100));
        assert_eq!(OAuthError::of(&long), OAuthError::Other(format!("new_code{}", "x".repeat(56))));
    }

    #[test]
    fn an_error_says_where_and_what() {
        let error = Error {
            code: Some("UNAUTHORIZED".to_owned()),
            ..Error::new(Endpoint::Acls(AdsApi::CampaignManagementV5), Class::Forbidden)
        };
        assert_eq!(error.to_string(), "GET /api/v5/acls: 403, not allowed (UNAUTHORIZED)");
        let error = Error::new(Endpoint::TokenEndpoint, Class::Rejected(OAuthError::InvalidClient));
        assert_eq!(error.to_string(), "POST /auth/oauth2/token: rejected, invalid_client");
    }
}
