//! What must hold for the status.

use asa_operator::api::{Condition, ConditionStatus, ConditionType, CredentialStatus, conditions::find};
use asa_operator::credential::conditions::status;

use super::{Scene, rules};
use crate::shown::{LONGEST_MESSAGE, insist_on_one_line};

const MOST_CONDITIONS: usize = 16;

/// Insists on every rule.
pub(super) fn insist(scene: &Scene) {
    let status = status(&scene.seen(), scene.now);
    insist_on_bounds(&status);
    let is_true = |type_| find(&status.conditions, type_).is_some_and(|it| it.status == ConditionStatus::True);
    if is_true(ConditionType::Ready) {
        assert!(rules::a_live_token_is_published(scene), "Ready without a live token");
    }
    insist_on_rest(scene, &status);
}

fn insist_on_bounds(status: &CredentialStatus) {
    assert!(status.conditions.len() <= MOST_CONDITIONS, "{} conditions", status.conditions.len());
    let is_ours = |condition: &&Condition| ConditionType::ALL.iter().any(|type_| condition.is(*type_));
    for condition in status.conditions.iter().filter(is_ours) {
        insist_on_one_line(&condition.message, LONGEST_MESSAGE);
        let others = status.conditions.iter().filter(|other| other.type_ == condition.type_);
        assert_eq!(others.count(), 1, "{} twice", condition.type_);
    }
    for type_ in [ConditionType::Reconciling, ConditionType::Stalled] {
        let found = find(&status.conditions, type_);
        assert!(found.is_none_or(|it| it.status == ConditionStatus::True), "{type_} is there and not True");
    }
}

/// A status that was written is not written again.
fn insist_on_rest(scene: &Scene, written: &CredentialStatus) {
    let mut object = scene.object.clone();
    object.status = Some(written.clone());
    let mut seen = scene.seen();
    seen.object = &object;
    assert_eq!(status(&seen, scene.now), *written);
}
