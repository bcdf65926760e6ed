//! From one spec to the next: keys to be made, names, forms and policies that change, a rest, a choice left open.

use super::*;
use crate::credential::sight::{Holder, Stray};

fn spec(fields: serde_json::Value) -> impl FnOnce(&mut Scene) {
    move |scene| {
        let mut object = json!(scene.ads());
        let spec = object["spec"].as_object_mut().unwrap();
        spec.extend(fields.as_object().unwrap().clone());
        spec.retain(|_, value| !value.is_null());
        scene.object = serde_json::from_value::<AsaCredential>(object).unwrap().into();
    }
}

fn meta(sight: &Sight) -> SecretMeta {
    sight.meta().unwrap().clone()
}

fn awaiting() -> serde_json::Value {
    let place = json!({"secretRef": {"name": "key"}, "generate": "IfMissing"});
    json!({"clientId": null, "teamId": null, "keyId": null, "privateKey": place})
}

/// The managed Secret was renamed; what lay under the old name is a stray.
fn renamed(scene: &mut Scene) {
    let old = std::mem::replace(&mut scene.sights.managed, Sight::Absent);
    let Sight::Present(meta) = old else { panic!() };
    scene.sights.strays = vec![Stray { name: "acme".into(), meta: Some(meta) }];
    spec(json!({"secret": {"name": "new"}}))(scene);
}

fn waits(step: &Step) -> bool {
    matches!(step, Step::Wait(_))
}

#[test]
fn a_key_is_made_only_where_none_is_and_apple_knows_none() {
    let absent = |scene: &mut Scene| scene.sights.key_secret = Sight::Absent;
    assert_eq!(Scene::new().with(absent).with(spec(awaiting())).plan(MINUTE), Step::GenerateKey);
    assert_eq!(Scene::new().with(spec(awaiting())).plan(MINUTE), Step::LoadKey, "it is there");
    let known = json!({"privateKey": {"secretRef": {"name": "key"}, "generate": "IfMissing"}});
    assert_eq!(Scene::new().with(absent).with(spec(known)).plan(MINUTE), Step::LoadKey, "Apple knows it");
    assert_eq!(Scene::new().with(absent).plan(MINUTE), Step::LoadKey, "nobody asked for one");
}

#[test]
fn without_ids_nothing_is_asked_of_apple() {
    assert!(waits(&Scene::new().key_read().with(spec(awaiting())).plan(MINUTE)));
    assert!(waits(&Scene::settled().with(spec(awaiting())).plan(HOUR)), "not even for an old token's renewal");
}

#[test]
fn another_bundle_asks_for_a_token_and_publishes_nothing_before_the_proof() {
    let changed = || Scene::settled().with(spec(json!({"keyId": "other"})));
    assert_eq!(changed().plan(MINUTE), Step::SignClientSecret);
    let issued = changed().client_secret_signed().token_issued(MINUTE);
    assert_eq!(issued.plan(MINUTE), Step::Verify(V1));
    let proved = changed().client_secret_signed().token_issued(MINUTE).token_proved();
    assert_eq!(proved.plan(MINUTE), Step::Publish(Target::ClientSecret));
}

#[test]
fn the_old_bundle_costs_nothing_as_long_as_its_token_lives() {
    let back = Scene::settled().with(spec(json!({"keyId": "other"}))).client_secret_signed();
    let back = back.failed(Side::Token, rejected(), MINUTE).with(spec(json!({"keyId": "k"})));
    assert!(waits(&back.plan(2 * MINUTE)));
}

#[test]
fn a_renamed_secret_is_written_under_the_new_name_before_the_old_one_goes() {
    let moved = Scene::settled().with(renamed);
    assert_eq!(moved.plan(MINUTE), Step::Publish(Target::Managed));
    let there = Scene::settled().with(renamed).published(Target::Managed, 1);
    assert_eq!(there.plan(MINUTE), Step::Remove("acme".into()));
    assert!(waits(&there.with(|scene| scene.sights.strays.clear()).plan(MINUTE)));
}

