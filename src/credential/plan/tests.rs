//! Scenes: all that may be known of one credential. Each test puts one together and asks for the next step.

mod api_keys;
mod failures;
mod keys;
mod life;
mod renewal;
mod secrets;

use std::{sync::Arc, time::Duration};

use kube::core::ObjectMeta;
use serde_json::json;

use super::*;
use crate::{
    api::{
        AsaCredential, Condition, ConditionStatus, ConditionType, Credential, Reason, names::ANNOTATION_REQUESTED_AT,
    },
    apple::error::{Class, Error as AppleError, OAuthError},
    credential::{
        failure::{ClusterClass, ClusterFailure, Failure, KeyFailure, Subject},
        identity::{Choice, Ids, Resolution, Verdict},
        memory::{BadKey, ClientSecretInHand, Fence, Key, Known, Memory},
        now::{earlier, later},
        probing::{Heard, Probe, Probes, Proof as KeyProof, Recalled},
        published::{KeySource, Record, bundle},
        schedule::Life,
        secret_meta::{SecretMeta, Version},
        sight::{Sight, Sights},
    },
};

const UID: &str = "uid-of-acme";
const FINGERPRINT: &str = "SHA256:abc";
const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);

fn now(steady: Duration) -> Now {
    Now { wall: later("2026-11-22T12:00:00Z".parse().unwrap(), steady), steady }
}

fn version(name: &str, state: u32) -> Version {
    Version { uid: format!("uid-of-{name}"), resource_version: state.to_string() }
}

fn object() -> AsaCredential {
    serde_json::from_value(json!({
        "apiVersion": "asa-operator.dev/v1alpha1",
        "kind": "AsaCredential",
        "metadata": {"name": "acme", "namespace": "marketing", "uid": UID, "generation": 1},
        "spec": {
            "clientId": "SEARCHADS.c", "teamId": "SEARCHADS.t", "keyId": "k",
            "privateKey": {"secretRef": {"name": "key"}},
        },
    }))
    .unwrap()
}

fn source() -> KeySource {
    KeySource { version: version("key", 1), entry: "private-key.pem".into() }
}

fn key_in(secret: &str, source: KeySource) -> Key {
    Key { secret: secret.into(), source, fingerprint: FINGERPRINT.into(), public_key: "PEM".into() }
}

fn foreign(name: &str, state: u32) -> SecretMeta {
    let version = version(name, state);
    let metadata = ObjectMeta {
        uid: Some(version.uid),
        resource_version: Some(version.resource_version),
        ..ObjectMeta::default()
    };
    SecretMeta::of(&metadata).unwrap()
}

fn ours(name: &str, state: u32, record: Record) -> SecretMeta {
    let owner = serde_json::from_value(json!({"apiVersion": "v1", "kind": "K", "name": "acme", "uid": UID})).unwrap();
    SecretMeta {
        owner_label: Some(UID.into()),
        owner_references: vec![owner],
        record: Some(record),
        ..foreign(name, state)
    }
}

/// All that is known of one credential, to be varied.
struct Scene {
    object: Credential,
    sights: Sights,
    polling: Option<Duration>,
    memory: Memory,
    probe: Option<Probe>,
}

impl Scene {
    /// A new credential whose key Secret is there, and neither target.
    fn new() -> Self {
        Self {
            object: object().into(),
            sights: Sights {
                key_secret: Sight::Present(Arc::new(foreign("key", 1))),
                managed: Sight::Absent,
                client_secret: Sight::Absent,
                ..Sights::default()
            },
            polling: None,
            memory: Memory::of(UID),
            probe: None,
        }
    }

    fn ads(&mut self) -> &mut AsaCredential {
        match &mut self.object {
            Credential::Ads(object) => object,
            Credential::AppStoreConnect(_) => panic!("it is of Apple Ads"),
        }
    }

