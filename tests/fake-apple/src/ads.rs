//! The two Ads APIs: who may ask, in which context, and what is answered.

use serde_json::{Value, json};

use crate::{
    endpoint::{Endpoint, Host},
    message::{Message, Request},
    model::Client,
};

/// Why an API call is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("not exactly one header Authorization with a Bearer token")]
    NoToken,
    #[error("the token is unknown or revoked")]
    UnknownToken,
    #[error("the token has expired")]
    ExpiredToken,
    #[error("too many requests, the next window starts in {0} s")]
    Throttled(i64),
    #[error("there is nothing at this path")]
    NotFound,
    #[error("the method is not {0}")]
    Method(&'static str),
    #[error("the body is not a JSON object declared as application/json")]
    Body,
    #[error("not exactly one header X-AP-Context")]
    NoContext,
    #[error("X-AP-Context is not {0}=<digits>")]
    MalformedContext(&'static str),
    #[error("X-AP-Context names {0}, which this client may not use")]
    ForeignContext(i64),
}

impl Refused {
    /// The answer, in the error shape of the API.
    pub(crate) fn message(&self, host: Host) -> Message {
        let (status, code) = match self {
            Self::NoToken | Self::UnknownToken | Self::ExpiredToken => (401, "UNAUTHORIZED"),
            Self::Throttled(_) => (429, "TOO_MANY_REQUESTS"),
            Self::NotFound => (404, "NOT_FOUND"),
            Self::Method(_) => (405, "METHOD_NOT_ALLOWED"),
            Self::Body => (400, "BAD_REQUEST"),
            Self::NoContext | Self::MalformedContext(_) | Self::ForeignContext(_) => (403, "FORBIDDEN"),
        };
        let message = Message::json(status, &error_body(host, code, &self.to_string()));
        match self {
            Self::Throttled(seconds) => message.with_header("Retry-After", seconds.to_string()),
            Self::Method(allowed) => message.with_header("Allow", *allowed),
            _ => message,
        }
    }
}

/// The token of a request with exactly one `Authorization: Bearer …`.
pub(crate) fn bearer(request: &Request) -> Option<&str> {
    request.only_header("Authorization")?.strip_prefix("Bearer ").filter(|token| !token.is_empty())
}

/// The good answer, if the context allows it.
pub(crate) fn answer(endpoint: Endpoint, client: &Client, request: &Request) -> Result<Message, Refused> {
    let body = match endpoint {
        Endpoint::MeV1 => {
            json!({ "result": { "userId": client.user_id, "orgId": client.platform_org_id } })
        }
        Endpoint::AclsV1 => json!({ "result": { "acls": platform_rows(client) } }),
        Endpoint::CampaignsV1 => platform_campaigns(ad_account(client, request)?),
        Endpoint::MeV5 => {
            json!({ "data": { "userId": client.user_id, "parentOrgId": client.parent_org_id } })
        }
        Endpoint::AclsV5 => {
            json!({ "data": client.organizations, "pagination": null, "error": null })
        }
        Endpoint::CampaignsV5 => campaigns(organization(client, request)?),
        Endpoint::Token | Endpoint::Apps | Endpoint::CiProducts | Endpoint::BundleIds | Endpoint::Other => {
            return Err(Refused::NotFound);
        }
    };
    Ok(Message::json(200, &body))
}

/// `POST /v1/campaigns/query` carries a query as JSON; what it asks for makes no difference here.
pub(crate) fn check_query_body(request: &Request) -> Result<(), Refused> {
    let is_json = request.only_header("Content-Type").is_some_and(|value| {
        value.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
    });
    let is_object = serde_json::from_slice::<serde_json::Map<String, Value>>(&request.body).is_ok();
    if is_json && is_object { Ok(()) } else { Err(Refused::Body) }
}

fn platform_rows(client: &Client) -> Vec<Value> {
    let row = |account: &crate::model::AdAccount| {
        json!({
            "adAccount": { "id": account.id, "name": account.name, "orgId": client.platform_org_id },
            "roles": account.roles,
        })
    };
    client.ad_accounts.iter().map(row).collect()
}

/// Apple's library ends the header with a semicolon, its documentation does not.
fn ad_account(client: &Client, request: &Request) -> Result<i64, Refused> {
    let context = request.only_header("X-AP-Context").ok_or(Refused::NoContext)?;
    let context = context.strip_suffix(';').unwrap_or(context);
    let id = context_id(context, "adAccountId")?;
    if client.ad_accounts.iter().any(|account| account.id == id) { Ok(id) } else { Err(Refused::ForeignContext(id)) }
}

fn organization(client: &Client, request: &Request) -> Result<i64, Refused> {
    let context = request.only_header("X-AP-Context").ok_or(Refused::NoContext)?;
    let id = context_id(context, "orgId")?;
    if client.organizations.iter().any(|row| row.org_id == id) { Ok(id) } else { Err(Refused::ForeignContext(id)) }
}

fn context_id(context: &str, name: &'static str) -> Result<i64, Refused> {
    context
        .strip_prefix(name)
        .and_then(|rest| rest.strip_prefix('='))
        .and_then(|digits| digits.parse().ok().filter(|id: &i64| *id > 0 && id.to_string() == digits))
        .ok_or(Refused::MalformedContext(name))
}

/// One campaign that names the account, so that a test sees whose campaigns it got.
fn platform_campaigns(ad_account_id: i64) -> Value {
    json!({
        "result": [{ "id": 1, "adAccountId": ad_account_id, "name": "Campaign" }],
        "pagination": { "offset": 0, "pageSize": 1, "totalCount": 1 },
    })
}

/// One campaign that names the organization, likewise.
fn campaigns(org_id: i64) -> Value {
    json!({
        "data": [{ "id": 1, "orgId": org_id, "name": "Campaign" }],
        "pagination": { "totalResults": 1, "startIndex": 0, "itemsPerPage": 1 },
        "error": null,
    })
}

/// `message` never repeats anything of the token.
fn error_body(host: Host, code: &str, message: &str) -> Value {
    match host {
        Host::Campaign => json!({
            "data": null,
            "pagination": null,
            "error": { "errors": [{ "messageCode": code, "message": message, "field": "" }] },
        }),
        Host::Platform | Host::AppleId | Host::AppStoreConnect(_) => {
            json!({ "error": { "code": code, "message": message, "details": [] } })
        }
    }
}
