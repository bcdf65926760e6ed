//! App Store Connect and the Enterprise Program: whose tokens they take, and what they answer.

use std::collections::BTreeMap;

use jiff::Timestamp;
use p256::ecdsa::VerifyingKey;
use serde_json::{Value, json};

use crate::{
    ads::bearer,
    api_key::{ApiKey, Program, Standing},
    api_token::{self, Flaw},
    endpoint::{Endpoint, Route},
    hour::Hour,
    jwt::{self, BadKey, Jwt},
    limit::Window,
    message::{Message, Request},
    model::Settings,
};

/// The most that `limit` of a list may ask for.
const LARGEST_PAGE: u32 = 200;

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("not exactly one header Authorization with a Bearer token")]
    NoToken,
    #[error("the token: {0}")]
    Token(#[from] Flaw),
    #[error("the key is revoked")]
    Revoked,
    #[error("the key is revoked, which is said as 403")]
    RevokedAsForbidden,
    #[error("more requests within an hour than {0}")]
    HourIsOver(u32),
    #[error("too many requests at once")]
    Burst,
    #[error("the account has an agreement to sign")]
    AgreementMissing,
    #[error("the key's role is too narrow")]
    NarrowRole,
    #[error("there is nothing at this path")]
    NotFound,
    #[error("the method is not {0}")]
    Method(&'static str),
    #[error("limit is not a number from 1 to {LARGEST_PAGE}, once")]
    Limit,
}

impl From<jwt::Flaw> for Refused {
    fn from(flaw: jwt::Flaw) -> Self {
        Self::Token(flaw.into())
    }
}

impl Refused {
    /// The answer: much less than is known.
    pub(crate) fn message(&self) -> Message {
        match self {
            Self::NoToken | Self::Token(_) | Self::Revoked => not_authorized(401),
            Self::RevokedAsForbidden => not_authorized(403),
            Self::HourIsOver(_) | Self::Burst => error(
                429,
                "RATE_LIMIT_EXCEEDED",
                "The request rate limit has been reached.",
                "We've received too many requests for this API. Please wait and try again or slow down your request rate.",
            ),
            Self::AgreementMissing => error(
                403,
                "FORBIDDEN.REQUIRED_AGREEMENTS_MISSING_OR_EXPIRED",
                "A required agreement is missing or has expired.",
                "This request requires an in-effect agreement that has not been signed or has expired.",
            ),
            Self::NarrowRole => error(
                403,
                "FORBIDDEN_ERROR",
                "This request is forbidden for security reasons",
                "The API key in use does not allow this request",
            ),
            Self::NotFound => error(404, "NOT_FOUND", "The specified resource does not exist", "The path is unknown"),
            Self::Method(allowed) => {
                error(405, "METHOD_NOT_ALLOWED", "The request method is not valid", "Try another method")
                    .with_header("Allow", *allowed)
            }
            Self::Limit => {
                error(400, "PARAMETER_ERROR.INVALID", "A parameter has an invalid value", "'limit' is out of its range")
            }
        }
    }
}

/// What Apple says to a token that it does not take, whatever the reason.
pub(crate) fn not_authorized(status: u16) -> Message {
    error(
        status,
        "NOT_AUTHORIZED",
        "Authentication credentials are missing or invalid.",
        "Provide a properly configured and signed bearer token, and make sure that it has not expired.",
    )
}

fn error(status: u16, code: &str, title: &str, detail: &str) -> Message {
    let error = json!({ "status": status.to_string(), "code": code, "title": title, "detail": detail });
    Message::json(status, &json!({ "errors": [error] }))
}

/// The registered keys of both programs.
#[derive(Clone, Debug, Default)]
pub(crate) struct ApiKeys(BTreeMap<(Program, String), Registered>);

/// A key and what goes with it.
#[derive(Clone, Debug)]
struct Registered {
    key: ApiKey,
    public: VerifyingKey,
    hour: Hour,
    burst: Window,
}

impl ApiKeys {
    pub(crate) fn of(keys: Vec<ApiKey>) -> Result<Self, BadKey> {
        let mut all = Self::default();
        keys.into_iter().try_for_each(|key| all.register(key))?;
        Ok(all)
    }

    pub(crate) fn register(&mut self, key: ApiKey) -> Result<(), BadKey> {
        if key.program == Program::Enterprise && key.issuer_id.is_none() {
            return Err(BadKey::IndividualOfEnterprise(key.key_id));
        }
        let public = jwt::public_key(&key.key_id, &key.public_key)?;
        let id = (key.program, key.key_id.clone());
        self.0.insert(id, Registered { key, public, hour: Hour::default(), burst: Window::default() });
        Ok(())
    }

    pub(crate) fn remove(&mut self, program: Program, key_id: &str) -> bool {
        self.0.remove(&(program, key_id.to_owned())).is_some()
    }

    pub(crate) fn set_standing(&mut self, program: Program, key_id: &str, standing: Standing) -> bool {
        let known = self.0.get_mut(&(program, key_id.to_owned()));
        known.map(|known| known.key.standing = standing).is_some()
    }

    pub(crate) fn all(&self) -> Vec<ApiKey> {
        self.0.values().map(|known| known.key.clone()).collect()
    }

    /// Decides about a request to the host of `program`. `apples_now` judges its token, `now` its pace.
    pub(crate) fn call(
        &mut self,
        (program, route): (Program, Route),
        request: &Request,
        settings: &Settings,
        (apples_now, now): (Timestamp, Timestamp),
    ) -> Result<Message, Refused> {
        let token = Jwt::split(bearer(request).ok_or(Refused::NoToken)?)?;
        let key_id = api_token::key_id(token)?;
        let known = self.0.get_mut(&(program, key_id)).ok_or(jwt::Flaw::KeyId)?;
        let by = api_token::Registered { key: &known.key, public: &known.public };
        api_token::check(token, &by, &written(request), apples_now)?;
        match known.key.standing {
            Standing::Revoked => return Err(Refused::Revoked),
            Standing::RevokedAsForbidden => return Err(Refused::RevokedAsForbidden),
            Standing::Good | Standing::NarrowRole | Standing::AgreementMissing => {}
        }
        if !known.burst.take(settings.burst_limit, now) {
            return Err(Refused::Burst);
        }
        if !known.hour.take(settings.hourly_limit, now) {
            return Err(Refused::HourIsOver(settings.hourly_limit));
        }
        if route.endpoint == Endpoint::Other {
            return Err(Refused::NotFound);
        }
        if request.method != route.method {
            return Err(Refused::Method(route.method));
        }
        match known.key.standing {
            Standing::AgreementMissing => Err(Refused::AgreementMissing),
            Standing::NarrowRole => Err(Refused::NarrowRole),
            Standing::Good | Standing::Revoked | Standing::RevokedAsForbidden => page(route.endpoint, request),
        }
    }

    /// Adds what each answer of these hosts carries; a key that is not known has used nothing.
    pub(crate) fn announce(
        &self,
        (program, key_id): (Program, Option<&str>),
        message: &mut Message,
        limit: u32,
        now: Timestamp,
    ) {
        let known = key_id.and_then(|id| self.0.get(&(program, id.to_owned())));
        known.map_or(&Hour::default(), |known| &known.hour).announce(message, limit, now);
    }
}

/// The request as a scope writes it: its path without what leads to this host.
fn written(request: &Request) -> String {
    let path = Route::below(&request.path).map_or(request.path.as_str(), |(_, path)| path);
    let query = request.query.as_ref().map_or_else(String::new, |query| format!("?{query}"));
    format!("{} {path}{query}", request.method)
}

/// A list with one of what is asked for.
fn page(endpoint: Endpoint, request: &Request) -> Result<Message, Refused> {
    let limit = limit(request.query.as_deref().unwrap_or_default())?;
    let row: Value = match endpoint {
        Endpoint::BundleIds => json!({ "type": "bundleIds", "id": "1", "attributes": { "identifier": "dev.acme" } }),
        Endpoint::CiProducts => json!({ "type": "ciProducts", "id": "1", "attributes": { "name": "Acme" } }),
        _ => json!({ "type": "apps", "id": "1", "attributes": { "name": "Acme", "bundleId": "dev.acme" } }),
    };
    let body = json!({ "data": [row], "links": {}, "meta": { "paging": { "total": 1, "limit": limit } } });
    Ok(Message::json(200, &body))
}

fn limit(query: &str) -> Result<u32, Refused> {
    let limits: Vec<_> = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "limit").collect();
    match limits.as_slice() {
        [] => Ok(50),
        [(_, limit)] => limit.parse().ok().filter(|limit| (1..=LARGEST_PAGE).contains(limit)).ok_or(Refused::Limit),
        _ => Err(Refused::Limit),
    }
}
