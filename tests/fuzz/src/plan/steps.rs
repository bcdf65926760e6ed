//! What must hold for the steps that make a key, take a token back, set marks, and remove what is left over.

use std::sync::Arc;

use asa_operator::{
    api::GenerateKey,
    credential::{
        plan::{Step, plan},
        published::restoration,
        secret_meta::SecretMeta,
        sight::{Holder, Sight},
        target::Target,
    },
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

use super::{
    Scene,
    rules::{a_live_token_is_published, is_writable, readable},
};
use crate::acme::UID;

pub(super) fn a_key_is_made_only_where_none_is_and_apple_knows_none(scene: &Scene) {
    let spec = &scene.object.ads().expect("a key that Apple does not make").spec;
    assert_eq!(spec.private_key.generate, GenerateKey::IfMissing, "nobody asked for a key");
    assert_eq!(spec.key_id, None, "Apple knows a key already");
    assert_eq!(scene.sights.key_secret, Sight::Absent, "there may be a key");
}

pub(super) fn a_token_is_recalled_only_from_ours(scene: &Scene, name: &str) {
    let managed = readable(scene, Target::Managed).filter(|record| record.secret == name);
    let strays = scene.sights.strays.iter().filter(|stray| stray.name == name);
    let mut left = strays.filter_map(|stray| stray.meta.as_ref()).filter(|meta| meta.was_written_for(UID, name));
    let record = managed.or_else(|| left.find_map(|meta| meta.record.as_ref())).expect("a Secret of ours");
    assert!(record.expires_at > scene.now.wall && !record.unverified, "a token that serves nobody");
    assert!(scene.bundle().is_some(), "nobody to whom it belongs");
}

/// On a Secret of ours, or on one that the user wants taken over; and once they are set, they are.
pub(super) fn marks_are_set_only_on_ours_and_last(scene: &Scene, target: Target) {
    let seen = scene.seen();
    let meta = seen.sight(target).meta().expect("a Secret to mark");
    let known = scene.memory.content(target).known.as_ref().filter(|known| known.version == meta.version);
    let is_adoptable = target == Target::Managed
        && scene.object.adopts_unowned()
        && scene.sights.holders[target as usize] == Holder::Nobody
        && !meta.is_going
        && known.is_some_and(|known| known.is_of_type);
    assert!(is_writable(scene, target) || is_adoptable, "somebody else's Secret");

    let after = marked(scene, target, meta);
    let mut sights = scene.sights.clone();
    let sight = Sight::Present(Arc::new(after));
    match target {
        Target::Managed => sights.managed = sight,
        Target::ClientSecret => sights.client_secret = sight,
    }
    let mut then = scene.seen();
    then.sights = sights;
    assert_ne!(plan(&then, scene.now), Step::Restore(target), "the same marks again");
}

/// The Secret after the write that sets its marks.
pub(super) fn marked(scene: &Scene, target: Target, meta: &SecretMeta) -> SecretMeta {
    let body = serde_json::to_value(restoration(target, &scene.object, meta)).expect("a body");
    let mut metadata = body["metadata"].clone();
    for texts in ["labels", "annotations"] {
        if let Some(texts) = metadata.get_mut(texts).and_then(Value::as_object_mut) {
            texts.retain(|_, text| !text.is_null());
        }
    }
    let written: ObjectMeta = serde_json::from_value(metadata).expect("metadata");
    let after = SecretMeta::of(&written).expect("uid and resourceVersion");
    SecretMeta {
        owner_references: written.owner_references.unwrap_or_else(|| meta.owner_references.clone()),
        record: meta.record.clone(),
        is_going: meta.is_going,
        ..after
    }
}

pub(super) fn only_ours_is_removed_and_only_when_replaced(scene: &Scene, name: &str) {
    let object = &scene.object;
    let named = [Some(object.secret_name()), object.client_secret_name()];
    assert!(!named.contains(&Some(name.to_owned())), "{name} is in use");
    assert_ne!(name, object.key_ref().name, "the key");
    let stray = scene.sights.strays.iter().find(|stray| stray.name == name).expect("something left over");
    assert!(stray.meta.as_ref().is_none_or(|meta| meta.was_written_for(UID, name)), "somebody else's Secret");
    assert!(a_live_token_is_published(scene), "{name} goes before another took its place");
    let seen = scene.seen();
    assert!(
        seen.targets().all(|target| readable(scene, target).is_some()),
        "{name} goes before another took its place"
    );
}
