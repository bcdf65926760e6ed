//! What all runs share: the two ports, the clock, what is seen, and the pace.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use super::{
    clock::Clock,
    index::{Index, SecretName, id_of},
    mandate::Mandate,
    metrics::Metrics,
};
use crate::{
    api::Credential,
    apple::error::Host,
    credential::{
        memory::Memory,
        now::Now,
        observed::Observed,
        pacing::{Entry, Pacing, Rate},
        probing::{Heard, Probes},
        published::Record,
        queue::{Id, Standing},
        secret_meta::SecretMeta,
        sight::{Holder, Sight, Sights, Stray},
        target::Target,
    },
};

/// How the operator is told to behave.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How often each of Apple's hosts may be asked.
    pub rate: Rate,
    /// How often Secrets are looked at where they cannot be watched.
    pub secret_poll_interval: Duration,
}

/// The ports, and what is known of the world behind them.
#[derive(Debug)]
pub struct World<C, A> {
    /// The port to the API server.
    pub cluster: C,
    /// The port to Apple.
    pub apple: A,
    /// The clocks.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Metrics,
    /// Whether this process may act.
    pub mandate: Mandate,
    settings: Settings,
    index: Mutex<Index>,
    pacing: Arc<Mutex<Pacing>>,
    probes: Arc<Mutex<Probes>>,
    woken: Mutex<Vec<Id>>,
    news: Notify,
}

impl<C, A> World<C, A> {
    /// A world of which nothing is seen yet, in which this process acts alone.
    pub fn new(cluster: C, apple: A, clock: Clock, metrics: Metrics, settings: Settings) -> Self {
        let pacing = Arc::new(Mutex::new(Pacing::new(settings.rate)));
        Self {
            cluster,
            apple,
            clock,
            metrics,
            mandate: Mandate::without_end(),
            settings,
            index: Mutex::default(),
            pacing,
            probes: Arc::default(),
            woken: Mutex::default(),
            news: Notify::new(),
        }
    }

    /// The same where this process acts as long as it has the mandate.
    #[must_use]
    pub fn under(self, mandate: Mandate) -> Self {
        Self { mandate, ..self }
    }

