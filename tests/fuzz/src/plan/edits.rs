//! What can happen to a credential, and what can be found that nobody meant to happen.
//!
//! The operator's memory is edited only in ways in which the operator itself can come to it; what others may write (the
//! resource, its status, Secrets, clocks) is edited in all.

use std::{sync::Arc, time::Duration};

use asa_operator::{
    api::AsaCredential,
    apple::KeyError,
    credential::{
        failure::KeyFailure,
        identity::Round,
        memory::{BadKey, Known, Proof},
        now::Now,
        plan::{Step, plan},
        published::Record,
        secret_meta::SecretMeta,
        sight::{Holder, Sight, Stray},
        target::Target,
    },
};

use super::{
    Scene,
    dice::Dice,
    object, probes,
    scene::{FINGERPRINT, foreign},
    stored, troubles,
};
use crate::acme::UID;

/// A token lives for an hour; anything from a second to a day is believed.
const LIVES: [u64; 5] = [3600, 60, 1, 600, 86_400];

/// Something happens, as `dice` say.
pub(super) fn edit(scene: &mut Scene, dice: &mut Dice<'_>) {
    match dice.up_to(28) {
        0 => scene.pass(dice.length()),
        1 => issue(scene, dice),
        2 => scene.prove(),
        3 => scene.publish(target(dice)),
        4 => troubles::fail(scene, dice),
        5 => scene.resolve(),
        6 => resolve_otherwise(scene, dice),
        7 => sign(scene, dice),
        8 => key(scene, dice),
        9 => scene.restart(),
        // Twice as often as anything else: it has many fields.
        10 | 23 => object::edit_spec(scene, dice),
        11 => object::edit_metadata(scene, dice),
        12 => object::edit_status(scene, dice),
        13 => see(scene, dice),
        14 => stored::edit_marks(scene, dice),
        15 => stored::edit_record(scene, dice),
        16 => contents(scene, dice),
        17 => scene.memory.met_conflict(target(dice)),
        18 => poll(scene, dice),
        19 => set_wall_clock(scene, dice),
        20 => stray(scene, dice),
        21 => hold(scene, dice),
        // The story is of an API key, from here on.
        24 => *scene = Scene::settled_api_key(),
        25 => probes::answer(scene, dice),
        26 => probes::begin_or_end(scene, dice),
        27 => serve(scene),
        28 => scene.sign_token(),
        _ => read_back(scene),
    }
}

pub(super) fn target(dice: &mut Dice<'_>) -> Target {
    dice.one_of(&Target::ALL)
}

fn issue(scene: &mut Scene, dice: &mut Dice<'_>) {
    let life = Duration::from_secs(dice.one_of(&LIVES));
    let asked = usize::try_from(dice.up_to(1)).unwrap_or_default();
    let Some(object) = scene.object.ads() else {
        scene.sign_token();
        return;
    };
    let most = object.apis().len() - 1;
    scene.issue(life);
    if let Some(token) = &mut scene.memory.token {
        token.proof = Proof::Awaited(asked.min(most));
    }
}

fn sign(scene: &mut Scene, dice: &mut Dice<'_>) {
    let Some(lifetime) = scene.object.ads().map(AsaCredential::client_secret_lifetime) else { return };
    let (shortest, longest) = (Duration::from_mins(1), Duration::from_hours(4320));
    scene.sign(dice.maybe(Dice::length).unwrap_or(lifetime).clamp(shortest, longest));
}

/// What somebody asked for by hand was done.
pub(super) fn serve(scene: &mut Scene) {
    let now = scene.now;
    if let Some(demand) = scene.seen().open_demand(now) {
        scene.memory.served(demand, now);
    }
}

fn resolve_otherwise(scene: &mut Scene, dice: &mut Dice<'_>) {
    if scene.object.ads().is_none() {
        return;
    }
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

/// The key is read, if it is there.
pub(super) fn load_key(scene: &mut Scene) {
    if scene.sights.key_secret == Sight::Unknown {
        scene.sights.key_secret = Sight::Absent;
    }
    match scene.sights.key_secret {
        Sight::Present(_) => scene.read_key(FINGERPRINT),
        _ => refuse_key(scene, KeyFailure::SecretNotFound),
    }
}

/// The key cannot be loaded as it is.
fn refuse_key(scene: &mut Scene, failure: KeyFailure) {
    let place = scene.object.key_ref();
    scene.memory.key_failure = Some(Box::new(BadKey {
        version: scene.sights.key_secret.meta().map(|meta| meta.version.clone()),
        place: (place.name.clone(), place.key.clone()),
        failure,
    }));
    scene.memory.key = None;
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
            refuse_key(scene, dice.one_of(&failures));
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
            Some(Known { version, intact: judgement == 1, ours: false, is_of_type: !dice.flip() })
        }
        _ => None,
    };
}

/// Something of the resource's, or not, is found under another name; where Secrets are not watched, only the name.
fn stray(scene: &mut Scene, dice: &mut Dice<'_>) {
    let target = target(dice);
    let name = dice.one_of(&["former", "acme", "key", "acme-client-secret"]).to_owned();
    let meta = scene.seen().sight(target).meta().cloned();
    let version = scene.version(&name);
    let found = meta.map(|meta| {
        let record = meta.record.map(|record| Record { secret: name.clone(), ..record });
        Arc::new(SecretMeta { version, record, ..meta })
    });
    match dice.up_to(3) {
        0 => scene.sights.strays.clear(),
        1 => scene.sights.strays.push(Stray { name, meta: None }),
        _ if found.as_ref().is_some_and(|meta| meta.was_written_for(UID, &name)) => {
            scene.sights.strays.push(Stray { name, meta: found });
        }
        _ => {}
    }
    scene.drop_named_strays();
}

/// Somebody else has one of the two Secrets, or nobody.
fn hold(scene: &mut Scene, dice: &mut Dice<'_>) {
    let holder = if dice.flip() { Holder::Object("Certificate other".into()) } else { Holder::Nobody };
    scene.sights.holders[target(dice) as usize] = holder;
}

/// The token of the first Secret that could give it back is read again, or was edited.
fn read_back(scene: &mut Scene) {
    if let Step::Recall(name) = plan(&scene.seen(), scene.now) {
        recall(scene, &name);
    }
}

/// The token in this Secret of ours was edited.
pub(super) fn recall(scene: &mut Scene, name: &str) {
    let strays = scene.sights.strays.iter().filter(|stray| stray.name == name).filter_map(|stray| stray.meta.clone());
    let own = scene.sights.managed.meta().cloned().map(Arc::new);
    let metas = own.into_iter().chain(strays);
    let found = metas.into_iter().find(|meta| meta.record.as_ref().is_some_and(|record| record.secret == name));
    scene.memory.recalled.extend(found.map(|meta| (name.to_owned(), meta.version.clone())));
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
