//! For whom a token is: the organization, and what may be used in it.

use jiff::Timestamp;
use serde::Deserialize;

use super::oauth::AccessToken;
use crate::api::AdsApi;
use crate::apple::echo::Echoes;
use crate::apple::error::{Class, Endpoint, Error, printable_code};
use crate::apple::http::{Answer, BaseUrl, Http, Reply};
use crate::apple::json::{self, Object, OneOrMany, Scalar};
use crate::apple::text::printable;

/// The longest name that is kept, in characters.
const LONGEST_NAME: usize = 100;

/// Who the token speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Me {
    /// The account over everything: `orgId` of the Platform API, which API v5 calls `parentOrgId`. Absent where Apple
    /// names none or names what is no id.
    pub org_id: Option<i64>,
}

/// What the token may use, each API in its own terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acls {
    /// Platform API v1; empty where the organization has no ad account yet.
    Platform(Vec<AdAccountRow>),
    /// Campaign Management API v5.
    Campaign(Vec<CampaignGroupRow>),
}

/// An ad account of the Platform API.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "PlatformRow")]
pub struct AdAccountRow {
    /// `adAccount.id`, positive.
    pub id: i64,
    /// At most 100 characters, none of which controls anything.
    pub name: Option<String>,
    /// The organization that it belongs to, positive.
    pub org_id: Option<i64>,
}

/// A campaign group of API v5.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "CampaignRow")]
pub struct CampaignGroupRow {
    /// `orgId`, which the context header takes; positive.
    pub org_id: i64,
    /// At most 100 characters, none of which controls anything.
    pub name: Option<String>,
    /// The account over it, positive.
    pub parent_org_id: Option<i64>,
}

/// `GET {base}/me`: the proof that a token works, and its organization.
///
/// # Errors
///
/// [`Class::Unauthorized`] if the token is not accepted, or is such that it fits no header (then nothing was sent).
pub async fn me(
    http: &Http,
    base: &BaseUrl,
    api: AdsApi,
    token: &AccessToken,
    now: Timestamp,
) -> Result<Reply<Me>, Error> {
    let answer = ask(http, (base, "/me"), Endpoint::Me(api), token, now).await?;
    me_in(&answer, api, token)
}

/// What `/me` of `api` answered to `token`.
///
/// # Errors
///
/// As [`me`].
pub fn me_in(answer: &Answer, api: AdsApi, token: &AccessToken) -> Result<Reply<Me>, Error> {
    insist_on_success(answer, token)?;
    let org_id = match api {
        AdsApi::PlatformV1 => json::read(&answer.body, "no result that is an object")
            .map(|PlatformMe { result: Object(result) }| result.org_id),
        AdsApi::CampaignManagementV5 => json::read(&answer.body, "no data that is an object")
            .map(|CampaignMe { data: Object(data) }| data.parent_org_id),
    };
    org_id.map(|id| answer.reply(Me { org_id: id.id() })).map_err(|class| answer.error(class))
}

/// `GET {base}/acls`: what may be used.
///
/// # Errors
///
/// As [`me`]; one row without a positive id makes the whole list [`Class::Unintelligible`], because a list with gaps could
/// make one of two look like the only one.
pub async fn acls(
    http: &Http,
    base: &BaseUrl,
    api: AdsApi,
    token: &AccessToken,
    now: Timestamp,
) -> Result<Reply<Acls>, Error> {
    let answer = ask(http, (base, "/acls"), Endpoint::Acls(api), token, now).await?;
    acls_in(&answer, api, token)
}

/// What `/acls` of `api` answered to `token`.
///
/// # Errors
///
/// As [`acls`].
pub fn acls_in(answer: &Answer, api: AdsApi, token: &AccessToken) -> Result<Reply<Acls>, Error> {
    insist_on_success(answer, token)?;
    let rows = match api {
        AdsApi::PlatformV1 => json::read(&answer.body, "no result.acls where each row has an adAccount id")
            .map(|PlatformAcls { result: Object(PlatformRows { acls: OneOrMany(rows) }) }| Acls::Platform(rows)),
        AdsApi::CampaignManagementV5 => json::read(&answer.body, "no data where each row has an orgId")
            .map(|CampaignAcls { data: OneOrMany(rows) }| Acls::Campaign(rows)),
    };
    rows.map(|rows| answer.reply(rows.without_echoes_of(token))).map_err(|class| answer.error(class))
}

