//! What a failure holds up, for how long, and what ends the wait.

use super::*;

#[test]
fn a_request_by_annotation_ends_the_wait_after_a_failure() {
    let scene = Scene::new().key_read().client_secret_signed().failed(Side::Token, rejected(), MINUTE);
    assert!(matches!(scene.plan(MINUTE), Step::Wait(_)));
    let asked = scene.with(|scene| {
        scene.object.metadata_mut().annotations = Some([(ANNOTATION_REQUESTED_AT.to_owned(), "now".to_owned())].into());
    });
    assert_eq!(asked.plan(MINUTE), Step::RequestToken);
}

#[test]
fn after_a_failure_there_is_a_pause_and_a_change_of_the_spec_ends_it() {
    let scene = Scene::new().key_read().client_secret_signed().failed(Side::Token, rejected(), MINUTE);
    assert_eq!(scene.plan(MINUTE), Step::Wait(Until::At(now(2 * MINUTE).wall)));
    assert_eq!(scene.plan(2 * MINUTE), Step::RequestToken);
    let changed = scene.with(|scene| scene.object.metadata_mut().generation = Some(2));
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
    let fewer = scene.with(|scene| scene.ads().spec.apis = Some(vec![AdsApi::CampaignManagementV5]));
    assert_eq!(fewer.plan(MINUTE), Step::Verify(AdsApi::CampaignManagementV5));
}

#[test]
fn a_first_token_waits_for_a_proof_however_long_it_takes() {
    let scene = Scene::new().key_read().client_secret_signed().token_issued(Duration::ZERO);
    let scene = scene.failed(Side::Token, silent(Endpoint::Me(V1)), 10 * MINUTE);
    assert!(matches!(scene.plan(10 * MINUTE), Step::Wait(Until::At(_))));
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
