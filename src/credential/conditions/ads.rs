//! What only the conditions of an `AsaCredential` say.

use super::{Report, Said};
use crate::{
    api::{ClientSecretMode, ClientSecretStatus, ConditionType, Life as ReportedLife, Reason},
    credential::{identity::Verdict, published::Record, schedule, target::Target},
};

impl Report<'_> {
    pub(super) fn client_secret_issued(&self) -> Said {
        let is_ephemeral = self.seen.ads().is_some_and(|ads| ads.client_secret_mode() == ClientSecretMode::Ephemeral);
        match self.client_secret_life() {
            _ if is_ephemeral && self.live_token().is_some() => {
                Said::yes(Reason::Issued, "Signed anew for each token, for five minutes; stored nowhere.")
            }
            Some(life) => Said::yes(Reason::Issued, format!("Signed; valid until {}.", life.expires_at)),
            None => Said::pending("No client secret was signed yet."),
        }
    }

    pub(super) fn organization_resolved(&self) -> Said {
        match self.seen.resolution() {
            Some(_) => Said::yes(Reason::Resolved, "The ids are resolved."),
            // After a restart the ids stand, and so does what was said of them.
            None => self
                .said_before(ConditionType::OrganizationResolved)
                .unwrap_or_else(|| Said::pending("The ids are not resolved yet.")),
        }
    }

    /// What makes a live token useless: nobody knows for which organization.
    pub(super) fn unusable_ids(&self) -> Option<Said> {
        self.seen.ads()?;
        let said = self.arrow(ConditionType::OrganizationResolved);
        let blocks = match self.seen.resolution().map(|found| &found.verdict) {
            Some(Verdict::Ambiguous(..) | Verdict::NotFound(..) | Verdict::Unresolved(..)) => true,
            Some(_) => false,
            None => self.seen.had_useless_ids(),
        };
        blocks.then_some(said)
    }

    pub(super) fn client_secret(&self, old: Option<ClientSecretStatus>) -> Option<ClientSecretStatus> {
        let life = self.client_secret_life()?;
        let wanted = Target::ClientSecret.name(self.seen.object)?;
        let before = old.and_then(|old| old.secret_name);
        let published = self.seen.published(Target::ClientSecret).map(|_| wanted);
        Some(ClientSecretStatus {
            issued_at: life.issued_at,
            expires_at: life.expires_at,
            renewal_time: life.renewal_time,
            secret_name: before.filter(|name| self.is_stray(name)).or(published),
        })
    }

    pub(super) fn client_secret_life(&self) -> Option<ReportedLife> {
        let bundle = self.seen.bundle()?;
        let in_hand = self.seen.memory.client_secret.as_ref().filter(|secret| secret.bundle == bundle);
        let published = || self.seen.published(Target::ClientSecret).filter(|record| record.bundle == bundle);
        // What is published goes first: another process may have another one in hand, and both would tell of it in turn.
        let life = published().map(Record::life).or(in_hand.map(|secret| secret.life))?;
        let before = self.seen.ads()?.client_secret_renew_before();
        Some(ReportedLife::new(life.issued_at, life.expires_at, schedule::client_secret_renewal(life, before)))
    }
}
