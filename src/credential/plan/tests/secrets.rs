//! What lies at the targets: nothing, something of ours, something of somebody else's.

use super::*;

#[test]
fn what_lies_at_the_targets_is_looked_at_before_apple_is_asked() {
    let scene = Scene::new().with(|scene| scene.sights.managed = Sight::Unknown);
    assert_eq!(scene.plan(MINUTE), Step::Look(Target::Managed));
    let scene = Scene::new().with(|scene| scene.sights.client_secret = Sight::Unknown);
    assert_eq!(scene.plan(MINUTE), Step::Look(Target::ClientSecret));
}

#[test]
fn while_a_target_cannot_be_looked_at_apple_is_not_asked() {
    for target in Target::ALL {
        let unseen = Scene::new().key_read().client_secret_signed().with(|scene| match target {
            Target::Managed => scene.sights.managed = Sight::Unknown,
            Target::ClientSecret => scene.sights.client_secret = Sight::Unknown,
        });
        let class = ClusterClass::Refused("no".into());
        let failure = ClusterFailure { verb: "read", subject: Subject::Target(target), class };
        let unseen = unseen.failed(Side::Cluster, Failure::Cluster(failure), MINUTE);
        assert_eq!(unseen.plan(MINUTE), Step::Wait(Until::At(now(MINUTE + Duration::from_secs(1)).wall)));
    }
}

#[test]
fn a_record_of_a_token_that_lives_for_years_is_not_waited_for() {
    let with_life = |life: Duration| {
        Scene::restarted().with(|scene| {
            let Sight::Present(meta) = &scene.sights.managed else { panic!() };
            let mut meta = (**meta).clone();
            let record = meta.record.as_mut().unwrap();
            record.expires_at = later(record.issued_at, life);
            scene.sights.managed = Sight::Present(Arc::new(meta));
        })
    };
    assert!(matches!(with_life(24 * HOUR).plan(MINUTE), Step::Wait(Until::At(_))));
    let edited = with_life(100_000 * HOUR);
    assert_eq!(edited.plan(MINUTE), Step::Inspect(Target::ClientSecret), "and then a token is asked for");
    assert_eq!(edited.seen().published_life(), None);
}

#[test]
fn a_foreign_secret_stops_everything_but_reading_the_key() {
    let foreign = || Sight::Present(Arc::new(foreign("acme", 5)));
    assert_eq!(Scene::new().with(|scene| scene.sights.managed = foreign()).plan(MINUTE), Step::LoadKey);
    for target in Target::ALL {
        let scene = Scene::new().key_read().client_secret_signed().token_issued(MINUTE).with(|scene| match target {
            Target::Managed => scene.sights.managed = foreign(),
            Target::ClientSecret => scene.sights.client_secret = foreign(),
        });
        assert!(matches!(scene.plan(MINUTE), Step::Wait(_)), "{target:?}");
    }
}

#[test]
fn a_secret_that_a_finalizer_holds_is_waited_for() {
    let going = Scene::settled().with(|scene| {
        let Sight::Present(meta) = &scene.sights.managed else { panic!() };
        scene.sights.managed = Sight::Present(Arc::new(SecretMeta { is_going: true, ..(**meta).clone() }));
    });
    assert!(matches!(going.plan(MINUTE), Step::Wait(_)));
}

#[test]
fn an_edited_secret_is_read_and_written_again_from_memory() {
    let edited = Scene::settled().with(|scene| {
        let Sight::Present(meta) = &scene.sights.managed else { panic!() };
        scene.sights.managed = Sight::Present(Arc::new(SecretMeta { version: version("acme", 2), ..(**meta).clone() }));
    });
    assert_eq!(edited.plan(MINUTE), Step::Inspect(Target::Managed));
    let known = |intact| Some(Known { version: version("acme", 2), intact, ours: false, is_of_type: true });
    let damaged = edited.with(|scene| scene.memory.managed.known = known(false));
    assert_eq!(damaged.plan(MINUTE), Step::Publish(Target::Managed));
    let intact = damaged.with(|scene| scene.memory.managed.known = known(true));
    assert!(matches!(intact.plan(MINUTE), Step::Wait(_)), "a label of somebody's, for example");
}

#[test]
fn a_deleted_secret_is_made_again_from_memory_and_after_a_restart_from_a_new_token() {
    let deleted = |target: Target| {
        move |scene: &mut Scene| match target {
            Target::Managed => scene.sights.managed = Sight::Absent,
            Target::ClientSecret => scene.sights.client_secret = Sight::Absent,
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
            let Sight::Present(meta) = &scene.sights.managed else { panic!() };
            let mut meta = (**meta).clone();
            if label {
                meta.owner_label = None;
            }
            if owner {
                meta.owner_references.clear();
            }
            scene.sights.managed = Sight::Present(Arc::new(meta));
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
fn where_secrets_are_polled_the_client_secret_of_an_earlier_mode_is_not_waited_for() {
    let scene = Scene::settled().with(|scene| {
        scene.polling = Some(5 * MINUTE);
        scene.memory.client_secret_content.looked_at = Some(MINUTE);
        scene.memory.key_looked_at = Some(7 * MINUTE);
        scene.memory.managed.looked_at = Some(7 * MINUTE);
        scene.ads().spec.client_secret = serde_json::from_value(json!({"mode": "Ephemeral"})).unwrap();
        scene.sights.client_secret = Sight::Absent;
    });
    assert_eq!(scene.plan(8 * MINUTE), Step::Wait(Until::At(now(12 * MINUTE).wall)));
}
