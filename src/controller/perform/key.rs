//! The private key: read, made, signed with.

use super::{Doing, failed};
use crate::{
    api::{AppStoreConnectCredential, names::TYPE_PRIVATE_KEY},
    apple::{
        PrivateKey,
        ads::{Client, sign},
        app_store_connect::{self, ApiKey},
    },
    controller::{apple::Apple, cluster::Cluster, learned::Learned},
    credential::{
        failure::{ClusterClass, Failure, KeyFailure, Side, Subject},
        memory::{BadKey, ClientSecretInHand, Key, Proof, TokenInHand},
        published::{KeySource, bundle, key_creation, thumbprint},
        schedule::Life,
        target::Target,
    },
};

/// The private key, and where it was read. It is wiped when dropped.
#[derive(Default)]
pub(in crate::controller) struct KeyInHand(Option<(KeySource, PrivateKey)>);

impl KeyInHand {
    pub(in crate::controller) fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl<C: Cluster, A: Apple> Doing<'_, C, A> {
    pub(super) async fn look_at_key(&self) -> Learned {
        let name = &self.seen.object.key_ref().name;
        match self.world.cluster.look(&self.id.namespace, name).await {
            Ok(meta) => {
                self.world.learn_answer(self.id, name, &self.seen.sights.key_secret, meta);
                Learned::LookedAtKey
            }
            Err(class) => failed("read", Subject::Key, class),
        }
    }

    pub(super) async fn load_key(&self, hand: &mut KeyInHand) -> Learned {
        match self.read_key().await {
            Ok((source, private)) => {
                let key = Key {
                    secret: self.seen.object.key_ref().name.clone(),
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
        let place = self.seen.object.key_ref();
        let content = self.world.cluster.read(&self.id.namespace, &place.name).await;
        let content = content.map_err(|class| failed("read", Subject::Key, class))?;
        let meta = content.as_ref().map(|content| content.meta.clone());
        let version = meta.as_ref().map(|meta| meta.version.clone());
        self.world.learn_answer(self.id, &place.name, &self.seen.sights.key_secret, meta);
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

    /// Makes a pair and stores it where there is nothing yet. It is read like any other key afterwards.
    pub(super) async fn generate_key(&self) -> Learned {
        let place = self.seen.object.key_ref();
        let Ok(pem) = PrivateKey::generate() else { return Learned::Failed(Side::Cluster, Failure::Generating) };
        let body = key_creation(&place.name, &place.key, &pem);
        match self.world.cluster.create(&self.id.namespace, &body).await {
            Ok(meta) => {
                self.world.learn_secret(self.id, &place.name, Some(meta));
                Learned::MadeKey
            }
            // Somebody was faster: theirs is the key.
            Err(ClusterClass::Conflict) => self.look_at_key().await,
            Err(class) => failed("create", Subject::Key, class),
        }
    }

    /// The key that was read in this run, if it is the present one.
    pub(super) fn key_in_hand<'a>(&self, hand: &'a KeyInHand) -> Option<&'a PrivateKey> {
        let known = self.seen.key()?;
        hand.0.as_ref().filter(|(source, _)| known.source == *source).map(|(_, private)| private)
    }

    /// Signs with the key of this run, or with the key read anew; if that is another one, it is learned first.
    pub(super) async fn sign_client_secret(&self, hand: &mut KeyInHand) -> Learned {
        let Some(private) = self.key_in_hand(hand) else { return self.load_key(hand).await };
        let conflict = Learned::Conflict(Target::ClientSecret);
        let Some(object) = self.seen.object.ads() else { return conflict };
        let Some((ids, bundle)) = object.client_ids().zip(bundle(self.seen.object, &private.fingerprint())) else {
            return conflict;
        };
        let client = Client {
            client_id: ids.client_id.to_owned(),
            team_id: ids.team_id.to_owned(),
            key_id: ids.key_id.to_owned(),
        };
        match sign(private, &client, self.now.wall, object.client_secret_lifetime()) {
            Ok(secret) => Learned::Signed(ClientSecretInHand {
                jwt: secret.expose().to_owned().into(),
                life: Life { issued_at: secret.issued_at(), expires_at: secret.expires_at() },
                bundle,
                fence: Some(self.seen.fence(Target::ClientSecret)),
            }),
            Err(_) => Learned::Failed(Side::Cluster, Failure::Signing),
        }
    }

    /// Signs a token, likewise.
    pub(super) async fn sign_token(&self, hand: &mut KeyInHand) -> Learned {
        let Some(private) = self.key_in_hand(hand) else { return self.load_key(hand).await };
        let conflict = Learned::Conflict(Target::Managed);
        let Some(object) = self.seen.object.app_store_connect() else { return conflict };
        let Some(bundle) = bundle(self.seen.object, &private.fingerprint()) else { return conflict };
        let signed =
            app_store_connect::sign(private, &api_key(object), object.scope(), object.token_lifetime(), self.now.wall);
        let Ok(token) = signed else { return Learned::Failed(Side::Cluster, Failure::Signing) };
        self.world.metrics.token_issued();
        Learned::Token(TokenInHand {
            thumbprint: thumbprint(token.secret()),
            value: token.secret().clone(),
            life: Life { issued_at: token.issued_at(), expires_at: token.expires_at() },
            asked_at: self.now.steady,
            bundle,
            proof: Proof::Proved,
            fence: Some(self.seen.fence(Target::Managed)),
            was_published: false,
        })
    }
}

/// What Apple shows beside the key.
pub(super) fn api_key(object: &AppStoreConnectCredential) -> ApiKey<'_> {
    ApiKey { program: object.spec.program, key_id: &object.spec.key_id, issuer_id: object.issuer_id() }
}
