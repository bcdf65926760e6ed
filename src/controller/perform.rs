//! The steps, done through the two ports.

use kube::ResourceExt;
use secrecy::SecretString;

use super::{
    apple::Apple,
    cluster::{Cluster, SecretContent},
    learned::Learned,
    world::World,
};
use crate::{
    api::{AdsApi, names::TYPE_PRIVATE_KEY},
    apple::{
        PrivateKey,
        ads::{Client, ClientSecret, sign},
        error::Error as AppleError,
    },
    credential::{
        failure::{ClusterClass, ClusterFailure, Failure, KeyFailure, Side, Subject},
        memory::{BadKey, ClientSecretInHand, Fence, Key, Proof, TokenInHand, whole_seconds},
        now::{Now, later},
        observed::Observed,
        plan::Step,
        published::{Entries, KeySource, Record, Target, bundle, change, creation, restoration},
        schedule::Life,
    },
};

/// The private key, for as long as one run lasts.
#[derive(Default)]
pub(super) struct KeyInHand(Option<(KeySource, PrivateKey)>);

/// Does `step`.
pub(super) async fn perform<C: Cluster, A: Apple>(
    world: &World<C, A>,
    step: &Step,
    seen: &Observed<'_>,
    key: &mut KeyInHand,
    now: Now,
) -> Learned {
    let doing = Doing { world, seen, namespace: seen.object.namespace().unwrap_or_default(), now };
    match step {
        Step::Look(target) => doing.look(*target).await,
        Step::LookAtKey => doing.look_at_key().await,
        Step::Inspect(target) => doing.inspect(*target).await,
        Step::LoadKey => doing.load_key(key).await,
        Step::SignClientSecret => doing.sign(key).await,
        Step::RequestToken => doing.request_token().await,
        Step::Verify(api) => doing.verify(*api).await,
        Step::Resolve(api) => doing.resolve(*api).await,
        Step::Publish(target) => doing.publish(*target).await,
        Step::Restore(target) => doing.restore(*target).await,
        // The drive waits by itself.
        Step::Wait(_) => Learned::LookedAtKey,
    }
}

struct Doing<'a, C, A> {
    world: &'a World<C, A>,
    seen: &'a Observed<'a>,
    namespace: String,
    now: Now,
}

