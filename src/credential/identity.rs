//! Which organization and ad account a token is for: from what Apple's APIs list and what the resource chooses.
//!
//! Choosing wrongly spends a client's money, so nothing is ever guessed among several.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    api::{AdAccount, AdsApi, AsaCredential, Organization, Selection},
    apple::error::Class,
    credential::failure::is_passing,
};

/// What a resource asks for, and as whom: the APIs, and an id where it chooses one of several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Choice {
    /// The API user, as each has organizations of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The APIs whose ids are resolved, in the order in which they are asked.
    pub apis: Vec<AdsApi>,
    /// The chosen organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_id: Option<i64>,
    /// The chosen ad account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ad_account_id: Option<i64>,
    /// Whether the holder of the token chooses the organization at each call.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub any_organization: bool,
    /// Whether the holder of the token chooses the ad account at each call.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub any_ad_account: bool,
}

impl Choice {
    /// The choice of a resource, defaults applied.
    #[must_use]
    pub fn of(object: &AsaCredential) -> Self {
        Self {
            client_id: object.spec.client_id.clone(),
            apis: object.apis(),
            org_id: object.organization_id(),
            ad_account_id: object.ad_account_id(),
            any_organization: object.organization_selection() == Selection::Any,
            any_ad_account: object.ad_account_selection() == Selection::Any,
        }
    }
}

/// The ids that go into the managed Secret. What could not be resolved is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ids {
    /// What API v5's context header takes while v5 is among the APIs, else the Platform API's orgId.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_id: Option<i64>,
    /// The Platform API's orgId, which v5 calls parentOrgId.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_org_id: Option<i64>,
    /// What the Platform API's context header takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ad_account_id: Option<i64>,
}

/// The answers of one round of questions, as they come in.
#[derive(Clone, Debug, Default)]
pub struct Round {
    /// The orgId that the Platform API's `/me` told when it verified the token; v5's `/me` tells it as parentOrgId.
    pub org_id: Option<i64>,
    /// What the Platform API's `/acls` said.
    pub ad_accounts: Option<Result<Vec<AdAccount>, Class>>,
    /// What v5's `/acls` said.
    pub organizations: Option<Result<Vec<Organization>, Class>>,
}

impl Round {
    /// The first of `apis` that has not answered yet.
    #[must_use]
    pub fn next(&self, apis: &[AdsApi]) -> Option<AdsApi> {
        apis.iter().copied().find(|api| match api {
            AdsApi::PlatformV1 => self.ad_accounts.is_none(),
            AdsApi::CampaignManagementV5 => self.organizations.is_none(),
        })
    }
}

/// Which of the two is to be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `spec.organization`
    Organization,
    /// `spec.adAccount`
    AdAccount,
}

/// How a round of questions ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every id that exists is known.
    Resolved,
    /// There are several and none is chosen.
    Ambiguous(Kind, usize),
    /// The chosen one is not there; so many are.
    NotFound(Kind, usize),
    /// An API gave no answer; the ids stand as they were resolved before.
    Unconfirmed(AdsApi, Class, Timestamp),
    /// An API gave no answer and never has; the ids of the other one are known.
    Partial(AdsApi, Class),
    /// No API has ever answered.
    Unresolved(AdsApi, Class),
    /// As found in the Secret and status of an earlier process.
    Recalled,
}

/// The outcome of a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// When the round ended.
    pub at: Timestamp,
    /// What it was made for.
    pub choice: Choice,
    /// What is published.
    pub ids: Ids,
    /// The organization of `ids.org_id`.
    pub organization: Option<Organization>,
    /// The ad account of `ids.ad_account_id`.
    pub ad_account: Option<AdAccount>,
    /// What there is to choose from, where there is a choice.
    pub organizations: Vec<Organization>,
    /// Likewise.
    pub ad_accounts: Vec<AdAccount>,
    /// How it ended.
    pub verdict: Verdict,
}

