//! What is known of the key without reading it again.

use super::{
    memory::BadKey,
    observed::Observed,
    published::{KeySource, Target, bundle},
    sight::Sight,
};

/// What is known of the key: enough to tell which client and key a token is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownKey {
    /// Where it was read.
    pub source: KeySource,
    /// Its fingerprint.
    pub fingerprint: String,
    /// Client and key together, by one name.
    pub bundle: String,
}

impl Observed<'_> {
    /// The key, if it is known for the present state of its Secret.
    #[must_use]
    pub fn key(&self) -> Option<&KnownKey> {
        self.key.as_ref()
    }

    /// A key that was read, or that one of our Secrets tells of.
    pub(super) fn find_key(&self) -> Option<KnownKey> {
        let place = &self.object.spec.private_key.secret_ref;
        let remembered = self.memory.key.as_ref().map(|key| (&key.source, &key.fingerprint));
        let recorded = Target::ALL
            .into_iter()
            .filter_map(|target| self.own(target)?.record.as_ref().map(|record| (&record.key, &record.fingerprint)));
        let seen = self.sights.key_secret.meta();
        remembered.into_iter().chain(recorded).find_map(|(source, fingerprint)| {
            // A Secret that is not watched yet may be what was read; one that is gone is not.
            let same = match (&self.sights.key_secret, seen) {
                (_, Some(meta)) => meta.version == source.version,
                (Sight::Unknown, None) => self.memory.key.as_ref().is_some_and(|key| key.source == *source),
                _ => false,
            };
            (same && source.entry == place.key).then(|| KnownKey {
                source: source.clone(),
                fingerprint: fingerprint.clone(),
                bundle: bundle(self.object, fingerprint),
            })
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
                && bad.version.as_ref() == self.sights.key_secret.meta().map(|meta| &meta.version)
        })
    }

    /// Client and key together, if the key is known.
    #[must_use]
    pub fn bundle(&self) -> Option<&str> {
        self.key.as_ref().map(|key| key.bundle.as_str())
    }
}
