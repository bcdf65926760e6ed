//! All that is known of one credential at a moment: its key, its Secrets, and what is in the way.

use std::time::Duration;

use super::{
    known_key::KnownKey,
    memory::{Known, Memory, is_older},
    now::Now,
    probing::Probe,
    published::Record,
    schedule::{Life, Share},
    secret_meta::SecretMeta,
    sight::{Holder, Obstacle, Sight, Sights},
    target::Target,
};
use crate::api::{AsaCredential, Credential};

/// What is known of one credential.
#[derive(Debug)]
pub struct Observed<'a> {
    /// The resource, as last seen.
    pub object: &'a Credential,
    /// What is seen of its Secrets.
    pub sights: Sights,
    /// How often to look, where Secrets are not watched.
    pub polling: Option<Duration>,
    /// What this process remembers.
    pub memory: &'a Memory,
    /// This and the next are found out once: nearly every question asks for them, and hashes cost more than the rest.
    pub(super) key: Option<KnownKey>,
    pub(super) share: Share,
    /// What is known of the API key from asking Apple about it.
    pub probe: Option<Probe>,
}

impl<'a> Observed<'a> {
    /// What follows from the resource, from what is seen of its Secrets, and from what this process remembers. `polling`
    /// tells how often to look, where Secrets are not watched.
    #[must_use]
    pub fn new(object: &'a Credential, sights: Sights, polling: Option<Duration>, memory: &'a Memory) -> Self {
        let share = Share::of(object.uid());
        let seen = Self { object, sights, polling, memory, key: None, share, probe: None };
        let key = seen.find_key();
        Self { key, ..seen }
    }
}

impl Observed<'_> {
    /// The resource's UID.
    #[must_use]
    pub fn uid(&self) -> &str {
        self.object.uid()
    }

    /// The resource, if it is one of Apple Ads.
    pub(super) fn ads(&self) -> Option<&AsaCredential> {
        self.object.ads()
    }

    /// Whether the resource is being deleted.
    #[must_use]
    pub fn is_going(&self) -> bool {
        self.object.metadata().deletion_timestamp.is_some()
    }

    /// The Secrets that the resource has.
    pub fn targets(&self) -> impl Iterator<Item = Target> {
        let has_both = self.object.client_secret_name().is_some();
        Target::ALL.into_iter().filter(move |target| has_both || *target == Target::Managed)
    }

    /// What is seen of `target`.
    #[must_use]
    pub fn sight(&self, target: Target) -> &Sight {
        match target {
            Target::Managed => &self.sights.managed,
            Target::ClientSecret => &self.sights.client_secret,
        }
    }

    /// The first thing in the way of publishing.
    #[must_use]
    pub fn obstacle(&self) -> Option<Obstacle> {
        self.targets().find_map(|target| match self.sight(target).meta() {
            Some(meta) if meta.is_going => Some(Obstacle::Going(target)),
            Some(meta) if !meta.belongs_to(self.uid()) => Some(self.foreign(target, meta)),
            _ => None,
        })
    }

    fn foreign(&self, target: Target, meta: &SecretMeta) -> Obstacle {
        let holder = &self.sights.holders[target as usize];
        let may_adopt = target == Target::Managed && self.object.adopts_unowned() && *holder == Holder::Nobody;
        match self.judged(target, meta) {
            _ if !may_adopt => Obstacle::NotOwned(target, holder.clone()),
            Some(known) if !known.is_of_type => Obstacle::WrongType(target),
            Some(_) => Obstacle::ToAdopt(target),
            None => Obstacle::ToInspect(target),
        }
    }

    fn judged(&self, target: Target, meta: &SecretMeta) -> Option<&Known> {
        self.memory.content(target).known.as_ref().filter(|known| known.version == meta.version)
    }

    /// Whether both targets were looked at, so that it is known whose they are.
    #[must_use]
    pub fn knows_targets(&self) -> bool {
        self.targets().all(|target| *self.sight(target) != Sight::Unknown)
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

    /// When the first of its Secrets is to be looked at again (steady clock), where they are not watched. One that it had in
    /// an earlier mode is never looked at again, and would be due for ever.
    #[must_use]
    pub fn next_look(&self) -> Option<Duration> {
        let targets = self.targets().map(|target| self.memory.content(target).looked_at);
        let first = targets.chain([self.memory.key_looked_at]).flatten().min()?;
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
                let reported = self.object.status().and_then(|status| status.secret.as_ref());
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
        let is_damaged = self.judged(target, meta).is_some_and(|known| !known.intact);
        meta.record.as_ref().filter(|record| !is_damaged && record.is_possible(target, self.object.kind()))
    }

    /// The life of the token that a reader of the managed Secret finds.
    #[must_use]
    pub fn published_life(&self) -> Option<Life> {
        self.published(Target::Managed).map(Record::life)
    }
}
