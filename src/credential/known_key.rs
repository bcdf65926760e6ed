//! What is known of the key without reading it again.

use super::{
    memory::BadKey,
    observed::Observed,
    published::{KeySource, api_key, bundle},
    sight::Sight,
    target::Target,
};

/// What is known of the key: enough to tell which client and key a token is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownKey {
    /// Where it was read.
    pub source: KeySource,
    /// Its fingerprint.
    pub fingerprint: String,
    /// What a token is issued for, by one name; `None` while Apple's ids are not set.
    pub bundle: Option<String>,
    /// The API key, by one name, as Apple is asked about it; `None` where tokens are issued by Apple.
    pub api_key: Option<String>,
}

impl Observed<'_> {
    /// The key, if it is known for the present state of its Secret.
    #[must_use]
    pub fn key(&self) -> Option<&KnownKey> {
        self.key.as_ref()
    }

    /// A key that was read, or that one of our Secrets tells of.
    pub(super) fn find_key(&self) -> Option<KnownKey> {
        let place = self.object.key_ref();
        let remembered = self.memory.key.as_ref().map(|key| (&key.source, &key.fingerprint));
        let own = Target::ALL.into_iter().filter_map(|target| self.own(target));
        let strays = self.sights.strays.iter().filter_map(|stray| stray.meta.as_deref());
        let records = own.chain(strays).filter_map(|meta| meta.record.as_ref());
        let recorded = records.map(|record| (&record.key, &record.fingerprint));
        let seen = self.sights.key_secret.meta();
        remembered.into_iter().chain(recorded).find_map(|(source, fingerprint)| {
            // A Secret that is not watched yet may be what was read; one that is gone is not.
            let same = match (&self.sights.key_secret, seen) {
                (_, Some(meta)) => meta.version == source.version,
                (Sight::Unknown, None) => {
                    let read = self.memory.key.as_ref().filter(|key| key.secret == place.name);
                    read.is_some_and(|key| key.source == *source)
                }
                _ => false,
            };
            (same && source.entry == place.key).then(|| KnownKey {
                source: source.clone(),
                fingerprint: fingerprint.clone(),
                bundle: bundle(self.object, fingerprint),
                api_key: self.object.app_store_connect().map(|object| api_key(object, fingerprint)),
            })
        })
    }

    /// Whether the public half of `key` was read by this process or stands in the status: an earlier process may have
    /// published a token and not lived to write the status.
    #[must_use]
    pub fn knows_public_half(&self, key: &KnownKey) -> bool {
        let read = self.memory.key.as_ref().map(|key| &key.fingerprint);
        let status = self.object.status();
        let told = status.and_then(|status| status.private_key.as_ref()).map(|key| &key.fingerprint);
        [read, told].contains(&Some(&key.fingerprint))
    }

    /// Why there is no key, if that was found out for the present state of its Secret.
    #[must_use]
    pub fn bad_key(&self) -> Option<&BadKey> {
        let place = self.object.key_ref();
        self.memory.key_failure.as_deref().filter(|bad| {
            bad.place == (place.name.clone(), place.key.clone())
                && bad.version.as_ref() == self.sights.key_secret.meta().map(|meta| &meta.version)
        })
    }

    /// Whether a key pair is to be made. Once a keyId is set, Apple knows the key that it names: one that is missing then
    /// is lost or not yet restored, and another one would be of no use.
    #[must_use]
    pub fn may_generate_key(&self) -> bool {
        let is_unknown_to_apple = self.ads().is_some_and(|ads| ads.spec.key_id.is_none());
        self.object.generates_key() && is_unknown_to_apple && self.sights.key_secret == Sight::Absent
    }

    /// What a token is issued for, if all of it is known.
    #[must_use]
    pub fn bundle(&self) -> Option<&str> {
        self.key()?.bundle.as_deref()
    }

    /// The name by which Apple is asked about the key.
    #[must_use]
    pub fn api_key(&self) -> Option<&str> {
        self.key()?.api_key.as_deref()
    }
}
