//! What must hold for the status.

use asa_operator::api::{Condition, ConditionStatus, ConditionType, CredentialStatus, Kind, conditions::find};
use asa_operator::credential::{conditions::status, target::Target};

use super::{Scene, key_rules, rules, scene::CANARY};
use crate::shown::{LONGEST_MESSAGE, insist_on_one_line};

const MOST_CONDITIONS: usize = 16;

/// Insists on every rule.
pub(super) fn insist(scene: &Scene) {
    let status = status(&scene.seen(), scene.now);
    insist_on_bounds(scene.object.kind(), &status);
    let is_true = |type_| find(&status.conditions, type_).is_some_and(|it| it.status == ConditionStatus::True);
    if is_true(ConditionType::Ready) {
        assert!(rules::a_live_token_is_published(scene), "Ready without a live token");
        assert!(!key_rules::is_refused(scene) || is_of_another_key(scene), "Ready with a token that serves nobody");
    }
    let text = serde_json::to_string(&status).expect("JSON");
    assert!(!text.contains(CANARY), "a token in {text}");
    insist_on_rest(scene, &status);
}

/// Whether what is published was not signed with the present key.
fn is_of_another_key(scene: &Scene) -> bool {
    rules::readable(scene, Target::Managed).is_some_and(|record| Some(&record.bundle) != scene.bundle().as_ref())
}

fn insist_on_bounds(kind: Kind, status: &CredentialStatus) {
    assert!(status.conditions.len() <= MOST_CONDITIONS, "{} conditions", status.conditions.len());
    let is_ours = |condition: &&Condition| written(kind).any(|type_| condition.is(type_));
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

/// What the operator writes of a resource of this kind; what has another name is somebody else's.
fn written(kind: Kind) -> impl Iterator<Item = ConditionType> {
    use ConditionType::{AccessTokenIssued, ClientSecretIssued, KeyVerified, OrganizationResolved, TokenIssued};
    let others: &[_] = match kind {
        Kind::Ads => &[TokenIssued, KeyVerified],
        Kind::AppStoreConnect => &[ClientSecretIssued, AccessTokenIssued, OrganizationResolved],
    };
    ConditionType::ALL.iter().copied().filter(|type_| !others.contains(type_))
}

/// A status that was written is not written again.
fn insist_on_rest(scene: &Scene, written: &CredentialStatus) {
    let mut object = scene.object.clone();
    *object.status_mut() = Some(written.clone());
    let mut seen = scene.seen();
    seen.object = &object;
    assert_eq!(status(&seen, scene.now), *written);
}
