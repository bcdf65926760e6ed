//! What the Secrets should hold, given what is in hand.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    applied::Applied,
    entries::{Choices, Entries, KeyParts, Parts},
    identity::{Choice, Ids, Resolution},
    memory::{ClientSecretInHand, Fence, TokenInHand},
    now::Now,
    observed::Observed,
    published::{IdentityRecord, Record},
    schedule::Life,
    sight::Stray,
    target::Target,
};
use crate::api::{AsaCredential, Credential, Selection};

/// The time of a resolution that has not happened: old enough to be due.
const NEVER: Timestamp = Timestamp::UNIX_EPOCH;

impl Observed<'_> {
    /// The resolution whose ids go into the managed Secret with the next write.
    fn resolution_to_publish(&self) -> Option<Resolution> {
        let choice = self.choice();
        let resolution = self.resolution().cloned();
        resolution.or_else(|| self.recalled_resolution().filter(|recalled| Some(&recalled.choice) == choice.as_ref()))
    }

    fn identity_to_publish(&self, choice: Choice, resolution: Option<&Resolution>) -> IdentityRecord {
        let recorded = self.published(Target::Managed).and_then(|record| record.identity.clone());
        // A try that confirmed nothing is worth no write, and makes the ids no younger.
        let stands = recorded.filter(|recorded| {
            let tried = resolution.is_some_and(|found| found.is_provisional() && found.ids == recorded.ids);
            tried && recorded.choice == choice
        });
        stands.unwrap_or_else(|| IdentityRecord {
            resolved_at: resolution.map_or(NEVER, Resolution::confirmed_at),
            choice,
            ids: resolution.map_or_else(Ids::default, |found| found.ids),
        })
    }

    /// The entries and the record that the managed Secret should have, given the token in hand.
    #[must_use]
    pub fn managed_to_publish(&self, token: &TokenInHand) -> Option<(Entries, Record)> {
        let (entries, identity) = match self.object {
            Credential::Ads(ads) => self.ads_to_publish(ads, token)?,
            Credential::AppStoreConnect(object) => {
                let entries = Entries::app_store_connect(&KeyParts {
                    key_id: &object.spec.key_id,
                    issuer_id: object.issuer_id(),
                    token: &token.value,
                    life: token.life,
                    formats: &self.object.formats(),
                });
                (entries, None)
            }
        };
        let record = Record {
            formats: self.object.formats(),
            identity,
            verified_at: self.verified_at(),
            thumbprint: Some(token.thumbprint.clone()),
            unverified: self.ads().is_some() && !token.is_proved(),
            ..self.record(self.object.secret_name(), token.life, &token.bundle, &entries)?
        };
        Some((entries, record))
    }

    fn ads_to_publish(&self, ads: &AsaCredential, token: &TokenInHand) -> Option<(Entries, Option<IdentityRecord>)> {
        let resolution = self.resolution_to_publish();
        let (apis, formats) = (ads.apis(), self.object.formats());
        let is_any = |selection| selection == Selection::Any;
        let choices = resolution.as_ref().map_or_else(Choices::default, |found| Choices {
            organizations: is_any(ads.organization_selection()).then_some(&*found.organizations),
            ad_accounts: is_any(ads.ad_account_selection()).then_some(&*found.ad_accounts),
        });
        let entries = Entries::managed(&Parts {
            client_id: ads.client_ids()?.client_id,
            token: &token.value,
            life: token.life,
            ids: resolution.as_ref().map_or_else(Ids::default, |found| found.ids),
            apis: &apis,
            formats: &formats,
            choices,
        });
        Some((entries, Some(self.identity_to_publish(Choice::of(ads), resolution.as_ref()))))
    }

    /// The record of `entries`, as far as it is the same for all Secrets.
    fn record(&self, secret: String, life: Life, bundle: &str, entries: &Entries) -> Option<Record> {
        let key = self.key()?;
        Some(Record {
            secret,
            issued_at: life.issued_at,
            expires_at: life.expires_at,
            bundle: bundle.to_owned(),
            key: key.source.clone(),
            fingerprint: key.fingerprint.clone(),
            identity: None,
            formats: BTreeSet::new(),
            verified_at: None,
            thumbprint: None,
            unverified: false,
            digest: entries.digest(),
        })
    }

    /// Likewise for the client secret in hand; nothing where it is stored nowhere.
    #[must_use]
    pub fn client_secret_to_publish(&self, secret: &ClientSecretInHand) -> Option<(Entries, Record)> {
        let entries = Entries::client_secret(self.ads()?.client_ids()?.client_id, &secret.jwt, secret.life);
        let record = self.record(Target::ClientSecret.name(self.object)?, secret.life, &secret.bundle, &entries)?;
        Some((entries, record))
    }

    /// What a write of `target` planned now has to find there.
    #[must_use]
    pub fn fence(&self, target: Target) -> Fence {
        self.sight(target).meta().map_or(Fence::Absent, |meta| Fence::At(meta.version.clone()))
    }

    /// Whether owner, labels and annotations of `target` are as they should be; of an absent one they are.
    #[must_use]
    pub fn is_in_step(&self, target: Target) -> bool {
        self.own(target).is_none_or(|meta| {
            let applied = meta.applied.as_deref();
            meta.is_fully_marked(self.uid(), target.is_retained(self.object))
                && (target != Target::Managed || Applied::is_in_step(applied, self.object))
        })
    }

    /// A Secret of earlier days that may go: the one that took its place is there and works.
    #[must_use]
    pub fn to_remove(&self, now: Now) -> Option<&Stray> {
        let stray = self.sights.strays.first()?;
        let life = self.published_life()?;
        let is_complete = self.targets().all(|target| self.published(target).is_some());
        (is_complete && self.is_live(life, now) && !self.needs_token(now)).then_some(stray)
    }
}