impl Acls {
    /// A name in which the token comes back is not kept: names are shown.
    fn without_echoes_of(mut self, token: &AccessToken) -> Self {
        let echoes = Echoes::of(token.expose());
        let forget = |name: &mut Option<String>| *name = name.take().filter(|name| !echoes.are_in(name));
        match &mut self {
            Self::Platform(rows) => rows.iter_mut().for_each(|row| forget(&mut row.name)),
            Self::Campaign(rows) => rows.iter_mut().for_each(|row| forget(&mut row.name)),
        }
        self
    }
}

async fn ask(
    http: &Http,
    url: (&BaseUrl, &str),
    endpoint: Endpoint,
    token: &AccessToken,
    now: Timestamp,
) -> Result<Answer, Error> {
    let Some(authorization) = token.authorization() else {
        return Err(Error::new(endpoint, Class::Unauthorized));
    };
    http.get(endpoint, url, authorization, now).await
}

fn insist_on_success(answer: &Answer, token: &AccessToken) -> Result<(), Error> {
    if answer.status == 200 {
        return Ok(());
    }
    Err(Error { code: code(&answer.body, token), ..answer.error(Class::of(answer.status)) })
}

#[derive(Deserialize)]
struct PlatformMe {
    result: Object<PlatformOrg>,
}

#[derive(Deserialize)]
struct PlatformOrg {
    #[serde(default, rename = "orgId")]
    org_id: Scalar,
}

#[derive(Deserialize)]
struct CampaignMe {
    data: Object<CampaignOrg>,
}

#[derive(Deserialize)]
struct CampaignOrg {
    #[serde(default, rename = "parentOrgId")]
    parent_org_id: Scalar,
}

#[derive(Deserialize)]
struct PlatformAcls {
    result: Object<PlatformRows>,
}

#[derive(Deserialize)]
struct PlatformRows {
    acls: OneOrMany<AdAccountRow>,
}

#[derive(Deserialize)]
struct PlatformRow {
    #[serde(rename = "adAccount")]
    ad_account: Object<PlatformAccount>,
}

#[derive(Deserialize)]
struct PlatformAccount {
    #[serde(default)]
    id: Scalar,
    #[serde(default)]
    name: Scalar,
    #[serde(default, rename = "orgId")]
    org_id: Scalar,
}

impl TryFrom<PlatformRow> for AdAccountRow {
    type Error = &'static str;

    fn try_from(PlatformRow { ad_account: Object(account) }: PlatformRow) -> Result<Self, Self::Error> {
        let id = account.id.id().ok_or("no id")?;
        Ok(Self { id, name: name(&account.name), org_id: account.org_id.id() })
    }
}

#[derive(Deserialize)]
struct CampaignAcls {
    data: OneOrMany<CampaignGroupRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CampaignRow {
    #[serde(default)]
    org_id: Scalar,
    #[serde(default)]
    org_name: Scalar,
    #[serde(default)]
    parent_org_id: Scalar,
}

impl TryFrom<CampaignRow> for CampaignGroupRow {
    type Error = &'static str;

    fn try_from(row: CampaignRow) -> Result<Self, Self::Error> {
        let org_id = row.org_id.id().ok_or("no orgId")?;
        Ok(Self { org_id, name: name(&row.org_name), parent_org_id: row.parent_org_id.id() })
    }
}

fn name(name: &Scalar) -> Option<String> {
    name.text().map(|name| printable(name, LONGEST_NAME)).filter(|name| !name.is_empty())
}

/// An error body of either API: v5 `{"error":{"errors":[{"messageCode"}]}}`, Platform `{"error":{"code"}}` or `{"code"}`.
#[derive(Deserialize)]
struct Refusal {
    error: Option<Object<Inner>>,
    #[serde(default)]
    code: Scalar,
}

#[derive(Deserialize)]
struct Inner {
    #[serde(default)]
    code: Scalar,
    errors: Option<OneOrMany<Item>>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default, rename = "messageCode")]
    message_code: Scalar,
}

/// What Apple calls the refusal. A code in which the token comes back is not shown.
fn code(body: &[u8], token: &AccessToken) -> Option<String> {
    let refusal: Refusal = json::read(body, "").ok()?;
    let inner = refusal.error.map(|Object(inner)| inner);
    let items = inner.as_ref().and_then(|inner| inner.errors.as_ref());
    let first = items.and_then(|OneOrMany(items)| items.first());
    let text = first
        .and_then(|item| item.message_code.text())
        .or_else(|| inner.as_ref()?.code.text())
        .or_else(|| refusal.code.text())?;
    Some(printable_code(text)).filter(|code| !code.is_empty() && !Echoes::of(token.expose()).are_in(code))
}

#[cfg(test)]
mod tests;
