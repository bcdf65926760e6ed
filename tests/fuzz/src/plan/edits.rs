//! What can happen to a credential, and what can be found that nobody meant to happen.
//!
//! The operator's memory is edited only in ways in which the operator itself can come to it; what others may write (the
//! resource, its status, Secrets, clocks) is edited in all.

use std::{sync::Arc, time::Duration};

use asa_operator::{
    apple::KeyError,
    credential::{
        failure::KeyFailure,
        identity::Round,
        memory::{BadKey, Known, Memory, Proof},
        now::Now,
        sight::Sight,
        target::Target,
    },
};

use super::{
    Scene,
    dice::Dice,
    object,
    scene::{FINGERPRINT, foreign},
    stored, troubles,
};
use crate::acme::UID;

/// A token lives for an hour; anything from a second to a day is believed.
const LIVES: [u64; 5] = [3600, 60, 1, 600, 86_400];

/// Something happens, as `dice` say.
pub(super) fn edit(scene: &mut Scene, dice: &mut Dice<'_>) {
    match dice.up_to(19) {
        0 => scene.pass(dice.length()),
        1 => issue(scene, dice),
        2 => scene.prove(),
        3 => scene.publish(target(dice)),
        4 => troubles::fail(scene, dice),
        5 => scene.resolve(),
        6 => resolve_otherwise(scene, dice),
        7 => scene.sign(lifetime(scene, dice)),
        8 => key(scene, dice),
        9 => scene.memory = Memory::of(UID),
        10 => object::edit_spec(scene, dice),
        11 => object::edit_metadata(scene, dice),
        12 => object::edit_status(scene, dice),
        13 => see(scene, dice),
        14 => stored::edit_marks(scene, dice),
        15 => stored::edit_record(scene, dice),
        16 => contents(scene, dice),
        17 => scene.memory.met_conflict(target(dice)),
        18 => poll(scene, dice),
        _ => set_wall_clock(scene, dice),
    }
}

pub(super) fn target(dice: &mut Dice<'_>) -> Target {
    dice.one_of(&Target::ALL)
}

fn issue(scene: &mut Scene, dice: &mut Dice<'_>) {
    scene.issue(Duration::from_secs(dice.one_of(&LIVES)));
    let asked = usize::try_from(dice.up_to(1)).unwrap_or_default();
    if let Some(token) = &mut scene.memory.token {
        token.proof = Proof::Awaited(asked.min(scene.object.apis().len() - 1));
    }
}

fn lifetime(scene: &Scene, dice: &mut Dice<'_>) -> Duration {
    let (shortest, longest) = (Duration::from_mins(1), Duration::from_hours(4320));
    dice.maybe(Dice::length).unwrap_or_else(|| scene.object.client_secret_lifetime()).clamp(shortest, longest)
}

fn resolve_otherwise(scene: &mut Scene, dice: &mut Dice<'_>) {
    match dice.up_to(3) {
        0 => scene.memory.resolution = None,
        1 => scene.memory.resolve_anew = true,
        2 => {
            let (ad_accounts, organizations) = (dice.flip().then(|| Ok(vec![])), dice.flip().then(|| Ok(vec![])));
            scene.memory.round = Round { org_id: dice.maybe(Dice::any), ad_accounts, organizations };
        }
        _ => {
            scene.resolve();
            let verdict = troubles::verdict(scene, dice);
            if let Some(resolution) = &mut scene.memory.resolution {
                resolution.verdict = verdict;
            }
        }
    }
}

fn key(scene: &mut Scene, dice: &mut Dice<'_>) {
    match dice.up_to(5) {
        0 => scene.touch_key(),
        1 => scene.read_key(FINGERPRINT),
        2 => scene.read_key("SHA256:another"),
        3 => scene.sights.key_secret = Sight::Absent,
        4 => scene.memory.key = None,
        _ => {
            let failures = [
                KeyFailure::SecretNotFound,
                KeyFailure::EntryNotFound,
                KeyFailure::TypeRefused,
                KeyFailure::Unusable(KeyError::Damaged),
            ];
            let place = &scene.object.spec.private_key.secret_ref;
            scene.memory.key = None;
            scene.memory.key_failure = Some(BadKey {
                version: scene.sights.key_secret.meta().map(|meta| meta.version.clone()),
                place: (place.name.clone(), place.key.clone()),
                failure: dice.one_of(&failures),
            });
        }
    }
}

/// Something else is seen of one of the three Secrets.
fn see(scene: &mut Scene, dice: &mut Dice<'_>) {
    let sight = match dice.up_to(2) {
        0 => Sight::Unknown,
        1 => Sight::Absent,
        _ => Sight::Present(Arc::new(foreign(scene.version("somebody")))),
    };
    match dice.up_to(2) {
        0 => scene.sights.managed = sight,
        1 => scene.sights.client_secret = sight,
        _ => scene.sights.key_secret = sight,
    }
}

/// What is there was read and judged, or forgotten.
fn contents(scene: &mut Scene, dice: &mut Dice<'_>) {
    let target = target(dice);
    let version = scene.seen().sight(target).meta().map(|meta| meta.version.clone());
    scene.memory.content_mut(target).known = match (dice.up_to(2), version) {
        (judgement @ (0 | 1), Some(version)) => {
            Some(Known { version, intact: judgement == 1, ours: false, is_of_type: true })
        }
        _ => None,
    };
}

fn poll(scene: &mut Scene, dice: &mut Dice<'_>) {
    scene.polling = dice.maybe(|dice| dice.length().clamp(Duration::from_secs(1), Duration::from_hours(24)));
    let looked_at = dice.maybe(|dice| scene.now.steady.saturating_sub(dice.length()));
    match dice.up_to(2) {
        0 => scene.memory.key_looked_at = looked_at,
        1 => scene.memory.managed.looked_at = looked_at,
        _ => scene.memory.client_secret_content.looked_at = looked_at,
    }
}

/// The wall clock is set; or only the steady one goes on, as where the wall clock is set back again and again.
fn set_wall_clock(scene: &mut Scene, dice: &mut Dice<'_>) {
    let Now { wall, steady } = scene.now;
    scene.now = if dice.flip() {
        Now { wall, steady: steady + dice.length() }
    } else {
        Now { wall: dice.moment(wall), steady }
    };
}
