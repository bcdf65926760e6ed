//! The resource, as its owner and others may change it: also to what the type can hold and today's schema refuses.

use std::collections::BTreeMap;

use asa_operator::api::names::{
    ANNOTATION_APPLIED, ANNOTATION_FLUX_REQUESTED_AT, ANNOTATION_RECORD, ANNOTATION_REQUESTED_AT, LABEL_OWNER_UID,
};
use asa_operator::api::{
    AccessTokenSpec, AdAccountChoice, Adoption, AdsApi, AppStoreConnectCredentialSpec, AsaCredentialSpec,
    ClientSecretMode, ClientSecretSpec, Condition, ConditionStatus, ConditionType, Credential, CredentialStatus,
    DeletionPolicy, GenerateKey, KeyType, OrganizationChoice, Program, PublishedSecret, Reason, SecretFormat,
    SecretKeyRef, SecretSpec, Selection, TokenSpec, Verify,
};
use asa_operator::credential::conditions::status;
use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{Scene, dice::Dice};

const LONGEST_NAME: usize = 253;

/// The resource's owner changes a field of the spec: to what the schema allows, or to what only an older one let in.
pub(super) fn edit_spec(scene: &mut Scene, dice: &mut Dice<'_>) {
    let before = scene.object.clone();
    match &mut scene.object {
        Credential::Ads(object) => edit_client(&mut object.spec, dice),
        Credential::AppStoreConnect(object) => edit_api_key(&mut object.spec, dice),
    }
    let generation = &mut scene.object.metadata_mut().generation;
    *generation = generation.map(|generation| generation + 1);
    scene.follow_names(&before);
}

fn edit_client(spec: &mut AsaCredentialSpec, dice: &mut Dice<'_>) {
    match dice.up_to(10) {
        0 => spec.client_id = dice.maybe(|dice| dice.one_of(&["SEARCHADS.other", "SEARCHADS.c"]).into()),
        1 => spec.apis = dice.maybe(apis),
        2 => {
            let choice =
                |dice: &mut Dice<'_>| OrganizationChoice { org_id: dice.maybe(id), selection: selection(dice) };
            spec.organization = dice.maybe(choice);
        }
        3 => {
            let choice = |dice: &mut Dice<'_>| AdAccountChoice { id: dice.maybe(id), selection: selection(dice) };
            spec.ad_account = dice.maybe(choice);
        }
        4 => spec.client_secret = dice.maybe(client_secret),
        5 => {
            let renew_before = dice.maybe(|dice| dice.duration().into());
            spec.access_token = dice.maybe(|_| AccessTokenSpec { renew_before });
        }
        6 => edit_secret(spec.secret.get_or_insert_default(), dice),
        7 => edit_place(&mut spec.private_key.secret_ref, dice),
        8 => spec.private_key.generate = dice.one_of(&[GenerateKey::IfMissing, GenerateKey::Never]),
        9 => {
            let id = if dice.flip() { &mut spec.team_id } else { &mut spec.key_id };
            *id = dice.maybe(|dice| dice.one_of(&["k", "SEARCHADS.t"]).into());
        }
        _ => spec.suspend = dice.flip(),
    }
}

fn edit_api_key(spec: &mut AppStoreConnectCredentialSpec, dice: &mut Dice<'_>) {
    match dice.up_to(8) {
        0 => spec.program = dice.one_of(&[Program::Enterprise, Program::AppStore]),
        1 => spec.key_type = dice.one_of(&[KeyType::Individual, KeyType::Team]),
        2 => spec.key_id = dice.one_of(&["ABCDEFGHIJ", "2X9R4HXF34", ""]).into(),
        3 => spec.issuer_id = dice.maybe(|dice| dice.one_of(&["another", ""]).into()),
        4 => spec.token = dice.maybe(token),
        5 => spec.verify = dice.one_of(&[Verify::None, Verify::Probe]),
        6 => edit_secret(spec.secret.get_or_insert_default(), dice),
        7 => edit_place(&mut spec.private_key.secret_ref, dice),
        _ => spec.suspend = dice.flip(),
    }
}