    fn seen(&self) -> Observed<'_> {
        let seen = Observed::new(&self.object, self.sights.clone(), self.polling, &self.memory);
        Observed { probe: self.probe.clone(), ..seen }
    }

    fn plan(&self, at: Duration) -> Step {
        plan(&self.seen(), now(at))
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn key_read(self) -> Self {
        self.with(|scene| {
            scene.memory.key = Some(key_in("key", source()));
        })
    }

    fn client_secret_signed(self) -> Self {
        self.with(|scene| {
            let issued_at = now(Duration::ZERO).wall;
            let life = Life { issued_at, expires_at: later(issued_at, 4296 * HOUR) };
            let bundle = bundle(&scene.object, FINGERPRINT).unwrap();
            let jwt = "a.b.c".into();
            scene.memory.client_secret = Some(ClientSecretInHand { jwt, life, bundle, fence: Some(Fence::Absent) });
        })
    }

    fn token_issued(self, at: Duration) -> Self {
        self.with(|scene| {
            let issued_at = now(at).wall;
            scene.memory.token = Some(TokenInHand {
                value: format!("token of {issued_at}").into(),
                thumbprint: format!("print of {issued_at}"),
                life: Life { issued_at, expires_at: later(issued_at, HOUR) },
                asked_at: at,
                bundle: bundle(&scene.object, FINGERPRINT).unwrap(),
                proof: Proof::Awaited(0),
                fence: Some(Fence::Absent),
                was_published: false,
            });
        })
    }

    fn token_proved(self) -> Self {
        self.with(|scene| scene.memory.token.as_mut().unwrap().proof = Proof::Proved)
    }

    fn resolved(self) -> Self {
        self.with(|scene| {
            scene.memory.resolution = Some(Resolution {
                at: now(Duration::ZERO).wall,
                choice: Choice::of(scene.ads()),
                ids: Ids { org_id: Some(1), parent_org_id: Some(9), ad_account_id: Some(7) },
                organization: None,
                ad_account: None,
                organizations: vec![],
                ad_accounts: vec![],
                verdict: Verdict::Resolved,
            });
        })
    }

    fn published(self, target: Target, state: u32) -> Self {
        self.with(|scene| {
            let seen = scene.seen();
            let record = match target {
                Target::Managed => seen.managed_to_publish(scene.memory.token.as_ref().unwrap()).unwrap().1,
                Target::ClientSecret => {
                    seen.client_secret_to_publish(scene.memory.client_secret.as_ref().unwrap()).unwrap().1
                }
            };
            let meta = ours(&target.name(&scene.object).unwrap(), state, record);
            let known = Known { version: meta.version.clone(), intact: true, ours: true, is_of_type: true };
            scene.memory.content_mut(target).known = Some(known);
            match target {
                Target::Managed => scene.sights.managed = Sight::Present(Arc::new(meta)),
                Target::ClientSecret => scene.sights.client_secret = Sight::Present(Arc::new(meta)),
            }
        })
    }

    /// Everything done, at time zero.
    fn settled() -> Self {
        let ready =
            Self::new().key_read().client_secret_signed().token_issued(Duration::ZERO).token_proved().resolved();
        ready.published(Target::ClientSecret, 1).published(Target::Managed, 1)
    }

    /// Settled, and the process started anew: only the cluster's objects are known.
    fn restarted() -> Self {
        Self::settled()
            .with(|scene| {
                scene.memory = Memory::of(UID);
                let status = json!({
                    "secret": {"name": "acme", "resourceVersion": "1"},
                    "privateKey": {"publicKey": "PEM", "fingerprint": FINGERPRINT},
                    "organization": {"orgId": 1, "parentOrgId": 9},
                    "adAccount": {"id": 7, "orgId": 9},
                    "observedGeneration": 1,
                });
                *scene.object.status_mut() = Some(serde_json::from_value(status).unwrap());
            })
            .reported(&[(ConditionType::OrganizationResolved, ConditionStatus::True, Reason::Resolved)])
    }

    /// These conditions, and no others, stand in the status.
    fn reported(self, conditions: &[(ConditionType, ConditionStatus, Reason)]) -> Self {
        let condition = |&(type_, status, reason)| Condition::new(type_, status, reason, "", 1, Timestamp::UNIX_EPOCH);
        self.with(|scene| {
            scene.object.status_mut().as_mut().unwrap().conditions = conditions.iter().map(condition).collect();
        })
    }

    fn failed(self, side: Side, failure: Failure, at: Duration) -> Self {
        self.with(|scene| {
            let (left, inputs) = (scene.seen().published_left(now(at)), scene.seen().inputs(now(at)));
            scene.memory.failed(side, failure, left, inputs, now(at));
        })
    }
}

fn rejected() -> Failure {
    Failure::Apple(AppleError::new(Endpoint::TokenEndpoint, Class::Rejected(OAuthError::InvalidClient)))
}

fn silent(endpoint: Endpoint) -> Failure {
    Failure::Apple(AppleError::new(endpoint, Class::TimedOut))
}

const V1: AdsApi = AdsApi::PlatformV1;