/// Draws the conclusion from a finished round. `previous` is the last resolution for the same choice and client.
#[must_use]
pub fn resolve(round: &Round, choice: Choice, previous: Option<&Resolution>, now: Timestamp) -> Resolution {
    let mut verdicts = Vec::new();
    let mut found = Resolution {
        at: now,
        choice,
        ids: Ids { parent_org_id: round.org_id, ..Ids::default() },
        organization: None,
        ad_account: None,
        organizations: Vec::new(),
        ad_accounts: Vec::new(),
        verdict: Verdict::Resolved,
    };
    let mut answered = 0;
    for api in found.choice.apis.clone() {
        let said = match api {
            AdsApi::PlatformV1 => round.ad_accounts.clone().map(|said| said.map(|rows| found.take_accounts(rows))),
            AdsApi::CampaignManagementV5 => {
                round.organizations.clone().map(|said| said.map(|rows| found.take_groups(rows)))
            }
        };
        match said {
            Some(Ok(verdict)) => {
                answered += 1;
                verdicts.push(verdict);
            }
            Some(Err(class)) => verdicts.push(found.keep_previous(api, class, previous)),
            None => {}
        }
    }
    if !found.choice.apis.contains(&AdsApi::CampaignManagementV5) {
        verdicts.push(found.take_platform_organization());
    }
    found.verdict = worst(verdicts, answered > 0);
    found
}

impl Resolution {
    /// When its ids were confirmed.
    #[must_use]
    pub fn confirmed_at(&self) -> Timestamp {
        match self.verdict {
            Verdict::Unconfirmed(_, _, since) => since,
            _ => self.at,
        }
    }

    /// Whether something is to be chosen by the user before the ids are complete.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        matches!(self.verdict, Verdict::Ambiguous(..) | Verdict::NotFound(..))
    }

    /// The failure to ask again about, where asking again soon may help.
    #[must_use]
    pub fn passing_failure(&self) -> Option<(AdsApi, &Class)> {
        match &self.verdict {
            Verdict::Partial(api, class) | Verdict::Unresolved(api, class) if is_passing(class) => Some((*api, class)),
            _ => None,
        }
    }

    /// Whether the next token should be used to ask again, although the day is not over.
    #[must_use]
    pub fn is_provisional(&self) -> bool {
        match &self.verdict {
            Verdict::Unconfirmed(_, class, _) | Verdict::Partial(_, class) | Verdict::Unresolved(_, class) => {
                is_passing(class)
            }
            _ => false,
        }
    }

    fn take_groups(&mut self, rows: Vec<Organization>) -> Verdict {
        if self.choice.any_organization {
            self.organizations = rows;
            return Verdict::Resolved;
        }
        let (chosen, verdict) = choose(Kind::Organization, &rows, self.choice.org_id, |row| row.org_id);
        self.organization = chosen
            .map(|row| Organization { parent_org_id: row.parent_org_id.or(self.ids.parent_org_id), ..row.clone() });
        if let Some(organization) = &self.organization {
            self.ids.org_id = Some(organization.org_id);
            self.ids.parent_org_id = organization.parent_org_id;
        }
        if rows.len() > 1 || self.organization.is_none() {
            self.organizations = rows;
        }
        verdict
    }

    fn take_accounts(&mut self, rows: Vec<AdAccount>) -> Verdict {
        self.ids.parent_org_id = self.ids.parent_org_id.or_else(|| rows.iter().find_map(|row| row.org_id));
        if self.choice.any_ad_account {
            self.ad_accounts = rows;
            return Verdict::Resolved;
        }
        let (chosen, mut verdict) = choose(Kind::AdAccount, &rows, self.choice.ad_account_id, |row| row.id);
        self.ad_account = chosen.cloned();
        self.ids.ad_account_id = self.ad_account.as_ref().map(|account| account.id);
        if rows.is_empty() && self.choice.ad_account_id.is_none() {
            verdict = Verdict::Resolved;
        }
        if rows.len() > 1 || (self.ad_account.is_none() && verdict != Verdict::Resolved) {
            self.ad_accounts = rows;
        }
        verdict
    }

    /// Without v5 the Platform API's organization is the organization.
    fn take_platform_organization(&mut self) -> Verdict {
        let Some(org_id) = self.ids.parent_org_id else { return Verdict::Resolved };
        let there = Organization { org_id, name: None, parent_org_id: None };
        if self.choice.org_id.is_some_and(|chosen| chosen != org_id) {
            self.organizations = vec![there];
            return Verdict::NotFound(Kind::Organization, 1);
        }
        self.ids.org_id = Some(org_id);
        self.organization = Some(there);
        Verdict::Resolved
    }

    /// Keeps what `api` once told; says since when it could not be confirmed.
    fn keep_previous(&mut self, api: AdsApi, class: Class, previous: Option<&Self>) -> Verdict {
        let Some(previous) = previous else { return Verdict::Partial(api, class) };
        let kept = match api {
            AdsApi::PlatformV1 => {
                self.ad_account.clone_from(&previous.ad_account);
                self.ad_accounts.clone_from(&previous.ad_accounts);
                self.ids.ad_account_id = previous.ids.ad_account_id;
                self.ids.ad_account_id.is_some() || (self.choice.any_ad_account && !self.ad_accounts.is_empty())
            }
            AdsApi::CampaignManagementV5 => {
                self.organization.clone_from(&previous.organization);
                self.organizations.clone_from(&previous.organizations);
                self.ids.org_id = previous.ids.org_id;
                self.ids.org_id.is_some() || (self.choice.any_organization && !self.organizations.is_empty())
            }
        };
        if self.ids.parent_org_id.is_none() {
            self.ids.parent_org_id = previous.ids.parent_org_id;
        }
        match &previous.verdict {
            _ if !kept => Verdict::Partial(api, class),
            Verdict::Unconfirmed(before, _, since) if *before == api => Verdict::Unconfirmed(api, class, *since),
            _ => Verdict::Unconfirmed(api, class, previous.at),
        }
    }
}

