//! The ways in which an API can be gone, and what is told of each.

use asa_operator::api::conditions::find;
use asa_operator::api::{AdsApi, AsaCredential, ConditionStatus, ConditionType, Reason};
use fake_apple::{Delivery, Endpoint, Fault};
use jiff::Timestamp;
use serde_json::json;

use super::super::table::{client_id, request};
use crate::support::awaited::conditions;
use crate::support::credential::{Credential, KEY_SECRET, credential};

/// How an API answers that is gone.
#[derive(Clone)]
struct End {
    name: &'static str,
    /// At no endpoint yet.
    fault: Fault,
    reason: Reason,
    what: &'static str,
}

/// What else there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beside {
    /// The other API, which is in use as well and answers.
    TheOther,
    /// Nothing: no other API is in use.
    Nothing,
    /// No other API is in use, and this one still tells who asks, but not what they may use.
    ItsOtherHalf,
}

/// One credential and how the API is gone that it uses.
pub(super) struct Row {
    /// The credential's.
    pub(super) name: String,
    /// Whether its ids were resolved before.
    pub(super) is_old: bool,
    pub(super) beside: Beside,
    /// The one that is gone.
    pub(super) api: AdsApi,
    end: End,
}

fn ends() -> Vec<End> {
    let any = Fault::everywhere;
    let status = |name, status, reason, what| End { name, fault: any().status(status), reason, what };
    let redirect = |name, code| {
        let fault = any().status(code).header("Location", "https://ads.apple.com/");
        End { name, fault, reason: Reason::UnexpectedAnswer, what: "a redirect, which is not followed" }
    };
    let silence = any().delivery(Delivery::Silent);
    vec![
        status("403", 403, Reason::AccessDenied, "403, not allowed"),
        status("404", 404, Reason::ApiGone, "404, not found"),
        status("410", 410, Reason::ApiGone, "410, gone"),
        redirect("301", 301),
        redirect("302", 302),
        redirect("307", 307),
        redirect("308", 308),
        End { name: "silence", fault: silence, reason: Reason::AppleUnreachable, what: "no whole answer within 10 s" },
    ]
}

/// Each way for each API, for new credentials and old ones.
pub(super) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for end in ends() {
        for api in [AdsApi::CampaignManagementV5, AdsApi::PlatformV1] {
            for beside in [Beside::TheOther, Beside::Nothing, Beside::ItsOtherHalf] {
                for is_old in [false, true] {
                    let age = if is_old { "old" } else { "new" };
                    let name = format!("{age}-{api:?}-beside-{beside:?}-{}", end.name).to_lowercase();
                    rows.push(Row { name, is_old, beside, api, end: end.clone() });
                }
            }
        }
    }
    rows
}

/// What a condition is to say: status, reason and words; none where it is to be absent.
pub(super) type Saying = (ConditionType, Option<(ConditionStatus, Reason, Option<String>)>);

impl Row {
    pub(super) fn document(&self) -> Credential {
        let document = credential().of_client(&self.client_id()).named(&self.name).key_in(KEY_SECRET);
        if self.beside == Beside::TheOther { document } else { document.with("apis", json!([self.api])) }
    }

    /// The client, which no other row has.
    pub(super) fn client_id(&self) -> String {
        client_id(&self.name)
    }

    /// Where the API tells what may be used.
    pub(super) fn list(&self) -> Endpoint {
        if self.is_v5() { Endpoint::AclsV5 } else { Endpoint::AclsV1 }
    }

    /// Where it tells who asks.
    fn me(&self) -> Endpoint {
        if self.is_v5() { Endpoint::MeV5 } else { Endpoint::MeV1 }
    }

    fn is_v5(&self) -> bool {
        self.api == AdsApi::CampaignManagementV5
    }

    pub(super) fn faults(&self) -> Vec<Fault> {
        let endpoints = match self.beside {
            Beside::ItsOtherHalf => vec![self.list()],
            Beside::TheOther | Beside::Nothing => vec![self.me(), self.list()],
        };
        let at = |endpoint| Fault { endpoint: Some(endpoint), ..self.end.fault.clone() };
        endpoints.into_iter().map(|endpoint| at(endpoint).of(self.client_id())).collect()
    }

    /// The entries that only this API can tell of.
    pub(super) fn its_entries(&self) -> &[&str] {
        match (self.is_v5(), self.beside) {
            (true, _) => &["org_id", "x_ap_context_org"],
            (false, _) => &["ad_account_id", "x_ap_context_ad_account"],
        }
    }

    /// Whether it may be back in a moment, so that it is asked again soon.
    pub(super) fn is_passing(&self) -> bool {
        !matches!(self.end.reason, Reason::AccessDenied | Reason::ApiGone)
    }

