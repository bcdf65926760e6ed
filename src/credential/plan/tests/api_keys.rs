use super::*;
use crate::{api::AppStoreConnectCredential, credential::queue::Id};

/// The life of a token of twenty minutes, one of which is past when it is signed.
const LIFE: Duration = Duration::from_mins(19);

fn api_key(spec: &serde_json::Value) -> AppStoreConnectCredential {
    let mut object = json!({
        "apiVersion": "asa-operator.dev/v1alpha1",
        "kind": "AppStoreConnectCredential",
        "metadata": {"name": "acme", "namespace": "apps", "uid": UID, "generation": 1},
        "spec": {
            "keyId": "2X9R4HXF34", "issuerId": "57246542-96fe-1a63-e053-0824d011072a",
            "privateKey": {"secretRef": {"name": "key"}},
        },
    });
    object["spec"].as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    serde_json::from_value(object).unwrap()
}

fn heard(answers: &[(Duration, Heard)]) -> Probe {
    let (mut probes, id) = (Probes::default(), Id::new(crate::api::Kind::AppStoreConnect, "apps", "acme"));
    probes.see("key", &id, Recalled::default(), now(Duration::ZERO));
    for (at, answer) in answers {
        probes.end("key", answer.clone(), now(*at));
    }
    probes.see("key", &id, Recalled::default(), now(Duration::ZERO))
}

fn accepted() -> Heard {
    Heard { result: Ok(KeyProof::Accepted), is_budget_low: false }
}

fn answered(class: Class) -> Heard {
    Heard { result: Err(AppleError::new(Endpoint::Probe(Program::AppStore), class)), is_budget_low: false }
}

fn refused() -> Heard {
    answered(Class::Rejected(OAuthError::Other("NOT_AUTHORIZED".to_owned())))
}

impl Scene {
    /// A new credential whose key was read, and of which nothing was heard.
    fn api_key(spec: &serde_json::Value) -> Self {
        let scene = Self { object: api_key(spec).into(), ..Self::new() }.key_read();
        Self { probe: Some(heard(&[])), ..scene }
    }

    fn heard(self, answers: &[(Duration, Heard)]) -> Self {
        Self { probe: Some(heard(answers)), ..self }
    }

    fn signed(self, at: Duration) -> Self {
        self.with(|scene| {
            let issued_at = now(at).wall;
            scene.memory.token = Some(TokenInHand {
                value: format!("token of {issued_at}").into(),
                thumbprint: format!("print of {issued_at}"),
                life: Life { issued_at, expires_at: later(issued_at, LIFE) },
                asked_at: at,
                bundle: bundle(&scene.object, FINGERPRINT).unwrap(),
                proof: Proof::Proved,
                fence: None,
                was_published: false,
            });
        })
    }
}

#[test]
fn a_new_key_is_proved_before_anything_is_signed_with_it_and_published() {
    let scene = Scene::api_key(&json!({}));
    assert_eq!(scene.plan(Duration::ZERO), Step::Probe(Program::AppStore));
    let scene = scene.heard(&[(Duration::ZERO, accepted())]);
    assert_eq!(scene.plan(Duration::ZERO), Step::SignToken);
    let scene = scene.signed(Duration::ZERO);
    assert_eq!(scene.plan(Duration::ZERO), Step::Publish(Target::Managed));
    let scene = scene.published(Target::Managed, 1);
    let Step::Wait(Until::At(renewal)) = scene.plan(Duration::ZERO) else { panic!("it rests") };
    let at = renewal.duration_since(now(Duration::ZERO).wall).unsigned_abs();
    assert!(LIFE.mul_f64(0.45) <= at && at <= LIFE.mul_f64(0.5), "{at:?}");
}

#[test]
fn before_the_targets_were_seen_nothing_is_asked() {
    let scene = Scene::api_key(&json!({})).with(|scene| scene.sights.managed = Sight::Unknown);
    assert_eq!(scene.plan(Duration::ZERO), Step::Look(Target::Managed));
    let scene = scene.with(|scene| scene.sights.managed = Sight::Present(Arc::new(foreign("acme", 1))));
    assert_eq!(scene.plan(Duration::ZERO), Step::Wait(Until::Changed));
}

#[test]
fn the_enterprise_programs_key_is_proved_there_and_with_verify_none_nobody_is_asked() {
    let enterprise = Scene::api_key(&json!({"program": "Enterprise"}));
    assert_eq!(enterprise.plan(Duration::ZERO), Step::Probe(Program::Enterprise));
    let unasked = Scene::api_key(&json!({"verify": "None"}));
    assert_eq!(unasked.plan(Duration::ZERO), Step::SignToken);
    assert_eq!(unasked.signed(Duration::ZERO).plan(Duration::ZERO), Step::Publish(Target::Managed));
}

#[test]
fn while_another_asks_about_the_key_this_one_waits_for_the_answer() {
    let scene = Scene::api_key(&json!({}));
    let scene = scene.with(|scene| scene.probe.as_mut().unwrap().is_under_way = true).signed(Duration::ZERO);
    assert!(matches!(scene.plan(Duration::ZERO), Step::Wait(_)), "{:?}", scene.plan(Duration::ZERO));
}

#[test]
fn silence_at_the_first_time_holds_nothing_up_and_is_tried_again_after_a_minute() {
    let scene = Scene::api_key(&json!({})).heard(&[(Duration::ZERO, answered(Class::TimedOut))]);
    let scene = scene.signed(Duration::ZERO);
    assert_eq!(scene.plan(Duration::ZERO), Step::Publish(Target::Managed));
    let scene = scene.published(Target::Managed, 1);
    assert_eq!(scene.plan(Duration::ZERO), Step::Wait(Until::At(now(MINUTE).wall)));
    assert_eq!(scene.plan(MINUTE), Step::Probe(Program::AppStore));
}

