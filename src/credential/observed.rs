//! All that is known of one credential at a moment, and the questions that the plan asks of it.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    failure::Side,
    identity::{Choice, Resolution, Verdict},
    memory::{BadKey, ClientSecretInHand, Inputs, Memory, TokenInHand, is_older},
    now::{Now, between, later},
    published::{KeySource, Record, Target, bundle},
    schedule::{self, Life},
    secret_meta::SecretMeta,
    sight::{Obstacle, Sight},
};
use crate::api::{
    AdsApi, AsaCredential, ConditionStatus, ConditionType, MAX_REQUEST_CHARS,
    conditions::find,
    names::{ANNOTATION_FLUX_REQUESTED_AT, ANNOTATION_REQUESTED_AT},
};

/// What is known of one credential.
#[derive(Debug)]
pub struct Observed<'a> {
    /// The resource, as last seen.
    pub object: &'a AsaCredential,
    /// The Secret that holds the key.
    pub key_secret: Sight,
    /// The Secret for the token.
    pub managed: Sight,
    /// The Secret for the client secret.
    pub client_secret: Sight,
    /// How often to look, where Secrets are not watched.
    pub polling: Option<Duration>,
    /// What this process remembers.
    pub memory: &'a Memory,
}

/// What is known of the key: enough to tell which client and key a token is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownKey {
    /// Where it was read.
    pub source: KeySource,
    /// Its fingerprint.
    pub fingerprint: String,
}

