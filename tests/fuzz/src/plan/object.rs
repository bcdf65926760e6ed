//! The resource, as its owner and others may change it. The schema bounds what is generated here.

use std::time::Duration;

use asa_operator::api::names::{ANNOTATION_FLUX_REQUESTED_AT, ANNOTATION_REQUESTED_AT};
use asa_operator::api::{
    AccessTokenSpec, AdAccountChoice, AdsApi, ClientSecretSpec, Condition, ConditionStatus, ConditionType,
    CredentialStatus, OrganizationChoice, PublishedSecret, Reason, SecretSpec,
};
use asa_operator::credential::conditions::status;
use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{Scene, dice::Dice};

const LONGEST_NAME: usize = 253;

pub(super) fn edit_spec(scene: &mut Scene, dice: &mut Dice<'_>) {
    use AdsApi::{CampaignManagementV5, PlatformV1};
    let spec = &mut scene.object.spec;
    match dice.up_to(7) {
        0 => spec.client_id = Some(dice.one_of(&["SEARCHADS.other", "SEARCHADS.c"]).into()),
        1 => {
            let choices = [
                vec![PlatformV1],
                vec![CampaignManagementV5],
                vec![CampaignManagementV5, PlatformV1],
                vec![PlatformV1, CampaignManagementV5],
            ];
            spec.apis = dice.maybe(|dice| dice.one_of(&choices));
        }
        2 => {
            spec.organization =
                dice.maybe(|dice| OrganizationChoice { org_id: Some(id(dice)), ..OrganizationChoice::default() });
        }
        3 => spec.ad_account = dice.maybe(|dice| AdAccountChoice { id: Some(id(dice)), ..AdAccountChoice::default() }),
        4 => {
            let lifetime = dice.length().clamp(Duration::from_mins(1), Duration::from_hours(4320));
            let most = lifetime.checked_sub(Duration::from_secs(1)).unwrap_or_default();
            spec.client_secret = dice.maybe(|dice| ClientSecretSpec {
                lifetime: lifetime.into(),
                renew_before: dice.maybe(|dice| dice.length().clamp(Duration::from_secs(1), most).into()),
                secret_name: dice.maybe(|_| "s".repeat(LONGEST_NAME)),
                ..ClientSecretSpec::default()
            });
        }
        5 => {
            let bound = |length: Duration| length.clamp(Duration::from_secs(1), Duration::from_hours(1));
            let renew_before = dice.maybe(|dice| bound(dice.length()).into());
            spec.access_token = dice.maybe(|_| AccessTokenSpec { renew_before });
        }
        6 => {
            spec.secret = dice
                .maybe(|dice| SecretSpec { name: dice.maybe(|_| "t".repeat(LONGEST_NAME)), ..SecretSpec::default() });
        }
        _ => {
            let place = &mut spec.private_key.secret_ref;
            place.name = dice.one_of(&["key".to_owned(), "n".repeat(LONGEST_NAME)]);
            place.key = dice.one_of(&["private-key.pem".to_owned(), "e".repeat(LONGEST_NAME)]);
        }
    }
    scene.object.metadata.generation = scene.object.metadata.generation.map(|generation| generation + 1);
}

fn id(dice: &mut Dice<'_>) -> i64 {
    dice.one_of(&[1, 2, asa_operator::api::MAX_ID])
}

pub(super) fn edit_metadata(scene: &mut Scene, dice: &mut Dice<'_>) {
    let metadata = &mut scene.object.metadata;
    match dice.up_to(3) {
        choice @ (0 | 1) => {
            let name = if choice == 0 { ANNOTATION_REQUESTED_AT } else { ANNOTATION_FLUX_REQUESTED_AT };
            metadata.annotations.get_or_insert_default().insert(name.to_owned(), dice.text());
        }
        2 => metadata.annotations = None,
        _ => metadata.deletion_timestamp = dice.maybe(|_| Time(scene.now.wall)),
    }
}

/// The status is written, lost, or written by somebody else.
pub(super) fn edit_status(scene: &mut Scene, dice: &mut Dice<'_>) {
    match dice.up_to(5) {
        0 => scene.object.status = Some(status(&scene.seen(), scene.now)),
        1 => scene.object.status = None,
        2 => {
            let condition = condition(scene, dice);
            let conditions = &mut status_of(scene).conditions;
            conditions.retain(|other| other.type_ != condition.type_);
            // The schema allows no more.
            if conditions.len() < 16 {
                conditions.push(condition);
            }
        }
        3 => {
            let resource_version = dice.one_of(&["1", "2", "3", "4", "5"]).to_owned();
            status_of(scene).secret = dice.maybe(|_| PublishedSecret { name: "acme".into(), resource_version });
        }
        4 => status_of(scene).last_handled_reconcile_at = dice.maybe(|dice| dice.text().chars().take(256).collect()),
        _ => status_of(scene).private_key = None,
    }
}

fn status_of(scene: &mut Scene) -> &mut CredentialStatus {
    scene.object.status.get_or_insert_default()
}

/// A condition of ours as another version may have written it, or one of somebody else.
fn condition(scene: &Scene, dice: &mut Dice<'_>) -> Condition {
    use ConditionStatus::{False, True, Unknown};
    let type_ = dice.one_of(ConditionType::ALL);
    let reason = dice.one_of(Reason::ALL);
    let at = scene.now.wall.saturating_sub(SignedDuration::from_mins(1)).unwrap_or(scene.now.wall);
    let written = Condition::new(type_, dice.one_of(&[True, False, Unknown]), reason, dice.text(), 1, at);
    match dice.up_to(2) {
        0 => written,
        1 => Condition { message: "m".repeat(1024), ..written },
        _ => Condition { type_: format!("Theirs{}", dice.up_to(15)), reason: "Theirs".into(), ..written },
    }
}
