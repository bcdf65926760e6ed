//! The key: missing, unusable, changed, another one.

use super::*;

#[test]
fn a_key_that_cannot_be_loaded_is_not_read_again_until_its_secret_changes() {
    let bad = |version| BadKey {
        version,
        place: ("key".into(), "private-key.pem".into()),
        failure: KeyFailure::EntryNotFound,
    };
    let scene = Scene::new().with(|scene| scene.memory.key_failure = Some(Box::new(bad(Some(version("key", 1))))));
    assert_eq!(scene.plan(MINUTE), Step::Wait(Until::Changed));
    let scene = scene.with(|scene| scene.sights.key_secret = Sight::Present(Arc::new(foreign("key", 2))));
    assert_eq!(scene.plan(MINUTE), Step::LoadKey);

    let missing = Scene::new().with(|scene| {
        scene.sights.key_secret = Sight::Absent;
        scene.memory.key_failure = Some(Box::new(bad(None)));
    });
    assert_eq!(missing.plan(MINUTE), Step::Wait(Until::Changed));
}

#[test]
fn a_changed_key_secret_is_read_and_the_same_key_in_it_renews_nothing() {
    let touched = Scene::settled().with(|scene| scene.sights.key_secret = Sight::Present(Arc::new(foreign("key", 2))));
    assert_eq!(touched.plan(MINUTE), Step::LoadKey);
    let same = touched.with(|scene| {
        let source = KeySource { version: version("key", 2), ..source() };
        scene.memory.key = Some(key_in("key", source));
    });
    assert!(matches!(same.plan(MINUTE), Step::Wait(_)));
}

#[test]
fn another_secret_with_a_key_is_read_even_if_nothing_is_seen_of_it_yet() {
    let scene = Scene::settled().with(|scene| {
        scene.ads().spec.private_key.secret_ref.name = "other".into();
        scene.sights.key_secret = Sight::Unknown;
    });
    assert_eq!(scene.plan(MINUTE), Step::LoadKey);
}

#[test]
fn another_key_or_id_is_another_bundle_and_the_old_secrets_stay_until_its_token_is_proved() {
    let scene = Scene::settled().with(|scene| scene.ads().spec.key_id = Some("other".into()));
    assert_eq!(scene.plan(MINUTE), Step::SignClientSecret);
    let scene = scene.client_secret_signed();
    assert_eq!(scene.plan(MINUTE), Step::RequestToken);
    let scene = scene.token_issued(MINUTE);
    assert_eq!(scene.plan(MINUTE), Step::Verify(V1), "and nothing is published yet");
    assert_eq!(scene.token_proved().plan(MINUTE), Step::Publish(Target::ClientSecret));
}

#[test]
fn the_ids_of_another_client_are_asked_for_before_its_token_is_published() {
    let another = |scene: Scene| {
        let scene = scene.with(|scene| scene.ads().spec.client_id = Some("SEARCHADS.other".into()));
        scene.client_secret_signed().token_issued(MINUTE).token_proved()
    };
    assert_eq!(another(Scene::settled()).plan(MINUTE), Step::Resolve(V1));
    assert_eq!(another(Scene::restarted().key_read()).plan(MINUTE), Step::Resolve(V1));
    assert_eq!(another(Scene::settled()).resolved().plan(MINUTE), Step::Publish(Target::ClientSecret));
}
