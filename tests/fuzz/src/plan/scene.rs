//! All that is known of one credential, and what can happen to it.

use std::{cell::RefCell, sync::Arc, time::Duration};

use asa_operator::{
    api::{AdAccount, AppStoreConnectCredential, AsaCredential, Credential, Kind, Organization, Program},
    credential::{
        identity::{Choice, Ids, Resolution, Round, Verdict},
        memory::{ClientSecretInHand, Key, Known, Memory, Proof, TokenInHand, whole_seconds},
        now::{Now, later},
        observed::Observed,
        probing::{Heard, Probes, Proof as KeyProof},
        published::{KeySource, Record, bundle, thumbprint},
        queue::Id,
        schedule::Life,
        secret_meta::{SecretMeta, Version},
        sight::{Sight, Sights, Stray},
        target::Target,
    },
};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use crate::acme::{UID, acme, acme_api_key};

/// The fingerprint of the key that the scene begins with.
pub(crate) const FINGERPRINT: &str = "SHA256:abc";

/// What the steady clock shows in the beginning.
const UPTIME: Duration = Duration::from_hours(1);

const MINUTE: Duration = Duration::from_mins(1);

/// What every token and client secret here begins with.
pub(super) const CANARY: &str = "canary-of-a-token";

/// What is known of one credential, and when.
pub(crate) struct Scene {
    pub(crate) object: Credential,
    pub(crate) sights: Sights,
    pub(crate) polling: Option<Duration>,
    pub(crate) memory: Memory,
    /// What Apple said of keys; to see it is to enter what the Secret and the status tell of it.
    probes: RefCell<Probes>,
    /// The keys that Apple is being asked about.
    asking: Vec<String>,
    pub(crate) now: Now,
    /// How often something was written or changed: the next resourceVersion.
    state: u32,
}

impl Scene {
    /// Nothing but the resource and its key.
    fn new(object: Credential) -> Self {
        let wall = Timestamp::from_second(1_795_348_800).unwrap_or_default();
        let mut scene = Self {
            object,
            sights: Sights {
                key_secret: Sight::Absent,
                managed: Sight::Absent,
                client_secret: Sight::Absent,
                ..Sights::default()
            },
            polling: None,
            memory: Memory::of(UID),
            probes: RefCell::default(),
            asking: vec![],
            now: Now { wall, steady: UPTIME },
            state: 0,
        };
        scene.touch_key();
        scene.read_key(FINGERPRINT);
        scene
    }

    /// A client of Apple Ads, a minute after everything was done.
    pub(crate) fn settled() -> Self {
        let mut scene = Self::new(acme());
        scene.sign(scene.object.ads().map_or(Duration::ZERO, AsaCredential::client_secret_lifetime));
        scene.issue(Duration::from_hours(1));
        scene.prove();
        scene.resolve();
        scene.publish(Target::ClientSecret);
        scene.publish(Target::Managed);
        scene.pass(MINUTE);
        scene
    }

    /// Likewise an API key, which Apple accepted.
    pub(crate) fn settled_api_key() -> Self {
        let mut scene = Self::new(acme_api_key());
        scene.hear(Heard { result: Ok(KeyProof::Accepted), is_budget_low: false });
        scene.sign_token();
        scene.publish(Target::Managed);
        scene.pass(MINUTE);
        scene
    }