#[test]
fn with_a_refused_key_nothing_is_signed_or_published() {
    let scene = Scene::api_key(&json!({})).heard(&[(Duration::ZERO, refused())]);
    assert_eq!(scene.plan(Duration::ZERO), Step::Wait(Until::At(now(MINUTE).wall)));
    assert_eq!(scene.plan(MINUTE), Step::Probe(Program::AppStore));
    let signed = scene.signed(Duration::ZERO);
    assert_eq!(signed.plan(Duration::ZERO), Step::Wait(Until::At(now(MINUTE).wall)));
}

#[test]
fn a_good_key_is_asked_about_beside_a_renewal_once_its_hour_is_over() {
    let scene = Scene::api_key(&json!({})).heard(&[(Duration::ZERO, accepted())]);
    let old = scene.signed(59 * MINUTE).published(Target::Managed, 1);
    // The hour is over, and the renewal is not due.
    assert!(matches!(old.plan(HOUR + MINUTE), Step::Wait(_)), "{:?}", old.plan(HOUR + MINUTE));
    let renewed = old.signed(HOUR + 9 * MINUTE);
    assert_eq!(renewed.plan(HOUR + 9 * MINUTE), Step::Publish(Target::Managed));
    let published = renewed.published(Target::Managed, 2);
    assert_eq!(published.plan(HOUR + 9 * MINUTE), Step::Probe(Program::AppStore));
}

#[test]
fn a_token_for_months_does_not_keep_its_key_from_being_asked_about() {
    let spec = json!({"token": {"lifetime": "4320h", "scope": ["GET /v1/apps"]}});
    let scene = Scene::api_key(&spec).heard(&[(Duration::ZERO, accepted())]).signed(Duration::ZERO);
    let scene = scene.with(|scene| {
        let life = &mut scene.memory.token.as_mut().unwrap().life;
        life.expires_at = later(life.issued_at, 4319 * HOUR);
    });
    let scene = scene.published(Target::Managed, 1);
    assert_eq!(scene.plan(2 * MINUTE), Step::Wait(Until::At(now(HOUR).wall)));
    assert_eq!(scene.plan(HOUR), Step::Probe(Program::AppStore));
}

#[test]
fn a_stray_refusal_is_looked_into_after_a_minute_and_the_token_is_renewed_in_between() {
    let good = Scene::api_key(&json!({})).signed(Duration::ZERO).heard(&[(Duration::ZERO, accepted())]);
    let good = good.published(Target::Managed, 1);
    let doubted = good.heard(&[(Duration::ZERO, accepted()), (9 * MINUTE, refused())]);
    assert_eq!(doubted.plan(10 * MINUTE), Step::SignToken, "it is due as well");
    let renewed = doubted.signed(10 * MINUTE).published(Target::Managed, 2);
    assert_eq!(renewed.plan(10 * MINUTE), Step::Probe(Program::AppStore));
}

#[test]
fn another_scope_or_lifetime_is_another_token_of_the_same_key() {
    let scene = Scene::api_key(&json!({})).heard(&[(Duration::ZERO, accepted())]);
    let settled = scene.signed(Duration::ZERO).published(Target::Managed, 1);
    let same_key = settled.seen().api_key().map(ToOwned::to_owned);
    let mut changed = settled;
    for token in [json!({"lifetime": "15m"}), json!({"scope": ["GET /v1/apps"]})] {
        changed.object = api_key(&json!({"token": token})).into();
        assert_eq!(changed.plan(Duration::ZERO), Step::SignToken);
        assert_eq!(changed.seen().api_key(), same_key.as_deref());
    }
}

#[test]
fn on_demand_a_refused_key_is_asked_about_and_a_good_one_signs_anew() {
    let demand = |scene: &mut Scene| {
        let asked = (ANNOTATION_REQUESTED_AT.to_owned(), "now".to_owned());
        scene.object.metadata_mut().annotations = Some([asked].into());
    };
    let refused = Scene::api_key(&json!({})).heard(&[(Duration::ZERO, refused()), (MINUTE, refused())]);
    assert!(matches!(refused.plan(2 * MINUTE), Step::Wait(_)));
    let wanted = refused.with(demand);
    assert_eq!(
        wanted.plan(MINUTE + MINUTE / 2),
        Step::Wait(Until::At(now(2 * MINUTE).wall)),
        "a minute after the last"
    );
    assert_eq!(wanted.plan(2 * MINUTE), Step::Probe(Program::AppStore));
    let good = Scene::api_key(&json!({})).heard(&[(Duration::ZERO, accepted())]).signed(Duration::ZERO);
    let good = good.published(Target::Managed, 1).with(demand);
    assert_eq!(good.plan(MINUTE), Step::SignToken);
}

#[test]
fn a_key_that_could_not_be_read_is_not_tried_for_a_probe_before_the_wait_is_over() {
    let class = ClusterClass::Unavailable("the connection failed".into());
    let unread = Failure::Cluster(ClusterFailure { verb: "read", subject: Subject::Key, class });
    let scene = Scene::api_key(&json!({})).failed(Side::Cluster, unread, Duration::ZERO);
    assert!(matches!(scene.plan(Duration::ZERO), Step::Wait(Until::At(_))), "{:?}", scene.plan(Duration::ZERO));
    assert_eq!(scene.plan(MINUTE), Step::Probe(Program::AppStore));
}
