use std::{sync::Arc, time::Duration};

use kube::core::ObjectMeta;
use serde_json::json;

use super::*;
use crate::{
    api::{AsaCredential, names::ANNOTATION_REQUESTED_AT},
    apple::error::{Class, Error as AppleError, OAuthError},
    credential::{
        failure::{ClusterClass, ClusterFailure, Failure, KeyFailure, Subject},
        identity::{Choice, Ids, Resolution, Verdict},
        memory::{BadKey, ClientSecretInHand, Fence, Key, Known, Memory},
        now::{earlier, later},
        published::{KeySource, Record, bundle},
        schedule::Life,
        secret_meta::{SecretMeta, Version},
        sight::Sight,
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
    object: AsaCredential,
    key_secret: Sight,
    managed: Sight,
    client_secret: Sight,
    polling: Option<Duration>,
    memory: Memory,
}

impl Scene {
    /// A new credential whose key Secret is there, and neither target.
    fn new() -> Self {
        Self {
            object: object(),
            key_secret: Sight::Present(Arc::new(foreign("key", 1))),
            managed: Sight::Absent,
            client_secret: Sight::Absent,
            polling: None,
            memory: Memory::of(UID),
        }
    }

    fn seen(&self) -> Observed<'_> {
        Observed {
            object: &self.object,
            key_secret: self.key_secret.clone(),
            managed: self.managed.clone(),
            client_secret: self.client_secret.clone(),
            polling: self.polling,
            memory: &self.memory,
        }
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
            let public_key = "PEM".into();
            scene.memory.key = Some(Key { source: source(), fingerprint: FINGERPRINT.into(), public_key });
        })
    }

    fn client_secret_signed(self) -> Self {
        self.with(|scene| {
            let issued_at = now(Duration::ZERO).wall;
            let life = Life { issued_at, expires_at: later(issued_at, 4296 * HOUR) };
            let bundle = bundle(&scene.object, FINGERPRINT);
            let jwt = "a.b.c".into();
            scene.memory.client_secret = Some(ClientSecretInHand { jwt, life, bundle, fence: Some(Fence::Absent) });
        })
    }

    fn token_issued(self, at: Duration) -> Self {
        self.with(|scene| {
            let issued_at = now(at).wall;
            scene.memory.token = Some(TokenInHand {
                value: format!("token of {issued_at}").into(),
                life: Life { issued_at, expires_at: later(issued_at, HOUR) },
                asked_at: at,
                bundle: bundle(&scene.object, FINGERPRINT),
                proof: Proof::Awaited(0),
                fence: Some(Fence::Absent),
                demand: None,
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
                choice: Choice::of(&scene.object),
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
            let meta = ours(&target.name(&scene.object), state, record);
            let known = Known { version: meta.version.clone(), intact: true, ours: true };
            scene.memory.content_mut(target).known = Some(known);
            match target {
                Target::Managed => scene.managed = Sight::Present(Arc::new(meta)),
                Target::ClientSecret => scene.client_secret = Sight::Present(Arc::new(meta)),
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
        Self::settled().with(|scene| {
            scene.memory = Memory::of(UID);
            let status = json!({
                "secret": {"name": "acme", "resourceVersion": "1"},
                "privateKey": {"publicKey": "PEM", "fingerprint": FINGERPRINT},
                "observedGeneration": 1,
            });
            scene.object.status = Some(serde_json::from_value(status).unwrap());
        })
    }

    fn failed(self, side: Side, failure: Failure, at: Duration) -> Self {
        self.with(|scene| {
            let (left, inputs) = (scene.seen().published_left(now(at)), scene.seen().inputs());
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

#[test]
fn a_new_credential_goes_the_way_of_the_data() {
    let scene = Scene::new();
    assert_eq!(scene.plan(MINUTE), Step::LoadKey);
    let scene = scene.key_read();
    assert_eq!(scene.plan(MINUTE), Step::SignClientSecret);
    let scene = scene.client_secret_signed();
    assert_eq!(scene.plan(MINUTE), Step::RequestToken);
    let scene = scene.token_issued(MINUTE);
    assert_eq!(scene.plan(MINUTE), Step::Verify(V1));
    let scene = scene.token_proved();
    assert_eq!(scene.plan(MINUTE), Step::Resolve(V1));
    let scene = scene.resolved();
    assert_eq!(scene.plan(MINUTE), Step::Publish(Target::ClientSecret));
    let scene = scene.published(Target::ClientSecret, 1);
    assert_eq!(scene.plan(MINUTE), Step::Publish(Target::Managed));
    let scene = scene.published(Target::Managed, 1);
    assert!(matches!(scene.plan(MINUTE), Step::Wait(Until::At(_))));
}

#[test]
fn a_settled_credential_waits_for_its_renewal_between_45_and_50_percent_of_life() {
    let Step::Wait(Until::At(time)) = Scene::settled().plan(MINUTE) else { panic!() };
    assert!((now(27 * MINUTE).wall..=now(30 * MINUTE).wall).contains(&time), "{time}");
    assert_eq!(Scene::settled().plan(30 * MINUTE), Step::RequestToken);
}

#[test]
fn after_a_restart_a_fresh_token_asks_for_nothing_at_all() {
    assert!(matches!(Scene::restarted().plan(MINUTE), Step::Wait(Until::At(_))));
}

#[test]
fn the_first_renewal_after_a_restart_reads_the_client_secret() {
    assert_eq!(Scene::restarted().plan(30 * MINUTE), Step::Inspect(Target::ClientSecret));
}

#[test]
fn what_lies_at_the_targets_is_looked_at_before_apple_is_asked() {
    let scene = Scene::new().with(|scene| scene.managed = Sight::Unknown);
    assert_eq!(scene.plan(MINUTE), Step::Look(Target::Managed));
    let scene = Scene::new().with(|scene| scene.client_secret = Sight::Unknown);
    assert_eq!(scene.plan(MINUTE), Step::Look(Target::ClientSecret));
}

#[test]
fn while_a_target_cannot_be_looked_at_apple_is_not_asked() {
    for target in Target::ALL {
        let unseen = Scene::new().key_read().client_secret_signed().with(|scene| match target {
            Target::Managed => scene.managed = Sight::Unknown,
            Target::ClientSecret => scene.client_secret = Sight::Unknown,
        });
        let class = ClusterClass::Refused("no".into());
        let failure = ClusterFailure { verb: "read", subject: Subject::Target(target), class };
        let unseen = unseen.failed(Side::Cluster, Failure::Cluster(failure), MINUTE);
        assert_eq!(unseen.plan(MINUTE), Step::Wait(Until::At(now(MINUTE + Duration::from_secs(1)).wall)));
    }
}

#[test]
fn a_foreign_secret_stops_everything_but_reading_the_key() {
    let foreign = || Sight::Present(Arc::new(foreign("acme", 5)));
    assert_eq!(Scene::new().with(|scene| scene.managed = foreign()).plan(MINUTE), Step::LoadKey);
    for target in Target::ALL {
        let scene = Scene::new().key_read().client_secret_signed().token_issued(MINUTE).with(|scene| match target {
            Target::Managed => scene.managed = foreign(),
            Target::ClientSecret => scene.client_secret = foreign(),
        });
        assert!(matches!(scene.plan(MINUTE), Step::Wait(_)), "{target:?}");
    }
}

#[test]
fn a_secret_that_a_finalizer_holds_is_waited_for() {
    let going = Scene::settled().with(|scene| {
        let Sight::Present(meta) = &scene.managed else { panic!() };
        scene.managed = Sight::Present(Arc::new(SecretMeta { is_going: true, ..(**meta).clone() }));
    });
    assert!(matches!(going.plan(MINUTE), Step::Wait(_)));
}

#[test]
fn a_resource_that_is_going_is_left_alone() {
    let scene = Scene::new().with(|scene| {
        scene.object.metadata.deletion_timestamp = Some(serde_json::from_value(json!("2026-11-22T12:00:00Z")).unwrap());
    });
    assert_eq!(scene.plan(MINUTE), Step::Wait(Until::Changed));
}

#[test]
fn a_key_that_cannot_be_loaded_is_not_read_again_until_its_secret_changes() {
    let bad = |version| BadKey {
        version,
        place: ("key".into(), "private-key.pem".into()),
        failure: KeyFailure::EntryNotFound,
    };
    let scene = Scene::new().with(|scene| scene.memory.key_failure = Some(bad(Some(version("key", 1)))));
    assert_eq!(scene.plan(MINUTE), Step::Wait(Until::Changed));
    let scene = scene.with(|scene| scene.key_secret = Sight::Present(Arc::new(foreign("key", 2))));
    assert_eq!(scene.plan(MINUTE), Step::LoadKey);

    let missing = Scene::new().with(|scene| {
        scene.key_secret = Sight::Absent;
        scene.memory.key_failure = Some(bad(None));
    });
    assert_eq!(missing.plan(MINUTE), Step::Wait(Until::Changed));
}

#[test]
fn a_changed_key_secret_is_read_and_the_same_key_in_it_renews_nothing() {
    let touched = Scene::settled().with(|scene| scene.key_secret = Sight::Present(Arc::new(foreign("key", 2))));
    assert_eq!(touched.plan(MINUTE), Step::LoadKey);
    let same = touched.with(|scene| {
        let source = KeySource { version: version("key", 2), ..source() };
        scene.memory.key = Some(Key { source, fingerprint: FINGERPRINT.into(), public_key: "PEM".into() });
    });
    assert!(matches!(same.plan(MINUTE), Step::Wait(_)));
}

#[test]
fn another_key_or_id_is_another_client_and_the_old_secrets_stay_until_its_token_is_proved() {
    let scene = Scene::settled().with(|scene| scene.object.spec.client_id = "SEARCHADS.other".into());
    assert_eq!(scene.plan(MINUTE), Step::SignClientSecret);
    let scene = scene.client_secret_signed();
    assert_eq!(scene.plan(MINUTE), Step::RequestToken);
    let scene = scene.token_issued(MINUTE);
    assert_eq!(scene.plan(MINUTE), Step::Verify(V1), "and nothing is published yet");
    assert_eq!(scene.token_proved().plan(MINUTE), Step::Publish(Target::ClientSecret));
}

#[test]
fn a_request_by_annotation_renews_once() {
    let asked = |scene: &mut Scene| {
        scene.object.metadata.annotations = Some([(ANNOTATION_REQUESTED_AT.to_owned(), "now".to_owned())].into());
    };
    let scene = Scene::settled().with(asked);
    assert_eq!(scene.plan(MINUTE), Step::RequestToken);
    let renewed = scene.token_issued(MINUTE).with(|scene| {
        scene.memory.token.as_mut().unwrap().demand = Some("now".into());
    });
    assert_eq!(renewed.plan(MINUTE), Step::Verify(V1));
    let handled = Scene::settled().with(asked).with(|scene| scene.memory.handled = Some("now".into()));
    assert!(matches!(handled.plan(MINUTE), Step::Wait(_)));
}

#[test]
fn a_request_by_annotation_ends_the_wait_after_a_failure() {
    let scene = Scene::new().key_read().client_secret_signed().failed(Side::Token, rejected(), MINUTE);
    assert!(matches!(scene.plan(MINUTE), Step::Wait(_)));
    let asked = scene.with(|scene| {
        scene.object.metadata.annotations = Some([(ANNOTATION_REQUESTED_AT.to_owned(), "now".to_owned())].into());
    });
    assert_eq!(asked.plan(MINUTE), Step::RequestToken);
}

#[test]
fn after_a_failure_there_is_a_pause_and_a_change_of_the_spec_ends_it() {
    let scene = Scene::new().key_read().client_secret_signed().failed(Side::Token, rejected(), MINUTE);
    assert_eq!(scene.plan(MINUTE), Step::Wait(Until::At(now(2 * MINUTE).wall)));
    assert_eq!(scene.plan(2 * MINUTE), Step::RequestToken);
    let changed = scene.with(|scene| scene.object.metadata.generation = Some(2));
    assert_eq!(changed.plan(MINUTE), Step::RequestToken);
}

#[test]
fn a_token_without_a_proof_waits_until_the_old_one_is_nearly_over() {
    let unproved = || Scene::settled().token_issued(30 * MINUTE);
    assert_eq!(unproved().plan(30 * MINUTE), Step::Verify(V1));
    let waiting = unproved().failed(Side::Token, silent(Endpoint::Me(V1)), 54 * MINUTE);
    assert!(matches!(waiting.plan(54 * MINUTE), Step::Wait(Until::At(_))));
    assert_eq!(waiting.plan(55 * MINUTE), Step::Publish(Target::Managed), "less than five minutes are left");
}

#[test]
fn an_api_that_is_taken_out_of_the_spec_while_it_does_not_answer_does_not_keep_the_token_from_its_proof() {
    let scene = Scene::new().key_read().client_secret_signed().token_issued(MINUTE);
    let scene = scene.with(|scene| scene.memory.token.as_mut().unwrap().proof = Proof::Awaited(1));
    assert_eq!(scene.plan(MINUTE), Step::Verify(AdsApi::CampaignManagementV5));
    let fewer = scene.with(|scene| scene.object.spec.apis = Some(vec![AdsApi::CampaignManagementV5]));
    assert_eq!(fewer.plan(MINUTE), Step::Verify(AdsApi::CampaignManagementV5));
}

#[test]
fn a_first_token_waits_for_a_proof_however_long_it_takes() {
    let scene = Scene::new().key_read().client_secret_signed().token_issued(Duration::ZERO);
    let scene = scene.failed(Side::Token, silent(Endpoint::Me(V1)), 10 * MINUTE);
    assert!(matches!(scene.plan(10 * MINUTE), Step::Wait(Until::At(_))));
}

#[test]
fn an_edited_secret_is_read_and_written_again_from_memory() {
    let edited = Scene::settled().with(|scene| {
        let Sight::Present(meta) = &scene.managed else { panic!() };
        scene.managed = Sight::Present(Arc::new(SecretMeta { version: version("acme", 2), ..(**meta).clone() }));
    });
    assert_eq!(edited.plan(MINUTE), Step::Inspect(Target::Managed));
    let known = |intact| Some(Known { version: version("acme", 2), intact, ours: false });
    let damaged = edited.with(|scene| scene.memory.managed.known = known(false));
    assert_eq!(damaged.plan(MINUTE), Step::Publish(Target::Managed));
    let intact = damaged.with(|scene| scene.memory.managed.known = known(true));
    assert!(matches!(intact.plan(MINUTE), Step::Wait(_)), "a label of somebody's, for example");
}

#[test]
fn a_deleted_secret_is_made_again_from_memory_and_after_a_restart_from_a_new_token() {
    let deleted = |target: Target| {
        move |scene: &mut Scene| match target {
            Target::Managed => scene.managed = Sight::Absent,
            Target::ClientSecret => scene.client_secret = Sight::Absent,
        }
    };
    for target in Target::ALL {
        assert_eq!(Scene::settled().with(deleted(target)).plan(MINUTE), Step::Publish(target));
    }
    let restarted = Scene::restarted().with(deleted(Target::Managed));
    assert_eq!(restarted.plan(MINUTE), Step::Inspect(Target::ClientSecret));
    let restarted = Scene::restarted().with(deleted(Target::ClientSecret));
    assert_eq!(restarted.plan(MINUTE), Step::SignClientSecret, "a local act: no token is asked for");
}

#[test]
fn either_mark_of_ownership_restores_the_other_and_without_both_the_secret_is_foreign() {
    let stripped = |label: bool, owner: bool| {
        Scene::settled().with(|scene| {
            let Sight::Present(meta) = &scene.managed else { panic!() };
            let mut meta = (**meta).clone();
            if label {
                meta.owner_label = None;
            }
            if owner {
                meta.owner_references.clear();
            }
            scene.managed = Sight::Present(Arc::new(meta));
        })
    };
    assert_eq!(stripped(true, false).plan(MINUTE), Step::Restore(Target::Managed));
    assert_eq!(stripped(false, true).plan(MINUTE), Step::Restore(Target::Managed));
    assert!(stripped(true, true).seen().obstacle().is_some());
}

#[test]
fn after_a_conflict_one_looks_again_and_a_newer_token_of_another_stays() {
    let conflict = Scene::settled().token_issued(30 * MINUTE).token_proved();
    let conflict = conflict.with(|scene| scene.memory.met_conflict(Target::Managed));
    assert_eq!(conflict.plan(30 * MINUTE), Step::Look(Target::Managed));

    let newer = Scene::settled().token_issued(31 * MINUTE).token_proved().published(Target::Managed, 2);
    let newer = newer.token_issued(30 * MINUTE).token_proved();
    assert!(matches!(newer.plan(31 * MINUTE), Step::Wait(_)), "issued_at never goes backwards");
}

#[test]
fn identity_is_resolved_once_a_day_with_the_token_of_a_renewal() {
    let renewed = |at: Duration| Scene::settled().token_issued(at).token_proved().plan(at);
    assert_eq!(renewed(23 * HOUR), Step::Publish(Target::Managed));
    assert_eq!(renewed(24 * HOUR), Step::Resolve(V1));
}

#[test]
fn another_choice_is_resolved_at_once_and_costs_no_token_while_one_is_in_hand() {
    let choose = |scene: &mut Scene| scene.object.spec.apis = Some(vec![V1]);
    assert_eq!(Scene::settled().with(choose).plan(MINUTE), Step::Resolve(V1));
    assert_eq!(Scene::restarted().with(choose).plan(MINUTE), Step::Inspect(Target::ClientSecret));
}

#[test]
fn a_client_secret_is_signed_anew_in_time_and_when_another_lifetime_is_asked_for() {
    let due = Scene::settled().plan((4296 - 716) * HOUR + HOUR);
    assert_eq!(due, Step::SignClientSecret);
    let shorter = Scene::settled().with(|scene| {
        scene.object.spec.client_secret = Some(serde_json::from_value(json!({"lifetime": "720h"})).unwrap());
    });
    assert_eq!(shorter.plan(30 * MINUTE), Step::SignClientSecret);
}

#[test]
fn a_refused_write_waits_and_does_not_stop_the_other_steps() {
    let class = ClusterClass::Refused("quota".into());
    let failure = ClusterFailure { verb: "create", subject: Subject::Target(Target::Managed), class };
    let ready = Scene::new().key_read().client_secret_signed().token_issued(MINUTE).token_proved().resolved();
    let scene = ready.published(Target::ClientSecret, 1).failed(Side::Cluster, Failure::Cluster(failure), MINUTE);
    assert_eq!(scene.plan(MINUTE), Step::Wait(Until::At(now(MINUTE + Duration::from_secs(1)).wall)));
    assert_eq!(scene.plan(MINUTE + Duration::from_secs(1)), Step::Publish(Target::Managed));
}

#[test]
fn where_secrets_are_polled_each_is_looked_at_in_turn() {
    let looked = |scene: &mut Scene, at| {
        scene.memory.key_looked_at = Some(at);
        scene.memory.managed.looked_at = Some(at);
        scene.memory.client_secret_content.looked_at = Some(at);
    };
    let scene = Scene::settled().with(|scene| scene.polling = Some(5 * MINUTE)).with(|scene| looked(scene, MINUTE));
    assert_eq!(scene.plan(2 * MINUTE), Step::Wait(Until::At(now(6 * MINUTE).wall)), "five minutes after the last look");
    assert_eq!(scene.plan(6 * MINUTE), Step::LookAtKey);
    let scene = scene.with(|scene| scene.memory.key_looked_at = Some(6 * MINUTE));
    assert_eq!(scene.plan(6 * MINUTE), Step::Look(Target::Managed));
}

#[test]
fn a_wall_clock_that_is_set_back_makes_no_token_younger() {
    let scene = Scene::settled();
    let set_back = |steady| Now { wall: earlier(now(steady).wall, 24 * HOUR), steady };
    assert!(matches!(plan(&scene.seen(), set_back(10 * MINUTE)), Step::Wait(Until::At(_))));
    let Step::Wait(Until::At(time)) = plan(&scene.seen(), set_back(10 * MINUTE)) else { panic!() };
    assert!(time <= set_back(30 * MINUTE).wall, "the renewal comes when half of its life has really passed: {time}");
    assert_eq!(plan(&scene.seen(), set_back(30 * MINUTE)), Step::RequestToken);
    assert!(!scene.seen().is_live(scene.seen().published_life().unwrap(), set_back(HOUR)));
}

#[test]
fn a_record_from_the_future_is_a_clock_that_was_wrong_and_proves_nothing() {
    let scene = Scene::settled().token_issued(2 * HOUR).token_proved().published(Target::Managed, 2);
    let back = scene.with(|scene| scene.memory.token = None);
    assert_eq!(back.plan(MINUTE), Step::RequestToken);
}

#[test]
fn a_record_of_a_token_that_lives_for_years_is_not_waited_for() {
    let with_life = |life: Duration| {
        Scene::restarted().with(|scene| {
            let Sight::Present(meta) = &scene.managed else { panic!() };
            let mut meta = (**meta).clone();
            let record = meta.record.as_mut().unwrap();
            record.expires_at = later(record.issued_at, life);
            scene.managed = Sight::Present(Arc::new(meta));
        })
    };
    assert!(matches!(with_life(24 * HOUR).plan(MINUTE), Step::Wait(Until::At(_))));
    let edited = with_life(100_000 * HOUR);
    assert_eq!(edited.plan(MINUTE), Step::Inspect(Target::ClientSecret), "and then a token is asked for");
    assert_eq!(edited.seen().published_life(), None);
}