impl<C: Cluster, A: Apple> Doing<'_, C, A> {
    async fn look(&self, target: Target) -> Learned {
        let name = target.name(self.seen.object);
        match self.world.cluster.look(&self.namespace, &name).await {
            Ok(meta) => {
                self.world.learn_secret(&self.namespace, &name, meta);
                Learned::Looked(target)
            }
            Err(class) => failed("read", Subject::Target(target), class),
        }
    }

    async fn look_at_key(&self) -> Learned {
        let name = &self.seen.object.spec.private_key.secret_ref.name;
        match self.world.cluster.look(&self.namespace, name).await {
            Ok(meta) => {
                self.world.learn_secret(&self.namespace, name, meta);
                Learned::LookedAtKey
            }
            Err(class) => failed("read", Subject::Key, class),
        }
    }

    /// Reads one of our Secrets and compares it with its record.
    async fn inspect(&self, target: Target) -> Learned {
        let name = target.name(self.seen.object);
        let content = match self.world.cluster.read(&self.namespace, &name).await {
            Ok(Some(content)) => content,
            Ok(None) => {
                self.world.learn_secret(&self.namespace, &name, None);
                return Learned::Looked(target);
            }
            Err(class) => return failed("read", Subject::Target(target), class),
        };
        let SecretContent { meta, type_, data } = content;
        let entries = Entries::read(target, data);
        let record = meta.record.clone();
        let intact = type_ == target.secret_type() && record.as_ref().is_some_and(|record| record.is_of(&entries));
        let jwt = record.filter(|_| intact && target == Target::ClientSecret).and_then(|record| {
            let jwt = SecretString::from(entries.get("client_secret")?.to_owned());
            Some((jwt, record.life(), record.bundle))
        });
        let version = meta.version.clone();
        self.world.learn_secret(&self.namespace, &name, Some(meta));
        Learned::Inspected { target, version, intact, jwt }
    }

    async fn load_key(&self, hand: &mut KeyInHand) -> Learned {
        match self.read_key().await {
            Ok((source, private)) => {
                let key = Key {
                    source: source.clone(),
                    fingerprint: private.fingerprint(),
                    public_key: private.public_key_pem(),
                };
                *hand = KeyInHand(Some((source, private)));
                Learned::Key(key)
            }
            Err(learned) => learned,
        }
    }

    async fn read_key(&self) -> Result<(KeySource, PrivateKey), Learned> {
        let place = &self.seen.object.spec.private_key.secret_ref;
        let content = self.world.cluster.read(&self.namespace, &place.name).await;
        let content = content.map_err(|class| failed("read", Subject::Key, class))?;
        let meta = content.as_ref().map(|content| content.meta.clone());
        let version = meta.as_ref().map(|meta| meta.version.clone());
        self.world.learn_secret(&self.namespace, &place.name, meta);
        let refuse = |failure| {
            let place = (place.name.clone(), place.key.clone());
            Learned::NoKey(BadKey { version: version.clone(), place, failure })
        };
        let Some(content) = content else { return Err(refuse(KeyFailure::SecretNotFound)) };
        // What is in another type of Secret (a ServiceAccount's token, a TLS key) is not ours to look into or describe.
        if ![TYPE_PRIVATE_KEY, "Opaque"].contains(&content.type_.as_str()) {
            return Err(refuse(KeyFailure::TypeRefused));
        }
        let entry = content.data.iter().find(|(name, _)| *name == place.key);
        let Some((_, bytes)) = entry else { return Err(refuse(KeyFailure::EntryNotFound)) };
        match PrivateKey::parse(bytes) {
            Ok(private) => {
                let source = KeySource { version: content.meta.version.clone(), entry: place.key.clone() };
                Ok((source, private))
            }
            Err(error) => Err(refuse(KeyFailure::Unusable(error))),
        }
    }

    /// Signs with the key of this run, or with the key read anew; if that is another one, it is learned first.
    async fn sign(&self, hand: &mut KeyInHand) -> Learned {
        let known = self.seen.key();
        let in_hand = hand.0.as_ref().filter(|(source, _)| known.as_ref().is_some_and(|key| key.source == *source));
        let Some((_, private)) = in_hand else { return self.load_key(hand).await };
        let spec = &self.seen.object.spec;
        let client =
            Client { client_id: spec.client_id.clone(), team_id: spec.team_id.clone(), key_id: spec.key_id.clone() };
        match sign(private, &client, self.now.wall, self.seen.object.client_secret_lifetime()) {
            Ok(secret) => Learned::Signed(ClientSecretInHand {
                jwt: secret.expose().to_owned().into(),
                life: life_of(&secret),
                bundle: bundle(self.seen.object, &private.fingerprint()),
                fence: Some(self.seen.fence(Target::ClientSecret)),
            }),
            Err(_) => Learned::Failed(Side::Cluster, Failure::Signing),
        }
    }

    async fn request_token(&self) -> Learned {
        let Some(secret) = self.seen.client_secret_in_hand(self.now) else {
            return Learned::Conflict(Target::ClientSecret);
        };
        let client_id = &self.seen.object.spec.client_id;
        match self.world.apple.request_token(client_id, &secret.jwt, self.now.wall).await {
            Ok(issued) => {
                self.world.metrics.token_issued();
                let issued_at = whole_seconds(self.now.wall);
                Learned::Token(TokenInHand {
                    value: issued.token,
                    life: Life { issued_at, expires_at: later(issued_at, issued.expires_in) },
                    asked_at: self.now.steady,
                    bundle: secret.bundle.clone(),
                    proof: Proof::Awaited(0),
                    fence: Some(self.seen.fence(Target::Managed)),
                    demand: self.seen.open_demand(),
                })
            }
            Err(error) => {
                self.note_throttling(&error);
                Learned::Failed(Side::Token, Failure::Apple(error))
            }
        }
    }

    async fn verify(&self, api: AdsApi) -> Learned {
        let Some(token) = self.seen.token_in_hand(self.now) else { return Learned::Conflict(Target::Managed) };
        match self.world.apple.me(api, &token.value, self.now.wall).await {
            Ok(org_id) => Learned::Proved(api, org_id),
            Err(error) => {
                self.note_throttling(&error);
                Learned::NotProved(error)
            }
        }
    }

    async fn resolve(&self, api: AdsApi) -> Learned {
        let Some(token) = self.seen.token_in_hand(self.now) else { return Learned::Conflict(Target::Managed) };
        let said = self.world.apple.acls(api, &token.value, self.now.wall).await;
        if let Err(error) = &said {
            self.note_throttling(error);
        }
        Learned::Heard(api, said)
    }

    fn note_throttling(&self, error: &AppleError) {
        if let Some(pause) = error.retry_after {
            let host = error.endpoint.host();
            let steady = self.world.clock.now().steady;
            self.world.pacing().throttled(host, &self.seen.object.spec.client_id, pause, steady);
        }
    }

    async fn publish(&self, target: Target) -> Learned {
        let Some((entries, record, fence)) = self.to_publish(target) else { return Learned::Conflict(target) };
        let fence = fence.unwrap_or_else(|| self.seen.fence(target));
        let object = self.seen.object;
        let name = target.name(object);
        let (verb, written) = match (fence, self.seen.own(target)) {
            (Fence::At(version), Some(meta)) => {
                let body = change(target, object, &entries, &record, meta, &version);
                ("change", self.world.cluster.change(&self.namespace, &name, &body).await)
            }
            (Fence::Absent, None) => {
                let body = creation(target, object, &entries, &record);
                ("create", self.world.cluster.create(&self.namespace, &body).await)
            }
            // It came or went since the renewal was planned.
            _ => return Learned::Conflict(target),
        };
        self.written(verb, target, written)
    }

    fn to_publish(&self, target: Target) -> Option<(Entries, Record, Option<Fence>)> {
        match target {
            Target::Managed => {
                let token = self.seen.token_in_hand(self.now)?;
                let (entries, record) = self.seen.managed_to_publish(token)?;
                Some((entries, record, token.fence.clone()))
            }
            Target::ClientSecret => {
                let secret = self.seen.client_secret_in_hand(self.now)?;
                let (entries, record) = self.seen.client_secret_to_publish(secret)?;
                Some((entries, record, secret.fence.clone()))
            }
        }
    }

    async fn restore(&self, target: Target) -> Learned {
        let Some(meta) = self.seen.own(target) else { return Learned::Conflict(target) };
        let body = restoration(self.seen.object, meta);
        let name = target.name(self.seen.object);
        self.written("mark", target, self.world.cluster.change(&self.namespace, &name, &body).await)
    }

    fn written(
        &self,
        verb: &'static str,
        target: Target,
        written: Result<crate::credential::secret_meta::SecretMeta, ClusterClass>,
    ) -> Learned {
        match written {
            Ok(meta) => {
                let version = meta.version.clone();
                self.world.learn_secret(&self.namespace, &target.name(self.seen.object), Some(meta));
                Learned::Wrote(target, version)
            }
            Err(ClusterClass::Conflict) => Learned::Conflict(target),
            Err(class) => failed(verb, Subject::Target(target), class),
        }
    }
}

fn failed(verb: &'static str, subject: Subject, class: ClusterClass) -> Learned {
    Learned::Failed(Side::Cluster, Failure::Cluster(ClusterFailure { verb, subject, class }))
}

fn life_of(secret: &ClientSecret) -> Life {
    Life { issued_at: secret.issued_at(), expires_at: secret.expires_at() }
}
