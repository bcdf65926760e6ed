//! The rules of `POST /auth/oauth2/token`.

use serde_json::json;

use crate::{client_secret::Flaw, message::Message, message::Request};

/// The body of a token request, its form checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    scope: Option<String>,
}

/// Why no token is issued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("the method is {0}, not POST")]
    Method(String),
    #[error("parameters belong into the body, and there is a query")]
    Query,
    #[error("Content-Type is not application/x-www-form-urlencoded")]
    ContentType,
    #[error("the header {0} has no place in a token request")]
    Header(&'static str),
    #[error("the body is not UTF-8")]
    NotText,
    #[error("{0} is missing or empty")]
    Missing(&'static str),
    #[error("{0} occurs more than once")]
    Repeated(&'static str),
    #[error("grant_type is not client_credentials")]
    GrantType,
    #[error("client_id is not registered")]
    UnknownClient,
    #[error("client_secret: {0}")]
    ClientSecret(#[from] Flaw),
    #[error("scope is not searchadsorg")]
    Scope,
}

impl Refused {
    /// What Apple says to it: much less than it knows.
    pub(crate) fn message(&self) -> Message {
        match self {
            Self::Method(_) => error(405, "invalid_request").with_header("Allow", "POST"),
            Self::Query
            | Self::ContentType
            | Self::Header(_)
            | Self::NotText
            | Self::Missing(_)
            | Self::Repeated(_) => error(400, "invalid_request"),
            Self::GrantType => error(400, "unsupported_grant_type"),
            Self::UnknownClient | Self::ClientSecret(_) => error(400, "invalid_client"),
            Self::Scope => error(400, "invalid_scope"),
        }
    }
}

impl Form {
    /// Reads the form, strictly: each parameter once, in the body and nowhere else.
    pub(crate) fn read(request: &Request) -> Result<Self, Refused> {
        if request.method != "POST" {
            return Err(Refused::Method(request.method.clone()));
        }
        if request.query.is_some() {
            return Err(Refused::Query);
        }
        if !request.only_header("Content-Type").is_some_and(is_form) {
            return Err(Refused::ContentType);
        }
        for foreign in ["X-AP-Context", "Authorization"] {
            if request.header_values(foreign).next().is_some() {
                return Err(Refused::Header(foreign));
            }
        }
        let body = str::from_utf8(&request.body).map_err(|_| Refused::NotText)?;
        let parameters = form_urlencoded::parse(body.as_bytes()).into_owned().collect::<Vec<_>>();
        let grant_type = once(&parameters, "grant_type")?.ok_or(Refused::Missing("grant_type"))?;
        let form = Self {
            client_id: once(&parameters, "client_id")?.ok_or(Refused::Missing("client_id"))?,
            client_secret: once(&parameters, "client_secret")?.ok_or(Refused::Missing("client_secret"))?,
            scope: once(&parameters, "scope")?,
        };
        if grant_type == "client_credentials" { Ok(form) } else { Err(Refused::GrantType) }
    }

    /// Judged after the client secret.
    pub(crate) fn check_scope(&self) -> Result<(), Refused> {
        if self.scope.as_deref() == Some("searchadsorg") { Ok(()) } else { Err(Refused::Scope) }
    }
}

/// The client that a token request names, be the rest of it right or wrong.
pub(crate) fn claimed_client(request: &Request) -> Option<String> {
    form_urlencoded::parse(&request.body)
        .find_map(|(name, value)| (name == "client_id" && !value.is_empty()).then(|| value.into_owned()))
}

/// The answer with a token.
pub(crate) fn issued(token: &str, expires_in: u32) -> Message {
    let body = json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": expires_in,
        "scope": "searchadsorg",
    });
    uncached(Message::json(200, &body))
}

fn error(status: u16, code: &str) -> Message {
    uncached(Message::json(status, &json!({ "error": code })))
}

/// RFC 6749 § 5.1.
fn uncached(message: Message) -> Message {
    message.with_header("Cache-Control", "no-store").with_header("Pragma", "no-cache")
}

fn once(parameters: &[(String, String)], name: &'static str) -> Result<Option<String>, Refused> {
    let mut values = parameters.iter().filter(|(known, _)| known == name).map(|(_, value)| value);
    let first = values.next();
    if values.next().is_some() {
        return Err(Refused::Repeated(name));
    }
    Ok(first.filter(|value| !value.is_empty()).cloned())
}

/// A charset is the only parameter that clients in the wild add.
fn is_form(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/x-www-form-urlencoded"))
        && parts.all(|parameter| parameter.eq_ignore_ascii_case("charset=utf-8"))
}
