//! What only the conditions of an `AppStoreConnectCredential` say.

use super::{Report, Said, may_be_half_a_change};
use crate::{
    api::{AppStoreConnectCredential, ConditionStatus, ConditionType, Reason, Verify},
    credential::{
        now::Now,
        observed::Observed,
        probing::{Proof, Refusal},
        status::{LONGEST_MESSAGE, cut, said},
    },
};

/// What is said of a good key.
const ACCEPTED: &str = "Apple accepted a token of this key.";

/// The refusal of the key that is to be told.
pub(super) fn refusal<'a>(seen: &'a Observed<'_>, now: Now) -> Option<(&'a Refusal, &'a AppStoreConnectCredential)> {
    let refusal = seen.probe.as_ref().filter(|_| seen.is_key_refused())?.refusal.as_ref()?;
    let is_told = !may_be_half_a_change(seen, refusal.since, now);
    seen.object.app_store_connect().filter(|_| is_told).map(|object| (refusal, object))
}

impl Report<'_> {
    pub(super) fn key_verified(&self) -> Said {
        let Some(object) = self.seen.object.app_store_connect() else { return Said::pending("There is no API key.") };
        if object.spec.verify == Verify::None {
            let message = "Apple is not asked whether it knows the key: spec.verify is None.".to_owned();
            return Said { status: ConditionStatus::Unknown, reason: Reason::NotVerified, message };
        }
        let Some(probe) = self.seen.probe.as_ref().filter(|probe| probe.is_judged()) else {
            return Said::pending("Apple was not asked yet whether it knows the key.");
        };
        match (probe.proof, &probe.silence) {
            // After a restart the proof stands, and so does what was said of it, unless that was of another key or before it
            // was found.
            (Some(_), _) if probe.asked_at.is_none() => {
                let said = self.said_before(ConditionType::KeyVerified);
                let said = said.filter(|said| said.status == ConditionStatus::True && self.seen.is_told_of_this_key());
                said.unwrap_or_else(|| Said::yes(Reason::Verified, ACCEPTED))
            }
            (Some(Proof::Accepted), _) => Said::yes(Reason::Verified, ACCEPTED),
            (Some(Proof::RoleTooNarrow), _) => Said::yes(
                Reason::Verified,
                "Apple accepted a token of this key; its role does not reach the list that was asked for.",
            ),
            (Some(Proof::AgreementMissing), _) => Said::yes(
                Reason::AgreementMissing,
                "Apple knows the key and answers nothing until the Account Holder accepts an agreement, in App Store Connect › Business or on developer.apple.com/account.",
            ),
            (None, Some((error, _))) => {
                let (reason, message) = said(error.endpoint, &error.class, error.retry_after);
                Said { status: ConditionStatus::Unknown, reason, message: cut(&message, LONGEST_MESSAGE) }
            }
            (None, None) => Said::pending("Apple was not asked yet whether it knows the key."),
        }
    }

    /// What makes a live token of the present key useless: Apple refuses it, or all that is asked with it.
    pub(super) fn unusable_key(&self) -> Option<Said> {
        self.published().filter(|record| Some(record.bundle.as_str()) == self.seen.bundle())?;
        let said = self.arrow(ConditionType::KeyVerified);
        let is_useless = said.status == ConditionStatus::False || said.reason == Reason::AgreementMissing;
        is_useless.then_some(Said { status: ConditionStatus::False, ..said })
    }
}
