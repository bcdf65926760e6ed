//! The whole status of a resource, from what is known of it.
//!
//! `Ready` tells whether what is in the Secret works now, `RenewalHealthy` whether the next renewal is going well. They
//! never lie for each other.

mod ads;
mod api_key;

use std::time::Duration;

use jiff::Timestamp;

use super::{
    now::{Now, later},
    observed::Observed,
    published::Record,
    schedule::Life,
    status::{Explanation, LONGEST_MESSAGE, cut},
    target::Target,
};
use crate::api::{
    Binding, Condition, ConditionStatus, ConditionType, CredentialStatus, Kind, Life as ReportedLife, MAX_CHOICES,
    PrivateKeyStatus, PublishedSecret, Reason,
    conditions::{find, remove_condition, set_condition},
};

/// The order of the data's way: the first that is broken explains why nothing is ready.
fn arrows(kind: Kind) -> &'static [ConditionType] {
    match kind {
        Kind::Ads => &[
            ConditionType::PrivateKeyLoaded,
            ConditionType::ClientSecretIssued,
            ConditionType::AccessTokenIssued,
            ConditionType::OrganizationResolved,
            ConditionType::SecretPublished,
        ],
        Kind::AppStoreConnect => &[
            ConditionType::PrivateKeyLoaded,
            ConditionType::TokenIssued,
            ConditionType::KeyVerified,
            ConditionType::SecretPublished,
        ],
    }
}

/// So much time a user has between the write of a key and the write of the ids that belong to it.
const HALF_A_CHANGE: Duration = Duration::from_mins(1);

/// What one condition says.
struct Said {
    status: ConditionStatus,
    reason: Reason,
    message: String,
}

impl Said {
    fn yes(reason: Reason, message: impl Into<String>) -> Self {
        Self { status: ConditionStatus::True, reason, message: message.into() }
    }

    fn no(explanation: &Explanation) -> Self {
        Self { status: ConditionStatus::False, reason: explanation.reason, message: explanation.message.clone() }
    }

    fn pending(message: &str) -> Self {
        Self { status: ConditionStatus::Unknown, reason: Reason::Pending, message: message.to_owned() }
    }
}

/// The status that `seen` deserves at `now`.
#[must_use]
pub fn status(seen: &Observed<'_>, now: Now) -> CredentialStatus {
    Report { seen, now, broken: explanations(seen, now) }.status()
}

/// How the message begins of a renewal that is not going well.
pub(super) fn until_when(life: Life, is_live: bool) -> String {
    let verb = if is_live { "works until" } else { "ended at" };
    format!("The published token {verb} {}. ", life.expires_at)
}

struct Report<'a> {
    seen: &'a Observed<'a>,
    now: Now,
    broken: Vec<Explanation>,
}

/// Everything that is wrong, in the order of the data's way.
fn explanations(seen: &Observed<'_>, now: Now) -> Vec<Explanation> {
    let refusal = api_key::refusal(seen, now).map(|(refusal, object)| Explanation::of_refusal(refusal, object));
    if seen.object.is_suspended() {
        // What is published is worth no more for it.
        return [Explanation::of_suspension(seen.object.kind())].into_iter().chain(refusal).collect();
    }
    let key = seen.bad_key().map(|bad| Explanation::of_key(&bad.failure, seen.object));
    let awaited = (seen.key().is_some() && seen.bundle().is_none()).then(Explanation::of_upload);
    let obstacle = seen.obstacle().and_then(|obstacle| Explanation::of_obstacle(&obstacle, seen.object));
    let fingerprint = seen.key().map(|key| key.fingerprint.as_str());
    let troubles = seen.memory.troubles().filter(|trouble| trouble.inputs == seen.inputs(now));
    let troubles =
        troubles.filter(|trouble| !trouble.failure.is_rejection() || !may_be_half_a_change(seen, trouble.since, now));
    let troubles = troubles.map(|trouble| Explanation::of_failure(&trouble.failure, seen.object, fingerprint));
    let verdict = seen.resolution().and_then(|resolution| Explanation::of_verdict(&resolution.verdict));
    // The verdict words what the failed question meant for the ids; the failure itself would say it again.
    let all = key.into_iter().chain(awaited).chain(obstacle).chain(verdict).chain(refusal).chain(troubles);
    let mut broken: Vec<Explanation> = Vec::new();
    for explanation in all {
        if !broken.iter().any(|other| other.arrow == explanation.arrow) {
            broken.push(explanation);
        }
    }
    broken.sort_by_key(|explanation| arrows(seen.object.kind()).iter().position(|arrow| *arrow == explanation.arrow));
    broken
}

/// Whether a refusal may be due to a change of key and ids that is only half done, as it takes two writes of the user:
/// nobody is alarmed for a minute, while a token of the old ones lives and is not due.
fn may_be_half_a_change(seen: &Observed<'_>, since: Timestamp, now: Now) -> bool {
    let Some(published) = seen.published(Target::Managed) else { return false };
    let life = published.life();
    seen.bundle().is_some_and(|bundle| bundle != published.bundle)
        && seen.time_for(life, now) < seen.renewal(life)
        && now.wall < later(since, HALF_A_CHANGE)
}

