//! What comes of an API key where from now on every step succeeds: it comes to rest with a live token, and a check that is
//! due is made.

use std::{sync::Arc, time::Duration};

use asa_operator::credential::{
    failure::Side,
    memory::Known,
    now::{between, earlier},
    plan::{Step, Until, plan},
    probing::{Heard, Proof},
    sight::Sight,
    target::Target,
};
use jiff::Timestamp;

use super::{Scene, edits, key_rules, rules, steps};

const MINUTE: Duration = Duration::from_mins(1);

/// No way to rest has more steps.
const MOST_STEPS: usize = 32;

/// None takes less.
const STEP: Duration = Duration::from_millis(1);

/// The hour of a good key, and as long as a check waits for a renewal.
const LONGEST_UNASKED: Duration = Duration::from_mins(75);

/// What came of it.
struct Rest {
    until: Until,
    was_asked: bool,
}

/// Insists on it, and changes the scene to what comes of it.
pub(super) fn insist(scene: &mut Scene) {
    let Some(object) = scene.object.app_store_connect() else { return };
    // The schema allows no shorter one, and near the ends of time there is none to wait for.
    let is_short = object.token_lifetime() < MINUTE;
    let is_in_time =
        (Timestamp::UNIX_EPOCH..earlier(Timestamp::MAX, LONGEST_UNASKED * 10_000)).contains(&scene.now.wall);
    if is_short || !is_in_time {
        return;
    }
    for side in [Side::Token, Side::Identity, Side::Cluster] {
        scene.memory.succeeded(side);
    }
    scene.end_asking();
    let mut rest = rest(scene);
    if rules::is_stuck(scene) {
        return;
    }
    assert!(
        rules::a_live_token_is_published(scene) || key_rules::is_refused(scene),
        "at rest without a token that lives"
    );
    if !key_rules::asks(scene) {
        return;
    }
    let start = scene.now.steady;
    while !rest.was_asked {
        assert!(scene.now.steady < start + LONGEST_UNASKED + MINUTE, "Apple is not asked about the key any more");
        assert_ne!(rest.until, Until::Changed, "it rests for ever, and nobody asks about the key");
        // The operator may be a minute late.
        scene.pass(time_until(rest.until, scene.now.wall).max(MINUTE));
        rest = self::rest(scene);
    }
}

/// Does what is planned until there is nothing more to do.
fn rest(scene: &mut Scene) -> Rest {
    let mut taken = vec![];
    let mut was_asked = false;
    loop {
        let step = plan(&scene.seen(), scene.now);
        if let Step::Wait(until) = step {
            return Rest { until, was_asked };
        }
        was_asked |= matches!(step, Step::Probe(_));
        take(scene, &step);
        scene.pass(STEP);
        taken.push(step);
        assert!(taken.len() < MOST_STEPS, "it does not come to rest: {taken:?}");
    }
}

/// How long it rests.
fn time_until(until: Until, wall: Timestamp) -> Duration {
    match until {
        Until::At(time) => between(wall, time),
        Until::Changed => Duration::ZERO,
    }
}

/// The step succeeds.
fn take(scene: &mut Scene, step: &Step) {
    match step {
        Step::Look(target) => {
            let content = scene.memory.content_mut(*target);
            content.look_again = false;
            content.looked_at = Some(scene.now.steady);
            let sight = scene.sight_mut(*target);
            if *sight == Sight::Unknown {
                *sight = Sight::Absent;
            }
        }
        Step::LookAtKey => scene.memory.key_looked_at = Some(scene.now.steady),
        Step::LoadKey => edits::load_key(scene),
        Step::Inspect(target) => inspect(scene, *target),
        Step::SignToken => {
            edits::serve(scene);
            scene.sign_token();
        }
        Step::Probe(_) => {
            edits::serve(scene);
            scene.hear(Heard { result: Ok(Proof::Accepted), is_budget_low: false });
        }
        Step::Recall(name) => edits::recall(scene, name),
        Step::Publish(target) => scene.publish(*target),
        Step::Restore(target) => restore(scene, *target),
        Step::LookBack(name) | Step::Remove(name) => scene.sights.strays.retain(|stray| stray.name != *name),
        _ => unreachable!("{step:?} for an API key"),
    }
}

/// The Secret is as it was written, and of the type that it is given.
fn inspect(scene: &mut Scene, target: Target) {
    let version = scene.seen().sight(target).meta().map(|meta| meta.version.clone());
    scene.memory.content_mut(target).known =
        version.map(|version| Known { version, intact: true, ours: false, is_of_type: true });
}

fn restore(scene: &mut Scene, target: Target) {
    let Some(meta) = scene.seen().sight(target).meta().cloned() else { return };
    let mut marked = steps::marked(scene, target, &meta);
    marked.version.resource_version = scene.version("").resource_version;
    let intact = scene.memory.content(target).known.as_ref().is_none_or(|known| known.intact);
    let version = marked.version.clone();
    scene.memory.content_mut(target).known = Some(Known { version, intact, ours: true, is_of_type: true });
    *scene.sight_mut(target) = Sight::Present(Arc::new(marked));
}