#[test]
fn after_a_restart_the_token_under_the_old_name_is_read_and_not_asked_for() {
    assert_eq!(Scene::restarted().with(renamed).plan(MINUTE), Step::Recall("acme".into()));
    let recalled = Scene::restarted().with(renamed).token_issued(Duration::ZERO).token_proved();
    assert_eq!(recalled.plan(MINUTE), Step::Publish(Target::Managed), "and the ids stand beside it");
    let tried = |scene: &mut Scene| drop(scene.memory.recalled.insert("acme".into(), version("acme", 1)));
    let tried = Scene::restarted().with(renamed).with(tried);
    assert_eq!(tried.plan(MINUTE), Step::Inspect(Target::ClientSecret), "once, if it was of no use");
    assert_eq!(Scene::restarted().with(renamed).plan(31 * MINUTE), Step::Inspect(Target::ClientSecret), "it is due");
}

#[test]
fn of_two_old_names_neither_token_is_read_a_second_time() {
    let renamed_twice = |scene: &mut Scene| {
        renamed(scene);
        let mut older = SecretMeta::clone(scene.sights.strays[0].meta.as_ref().unwrap());
        older.version = version("older", 1);
        older.record.as_mut().unwrap().secret = "older".into();
        scene.sights.strays.push(Stray { name: "older".into(), meta: Some(Arc::new(older)) });
    };
    let mut scene = Scene::restarted().with(renamed_twice);
    for name in ["acme", "older"] {
        assert_eq!(scene.plan(MINUTE), Step::Recall(name.into()));
        scene.memory.recalled.insert(name.into(), version(name, 1));
    }
    assert_eq!(scene.plan(MINUTE), Step::Inspect(Target::ClientSecret));
}

#[test]
fn where_secrets_are_not_watched_what_lies_under_the_old_name_is_looked_at_before_apple_is_asked() {
    let unseen = Scene::restarted().with(renamed).with(|scene| scene.sights.strays[0].meta = None);
    assert_eq!(unseen.plan(MINUTE), Step::LookBack("acme".into()));
    let gone = unseen.with(|scene| scene.sights.strays.clear());
    assert_eq!(gone.plan(MINUTE), Step::Inspect(Target::ClientSecret));
}

#[test]
fn an_old_name_stays_while_the_new_one_has_no_live_token() {
    let there = Scene::settled().with(renamed).published(Target::Managed, 1);
    assert!(!matches!(there.plan(HOUR), Step::Remove(_)));
    let taken = Scene::settled().with(renamed).with(|scene| {
        scene.sights.managed = Sight::Present(Arc::new(foreign("new", 1)));
        scene.sights.holders[0] = Holder::Object("AsaCredential other".into());
    });
    assert!(waits(&taken.plan(MINUTE)));
}

#[test]
fn other_formats_are_written_from_the_token_in_hand_or_from_the_secret_itself() {
    let formats = || spec(json!({"secret": {"formats": ["Json"]}}));
    assert_eq!(Scene::settled().with(formats()).plan(MINUTE), Step::Publish(Target::Managed));
    assert_eq!(Scene::restarted().with(formats()).plan(MINUTE), Step::Recall("acme".into()));
}

#[test]
fn labels_annotations_and_policy_only_touch_metadata() {
    for secret in [
        json!({"labels": {"team": "growth"}}),
        json!({"annotations": {"example.com/note": "n"}}),
        json!({"deletionPolicy": "Retain"}),
    ] {
        let step = Scene::settled().with(spec(json!({"secret": secret}))).plan(MINUTE);
        assert_eq!(step, Step::Restore(Target::Managed), "{secret}");
    }
}