    pub(crate) fn seen(&self) -> Observed<'_> {
        let mut seen = Observed::new(&self.object, self.sights.clone(), self.polling, &self.memory);
        let id = Id::new(self.object.kind(), self.object.namespace(), self.object.name());
        let probe = seen.api_key().map(|key| self.probes.borrow_mut().see(key, &id, seen.recalled_probe(), self.now));
        seen.probe = probe;
        seen
    }

    /// The operator starts anew.
    pub(crate) fn restart(&mut self) {
        self.memory = Memory::of(UID);
        self.probes = RefCell::default();
        self.asking.clear();
    }

    /// Somebody begins to ask Apple about the key.
    pub(crate) fn begin_asking(&mut self) {
        let key = self.seen().api_key().map(ToOwned::to_owned);
        self.asking.extend(key.filter(|key| self.probes.get_mut().begin(key)));
    }

    /// All asking is over, with an answer or without.
    pub(crate) fn end_asking(&mut self) {
        for key in self.asking.drain(..) {
            self.probes.get_mut().give_up(&key);
        }
    }

    /// Apple answers somebody who asked about the key.
    pub(crate) fn hear(&mut self, heard: Heard) {
        if let Some(key) = self.seen().api_key() {
            self.probes.borrow_mut().end(key, heard, self.now);
        }
        self.end_asking();
    }

    /// Time passes, on both clocks.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.now = Now { wall: later(self.now.wall, time), steady: self.now.steady + time };
    }

    /// A new state of the Secret of this name.
    pub(crate) fn version(&mut self, name: &str) -> Version {
        self.state += 1;
        Version { uid: format!("uid-of-{name}"), resource_version: self.state.to_string() }
    }

    /// Somebody wrote the key's Secret.
    pub(crate) fn touch_key(&mut self) {
        let meta = foreign(self.version("key"));
        self.sights.key_secret = Sight::Present(Arc::new(meta));
    }

    /// The key was read where it is, and is this one.
    pub(crate) fn read_key(&mut self, fingerprint: &str) {
        let Some(version) = self.sights.key_secret.meta().map(|meta| meta.version.clone()) else { return };
        let place = self.object.key_ref();
        let (secret, entry) = (place.name.clone(), place.key.clone());
        let (fingerprint, public_key) = (fingerprint.to_owned(), "PEM".to_owned());
        self.memory.key = Some(Key { secret, source: KeySource { version, entry }, fingerprint, public_key });
        self.memory.key_failure = None;
    }

    /// The bundle of the present spec and key; none while Apple's ids are not set.
    pub(crate) fn bundle(&self) -> Option<String> {
        bundle(&self.object, self.seen().key().map_or(FINGERPRINT, |key| &key.fingerprint))
    }

    /// A client secret is signed.
    pub(crate) fn sign(&mut self, lifetime: Duration) {
        let Some(bundle) = self.bundle() else { return };
        let issued_at = whole_seconds(self.now.wall);
        self.memory.client_secret = Some(ClientSecretInHand {
            jwt: CANARY.into(),
            life: Life { issued_at, expires_at: later(issued_at, lifetime) },
            bundle,
            fence: Some(self.seen().fence(Target::ClientSecret)),
        });
    }

    /// A token is signed, where that can be done.
    pub(crate) fn sign_token(&mut self) {
        if let Some(life) = self.object.app_store_connect().and_then(signed_for) {
            self.issue(life);
        }
    }

    /// Apple issues a token, or one is signed.
    pub(crate) fn issue(&mut self, expires_in: Duration) {
        let Some(bundle) = self.bundle() else { return };
        let issued_at = whole_seconds(self.now.wall);
        self.memory.round = Round::default();
        let value = format!("{CANARY} {issued_at}").into();
        self.memory.token = Some(TokenInHand {
            thumbprint: thumbprint(&value),
            value,
            life: Life { issued_at, expires_at: later(issued_at, expires_in) },
            asked_at: self.now.steady,
            bundle,
            proof: if self.object.kind() == Kind::Ads { Proof::Awaited(0) } else { Proof::Proved },
            fence: Some(self.seen().fence(Target::Managed)),
            was_published: false,
        });
    }

    /// An API accepts the token.
    pub(crate) fn prove(&mut self) {
        if let Some(token) = &mut self.memory.token {
            token.proof = Proof::Proved;
        }
    }

    /// Organization and ad account are resolved.
    pub(crate) fn resolve(&mut self) {
        let Some(object) = self.object.ads() else { return };
        self.memory.resolved(Resolution {
            at: self.now.wall,
            choice: Choice::of(object),
            ids: Ids { org_id: Some(1), parent_org_id: Some(9), ad_account_id: Some(7) },
            organization: Some(Organization { org_id: 1, name: None, parent_org_id: Some(9) }),
            ad_account: Some(AdAccount { id: 7, name: None, org_id: Some(9) }),
            organizations: vec![],
            ad_accounts: vec![],
            verdict: Verdict::Resolved,
        });
    }

    /// After a change of the spec: what is seen of the Secrets is seen under their new names, and what was written under
    /// a name that the resource does not give any more is left over.
    pub(crate) fn follow_names(&mut self, before: &Credential) {
        for target in Target::ALL {
            let (old, new) = (target.name(before), target.name(&self.object));
            if old == new {
                continue;
            }
            let back = self.sights.strays.iter().position(|stray| Some(&stray.name) == new.as_ref());
            let back = back.and_then(|at| self.sights.strays.remove(at).meta);
            let sight = back.map_or(Sight::Absent, Sight::Present);
            let old_sight = std::mem::replace(self.sight_mut(target), sight);
            if let (Some(name), Sight::Present(meta)) = (old, old_sight)
                && meta.was_written_for(UID, &name)
            {
                self.sights.strays.push(Stray { name, meta: Some(meta) });
            }
        }
        self.drop_named_strays();
    }

    /// What the resource names is not left over.
    pub(crate) fn drop_named_strays(&mut self) {
        let key = self.object.key_ref().name.clone();
        let named: Vec<_> =
            Target::ALL.into_iter().filter_map(|target| target.name(&self.object)).chain([key]).collect();
        self.sights.strays.retain(|stray| !named.contains(&stray.name));
    }

    /// What is in hand is written, if there is something.
    pub(crate) fn publish(&mut self, target: Target) {
        let Some(record) = self.record(target) else { return };
        let version = self.version(&record.secret);
        self.memory.content_mut(target).known =
            Some(Known { version: version.clone(), intact: true, ours: true, is_of_type: true });
        *self.sight_mut(target) = Sight::Present(Arc::new(ours(version, record)));
    }

    fn record(&self, target: Target) -> Option<Record> {
        let seen = self.seen();
        match target {
            Target::Managed => Some(seen.managed_to_publish(self.memory.token.as_ref()?)?.1),
            Target::ClientSecret => Some(seen.client_secret_to_publish(self.memory.client_secret.as_ref()?)?.1),
        }
    }

    pub(crate) fn sight_mut(&mut self, target: Target) -> &mut Sight {
        match target {
            Target::Managed => &mut self.sights.managed,
            Target::ClientSecret => &mut self.sights.client_secret,
        }
    }
}

