//! Is this JWT one that App Store Connect, or the Enterprise Program, would accept for this request?

use jiff::Timestamp;
use p256::ecdsa::VerifyingKey;
use serde_json::{Map, Value};

use crate::{
    api_key::{ApiKey, Program},
    jwt::{self, Jwt, text},
    scope::{BadScope, Scope},
};

/// The longest life in seconds of a token without a scope.
const LONGEST_LIFE: i64 = 20 * 60;

/// The same for requests of which Apple allows more, with a scope. Apple says "up to six months"; the shortest six months
/// in a row, from September to February, have 181 days.
const LONGEST_LIFE_WITH_SCOPE: i64 = 181 * 24 * 60 * 60;

/// What is wrong with a token. Apple says `NOT_AUTHORIZED` to all of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Flaw {
    #[error(transparent)]
    Jwt(#[from] jwt::Flaw),
    /// Unlike in a client secret, `typ` must be there.
    #[error("typ is not JWT")]
    Type,
    /// `iss` must be the issuer id of a team key.
    #[error("iss is not the issuer id")]
    Issuer,
    /// An individual key has no issuer.
    #[error("iss is there, and the key is an individual one")]
    IssuerOfIndividual,
    /// `sub` of an individual key.
    #[error("sub is not the string user")]
    Subject,
    /// A team key has no subject.
    #[error("sub is there, and the key is a team's")]
    SubjectOfTeam,
    /// `aud` must be the host's one string.
    #[error("aud is not the string {0}")]
    Audience(&'static str),
    #[error("exp - iat is {0} s, more than 20 minutes, and there is no scope")]
    LivesTooLong(i64),
    #[error("exp - iat is {0} s, more than 20 minutes, which the Enterprise Program never allows")]
    LivesTooLongForEnterprise(i64),
    #[error("exp - iat is {0} s, more than 20 minutes, and the scope has what is not allowed for so long")]
    LivesTooLongForScope(i64),
    #[error("exp - iat is {0} s, more than six months")]
    LivesForEver(i64),
    #[error(transparent)]
    Scope(#[from] BadScope),
    #[error("the scope does not have this request")]
    OutOfScope,
}

/// What a token is for, and by which key.
pub(crate) struct Registered<'a> {
    pub(crate) key: &'a ApiKey,
    pub(crate) public: &'a VerifyingKey,
}

/// The id of the key that a token names, its header checked.
pub(crate) fn key_id(jwt: Jwt<'_>) -> Result<String, Flaw> {
    let header = jwt.header()?;
    if text(&header, "typ") != Some("JWT") {
        return Err(Flaw::Type);
    }
    Ok(text(&header, "kid").ok_or(jwt::Flaw::KeyId)?.to_owned())
}

/// Finds the first flaw of a token by this key for `request` (`GET /v1/apps?limit=1`), if there is one.
///
/// `now` is Apple's clock.
pub(crate) fn check(jwt: Jwt<'_>, by: &Registered<'_>, request: &str, now: Timestamp) -> Result<(), Flaw> {
    jwt.check_signature(std::iter::once(by.public))?;
    let claims = jwt.claims()?;
    check_owner(&claims, by.key)?;
    let audience = match by.key.program {
        Program::AppStore => "appstoreconnect-v1",
        Program::Enterprise => "apple-developer-enterprise-v1",
    };
    if text(&claims, "aud") != Some(audience) {
        return Err(Flaw::Audience(audience));
    }
    // Apple's tolerance for clocks is unknown; whoever relies on none is right in any case.
    let life = jwt::check_life(&claims, 0, now.as_second())?;
    let scope = claims.get("scope").map(Scope::read).transpose()?;
    check_length(life, by.key.program, scope.as_ref())?;
    if scope.is_none_or(|scope| scope.has(request)) { Ok(()) } else { Err(Flaw::OutOfScope) }
}

fn check_owner(claims: &Map<String, Value>, key: &ApiKey) -> Result<(), Flaw> {
    match &key.issuer_id {
        Some(issuer) if text(claims, "iss") != Some(issuer) => Err(Flaw::Issuer),
        Some(_) if claims.contains_key("sub") => Err(Flaw::SubjectOfTeam),
        None if claims.contains_key("iss") => Err(Flaw::IssuerOfIndividual),
        None if text(claims, "sub") != Some("user") => Err(Flaw::Subject),
        Some(_) | None => Ok(()),
    }
}

fn check_length(life: i64, program: Program, scope: Option<&Scope>) -> Result<(), Flaw> {
    match scope {
        _ if life <= LONGEST_LIFE => Ok(()),
        _ if program == Program::Enterprise => Err(Flaw::LivesTooLongForEnterprise(life)),
        None => Err(Flaw::LivesTooLong(life)),
        Some(scope) if !scope.may_live_long() => Err(Flaw::LivesTooLongForScope(life)),
        Some(_) if life > LONGEST_LIFE_WITH_SCOPE => Err(Flaw::LivesForEver(life)),
        Some(_) => Ok(()),
    }
}