    /// What is seen.
    pub fn index(&self) -> MutexGuard<'_, Index> {
        lock(&self.index)
    }

    /// What is known of API keys.
    pub fn probes(&self) -> MutexGuard<'_, Probes> {
        lock(&self.probes)
    }

    /// The pace.
    pub fn pacing(&self) -> MutexGuard<'_, Pacing> {
        lock(&self.pacing)
    }

    /// All that is known of `object` now.
    pub fn observe<'a>(&self, object: &'a Credential, memory: &'a Memory, now: Now) -> Observed<'a> {
        let mut seen = self.see_secrets(object, memory);
        if let Some(key) = seen.api_key() {
            seen.probe = Some(self.probes().see(key, &id_of(object), seen.recalled_probe(), now));
        }
        seen
    }

    fn see_secrets<'a>(&self, object: &'a Credential, memory: &'a Memory) -> Observed<'a> {
        let namespace = object.namespace().to_owned();
        let uid = object.uid();
        let index = self.index();
        let named = |name: String| SecretName { namespace: namespace.clone(), name };
        let see = |name: Option<String>| name.map_or(Sight::Absent, |name| index.sight(&named(name)));
        let [managed, client_secret] = Target::ALL.map(|target| see(target.name(object)));
        let holder = |sight: &Sight| {
            let foreign = sight.meta().filter(|meta| !meta.belongs_to(uid));
            foreign.map_or(Holder::Nobody, |meta| index.holder(&namespace, meta))
        };
        let is_polled = index.is_polled(&namespace);
        let strays = if is_polled { former_names(object, memory) } else { index.strays(&id_of(object)) };
        let sights = Sights {
            key_secret: see(Some(object.key_ref().name.clone())),
            holders: [holder(&managed), holder(&client_secret)],
            managed,
            client_secret,
            strays: strays.into_iter().filter(|stray| !is_cleared(stray, memory)).collect(),
        };
        Observed::new(object, sights, is_polled.then_some(self.settings.secret_poll_interval), memory)
    }

    /// What the queue has to know of `id`.
    pub fn standing(&self, id: &Id) -> Standing {
        let index = self.index();
        let Some(object) = index.credential(id) else { return Standing::default() };
        let namespace = id.namespace.to_string();
        let managed = index.sight(&SecretName { namespace, name: object.secret_name() });
        let uid = object.uid();
        let record = managed.meta().filter(|meta| meta.belongs_to(uid)).and_then(|meta| meta.record.as_ref());
        Standing::of(object, record.map(Record::life))
    }

    /// What an answer to `asker` told of a Secret of its namespace, without waiting for the watch to tell it too. To the
    /// watch it is no news then, so whom else it concerns hears of it here.
    pub fn learn_secret(&self, asker: &Id, name: &str, meta: Option<SecretMeta>) {
        let secret = SecretName { namespace: asker.namespace.to_string(), name: name.to_owned() };
        let mut index = self.index();
        let concerned = match meta {
            Some(meta) => index.apply_secret(secret, meta),
            None if index.sight(&secret) != Sight::Absent => index.remove_secret(secret, None),
            None => Vec::new(),
        };
        drop(index);
        self.wake(concerned.into_iter().filter(|id| id != asker));
    }

    /// The same for the answer to a question that was asked when `before` was seen.
    pub fn learn_answer(&self, asker: &Id, name: &str, before: &Sight, meta: Option<SecretMeta>) {
        if meta.is_some() {
            self.learn_secret(asker, name, meta);
        } else {
            let secret = SecretName { namespace: asker.namespace.to_string(), name: name.to_owned() };
            let concerned = self.index().learn_absence(secret, before);
            self.wake(concerned.into_iter().filter(|id| id != asker));
        }
    }

    /// Leave to ask `host`, if nobody has waited longer for it and its pace allows it.
    pub fn enter(&self, host: Host, now: Now) -> Option<Pass> {
        (self.pacing().enter_uncontended(host, now.steady) == Entry::Granted).then(|| self.pass(host))
    }

    /// Leave to ask about a key that nobody asks about now.
    pub fn begin_probe(&self, key: &str) -> Option<Asking> {
        let asking = || Asking { probes: Arc::clone(&self.probes), key: key.to_owned() };
        self.probes().begin(key).then(asking)
    }

    /// Asking is over. Who else uses the key looks again where that changes anything.
    pub fn end_probe(&self, asking: &Asking, heard: Heard, now: Now) {
        let concerned = self.probes().end(&asking.key, heard, now);
        self.wake(concerned);
    }

    /// Something about these changed: they look again as soon as they can.
    pub fn wake(&self, ids: impl IntoIterator<Item = Id>) {
        let mut woken = lock(&self.woken);
        woken.extend(ids);
        if !woken.is_empty() {
            self.news.notify_one();
        }
    }

    /// Those that were woken since this was last asked, once there are any. Dropped before, it loses none.
    pub async fn woken(&self) -> Vec<Id> {
        loop {
            let woken = std::mem::take(&mut *lock(&self.woken));
            if !woken.is_empty() {
                return woken;
            }
            self.news.notified().await;
        }
    }

    /// Forgets what this process heard about API keys: others may have heard more since.
    pub fn forget_answers(&self) {
        *self.probes() = Probes::default();
    }

    /// Leave that the queue was granted.
    pub fn pass(&self, host: Host) -> Pass {
        Pass { pacing: Arc::clone(&self.pacing), host }
    }
}

/// Leave to ask a host once; given back when dropped.
#[derive(Debug)]
pub struct Pass {
    pacing: Arc<Mutex<Pacing>>,
    host: Host,
}

impl Pass {
    /// For which host.
    pub fn host(&self) -> Host {
        self.host
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        lock(&self.pacing).leave(self.host);
    }
}

/// Leave to ask about a key; given back when dropped, so that a run that ends in between blocks nobody.
#[derive(Debug)]
pub struct Asking {
    probes: Arc<Mutex<Probes>>,
    key: String,
}

impl Drop for Asking {
    fn drop(&mut self) {
        lock(&self.probes).give_up(&self.key);
    }
}

/// The names of earlier days that status and memory tell of.
fn former_names(object: &Credential, memory: &Memory) -> Vec<Stray> {
    let status = object.status();
    let reported = [
        status.and_then(|status| Some(status.secret.as_ref()?.name.clone())),
        status.and_then(|status| status.client_secret.as_ref()?.secret_name.clone()),
    ];
    let present: Vec<_> = Target::ALL.into_iter().filter_map(|target| target.name(object)).collect();
    let names: BTreeSet<String> = reported.into_iter().flatten().chain(memory.names.iter().cloned()).collect();
    let former = names.into_iter().filter(|name| !present.contains(name));
    former.map(|name| Stray { meta: memory.former.get(&name).cloned(), name }).collect()
}

/// Whether it is known that nothing of the resource's is left there. A create that was lost on its way may have made
/// something since: where it is seen, it goes too.
fn is_cleared(stray: &Stray, memory: &Memory) -> bool {
    let cleared = memory.cleared.get(&stray.name);
    cleared.is_some_and(|theirs| stray.meta.as_ref().is_none_or(|meta| theirs.as_ref() == Some(&meta.version)))
}

/// A panic elsewhere leaves what these locks guard in a usable state: each change is a single call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