/// How long a token works that is signed now: it is dated back by a minute, and Apple takes 20 minutes, or with a scope
/// 180 days. None where the lifetime is none.
fn signed_for(object: &AppStoreConnectCredential) -> Option<Duration> {
    let (lifetime, most) = (object.token_lifetime(), Duration::from_mins(20));
    let may_be_long = object.spec.program == Program::AppStore && !object.scope().is_empty() && lifetime > most;
    let longest = if may_be_long { Duration::from_hours(180 * 24) } else { most };
    (lifetime >= Duration::from_secs(1)).then(|| lifetime.min(longest.saturating_sub(MINUTE)))
}

/// The metadata of somebody's Secret.
pub(crate) fn foreign(version: Version) -> SecretMeta {
    SecretMeta { version, owner_label: None, owner_references: vec![], record: None, applied: None, is_going: false }
}

fn ours(version: Version, record: Record) -> SecretMeta {
    SecretMeta {
        owner_label: Some(UID.into()),
        owner_references: vec![owner(UID)],
        record: Some(record),
        ..foreign(version)
    }
}

/// An owner reference.
pub(crate) fn owner(uid: &str) -> OwnerReference {
    OwnerReference {
        api_version: "asa-operator.dev/v1alpha1".into(),
        kind: "AsaCredential".into(),
        name: "acme".into(),
        uid: uid.into(),
        ..OwnerReference::default()
    }
}
