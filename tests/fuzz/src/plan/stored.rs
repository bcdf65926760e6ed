//! What stands on our Secrets, as others may change it: marks of ownership and the record.

use std::sync::Arc;

use asa_operator::{
    api::names::ANNOTATION_RECORD,
    credential::{
        identity::{Choice, Ids},
        published::{IdentityRecord, Record},
        secret_meta::SecretMeta,
        sight::Sight,
    },
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{Scene, dice::Dice, edits::target, scene::owner};
use crate::acme::{UID, acme};

/// Somebody edits the metadata of one of our Secrets, which is another state of it then.
fn edit(scene: &mut Scene, dice: &mut Dice<'_>, change: impl FnOnce(&mut Scene, &mut Dice<'_>, &mut SecretMeta)) {
    let target = target(dice);
    let Some(mut meta) = scene.seen().sight(target).meta().cloned() else { return };
    let version = scene.version(&target.name(&scene.object).unwrap_or_default());
    meta.version.resource_version = version.resource_version;
    change(scene, dice, &mut meta);
    *scene.sight_mut(target) = Sight::Present(Arc::new(meta));
}

pub(super) fn edit_marks(scene: &mut Scene, dice: &mut Dice<'_>) {
    edit(scene, dice, |_, dice, meta| match dice.up_to(4) {
        0 => meta.owner_label = None,
        1 => meta.owner_references.clear(),
        2 => meta.owner_label = Some(dice.one_of(&["somebody", UID]).to_owned()),
        3 => meta.owner_references.push(owner(dice.one_of(&["somebody", UID]))),
        _ => meta.is_going = dice.flip(),
    });
}

pub(super) fn edit_record(scene: &mut Scene, dice: &mut Dice<'_>) {
    edit(scene, dice, |scene, dice, meta| {
        let Some(record) = &mut meta.record else {
            meta.record = read(&dice.text());
            return;
        };
        match dice.up_to(10) {
            0 => {}
            1 => record.issued_at = dice.moment(scene.now.wall),
            2 => record.expires_at = dice.moment(scene.now.wall),
            3 => record.bundle = dice.one_of(&[scene.bundle().unwrap_or_default(), "another".into()]),
            4 => record.fingerprint = dice.one_of(&["SHA256:another".to_owned(), "f".repeat(300)]),
            5 => record.key.entry = dice.text(),
            6 => record.identity = dice.maybe(|dice| identity(scene, dice)),
            7 => record.unverified = dice.flip(),
            8 => record.digest = dice.text(),
            10 => record.verified_at = dice.maybe(|dice| dice.moment(scene.now.wall)),
            _ => meta.record = read(&damaged(record, dice)),
        }
    });
}

fn identity(scene: &Scene, dice: &mut Dice<'_>) -> IdentityRecord {
    let mut choice = scene.object.ads().or(acme().ads()).map(Choice::of).expect("a client of Apple Ads");
    if dice.flip() {
        choice = Choice { apis: vec![], org_id: Some(dice.any()), ad_account_id: None, ..choice };
    }
    IdentityRecord { resolved_at: dice.moment(scene.now.wall), choice, ids: Ids::default() }
}

/// The record as text with something cut off, as no JSON is.
fn damaged(record: &Record, dice: &mut Dice<'_>) -> String {
    let text = serde_json::to_string(record).unwrap_or_default();
    let most = usize::try_from(dice.up_to(2_000)).unwrap_or_default();
    text.chars().take(most).collect()
}

/// The record that this annotation is, read as the operator reads it.
fn read(annotation: &str) -> Option<Record> {
    let metadata = ObjectMeta {
        uid: Some("u".into()),
        resource_version: Some("1".into()),
        annotations: Some([(ANNOTATION_RECORD.to_owned(), annotation.to_owned())].into()),
        ..ObjectMeta::default()
    };
    SecretMeta::of(&metadata)?.record
}