fn token(dice: &mut Dice<'_>) -> TokenSpec {
    TokenSpec {
        lifetime: dice.duration().into(),
        renew_before: dice.maybe(|dice| dice.duration().into()),
        scope: dice.one_of(&[vec![], vec!["GET /v1/apps".to_owned()], vec![String::new(), "s".repeat(512)]]),
    }
}

fn edit_place(place: &mut SecretKeyRef, dice: &mut Dice<'_>) {
    place.name = dice.one_of(&["key".to_owned(), "acme".to_owned(), "n".repeat(LONGEST_NAME)]);
    place.key = dice.one_of(&["private-key.pem".to_owned(), "e".repeat(LONGEST_NAME)]);
}

fn apis(dice: &mut Dice<'_>) -> Vec<AdsApi> {
    use AdsApi::{CampaignManagementV5, PlatformV1};
    dice.one_of(&[
        vec![PlatformV1],
        vec![CampaignManagementV5],
        vec![CampaignManagementV5, PlatformV1],
        vec![PlatformV1, CampaignManagementV5],
        vec![PlatformV1, PlatformV1],
        vec![],
    ])
}

fn selection(dice: &mut Dice<'_>) -> Selection {
    dice.one_of(&[Selection::One, Selection::Any])
}

fn client_secret(dice: &mut Dice<'_>) -> ClientSecretSpec {
    ClientSecretSpec {
        mode: dice.one_of(&[ClientSecretMode::Persistent, ClientSecretMode::Ephemeral]),
        lifetime: dice.duration().into(),
        renew_before: dice.maybe(|dice| dice.duration().into()),
        secret_name: dice.maybe(|dice| dice.one_of(&["s".repeat(LONGEST_NAME), "acme".to_owned()])),
    }
}

fn edit_secret(secret: &mut SecretSpec, dice: &mut Dice<'_>) {
    use SecretFormat::{CurlConfig, Dotenv, Json};
    match dice.up_to(5) {
        0 => secret.name = dice.maybe(|dice| dice.one_of(&["t".repeat(LONGEST_NAME), "key".to_owned(), String::new()])),
        1 => secret.formats = dice.one_of(&[vec![], vec![Json], vec![CurlConfig, Dotenv], vec![Json, Json]]),
        2 => secret.labels = texts(dice),
        3 => secret.annotations = texts(dice),
        4 => secret.adoption = dice.one_of(&[Adoption::IfUnowned, Adoption::Never]),
        _ => secret.deletion_policy = dice.one_of(&[DeletionPolicy::Retain, DeletionPolicy::Delete]),
    }
}

/// Labels or annotations, among them such as are not the user's to set.
fn texts(dice: &mut Dice<'_>) -> BTreeMap<String, String> {
    let names = ["team", "", LABEL_OWNER_UID, ANNOTATION_RECORD, ANNOTATION_APPLIED];
    (0..dice.up_to(2)).map(|_| (dice.one_of(&names).to_owned(), dice.text())).collect()
}

fn id(dice: &mut Dice<'_>) -> i64 {
    dice.one_of(&[1, 2, asa_operator::api::MAX_ID, 0, i64::MIN])
}

pub(super) fn edit_metadata(scene: &mut Scene, dice: &mut Dice<'_>) {
    let now = scene.now;
    let metadata = scene.object.metadata_mut();
    match dice.up_to(3) {
        choice @ (0 | 1) => {
            let name = if choice == 0 { ANNOTATION_REQUESTED_AT } else { ANNOTATION_FLUX_REQUESTED_AT };
            metadata.annotations.get_or_insert_default().insert(name.to_owned(), dice.text());
        }
        2 => metadata.annotations = None,
        _ => metadata.deletion_timestamp = dice.maybe(|_| Time(now.wall)),
    }
}

/// The status is written, lost, or written by somebody else.
pub(super) fn edit_status(scene: &mut Scene, dice: &mut Dice<'_>) {
    match dice.up_to(5) {
        0 => *scene.object.status_mut() = Some(status(&scene.seen(), scene.now)),
        1 => *scene.object.status_mut() = None,
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
    scene.object.status_mut().get_or_insert_default()
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
