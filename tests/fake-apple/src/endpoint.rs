//! Which of Apple's endpoints a request is for.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::api_key::Program;

/// What this stand-in serves, and what faults and counts are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Endpoint {
    /// `POST /auth/oauth2/token`
    Token,
    /// `GET /v1/me`
    MeV1,
    /// `GET /v1/acls`
    AclsV1,
    /// `GET /v1/campaigns` and `POST /v1/campaigns/query`, the form that Apple's own library uses.
    CampaignsV1,
    /// `GET /api/v5/me`
    MeV5,
    /// `GET /api/v5/acls`
    AclsV5,
    /// `GET /api/v5/campaigns`
    CampaignsV5,
    /// `GET /app-store-connect/v1/apps`
    Apps,
    /// `GET /app-store-connect/v1/ciProducts`, which takes long-lived tokens too.
    CiProducts,
    /// `GET /enterprise/v1/bundleIds`
    BundleIds,
    /// Any other path. Apple would answer many of them; this stand-in refuses them all.
    Other,
}

impl Endpoint {
    /// The name as it stands in faults and counts, for instance `me-v1`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::MeV1 => "me-v1",
            Self::AclsV1 => "acls-v1",
            Self::CampaignsV1 => "campaigns-v1",
            Self::MeV5 => "me-v5",
            Self::AclsV5 => "acls-v5",
            Self::CampaignsV5 => "campaigns-v5",
            Self::Apps => "apps",
            Self::CiProducts => "ci-products",
            Self::BundleIds => "bundle-ids",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Which of Apple's hosts would have got the request: it decides the shape of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// `appleid.apple.com`
    AppleId,
    /// `api.ads.apple.com`, Platform API v1
    Platform,
    /// `api.searchads.apple.com`, Campaign Management API v5
    Campaign,
    /// `api.appstoreconnect.apple.com` and `api.enterprise.developer.apple.com`
    AppStoreConnect(Program),
}

/// Where a path leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) host: Host,
    pub(crate) endpoint: Endpoint,
    /// The one method that is served there.
    pub(crate) method: &'static str,
}

impl Route {
    /// Paths are compared exactly: a trailing slash leads elsewhere.
    pub(crate) fn of(path: &str) -> Self {
        let host = if let Some((program, _)) = Self::below(path) {
            Host::AppStoreConnect(program)
        } else if path.starts_with("/v1/") {
            Host::Platform
        } else if path.starts_with("/api/v5/") {
            Host::Campaign
        } else {
            Host::AppleId
        };
        let (endpoint, method) = match path {
            "/auth/oauth2/token" => (Endpoint::Token, "POST"),
            "/v1/me" => (Endpoint::MeV1, "GET"),
            "/v1/acls" => (Endpoint::AclsV1, "GET"),
            "/v1/campaigns" => (Endpoint::CampaignsV1, "GET"),
            "/v1/campaigns/query" => (Endpoint::CampaignsV1, "POST"),
            "/api/v5/me" => (Endpoint::MeV5, "GET"),
            "/api/v5/acls" => (Endpoint::AclsV5, "GET"),
            "/api/v5/campaigns" => (Endpoint::CampaignsV5, "GET"),
            "/app-store-connect/v1/apps" => (Endpoint::Apps, "GET"),
            "/app-store-connect/v1/ciProducts" => (Endpoint::CiProducts, "GET"),
            "/enterprise/v1/bundleIds" => (Endpoint::BundleIds, "GET"),
            _ => (Endpoint::Other, "GET"),
        };
        Self { host, endpoint, method }
    }

    /// The path on a host of App Store Connect's, and on which: two hosts with the paths of a third need their own bases.
    pub(crate) fn below(path: &str) -> Option<(Program, &str)> {
        let on =
            |base, program| path.strip_prefix(base).filter(|rest| rest.starts_with('/')).map(|rest| (program, rest));
        on("/app-store-connect", Program::AppStore).or_else(|| on("/enterprise", Program::Enterprise))
    }
}
