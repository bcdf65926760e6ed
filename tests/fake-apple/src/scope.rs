//! The claim `scope`: for which requests a token is.

use serde_json::Value;

/// What Apple does not look at when it compares queries.
const IGNORED: [&str; 3] = ["limit", "cursor", "sort"];

/// The resources for which tokens may live for more than 20 minutes, as they stand in paths.
const LONG_LIVED: [&str; 14] = [
    "ciBuildActions",
    "ciBuildRuns",
    "ciIssues",
    "ciMacOsVersions",
    "ciProducts",
    "ciTestResults",
    "ciWorkflows",
    "ciXcodeVersions",
    "diagnosticLogs",
    "perfPowerMetrics",
    "scmGitReferences",
    "scmProviders",
    "scmPullRequests",
    "scmRepositories",
];

/// A scope that cannot be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadScope {
    #[error("scope is not a list with something in it")]
    NotAList,
    #[error("scope has what is not GET and a path")]
    NotGet,
}

/// Requests of the form `GET /v1/apps?filter[platform]=IOS`.
#[derive(Clone, Debug)]
pub(crate) struct Scope(Vec<Wanted>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Wanted {
    path: String,
    /// Decoded and sorted.
    query: Vec<(String, String)>,
}

impl Scope {
    pub(crate) fn read(claim: &Value) -> Result<Self, BadScope> {
        let entries = claim.as_array().filter(|entries| !entries.is_empty()).ok_or(BadScope::NotAList)?;
        let wanted = entries.iter().map(|entry| entry.as_str().and_then(Wanted::read).ok_or(BadScope::NotGet));
        Ok(Self(wanted.collect::<Result<_, _>>()?))
    }

    /// Whether one of its entries is this request.
    pub(crate) fn has(&self, request: &str) -> bool {
        Wanted::read(request).is_some_and(|request| self.0.contains(&request))
    }

    /// Whether Apple allows all of it for more than 20 minutes.
    pub(crate) fn may_live_long(&self) -> bool {
        let is_allowed = |wanted: &Wanted| wanted.path.split('/').any(|part| LONG_LIVED.contains(&part));
        self.0.iter().all(is_allowed)
    }
}

impl Wanted {
    fn read(entry: &str) -> Option<Self> {
        let url = entry.strip_prefix("GET ").filter(|url| url.starts_with('/') && !url.contains(' '))?;
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let query = form_urlencoded::parse(query.as_bytes()).into_owned();
        let mut query: Vec<_> = query.filter(|(name, _)| !IGNORED.contains(&name.as_str())).collect();
        query.sort();
        Some(Self { path: path.to_owned(), query })
    }
}