#[test]
fn a_secret_is_adopted_if_nobody_has_it_it_is_of_the_type_and_the_spec_says_so() {
    let adopting = || spec(json!({"secret": {"adoption": "IfUnowned"}}));
    let unowned = |scene: &mut Scene| scene.sights.managed = Sight::Present(Arc::new(foreign("acme", 1)));
    let judged = |is_of_type| {
        move |scene: &mut Scene| {
            let version = meta(&scene.sights.managed).version;
            scene.memory.managed.known = Some(Known { version, intact: false, ours: false, is_of_type });
        }
    };
    let scene = || Scene::new().key_read().with(unowned);
    assert!(waits(&scene().plan(MINUTE)), "not asked for");
    assert_eq!(scene().with(adopting()).plan(MINUTE), Step::Inspect(Target::Managed));
    assert_eq!(scene().with(adopting()).with(judged(true)).plan(MINUTE), Step::Restore(Target::Managed));
    assert!(waits(&scene().with(adopting()).with(judged(false)).plan(MINUTE)), "of another type");
    let owned = |scene: &mut Scene| scene.sights.holders[0] = Holder::Object("Secret key".into());
    assert!(waits(&scene().with(adopting()).with(owned).plan(MINUTE)), "somebody's");
}

#[test]
fn while_suspended_there_is_nothing_to_do_until_the_token_ends() {
    let rest = || spec(json!({"suspend": true}));
    assert_eq!(Scene::settled().with(rest()).plan(31 * MINUTE), Step::Wait(Until::At(now(HOUR).wall)));
    assert_eq!(Scene::settled().with(rest()).plan(2 * HOUR), Step::Wait(Until::Changed));
    assert_eq!(Scene::new().with(rest()).plan(MINUTE), Step::Wait(Until::Changed));
}

#[test]
fn while_suspended_each_secret_that_is_not_seen_is_looked_at_once_for_the_status() {
    let mut scene = Scene::new().with(spec(json!({"suspend": true})));
    scene.sights = Sights::default();
    assert_eq!(scene.plan(MINUTE), Step::Look(Target::Managed));
    scene.sights.managed = Sight::Absent;
    assert_eq!(scene.plan(MINUTE), Step::Look(Target::ClientSecret));
    scene.sights.client_secret = Sight::Absent;
    assert_eq!(scene.plan(MINUTE), Step::Wait(Until::Changed), "there is no token of which to tell the key");
    let unseen_key = |scene: &mut Scene| scene.sights.key_secret = Sight::Unknown;
    let scene = Scene::restarted().with(spec(json!({"suspend": true})));
    assert_eq!(scene.with(unseen_key).plan(MINUTE), Step::LookAtKey);
}

#[test]
fn a_second_request_within_a_minute_is_served_when_the_minute_is_over() {
    let ask = |value: &'static str| {
        move |scene: &mut Scene| {
            scene.object.metadata_mut().annotations =
                Some([(ANNOTATION_REQUESTED_AT.to_owned(), value.to_owned())].into());
        }
    };
    let asked_again = Scene::settled().with(|scene| scene.memory.served("one".into(), now(MINUTE))).with(ask("two"));
    assert_eq!(asked_again.plan(MINUTE + MINUTE / 2), Step::Wait(Until::At(now(2 * MINUTE).wall)));
    assert_eq!(asked_again.plan(2 * MINUTE), Step::RequestToken);
}

#[test]
fn an_ephemeral_client_secret_is_signed_for_each_token_and_published_nowhere() {
    let ephemeral = || spec(json!({"clientSecret": {"mode": "Ephemeral"}}));
    let scene = || Scene::new().key_read().with(ephemeral());
    assert_eq!(scene().plan(MINUTE), Step::SignClientSecret);
    assert_eq!(scene().token_issued(MINUTE).token_proved().resolved().plan(MINUTE), Step::Publish(Target::Managed));
    let due = scene().token_issued(MINUTE).token_proved().resolved().published(Target::Managed, 1);
    assert_eq!(due.plan(40 * MINUTE), Step::SignClientSecret);
}
