//! Whether Apple takes a key: the cheapest request that a token can make.

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::api::Program;
use crate::apple::bearer;
use crate::apple::echo::Echoes;
use crate::apple::error::{Class, Endpoint, Error, OAuthError, printable_code};
use crate::apple::http::{Answer, BaseUrl, Http, Reply};
use crate::apple::json::{self, OneOrMany, Scalar};
use crate::apple::rate_limit::RateLimit;

/// What a probe told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probed {
    /// What became of the question.
    pub proof: Proof,
    /// How much of the key's hour is left; absent where the answer does not say. On errors: [`Error::rate_limit`].
    pub rate_limit: Option<RateLimit>,
}

/// How an answer shows that the key is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// 200.
    Accepted,
    /// 403 `FORBIDDEN_ERROR`: a good key, whose role does not reach what was asked for.
    RoleTooNarrow,
    /// 403 `FORBIDDEN.REQUIRED_AGREEMENTS_MISSING_OR_EXPIRED`: the account has an agreement to sign. Not the key's fault;
    /// until then Apple refuses every request.
    AgreementMissing,
}

/// `GET {base}/v1/apps?limit=1`, for the Enterprise Program `GET {base}/v1/bundleIds?limit=1`.
///
/// A token with a scope is refused here where the scope does not match, and a long-lived one always; probe with one that
/// has neither.
///
/// # Errors
///
/// [`Class::Rejected`] with Apple's code where it refuses the key: 401, or 403 `NOT_AUTHORIZED`, as JSON of Apple's form.
/// [`Class::Unauthorized`] for any other 401 (of a proxy, say), and if the token is such that it fits no header (then
/// nothing was sent). [`Class::Forbidden`] for a 403 that means none of these. Any other class as it says.
pub async fn probe(
    http: &Http,
    base: &BaseUrl,
    program: Program,
    token: &SecretString,
    now: Timestamp,
) -> Result<Reply<Probed>, Error> {
    let endpoint = Endpoint::Probe(program);
    let Some(authorization) = bearer::authorization(token.expose_secret()) else {
        return Err(Error::new(endpoint, Class::Unauthorized));
    };
    let path = match program {
        Program::AppStore => "/v1/apps?limit=1",
        Program::Enterprise => "/v1/bundleIds?limit=1",
    };
    let answer = http.get(endpoint, (base, path), authorization, now).await?;
    probe_in(&answer, token)
}

/// What was answered to a probe with `token`.
///
/// # Errors
///
/// As [`probe`].
pub fn probe_in(answer: &Answer, token: &SecretString) -> Result<Reply<Probed>, Error> {
    match judged(answer.status, &answer.body, token) {
        Ok(proof) => Ok(answer.reply(Probed { proof, rate_limit: answer.rate_limit })),
        Err((class, code)) => Err(Error { code, ..answer.error(class) }),
    }
}

/// What an answer says of the key; where it is no proof, its class, and Apple's code unless the class has it already.
fn judged(status: u16, body: &[u8], token: &SecretString) -> Result<Proof, (Class, Option<String>)> {
    if status == 200 {
        let page: Result<Page, Class> = json::read(body, "no data that is a list");
        return page.map(|_| Proof::Accepted).map_err(|class| (class, None));
    }
    let codes = codes(body, token);
    let meant = match status {
        401 => codes.first().map(|code| Err(rejected(code))),
        403 => codes.iter().find_map(|code| meaning(code)),
        _ => None,
    };
    match meant {
        Some(meant) => meant.map_err(|class| (class, None)),
        None => Err((Class::of(status), codes.into_iter().next())),
    }
}

/// What one code of a 403 means; `None` for those that mean something else.
fn meaning(code: &str) -> Option<Result<Proof, Class>> {
    if is_kind_of(code, "FORBIDDEN_ERROR") {
        Some(Ok(Proof::RoleTooNarrow))
    } else if is_kind_of(code, "FORBIDDEN.REQUIRED_AGREEMENTS_MISSING_OR_EXPIRED") {
        Some(Ok(Proof::AgreementMissing))
    } else if is_kind_of(code, "NOT_AUTHORIZED") {
        Some(Err(rejected(code)))
    } else {
        None
    }
}

/// Apple divides codes by dots, and may add parts to those that are there.
fn is_kind_of(code: &str, kind: &str) -> bool {
    code.strip_prefix(kind).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn rejected(code: &str) -> Class {
    Class::Rejected(OAuthError::Other(code.to_owned()))
}

/// A page of anything; the key's role decides what is on it.
#[derive(Deserialize)]
struct Page {
    #[serde(rename = "data")]
    _data: Vec<IgnoredAny>,
}

/// `{"errors":[{"id","status","code","title","detail"}]}`
#[derive(Deserialize)]
struct Refusal {
    errors: OneOrMany<Item>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    code: Scalar,
}

/// Apple's codes, fit to be shown. One in which the token comes back is none.
fn codes(body: &[u8], token: &SecretString) -> Vec<String> {
    let Ok(Refusal { errors: OneOrMany(items) }) = json::read(body, "") else { return Vec::new() };
    let echoes = Echoes::of(token.expose_secret());
    let codes = items.iter().filter_map(|item| item.code.text()).map(printable_code);
    codes.filter(|code| !code.is_empty() && !echoes.are_in(code)).collect()
}

#[cfg(test)]
mod tests;
