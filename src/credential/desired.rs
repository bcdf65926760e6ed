//! What the Secrets should hold, given what is in hand.

use jiff::Timestamp;

use super::{
    identity::{Choice, Ids},
    memory::{ClientSecretInHand, Fence, TokenInHand},
    observed::Observed,
    published::{Entries, IdentityRecord, Record, Target},
};

/// The time of a resolution that has not happened: old enough to be due.
const NEVER: Timestamp = Timestamp::UNIX_EPOCH;

impl Observed<'_> {
    /// The identity that goes into the managed Secret with the next write.
    #[must_use]
    pub fn identity_to_publish(&self) -> IdentityRecord {
        let choice = Choice::of(self.object);
        if let Some(resolution) = self.resolution() {
            return IdentityRecord { resolved_at: resolution.at, choice, ids: resolution.ids };
        }
        let recorded = self.published(Target::Managed).and_then(|record| record.identity.clone());
        recorded.filter(|identity| identity.choice == choice).unwrap_or(IdentityRecord {
            resolved_at: NEVER,
            choice,
            ids: Ids::default(),
        })
    }

    /// The entries and the record that the managed Secret should have, given the token in hand.
    #[must_use]
    pub fn managed_to_publish(&self, token: &TokenInHand) -> Option<(Entries, Record)> {
        let key = self.key()?;
        let identity = self.identity_to_publish();
        let entries = Entries::managed(&self.object.spec.client_id, &token.value, token.life, identity.ids);
        let record = Record {
            issued_at: token.life.issued_at,
            expires_at: token.life.expires_at,
            bundle: token.bundle.clone(),
            key: key.source.clone(),
            fingerprint: key.fingerprint.clone(),
            identity: Some(identity),
            unverified: !token.is_proved(),
            digest: entries.digest(),
        };
        Some((entries, record))
    }

    /// Likewise for the client secret in hand.
    #[must_use]
    pub fn client_secret_to_publish(&self, secret: &ClientSecretInHand) -> Option<(Entries, Record)> {
        let key = self.key()?;
        let entries = Entries::client_secret(&self.object.spec.client_id, &secret.jwt, secret.life);
        let record = Record {
            issued_at: secret.life.issued_at,
            expires_at: secret.life.expires_at,
            bundle: secret.bundle.clone(),
            key: key.source.clone(),
            fingerprint: key.fingerprint.clone(),
            identity: None,
            unverified: false,
            digest: entries.digest(),
        };
        Some((entries, record))
    }

    /// What a write of `target` planned now has to find there.
    #[must_use]
    pub fn fence(&self, target: Target) -> Fence {
        self.sight(target).meta().map_or(Fence::Absent, |meta| Fence::At(meta.version.clone()))
    }
}
