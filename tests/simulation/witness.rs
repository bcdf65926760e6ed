//! Sees every write of the operator's that has an effect, and notes what must never happen.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use asa_operator::{
    api::{
        ConditionStatus, ConditionType, Credential, CredentialStatus,
        conditions::find,
        names::{LABEL_OWNER_UID, TYPE_ACCESS_TOKEN, TYPE_PRIVATE_KEY},
    },
    controller::clock::Clock,
    credential::{now::between, secret_meta::SecretMeta},
};
use jiff::Timestamp;

use crate::stored::{Objects, StoredSecret};

/// Writes of a status are counted under this and the credential's name.
const STATUS_OF: &str = "the status of ";

/// A write of a Secret that has an effect.
pub(crate) struct Write<'a> {
    pub(crate) name: &'a str,
    pub(crate) before: Option<&'a StoredSecret>,
    pub(crate) after: &'a StoredSecret,
    pub(crate) credentials: &'a BTreeMap<String, Credential>,
}

#[derive(Default)]
struct Notes {
    wrong: Vec<String>,
    orphans: u32,
    issued_at: BTreeMap<String, Timestamp>,
    published: BTreeMap<String, Timestamp>,
    ready: BTreeMap<String, Timestamp>,
    least_left: Option<Duration>,
    writes: BTreeMap<String, u32>,
}

/// The witness; clones share what it noted. It looks at the clock by which Apple judges tokens.
#[derive(Clone)]
pub(crate) struct Witness {
    clock: Clock,
    notes: Arc<Mutex<Notes>>,
}

impl Witness {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, notes: Arc::default() }
    }

    /// A write took effect.
    pub(crate) fn wrote(&self, write: &Write<'_>) {
        let now = self.clock.now().wall;
        let mut notes = self.notes();
        *notes.writes.entry(write.name.to_owned()).or_default() += 1;
        notes.judge_ownership(write);
        let Some(issued_at) = time(write.after, "issued_at") else { return };
        notes.published.entry(write.name.to_owned()).or_insert(now);
        if let Some(before) = notes.issued_at.insert(write.name.to_owned(), issued_at)
            && issued_at < before
        {
            notes.wrong.push(format!("{}: issued_at went from {before} to {issued_at}", write.name));
        }
        if let Some(expires_at) = write.before.and_then(|before| time(before, "expires_at")) {
            let left = between(now, expires_at);
            if left.is_zero() {
                notes.wrong.push(format!("{}: an expired token lay there", write.name));
            }
            notes.least_left = Some(notes.least_left.map_or(left, |least| least.min(left)));
        }
    }

    /// The Secret of this name is about to be deleted.
    pub(crate) fn removes(&self, name: &str, objects: &Objects) {
        let now = self.clock.now().wall;
        self.notes().judge_removal(name, objects, now);
    }

    /// The shortest life that any token had left when it was replaced.
    pub(crate) fn least_left(&self) -> Option<Duration> {
        self.notes().least_left
    }

    /// A status was written.
    pub(crate) fn reported(&self, credential: &str, status: &CredentialStatus) {
        let now = self.clock.now().wall;
        let mut notes = self.notes();
        *notes.writes.entry(format!("{STATUS_OF}{credential}")).or_default() += 1;
        if find(&status.conditions, ConditionType::Ready).is_some_and(|ready| ready.status == ConditionStatus::True) {
            notes.ready.entry(credential.to_owned()).or_insert(now);
        }
    }

    /// When a token was written into each managed Secret for the first time.
    pub(crate) fn published(&self) -> BTreeMap<String, Timestamp> {
        self.notes().published.clone()
    }

    /// When each credential was reported to be Ready for the first time.
    pub(crate) fn ready(&self) -> BTreeMap<String, Timestamp> {
        self.notes().ready.clone()
    }

    /// How often each Secret and each status was written.
    pub(crate) fn writes(&self) -> BTreeMap<String, u32> {
        self.notes().writes.clone()
    }

    /// How many Secrets were created for a credential that was not there any more.
    pub(crate) fn orphans(&self) -> u32 {
        self.notes().orphans
    }

    /// What must never happen and did.
    pub(crate) fn wrong(&self) -> Vec<String> {
        self.notes().wrong.clone()
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap()
    }
}

impl Notes {
    fn judge_ownership(&mut self, write: &Write<'_>) {
        if write.after.type_ == TYPE_PRIVATE_KEY {
            if write.before.is_some() {
                self.wrong.push(format!("{}: a key was overwritten", write.name));
            }
            return;
        }
        let label = write.after.metadata.labels.as_ref().and_then(|labels| labels.get(LABEL_OWNER_UID));
        let credential = |uid: &String| write.credentials.values().find(|it| it.uid() == uid);
        let Some((owner, object)) = label.and_then(|uid| Some((uid, credential(uid)?))) else {
            if write.before.is_none() {
                self.orphans += 1;
            } else {
                self.wrong.push(format!("{}: changed for {label:?}, which is not there", write.name));
            }
            return;
        };
        let Some(before) = write.before else { return };
        let meta = SecretMeta::of(&before.metadata).unwrap();
        let is_unowned =
            meta.owner_references.is_empty() && meta.owner_label.as_ref().is_none_or(|uid| credential(uid).is_none());
        let is_adopted = object.adopts_unowned() && before.type_ == TYPE_ACCESS_TOKEN && is_unowned;
        if !meta.belongs_to(owner) && !is_adopted {
            self.wrong.push(format!("{}: a foreign Secret was written", write.name));
        }
    }

    /// What goes was written for a credential under this name, and what took its place is there and works.
    fn judge_removal(&mut self, name: &str, objects: &Objects, now: Timestamp) {
        let meta = SecretMeta::of(&objects.secrets[name].metadata).unwrap();
        let is_written_for = |it: &&Credential| meta.was_written_for(it.uid(), name);
        let Some(object) = objects.credentials.values().find(is_written_for) else {
            self.wrong.push(format!("{name}: a foreign Secret was deleted"));
            return;
        };
        let managed = objects.secrets.get(&object.secret_name());
        let is_live = managed.and_then(|managed| time(managed, "expires_at")).is_some_and(|end| now < end);
        let is_kept = object.client_secret_name().is_none_or(|name| objects.secrets.contains_key(&name));
        if [Some(object.secret_name()), object.client_secret_name()].contains(&Some(name.to_owned())) {
            self.wrong.push(format!("{name}: deleted, though the resource names it"));
        } else if !is_live || !is_kept {
            self.wrong.push(format!("{name}: deleted before another took its place"));
        }
    }
}

/// Whether writes that are counted under this name are those of a status.
pub(crate) fn is_status(object: &str) -> bool {
    object.starts_with(STATUS_OF)
}

/// The time in an entry of the managed Secret; the client secret's Secret has no token, and is left out.
pub(crate) fn time(secret: &StoredSecret, entry: &str) -> Option<Timestamp> {
    secret.token().and(secret.text(entry))?.parse().ok()
}