    /// What is told of it once it is gone; of an old credential, whose ids were resolved at `since`.
    pub(super) fn sayings(&self, since: Option<Timestamp>, token_ends: Option<Timestamp>) -> Vec<Saying> {
        let no = |reason, words: String| Some((ConditionStatus::False, reason, Some(words)));
        let yes = |reason| Some((ConditionStatus::True, reason, None));
        let (reason, lists) = (self.end.reason, self.of_lists());
        match (self.beside, since) {
            (Beside::Nothing, Some(_)) => vec![
                (ConditionType::Ready, yes(Reason::Available)),
                (ConditionType::RenewalHealthy, no(reason, format!("{}{}", until(token_ends), self.of_me()))),
                (ConditionType::OrganizationResolved, yes(Reason::Resolved)),
                (ConditionType::Stalled, None),
            ],
            (Beside::Nothing, None) => vec![
                (ConditionType::Ready, no(reason, self.of_me())),
                (ConditionType::AccessTokenIssued, no(reason, self.of_me())),
                (ConditionType::RenewalHealthy, no(reason, self.of_me())),
                (ConditionType::Stalled, None),
            ],
            (_, Some(since)) => vec![
                (ConditionType::Ready, yes(Reason::Available)),
                (ConditionType::RenewalHealthy, yes(Reason::OnSchedule)),
                (ConditionType::OrganizationResolved, no(Reason::Unconfirmed, self.of_unconfirmed(since))),
                (ConditionType::Stalled, None),
            ],
            (Beside::TheOther, None) => vec![
                (ConditionType::Ready, yes(Reason::Available)),
                (ConditionType::RenewalHealthy, yes(Reason::OnSchedule)),
                (ConditionType::OrganizationResolved, no(reason, lists)),
                (ConditionType::Stalled, None),
            ],
            (Beside::ItsOtherHalf, None) => {
                let stalled = (!self.is_passing()).then(|| (ConditionStatus::True, reason, Some(lists.clone())));
                vec![
                    (ConditionType::Ready, no(reason, lists.clone())),
                    (ConditionType::RenewalHealthy, yes(Reason::OnSchedule)),
                    (ConditionType::OrganizationResolved, no(reason, lists)),
                    (ConditionType::Stalled, stalled),
                ]
            }
        }
    }

    /// What to do about it, where ids are lacking.
    fn remedy(&self) -> &'static str {
        match self.end.reason {
            Reason::AccessDenied => "Give the API user an API role in Apple Ads › Account Settings.",
            Reason::ApiGone => self.end_of_the_api(),
            _ => "It is asked again.",
        }
    }

    fn end_of_the_api(&self) -> &'static str {
        match self.api {
            AdsApi::CampaignManagementV5 => "API v5 ends on 2027-01-26: take CampaignManagementV5 out of spec.apis.",
            AdsApi::PlatformV1 => "Check --ads-platform-url.",
        }
    }

    fn of_lists(&self) -> String {
        format!("{:?} told no ids: {}. {}", self.api, self.end.what, self.remedy())
    }

    fn of_unconfirmed(&self, since: Timestamp) -> String {
        let Self { api, end: End { what, .. }, .. } = self;
        format!("The ids stand as of {since:.0}; {api:?} did not confirm them since ({what}). {}", self.remedy())
    }

    /// What is told of a token that it does not prove.
    fn of_me(&self) -> String {
        let (request, what) = (request(self.me()), self.end.what);
        match self.end.reason {
            Reason::AccessDenied => format!(
                "{request}: 403. The API user's role does not allow it: give it an API role in Apple Ads › Account Settings."
            ),
            Reason::ApiGone => format!("{request}: {what}. {}", self.end_of_the_api()),
            Reason::AppleUnreachable => {
                format!("{request}: {what}. It is tried again; if it lasts, check egress, proxy, DNS.")
            }
            _ => format!("{request}: {what}. It is tried again; if it lasts, look for a proxy in between."),
        }
    }
}

fn until(token_ends: Option<Timestamp>) -> String {
    token_ends.map(|end| format!("The published token works until {end}. ")).unwrap_or_default()
}

/// How what is said differs from what is to be said.
pub(super) fn differences(credential: &AsaCredential, sayings: &[Saying]) -> Vec<String> {
    let differs = |(type_, expected): &Saying| {
        let condition = find(conditions(credential), *type_);
        let said = condition.map(|condition| (condition.status, condition.reason.as_str(), condition.message.as_str()));
        let same = match (said, expected) {
            (None, None) => true,
            (Some((status, reason, message)), Some((expected, why, words))) => {
                (status, reason) == (*expected, why.as_str()) && words.as_ref().is_none_or(|words| words == message)
            }
            _ => false,
        };
        (!same).then(|| format!("{type_}: {said:?}, not {expected:?}"))
    };
    sayings.iter().filter_map(differs).collect()
}
