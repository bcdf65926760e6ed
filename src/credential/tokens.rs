//! The questions about tokens and client secrets: whether there is one, how long it lives, whether another is due.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    failure::Side,
    memory::{ClientSecretInHand, Fence, Inputs, TokenInHand},
    now::{Now, between, later},
    observed::Observed,
    published::Record,
    schedule::{self, Life},
    target::Target,
};
use crate::api::{
    Kind, MAX_REQUEST_CHARS,
    names::{ANNOTATION_FLUX_REQUESTED_AT, ANNOTATION_REQUESTED_AT},
};

/// Renewals on demand are at least this far apart; a request that comes earlier is served when the time is over.
pub(super) const DEMAND_INTERVAL: Duration = Duration::from_mins(1);

impl Observed<'_> {
    /// The annotation that asks for a renewal, whether it was handled or not: the later one where both are there.
    #[must_use]
    pub fn demand(&self) -> Option<String> {
        let annotations = self.object.metadata().annotations.as_ref()?;
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
        let reported = self.object.status().and_then(|status| status.last_handled_reconcile_at.as_deref());
        self.memory.handled.as_deref().or(reported)
    }

    /// A request for a renewal that no attempt was made for.
    fn unserved_demand(&self) -> Option<String> {
        self.demand().filter(|asked| self.handled() != Some(asked))
    }

    /// A request for a renewal whose turn has come: at most one a minute is served.
    #[must_use]
    pub fn open_demand(&self, now: Now) -> Option<String> {
        self.unserved_demand().filter(|_| self.demand_due_at().is_none_or(|due| now.steady >= due))
    }

    /// When the next request on demand may be served, on the steady clock.
    fn demand_due_at(&self) -> Option<Duration> {
        self.memory.demanded_at.map(|last| last + DEMAND_INTERVAL)
    }

    /// When a request that came too early is served, on the steady clock.
    #[must_use]
    pub fn waiting_demand(&self) -> Option<Duration> {
        self.unserved_demand().and_then(|_| self.demand_due_at())
    }

    /// What an attempt made now depends on.
    #[must_use]
    pub fn inputs(&self, now: Now) -> Inputs {
        Inputs {
            generation: self.object.metadata().generation.unwrap_or_default(),
            key: self.sights.key_secret.meta().map(|meta| meta.version.clone()),
            demand: self.open_demand(now).or_else(|| self.handled().map(ToOwned::to_owned)),
        }
    }

    /// Whether a failure on this side is still being waited out.
    #[must_use]
    pub fn is_held(&self, side: Side, now: Now) -> bool {
        let trouble = self.memory.trouble(side);
        trouble.is_some_and(|trouble| now.steady < trouble.next_try && trouble.inputs == self.inputs(now))
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
        schedule::renewal(life, self.share, self.object.token_renew_before())
    }

    /// The issued token that serves now: for the present client and key, and not due.
    #[must_use]
    pub fn token_in_hand(&self, now: Now) -> Option<&TokenInHand> {
        let bundle = self.bundle()?;
        let token = self.memory.token.as_ref()?;
        let fresh = token.bundle == bundle && self.time_for(token.life, now) < self.renewal(token.life);
        (fresh && !self.is_superseded(token, now)).then_some(token)
    }

    /// Whether the managed Secret has a newer token, or one of the same second: another operator's, which stays. A time in
    /// the future is no evidence, it is a clock that was wrong.
    fn is_superseded(&self, token: &TokenInHand, now: Now) -> bool {
        let Some(record) = self.published(Target::Managed) else { return false };
        // What was there when this token was asked for is what it is to replace, be it of the same second.
        let seen = self.own(Target::Managed).map(|meta| Fence::At(meta.version.clone()));
        let is_rival = record.issued_at == token.life.issued_at
            && record.bundle == token.bundle
            && !record.unverified
            && record.thumbprint.as_ref() != Some(&token.thumbprint)
            && token.fence != seen;
        (record.issued_at > token.life.issued_at || is_rival) && !is_from_the_future(record, now)
    }

    /// Whether `there`, in the managed Secret, is to stay although the token in hand is newer by its record: another
    /// operator's for the same bundle, that took the place of one which had been published, and is not due. Two operators
    /// whose clocks differ would else each bring back its own, for as long as both act.
    #[must_use]
    pub fn yields_to(&self, token: &TokenInHand, there: &Record, wanted: &Record, now: Now) -> bool {
        let is_another = there.thumbprint.is_some() && there.thumbprint != wanted.thumbprint && !there.unverified;
        let serves = there.bundle == wanted.bundle && there.formats == wanted.formats;
        let choice = |record: &Record| record.identity.as_ref().map(|identity| identity.choice.clone());
        let is_due = || self.time_for(there.life(), now) >= self.renewal(there.life());
        token.was_published && is_another && serves && choice(there) == choice(wanted) && !is_due()
    }

    /// Whether Apple has to be asked for a token.
    #[must_use]
    pub fn needs_token(&self, now: Now) -> bool {
        let Some(bundle) = self.bundle() else { return false };
        if self.is_key_refused() {
            return false;
        }
        if self.open_demand(now).is_some() {
            return true;
        }
        let choice = self.choice();
        let serves = |record: &Record| {
            let chosen = record.identity.as_ref().map(|identity| &identity.choice) == choice.as_ref();
            chosen && record.formats == self.object.formats() && self.is_fresh(record, bundle, now)
        };
        let is_open = || self.ads().is_some() && self.is_identity_open();
        let is_served = || self.published(Target::Managed).is_some_and(serves) && !is_open();
        self.token_in_hand(now).is_none() && !is_served()
    }

    /// Whether a token was issued for this bundle and is not due.
    fn is_fresh(&self, record: &Record, bundle: &str, now: Now) -> bool {
        let life = record.life();
        record.bundle == bundle && self.time_for(life, now) < self.renewal(life) && !is_from_the_future(record, now)
    }

    /// The Secret of ours whose token only has to be read to serve again, under another name or in another form.
    #[must_use]
    pub fn recallable(&self, now: Now) -> Option<String> {
        let bundle = self.bundle()?;
        if self.open_demand(now).is_some() {
            return None;
        }
        let published = self.published(Target::Managed).map(|record| (record, self.own(Target::Managed)));
        let strays = self.sights.strays.iter().filter_map(|stray| stray.meta.as_deref());
        let written = strays.filter_map(|meta| Some((meta.record.as_ref()?, Some(meta))));
        published.into_iter().chain(written).find_map(|(record, meta)| {
            let is_token = record.thumbprint.is_some() && !record.unverified;
            let is_new = meta.is_some_and(|meta| self.memory.recalled.get(&record.secret) != Some(&meta.version));
            (is_token && is_new && self.is_fresh(record, bundle, now)).then(|| record.secret.clone())
        })
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
        self.has_lifetime_asked_for(life)
            && self
                .ads()
                .is_some_and(|ads| now.wall < schedule::client_secret_renewal(life, ads.client_secret_renew_before()))
    }

    /// Whether a client secret was signed for as long as the resource asks.
    #[must_use]
    pub fn has_lifetime_asked_for(&self, life: Life) -> bool {
        /// Back-dating and Apple's limit change a life by a minute.
        const TOLERANCE: Duration = Duration::from_mins(2);
        self.ads().is_some_and(|ads| life.length().abs_diff(ads.client_secret_lifetime()) <= TOLERANCE)
    }

    /// Whether the token in hand may be published: proved, or the last chance. Where Apple issues no tokens, its word about
    /// the key counts.
    #[must_use]
    pub fn may_publish(&self, token: &TokenInHand, now: Now) -> bool {
        match self.object.kind() {
            Kind::Ads => token.is_proved() || self.is_last_chance(now),
            Kind::AppStoreConnect => self.may_publish_for_key(),
        }
    }

    /// Whether the published token is so near its end that an unverified one is better.
    #[must_use]
    pub fn is_last_chance(&self, now: Now) -> bool {
        self.published_life().is_some_and(|life| self.time_for(life, now) >= life.last_chance_at())
    }
}

/// Whether a record claims to be written after `now`, by more than clocks of two machines may differ.
fn is_from_the_future(record: &Record, now: Now) -> bool {
    const TOLERANCE: Duration = Duration::from_mins(1);
    record.issued_at > later(now.wall, TOLERANCE)
}