/// The chosen row: by id, or the only one.
fn choose<Row>(kind: Kind, rows: &[Row], chosen: Option<i64>, id: impl Fn(&Row) -> i64) -> (Option<&Row>, Verdict) {
    match (chosen, rows) {
        (Some(chosen), rows) => match rows.iter().find(|row| id(row) == chosen) {
            Some(row) => (Some(row), Verdict::Resolved),
            None => (None, Verdict::NotFound(kind, rows.len())),
        },
        (None, [row]) => (Some(row), Verdict::Resolved),
        (None, []) => (None, Verdict::NotFound(kind, 0)),
        (None, rows) => (None, Verdict::Ambiguous(kind, rows.len())),
    }
}

/// What the user has to decide goes before what Apple owes; where no API answered and none ever has, that is said.
fn worst(verdicts: Vec<Verdict>, any_answer: bool) -> Verdict {
    let rank = |verdict: &Verdict| match verdict {
        Verdict::NotFound(..) => 0,
        Verdict::Ambiguous(..) => 1,
        Verdict::Unresolved(..) => 2,
        Verdict::Partial(..) => 3,
        Verdict::Unconfirmed(..) => 4,
        Verdict::Resolved | Verdict::Recalled => 5,
    };
    let any_answer = any_answer || verdicts.iter().any(|verdict| matches!(verdict, Verdict::Unconfirmed(..)));
    let named = verdicts.into_iter().map(|verdict| match verdict {
        Verdict::Partial(api, class) if !any_answer => Verdict::Unresolved(api, class),
        other => other,
    });
    named.min_by_key(rank).unwrap_or(Verdict::Resolved)
}

#[cfg(test)]
mod tests;