impl Report<'_> {
    fn status(&self) -> CredentialStatus {
        let old = self.seen.object.status().cloned().unwrap_or_default();
        let mut conditions = old.conditions.clone();
        for (type_, said) in self.conditions() {
            match said {
                Some(said) => set_condition(&mut conditions, self.condition(type_, said)),
                None => remove_condition(&mut conditions, type_),
            }
        }
        let resolution = self.seen.resolution();
        let secret = self.secret(old.secret);
        CredentialStatus {
            observed_generation: self.seen.object.metadata().generation,
            last_handled_reconcile_at: self.seen.handled().map(ToOwned::to_owned),
            conditions,
            private_key: self.private_key(old.private_key),
            client_secret: self.client_secret(old.client_secret),
            access_token: self.published().map(|record| self.reported(record.life())),
            organization: resolution.map_or(old.organization, |found| found.organization.clone()),
            organizations: resolution.map_or(old.organizations, |found| first(&found.organizations)),
            ad_account: resolution.map_or(old.ad_account, |found| found.ad_account.clone()),
            ad_accounts: resolution.map_or(old.ad_accounts, |found| first(&found.ad_accounts)),
            binding: secret.as_ref().map(|secret| Binding { name: secret.name.clone() }),
            secret,
        }
    }

    fn conditions(&self) -> Vec<(ConditionType, Option<Said>)> {
        let arrows: Vec<_> =
            arrows(self.seen.object.kind()).iter().map(|&arrow| (arrow, Some(self.arrow(arrow)))).collect();
        let health = self.renewal_healthy();
        let ready = self.ready(&arrows, &health);
        let [reconciling, stalled] = self.kstatus(ready.status == ConditionStatus::True);
        let summary = [(ConditionType::Ready, Some(ready)), (ConditionType::RenewalHealthy, Some(health))];
        let progress = [(ConditionType::Reconciling, reconciling), (ConditionType::Stalled, stalled)];
        summary.into_iter().chain(arrows).chain(progress).collect()
    }

    fn condition(&self, type_: ConditionType, said: Said) -> Condition {
        let generation = self.seen.object.metadata().generation.unwrap_or_default();
        Condition::new(type_, said.status, said.reason, said.message, generation, self.now.wall)
    }

    fn arrow(&self, arrow: ConditionType) -> Said {
        let broken = self.broken.iter().find(|explanation| explanation.arrow == arrow);
        match arrow {
            // A renewal that fails is RenewalHealthy's matter while a token of this client and key lives.
            ConditionType::AccessTokenIssued | ConditionType::TokenIssued => {
                self.live_token().unwrap_or_else(|| match broken {
                    Some(explanation) => Said::no(explanation),
                    None if self.published().is_some() => Self::under_way(),
                    None => Said::pending("There is no token yet."),
                })
            }
            _ if let Some(explanation) = broken => Said::no(explanation),
            ConditionType::PrivateKeyLoaded => self.key_loaded(),
            ConditionType::ClientSecretIssued => self.client_secret_issued(),
            ConditionType::OrganizationResolved => self.organization_resolved(),
            ConditionType::KeyVerified => self.key_verified(),
            _ => match self.published() {
                Some(_) => {
                    let name = self.seen.object.secret_name();
                    Said::yes(Reason::Published, cut(&format!("Secret {name} holds the token."), LONGEST_MESSAGE))
                }
                None => Said::pending("Nothing was published yet."),
            },
        }
    }

    fn key_loaded(&self) -> Said {
        match self.seen.key() {
            Some(key) => {
                let message = format!("Secret {} holds key {}.", self.seen.object.key_ref().name, key.fingerprint);
                Said::yes(Reason::Loaded, cut(&message, LONGEST_MESSAGE))
            }
            None => Said::pending("The key was not read yet."),
        }
    }

    fn under_way() -> Said {
        let message = "A token for the present spec and key is under way.".to_owned();
        Said { status: ConditionStatus::Unknown, reason: Reason::Renewing, message }
    }

    /// Whether a token of the present client and key is published and lives.
    fn live_token(&self) -> Option<Said> {
        let record = self.published().filter(|record| self.seen.is_live(record.life(), self.now))?;
        let ours = self.seen.bundle().is_none_or(|bundle| bundle == record.bundle);
        ours.then(|| {
            if self.seen.ads().is_none() {
                Said::yes(Reason::Issued, "The operator signed a token.")
            } else if record.unverified {
                let message =
                    "Published without proof: Apple's APIs did not answer, and the old token was about to end.";
                Said::yes(Reason::Unverified, message)
            } else {
                Said::yes(Reason::Issued, "Apple issued a token and an API accepted it.")
            }
        })
    }

    /// What the last status said, in words that are still in use.
    fn said_before(&self, type_: ConditionType) -> Option<Said> {
        let before = find(&self.seen.object.status()?.conditions, type_)?;
        let reason = Reason::ALL.iter().find(|reason| reason.as_str() == before.reason)?;
        Some(Said { status: before.status, reason: *reason, message: cut(&before.message, LONGEST_MESSAGE) })
    }

    fn renewal_healthy(&self) -> Said {
        let life = self.published().map(Record::life);
        let ids_only = |explanation: &&Explanation| explanation.arrow != ConditionType::OrganizationResolved;
        match (self.broken.iter().find(ids_only), life) {
            (Some(broken), Some(life)) => {
                let message = until_when(life, self.seen.is_live(life, self.now)) + &broken.message;
                Said { message: cut(&message, LONGEST_MESSAGE), ..Said::no(broken) }
            }
            (Some(broken), None) => Said::no(broken),
            (None, Some(life)) => Said::yes(
                Reason::OnSchedule,
                format!(
                    "The published token works until {}; its renewal is due at {}.",
                    life.expires_at,
                    self.reported(life).renewal_time
                ),
            ),
            (None, None) => Said::pending("No token was published yet."),
        }
    }

    fn ready(&self, arrows: &[(ConditionType, Option<Said>)], health: &Said) -> Said {
        let undecided = self.unusable_ids().or_else(|| self.unusable_key());
        let live = self.published().filter(|record| self.seen.is_live(record.life(), self.now));
        match (live, undecided) {
            (Some(_), Some(why)) => why,
            (Some(record), None) => {
                let name = self.seen.object.secret_name();
                let reason = if record.unverified { Reason::Unverified } else { Reason::Available };
                Said::yes(reason, cut(&format!("Secret {name} holds a live token."), LONGEST_MESSAGE))
            }
            (None, _) => {
                let said = arrows.iter().filter_map(|(_, said)| said.as_ref()).chain([health]);
                let broken = said.into_iter().find(|said| said.status == ConditionStatus::False);
                match (broken, self.published()) {
                    (Some(broken), _) => {
                        Said { status: ConditionStatus::False, reason: broken.reason, message: broken.message.clone() }
                    }
                    (None, Some(_)) => Said {
                        status: ConditionStatus::False,
                        reason: Reason::Renewing,
                        message: "The published token ended; a new one is being asked for.".to_owned(),
                    },
                    (None, None) => Said::pending("No token was published yet."),
                }
            }
        }
    }

    /// Reconciling and Stalled, as kstatus reads them.
    fn kstatus(&self, is_ready: bool) -> [Option<Said>; 2] {
        let stalled = self.broken.iter().find(|explanation| explanation.is_stalled);
        let published = self.published().map(|record| record.bundle.as_str());
        let is_changing = self.seen.bundle().is_some_and(|bundle| published != Some(bundle));
        let is_awaited = self.broken.iter().any(|explanation| explanation.reason == Reason::AwaitingUpload);
        let is_moving = !self.seen.object.is_suspended() && (!is_ready || is_changing || is_awaited);
        let reconciling = (stalled.is_none() && is_moving).then(|| match self.broken.first() {
            Some(broken) => Said::yes(broken.reason, broken.message.clone()),
            None => Said { status: ConditionStatus::True, ..Self::under_way() },
        });
        [reconciling, stalled.map(|broken| Said::yes(broken.reason, broken.message.clone()))]
    }

    fn private_key(&self, old: Option<PrivateKeyStatus>) -> Option<PrivateKeyStatus> {
        let key = self.seen.key()?;
        let read = self.seen.memory.key.as_ref().filter(|read| read.fingerprint == key.fingerprint);
        read.map(|read| PrivateKeyStatus { public_key: read.public_key.clone(), fingerprint: read.fingerprint.clone() })
            .or(old.filter(|old| old.fingerprint == key.fingerprint))
    }

    fn is_stray(&self, name: &str) -> bool {
        self.seen.sights.strays.iter().any(|stray| stray.name == name)
    }

    /// A state that somebody else made is not reported by itself: that would answer each foreign write with one of ours.
    /// Where the Secret was renamed, the old name stays until nothing is left under it.
    fn secret(&self, old: Option<PublishedSecret>) -> Option<PublishedSecret> {
        if let Some(old) = old.as_ref().filter(|old| self.is_stray(&old.name)) {
            return Some(old.clone());
        }
        self.published()?;
        let name = self.seen.object.secret_name();
        let old = old.filter(|old| old.name == name);
        let written = self.seen.memory.managed.known.as_ref().filter(|known| known.ours);
        match (written, old) {
            (Some(known), _) => {
                Some(PublishedSecret { name, resource_version: known.version.resource_version.clone() })
            }
            (None, Some(old)) => Some(old),
            (None, None) => self
                .seen
                .own(Target::Managed)
                .map(|meta| PublishedSecret { name, resource_version: meta.version.resource_version.clone() }),
        }
    }

    fn published(&self) -> Option<&Record> {
        self.seen.published(Target::Managed)
    }

    fn reported(&self, life: Life) -> ReportedLife {
        ReportedLife::new(life.issued_at, life.expires_at, self.seen.renewal(life))
    }
}

/// As many choices as status lists.
fn first<Row: Clone>(rows: &[Row]) -> Vec<Row> {
    rows.iter().take(MAX_CHOICES).cloned().collect()
}

#[cfg(test)]
mod tests;
