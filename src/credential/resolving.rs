//! The questions about organization and ad account: what is known of them, whom to ask.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    identity::{Choice, Resolution, Verdict},
    memory::TokenInHand,
    now::later,
    observed::Observed,
    published::IdentityRecord,
    schedule,
    target::Target,
};
use crate::api::{AdsApi, Condition, ConditionStatus, ConditionType, MAX_CHOICES, Reason, Selection, conditions::find};

impl Observed<'_> {
    /// What the resource asks for; none where there is nothing to choose from.
    #[must_use]
    pub fn choice(&self) -> Option<Choice> {
        self.ads().map(Choice::of)
    }

    /// The last resolution, if it is for the present choice and client; from the Secret and status after a restart.
    #[must_use]
    pub fn resolution(&self) -> Option<&Resolution> {
        self.memory.resolution.as_ref().filter(|resolution| Some(&resolution.choice) == self.choice().as_ref())
    }

    /// What an earlier process resolved, from the Secret's record and the status: the ids to keep while an API does not
    /// answer.
    #[must_use]
    pub fn recalled_resolution(&self) -> Option<Resolution> {
        let identity = self.recorded_identity()?.clone();
        let status = self.object.status();
        Some(Resolution {
            at: identity.resolved_at,
            choice: identity.choice,
            ids: identity.ids,
            organization: status.and_then(|status| status.organization.clone()),
            ad_account: status.and_then(|status| status.ad_account.clone()),
            organizations: status.map(|status| status.organizations.clone()).unwrap_or_default(),
            ad_accounts: status.map(|status| status.ad_accounts.clone()).unwrap_or_default(),
            verdict: Verdict::Recalled,
        })
    }

    /// What stands beside the published ids, under the present name or the one before.
    fn recorded_identity(&self) -> Option<&IdentityRecord> {
        let before = self.sights.strays.iter().filter_map(|stray| stray.meta.as_ref()?.record.as_ref());
        self.published(Target::Managed).into_iter().chain(before).find_map(|record| record.identity.as_ref())
    }

    /// The API to ask next about organization or ad account, if the identity is to be resolved now.
    #[must_use]
    pub fn next_to_resolve(&self, token: &TokenInHand) -> Option<AdsApi> {
        let asked_again = self.memory.resolve_anew || self.memory.identity_trouble.is_some();
        // What an earlier process found counts if nothing was lacking, and it lived to say so in the status.
        let is_said = self.reported(ConditionType::OrganizationResolved, ConditionStatus::True).is_some();
        let recorded =
            self.recorded_identity().filter(|identity| is_said && Some(&identity.choice) == self.choice().as_ref());
        let recorded = recorded.filter(|_| !self.is_told_otherwise());
        let resolved_at = self.resolution().map(|resolution| resolution.at);
        let resolved_at = resolved_at.or_else(|| recorded.map(|identity| identity.resolved_at));
        let is_new = |at: Timestamp| token.life.issued_at >= at;
        let due = match (resolved_at, self.resolution()) {
            (None, _) => true,
            (Some(_), None) if self.is_list_cut() => true,
            (Some(_), _) if asked_again => true,
            (Some(at), Some(resolution)) if resolution.is_provisional() => is_new(later(at, Duration::from_secs(1))),
            (Some(at), _) => is_new(later(at, schedule::IDENTITY_LIFE)),
        };
        if due { self.memory.round.next(&self.ads()?.apis()) } else { None }
    }

    /// Whether nobody can say whose the published ids are: no status tells, or it tells that no API had told any. The
    /// next process asks at once.
    #[must_use]
    pub fn is_identity_open(&self) -> bool {
        let is_told = self.reported(ConditionType::OrganizationResolved, ConditionStatus::True).is_some()
            || self.reported(ConditionType::OrganizationResolved, ConditionStatus::False).is_some();
        self.resolution().is_none() && (!is_told || self.had_no_ids() || self.is_told_otherwise())
    }

    /// Whether the status speaks of an earlier choice than the published ids: an earlier process wrote them and did not
    /// live to say so.
    fn is_told_otherwise(&self) -> bool {
        let status = self.object.status();
        let told = (
            status.and_then(|status| Some(status.organization.as_ref()?.org_id)),
            status.and_then(|status| Some(status.ad_account.as_ref()?.id)),
        );
        let said = self.reported(ConditionType::OrganizationResolved, ConditionStatus::False);
        let is_old = said.is_some_and(|said| said.observed_generation != self.object.metadata().generation);
        (self.had_to_choose() && is_old)
            || self
                .recorded_identity()
                .is_some_and(|identity| told != (identity.ids.org_id, identity.ids.ad_account_id))
    }

    /// Whether an earlier process found what makes the published ids useless.
    #[must_use]
    pub fn had_useless_ids(&self) -> bool {
        self.had_to_choose() || self.had_no_ids()
    }

    /// Whether it found several to choose from, or none.
    fn had_to_choose(&self) -> bool {
        let said = self.reported(ConditionType::OrganizationResolved, ConditionStatus::False);
        said.is_some_and(|said| {
            [Reason::Ambiguous, Reason::NotFound].iter().any(|reason| said.reason == reason.as_str())
        })
    }

    /// Whether no API had ever told it any.
    fn had_no_ids(&self) -> bool {
        let [ready, resolved] = [ConditionType::Ready, ConditionType::OrganizationResolved]
            .map(|type_| self.reported(type_, ConditionStatus::False));
        !self.had_to_choose() && ready.zip(resolved).is_some_and(|(ready, resolved)| ready.reason == resolved.reason)
    }

    /// A condition of this status.
    fn reported(&self, type_: ConditionType, status: ConditionStatus) -> Option<&Condition> {
        let conditions = &self.object.status()?.conditions;
        find(conditions, type_).filter(|condition| condition.status == status)
    }

    /// Whether the whole list of choices is wanted and the status, which is all that is left of it, holds only its
    /// beginning.
    fn is_list_cut(&self) -> bool {
        let is_any = |selection| selection == Selection::Any;
        self.ads().zip(self.object.status()).is_some_and(|(ads, status)| {
            (is_any(ads.organization_selection()) && status.organizations.len() >= MAX_CHOICES)
                || (is_any(ads.ad_account_selection()) && status.ad_accounts.len() >= MAX_CHOICES)
        })
    }
}