impl Observed<'_> {
    /// The resource's UID.
    #[must_use]
    pub fn uid(&self) -> &str {
        self.object.metadata.uid.as_deref().unwrap_or_default()
    }

    /// Whether the resource is being deleted.
    #[must_use]
    pub fn is_going(&self) -> bool {
        self.object.metadata.deletion_timestamp.is_some()
    }

    /// What is seen of `target`.
    #[must_use]
    pub fn sight(&self, target: Target) -> &Sight {
        match target {
            Target::Managed => &self.managed,
            Target::ClientSecret => &self.client_secret,
        }
    }

    /// The first thing in the way of publishing.
    #[must_use]
    pub fn obstacle(&self) -> Option<Obstacle> {
        Target::ALL.into_iter().find_map(|target| match self.sight(target).meta() {
            Some(meta) if !meta.belongs_to(self.uid()) => Some(Obstacle::NotOwned(target)),
            Some(meta) if meta.is_going => Some(Obstacle::Going(target)),
            _ => None,
        })
    }

    /// Whether both targets were looked at, so that it is known whose they are.
    #[must_use]
    pub fn knows_targets(&self) -> bool {
        Target::ALL.into_iter().all(|target| *self.sight(target) != Sight::Unknown)
    }

    /// Whether `target` has to be looked at by name before anything is decided about it.
    #[must_use]
    pub fn must_look(&self, target: Target, now: Now) -> bool {
        let content = self.memory.content(target);
        *self.sight(target) == Sight::Unknown || content.look_again || self.poll_is_due(content.looked_at, now)
    }

    /// Whether the key's Secret has to be looked at, where it is not watched.
    #[must_use]
    pub fn must_look_at_key(&self, now: Now) -> bool {
        self.poll_is_due(self.memory.key_looked_at, now)
    }

    /// When the first of the three Secrets is to be looked at again (steady clock), where they are not watched.
    #[must_use]
    pub fn next_look(&self) -> Option<Duration> {
        let targets = Target::ALL.map(|target| self.memory.content(target).looked_at);
        let first = targets.into_iter().chain([self.memory.key_looked_at]).flatten().min()?;
        Some(first + self.polling?)
    }

    /// Every interval, and once before each renewal.
    fn poll_is_due(&self, looked_at: Option<Duration>, now: Now) -> bool {
        let last_token = self.memory.token.as_ref().map(|token| token.asked_at);
        let is_stale = || last_token.is_some_and(|asked_at| looked_at.is_none_or(|looked_at| looked_at <= asked_at));
        self.polling.is_some_and(|interval| is_older(interval, looked_at, now) || (is_stale() && self.needs_token(now)))
    }

    /// Whether `target` is in a state that nobody has judged: somebody changed it, or the operator restarted after a
    /// write that its status does not tell of.
    #[must_use]
    pub fn is_suspicious(&self, target: Target) -> bool {
        let Some(meta) = self.own(target) else { return false };
        match (&self.memory.content(target).known, target) {
            (Some(known), _) => known.version != meta.version,
            (None, Target::Managed) => {
                let reported = self.object.status.as_ref().and_then(|status| status.secret.as_ref());
                reported.is_none_or(|secret| secret.resource_version != meta.version.resource_version)
            }
            // Read at the first renewal after a restart, and not before.
            (None, Target::ClientSecret) => false,
        }
    }

    /// The Secret, if it is this resource's.
    #[must_use]
    pub fn own(&self, target: Target) -> Option<&SecretMeta> {
        self.sight(target).meta().filter(|meta| meta.belongs_to(self.uid()) && !meta.is_going)
    }

    /// What was published into `target`, unless it is known or obvious that somebody edited it.
    #[must_use]
    pub fn published(&self, target: Target) -> Option<&Record> {
        let meta = self.own(target)?;
        let known = self.memory.content(target).known.as_ref();
        let damaged = known.is_some_and(|known| known.version == meta.version && !known.intact);
        meta.record.as_ref().filter(|record| !damaged && record.is_possible(target))
    }

    /// The life of the token that a reader of the managed Secret finds.
    #[must_use]
    pub fn published_life(&self) -> Option<Life> {
        self.published(Target::Managed).map(Record::life)
    }

    /// The key, if it is known for the present state of its Secret.
    #[must_use]
    pub fn key(&self) -> Option<KnownKey> {
        let place = &self.object.spec.private_key.secret_ref;
        let remembered = self.memory.key.as_ref().map(|key| (&key.source, &key.fingerprint));
        let recorded = Target::ALL
            .into_iter()
            .filter_map(|target| self.own(target)?.record.as_ref().map(|record| (&record.key, &record.fingerprint)));
        let seen = self.key_secret.meta();
        remembered.into_iter().chain(recorded).find_map(|(source, fingerprint)| {
            // A Secret that is not watched yet may be what was read; one that is gone is not.
            let same = match (&self.key_secret, seen) {
                (_, Some(meta)) => meta.version == source.version,
                (Sight::Unknown, None) => self.memory.key.as_ref().is_some_and(|key| key.source == *source),
                _ => false,
            };
            (same && source.entry == place.key)
                .then(|| KnownKey { source: source.clone(), fingerprint: fingerprint.clone() })
        })
    }

    /// Whether the public half of `key` was read by this process or stands in the status: an earlier process may have
    /// published a token and not lived to write the status.
    #[must_use]
    pub fn knows_public_half(&self, key: &KnownKey) -> bool {
        let read = self.memory.key.as_ref().map(|key| &key.fingerprint);
        let status = self.object.status.as_ref();
        let told = status.and_then(|status| status.private_key.as_ref()).map(|key| &key.fingerprint);
        [read, told].contains(&Some(&key.fingerprint))
    }

    /// Why there is no key, if that was found out for the present state of its Secret.
    #[must_use]
    pub fn bad_key(&self) -> Option<&BadKey> {
        let place = &self.object.spec.private_key.secret_ref;
        self.memory.key_failure.as_ref().filter(|bad| {
            bad.place == (place.name.clone(), place.key.clone())
                && bad.version.as_ref() == self.key_secret.meta().map(|meta| &meta.version)
        })
    }

    /// Client and key together, if the key is known.
    #[must_use]
    pub fn bundle(&self) -> Option<String> {
        self.key().map(|key| bundle(self.object, &key.fingerprint))
    }

    /// The annotation that asks for a renewal, whether it was handled or not: the later one where both are there.
    #[must_use]
    pub fn demand(&self) -> Option<String> {
        let annotations = self.object.metadata.annotations.as_ref()?;
        let ours = annotations.get(ANNOTATION_REQUESTED_AT);
        let flux = annotations.get(ANNOTATION_FLUX_REQUESTED_AT);
        let time = |text: &String| text.parse::<Timestamp>().ok();
        let asked = match (ours, flux) {
            (Some(ours), Some(flux)) if time(flux).is_some_and(|flux| time(ours).is_some_and(|ours| flux > ours)) => {
                flux
            }
            (Some(ours), _) => ours,
            (None, flux) => flux?,
        };
        Some(asked.chars().take(MAX_REQUEST_CHARS as usize).collect())
    }

    /// The last request that was carried out, by this process or an earlier one.
    #[must_use]
    pub fn handled(&self) -> Option<&str> {
        let reported = self.object.status.as_ref().and_then(|status| status.last_handled_reconcile_at.as_deref());
        self.memory.handled.as_deref().or(reported)
    }

    /// A request for a renewal that no attempt was made for.
    #[must_use]
    pub fn open_demand(&self) -> Option<String> {
        self.demand().filter(|asked| self.handled() != Some(asked))
    }

    /// What an attempt made now depends on.
    #[must_use]
    pub fn inputs(&self) -> Inputs {
        Inputs {
            generation: self.object.metadata.generation.unwrap_or_default(),
            key: self.key_secret.meta().map(|meta| meta.version.clone()),
            demand: self.demand(),
        }
    }

    /// Whether a failure on this side is still being waited out.
    #[must_use]
    pub fn is_held(&self, side: Side, now: Now) -> bool {
        let trouble = self.memory.trouble(side);
        trouble.is_some_and(|trouble| now.steady < trouble.next_try && trouble.inputs == self.inputs())
    }

    /// The time by which a token with this life is judged: what the wall clock shows, or, where it is the token in hand,
    /// what has surely passed since it was asked for, whichever is later.
    #[must_use]
    pub fn time_for(&self, life: Life, now: Now) -> Timestamp {
        let in_hand = self.memory.token.as_ref().filter(|token| token.life == life);
        let surely = in_hand.map(|token| later(life.issued_at, now.steady.saturating_sub(token.asked_at)));
        surely.map_or(now.wall, |surely| surely.max(now.wall))
    }

    /// Whether a token with this life has not ended.
    #[must_use]
    pub fn is_live(&self, life: Life, now: Now) -> bool {
        self.time_for(life, now) < life.expires_at
    }

    /// What is left of the published token.
    #[must_use]
    pub fn published_left(&self, now: Now) -> Duration {
        self.published_life().map_or(Duration::ZERO, |life| between(self.time_for(life, now), life.expires_at))
    }

    /// When the renewal of a token with this life starts.
    #[must_use]
    pub fn renewal(&self, life: Life) -> Timestamp {
        schedule::renewal(life, self.uid(), self.object.access_token_renew_before())
    }

    /// The issued token that serves now: for the present client and key, and not due.
    #[must_use]
    pub fn token_in_hand(&self, now: Now) -> Option<&TokenInHand> {
        let bundle = self.bundle()?;
        let token = self.memory.token.as_ref()?;
        let fresh = token.bundle == bundle && self.time_for(token.life, now) < self.renewal(token.life);
        (fresh && !self.is_superseded(token.life, now)).then_some(token)
    }

    /// Whether the managed Secret has a newer token: another operator's, which stays. A time in the future is no
    /// evidence, it is a clock that was wrong.
    fn is_superseded(&self, life: Life, now: Now) -> bool {
        let published = self.published(Target::Managed);
        published.is_some_and(|record| record.issued_at > life.issued_at && !is_from_the_future(record, now))
    }

    /// Whether Apple has to be asked for a token.
    #[must_use]
    pub fn needs_token(&self, now: Now) -> bool {
        let Some(bundle) = self.bundle() else { return false };
        let in_hand = self.token_in_hand(now);
        if let Some(demand) = self.open_demand() {
            return in_hand.is_none_or(|token| token.demand.as_ref() != Some(&demand));
        }
        let serves = |record: &Record| {
            let chosen = record.identity.as_ref().is_some_and(|identity| identity.choice == Choice::of(self.object));
            let life = record.life();
            let fresh = self.time_for(life, now) < self.renewal(life) && !is_from_the_future(record, now);
            record.bundle == bundle && chosen && fresh
        };
        in_hand.is_none() && !self.published(Target::Managed).is_some_and(serves)
    }

    /// The client secret in hand, if it serves now.
    #[must_use]
    pub fn client_secret_in_hand(&self, now: Now) -> Option<&ClientSecretInHand> {
        let bundle = self.bundle()?;
        let secret = self.memory.client_secret.as_ref()?;
        (secret.bundle == bundle && self.client_secret_serves(secret.life, now)).then_some(secret)
    }

    /// The published client secret, if it serves now.
    #[must_use]
    pub fn client_secret_published(&self, now: Now) -> Option<&Record> {
        let bundle = self.bundle()?;
        let record = self.published(Target::ClientSecret)?;
        (record.bundle == bundle && self.client_secret_serves(record.life(), now)).then_some(record)
    }

    /// Whether a client secret of this life is neither due nor of another lifetime than the resource asks for.
    fn client_secret_serves(&self, life: Life, now: Now) -> bool {
        /// Back-dating and Apple's limit change a life by a minute.
        const TOLERANCE: Duration = Duration::from_mins(2);
        let asked = self.object.client_secret_lifetime();
        life.length().abs_diff(asked) <= TOLERANCE
            && now.wall < schedule::client_secret_renewal(life, self.object.client_secret_renew_before())
    }

    /// Whether the token in hand may be published: proved, or the last chance.
    #[must_use]
    pub fn may_publish(&self, token: &TokenInHand, now: Now) -> bool {
        token.is_proved() || self.is_last_chance(now)
    }

    /// Whether the published token is so near its end that an unverified one is better.
    #[must_use]
    pub fn is_last_chance(&self, now: Now) -> bool {
        self.published_life().is_some_and(|life| self.time_for(life, now) >= life.last_chance_at())
    }

    /// The last resolution, if it is for the present choice and client; from the Secret and status after a restart.
    #[must_use]
    pub fn resolution(&self) -> Option<&Resolution> {
        self.memory.resolution.as_ref().filter(|resolution| resolution.choice == Choice::of(self.object))
    }

    /// What an earlier process resolved, from the Secret's record and the status: the ids to keep while an API does not
    /// answer.
    #[must_use]
    pub fn recalled_resolution(&self) -> Option<Resolution> {
        let identity = self.published(Target::Managed)?.identity.clone()?;
        let status = self.object.status.as_ref();
        Some(Resolution {
            at: identity.resolved_at,
            choice: identity.choice,
            ids: identity.ids,
            organization: status.and_then(|status| status.organization.clone()),
            ad_account: status.and_then(|status| status.ad_account.clone()),
            organizations: Vec::new(),
            ad_accounts: Vec::new(),
            verdict: Verdict::Recalled,
        })
    }

    /// The API to ask next about organization or ad account, if the identity is to be resolved now.
    #[must_use]
    pub fn next_to_resolve(&self, token: &TokenInHand) -> Option<AdsApi> {
        let asked_again = self.memory.resolve_anew || self.memory.identity_trouble.is_some();
        let recorded = self.published(Target::Managed).and_then(|record| record.identity.as_ref());
        // What an earlier process found counts if it lived to say so in the status.
        let status = self.object.status.as_ref();
        let said = status.and_then(|status| find(&status.conditions, ConditionType::OrganizationResolved));
        let is_said = said.is_some_and(|said| said.status != ConditionStatus::Unknown);
        let recorded = recorded.filter(|identity| is_said && identity.choice == Choice::of(self.object));
        let resolved_at = self.resolution().map(|resolution| resolution.at);
        let resolved_at = resolved_at.or_else(|| recorded.map(|identity| identity.resolved_at));
        let is_new = |at: Timestamp| token.life.issued_at >= at;
        let due = match (resolved_at, self.resolution()) {
            (None, _) => true,
            (Some(_), _) if asked_again => true,
            (Some(at), Some(resolution)) if resolution.is_provisional() => is_new(later(at, Duration::from_secs(1))),
            (Some(at), _) => is_new(later(at, schedule::IDENTITY_LIFE)),
        };
        if due { self.memory.round.next(&self.object.apis()) } else { None }
    }
}

/// Whether a record claims to be written after `now`, by more than clocks of two machines may differ.
fn is_from_the_future(record: &Record, now: Now) -> bool {
    const TOLERANCE: Duration = Duration::from_mins(1);
    record.issued_at > later(now.wall, TOLERANCE)
}
