//! From a new credential to a token, and from one token to the next.

use super::*;

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
fn after_a_restart_ids_of_which_nothing_good_is_known_are_asked_for_with_the_token_that_is_there() {
    use {ConditionStatus::False, ConditionType::OrganizationResolved, ConditionType::Ready};
    let open = [
        &[][..],
        &[(Ready, False, Reason::ApiGone), (OrganizationResolved, False, Reason::ApiGone)],
        &[(OrganizationResolved, ConditionStatus::Unknown, Reason::Pending)],
    ];
    for conditions in open {
        assert_eq!(Scene::restarted().reported(conditions).plan(MINUTE), Step::Recall("acme".into()), "{conditions:?}");
    }
    let told = [
        &[(Ready, False, Reason::Ambiguous), (OrganizationResolved, False, Reason::Ambiguous)][..],
        &[(Ready, ConditionStatus::True, Reason::Available), (OrganizationResolved, False, Reason::ApiGone)],
        &[(Ready, ConditionStatus::True, Reason::Available), (OrganizationResolved, False, Reason::Unconfirmed)],
    ];
    for conditions in told {
        assert!(matches!(Scene::restarted().reported(conditions).plan(MINUTE), Step::Wait(_)), "{conditions:?}");
    }
}

#[test]
fn the_first_renewal_after_a_restart_reads_the_client_secret() {
    assert_eq!(Scene::restarted().plan(30 * MINUTE), Step::Inspect(Target::ClientSecret));
}

#[test]
fn a_resource_that_is_going_is_left_alone() {
    let scene = Scene::new().with(|scene| {
        scene.object.metadata_mut().deletion_timestamp =
            Some(serde_json::from_value(json!("2026-11-22T12:00:00Z")).unwrap());
    });
    assert_eq!(scene.plan(MINUTE), Step::Wait(Until::Changed));
}

#[test]
fn a_request_by_annotation_renews_once() {
    let asked = |scene: &mut Scene| {
        scene.object.metadata_mut().annotations = Some([(ANNOTATION_REQUESTED_AT.to_owned(), "now".to_owned())].into());
    };
    let scene = Scene::settled().with(asked);
    assert_eq!(scene.plan(MINUTE), Step::RequestToken);
    let renewed = scene.token_issued(MINUTE).with(|scene| scene.memory.served("now".into(), now(MINUTE)));
    assert_eq!(renewed.plan(MINUTE), Step::Verify(V1));
    let handled = Scene::settled().with(asked).with(|scene| scene.memory.handled = Some("now".into()));
    assert!(matches!(handled.plan(MINUTE), Step::Wait(_)));
}

#[test]
fn a_client_secret_is_signed_anew_in_time_and_at_once_when_another_lifetime_is_asked_for() {
    let due = Scene::settled().plan((4296 - 716) * HOUR + HOUR);
    assert_eq!(due, Step::SignClientSecret);
    let asking = |spec: serde_json::Value| {
        move |scene: &mut Scene| scene.ads().spec.client_secret = Some(serde_json::from_value(spec).unwrap())
    };
    for scene in [Scene::settled(), Scene::restarted()] {
        assert_eq!(scene.with(asking(json!({"lifetime": "720h"}))).plan(MINUTE), Step::SignClientSecret);
    }
    let due = Scene::settled().with(asking(json!({"renewBefore": "4295h59m"})));
    assert!(matches!(due.plan(2 * MINUTE), Step::Wait(_)), "one that is due waits for the next token");
}

#[test]
fn identity_is_resolved_once_a_day_with_the_token_of_a_renewal() {
    let renewed = |at: Duration| Scene::settled().token_issued(at).token_proved().plan(at);
    assert_eq!(renewed(23 * HOUR), Step::Publish(Target::Managed));
    assert_eq!(renewed(24 * HOUR), Step::Resolve(V1));
}

#[test]
fn another_choice_is_resolved_at_once_and_costs_no_token_while_one_is_in_hand() {
    let choose = |scene: &mut Scene| scene.ads().spec.apis = Some(vec![V1]);
    assert_eq!(Scene::settled().with(choose).plan(MINUTE), Step::Resolve(V1));
    assert_eq!(Scene::restarted().with(choose).plan(MINUTE), Step::Recall("acme".into()));
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
fn after_a_restart_ids_that_the_status_does_not_tell_of_are_asked_for_with_the_token_that_is_there() {
    let scene = Scene::restarted().with(|scene| {
        let status = scene.object.status_mut().as_mut().unwrap();
        status.organization.as_mut().unwrap().org_id = 2;
    });
    assert_eq!(scene.plan(MINUTE), Step::Recall("acme".to_owned()), "the last process did not live to say so");
}

#[test]
fn a_token_that_was_published_does_not_take_the_place_of_one_that_replaced_it_and_is_not_due() {
    let replaced = |was_published| {
        let scene = Scene::settled().token_issued(10 * MINUTE).token_proved();
        scene.with(|scene| scene.memory.token.as_mut().unwrap().was_published = was_published)
    };
    assert_eq!(replaced(false).plan(11 * MINUTE), Step::Publish(Target::Managed));
    assert!(matches!(replaced(true).plan(11 * MINUTE), Step::Wait(_)));
    assert_eq!(replaced(true).plan(35 * MINUTE), Step::Publish(Target::Managed));
}
