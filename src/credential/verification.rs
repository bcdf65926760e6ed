//! The questions about an API key: whether Apple is to be asked about it, and what its word forbids.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    memory::whole_seconds,
    now::{Now, between},
    observed::Observed,
    probing::{Probe, Proof, Recalled},
    target::Target,
    tokens::DEMAND_INTERVAL,
};
use crate::api::{ConditionStatus, ConditionType, CredentialStatus, Program, Reason, Verify, conditions::find};

/// A check that is due waits so long for a renewal, for which the key is read anyway.
const PATIENCE: Duration = Duration::from_mins(15);

/// A renewal so long ago is the present one.
const JUST_NOW: Duration = Duration::from_mins(1);

impl Observed<'_> {
    /// Whether and where Apple is asked about the key.
    fn asks(&self) -> Option<Program> {
        let object = self.object.app_store_connect()?;
        (object.spec.verify == Verify::Probe).then_some(object.spec.program)
    }

    /// What is known of the key; nothing where Apple is not asked.
    fn known_of_key(&self) -> Option<&Probe> {
        self.asks().and(self.probe.as_ref())
    }

    /// Where to ask about the key before anything is published: nothing was heard of it yet, or it was not accepted and it
    /// is time, or somebody wants it.
    #[must_use]
    pub fn awaits_verdict(&self, now: Now) -> Option<Program> {
        let probe = self.known_of_key()?;
        if probe.is_under_way || (!probe.is_refused() && probe.is_judged() && !self.is_agreement_missing()) {
            return None;
        }
        let is_long_ago = probe.asked_at.is_none_or(|asked| now.steady >= asked + DEMAND_INTERVAL);
        let is_wanted = self.open_demand(now).is_some() && is_long_ago;
        (!probe.is_judged() || is_wanted || (probe.is_refused() && now.steady >= probe.next)).then(|| self.asks())?
    }

    /// Where to ask about a key that was not refused, and when it is time: beside a renewal if there is one soon, as the
    /// key is read for that.
    #[must_use]
    pub fn awaits_check(&self, now: Now) -> Option<Program> {
        let probe = self.known_of_key()?;
        if probe.is_under_way || !probe.is_judged() || probe.is_refused() {
            return None;
        }
        // Who asks for a renewal wants to know whether it is of use.
        let is_wanted = self.memory.demanded_at.is_some_and(|then| probe.asked_at.is_none_or(|asked| asked < then));
        if now.steady < probe.next && !is_wanted {
            return None;
        }
        let token = self.token_in_hand(now);
        let is_renewed = token.is_some_and(|token| now.steady < token.asked_at + JUST_NOW);
        (is_wanted || is_renewed || !probe.is_settled() || !self.renews_soon_after(probe.next, now))
            .then(|| self.asks())?
    }

    /// When the key is to be asked about although nothing changes (steady clock).
    #[must_use]
    pub fn next_probe(&self, now: Now) -> Option<Duration> {
        let probe = self.known_of_key().filter(|probe| !probe.is_under_way)?;
        let is_wanted = (probe.is_refused() || self.is_agreement_missing()) && self.open_demand(now).is_some();
        let wanted_at = probe.asked_at.filter(|_| is_wanted).map(|asked| asked + DEMAND_INTERVAL);
        let waits_for_renewal = probe.is_settled() && self.renews_soon_after(probe.next, now);
        wanted_at.into_iter().chain((!waits_for_renewal).then_some(probe.next)).min()
    }

    fn renews_soon_after(&self, due: Duration, now: Now) -> bool {
        let renewal = self.published_life().map(|life| self.renewal(life));
        renewal.is_some_and(|renewal| between(now.wall_at(due), renewal) <= PATIENCE)
    }

    /// Whether Apple refuses the key, so that its tokens are worth nothing.
    #[must_use]
    pub fn is_key_refused(&self) -> bool {
        self.known_of_key().is_some_and(Probe::is_refused)
    }

    /// Whether Apple knows the key and answers nothing before an agreement is accepted.
    #[must_use]
    pub fn is_agreement_missing(&self) -> bool {
        self.known_of_key().is_some_and(|probe| probe.proof == Some(Proof::AgreementMissing) && probe.refusal.is_none())
    }

    /// Whether a token of the key may be published: Apple accepted the key, or gave no answer, or is not to be asked.
    #[must_use]
    pub fn may_publish_for_key(&self) -> bool {
        self.asks().is_none() || self.probe.as_ref().is_some_and(|probe| probe.is_judged() && !probe.is_refused())
    }

    /// When Apple last accepted the key.
    #[must_use]
    pub fn verified_at(&self) -> Option<Timestamp> {
        self.known_of_key()?.proved_at.map(whole_seconds)
    }

    /// What an earlier process knew of the key, from the Secret's record and the status.
    #[must_use]
    pub fn recalled_probe(&self) -> Recalled {
        let record = self.published(Target::Managed).filter(|record| Some(record.bundle.as_str()) == self.bundle());
        let proved_at = record.and_then(|record| record.verified_at);
        let is_up_to_date = |status: &&CredentialStatus| {
            status.observed_generation == self.object.metadata().generation && self.is_told_of_this_key()
        };
        let status = self.object.status().filter(is_up_to_date);
        let said = status.and_then(|status| find(&status.conditions, ConditionType::KeyVerified));
        let is = |reason: Reason| said.is_some_and(|said| said.reason == reason.as_str());
        let is_refused = said.is_some_and(|said| said.status == ConditionStatus::False);
        let code = || if is(Reason::KeyRevoked) { "revoked" } else { "refused" }.to_owned();
        Recalled {
            proved_at,
            proof: (proved_at.is_some() && is(Reason::AgreementMissing)).then_some(Proof::AgreementMissing),
            refused: is_refused.then(code),
        }
    }

    /// Whether the status is about the present key.
    #[must_use]
    pub fn is_told_of_this_key(&self) -> bool {
        let told = self.object.status().and_then(|status| status.private_key.as_ref());
        told.map(|key| &key.fingerprint) == self.key().map(|key| &key.fingerprint)
    }
}
