//! The plan and the status, for arbitrary observations. The input is a list of events and edits, each a byte and what it
//! needs, that begins at a settled credential; so short inputs are likely states, and libFuzzer can cut and join them.

mod course;
mod dice;
mod edits;
mod key_rules;
mod object;
mod probes;
mod rules;
mod scene;
mod status;
mod steps;
mod stored;
mod troubles;

use asa_operator::credential::plan::{Step, Until, plan};
use asa_operator::credential::target::Target as Which;

use crate::Target;
use dice::Dice;
pub(crate) use scene::{Scene, owner};

pub(crate) const TARGET: Target = Target {
    name: "plan",
    run,
    reaches: &[
        "look",
        "look at key",
        "look back",
        "inspect",
        "load key",
        "generate key",
        "sign",
        "recall",
        "sign token",
        "request token",
        "verify",
        "resolve",
        "publish token",
        "publish unverified token",
        "publish signed token",
        "ask about a new key",
        "ask about a refused key",
        "check a key",
        "publish client secret",
        "restore",
        "remove",
        "wait",
        "wait for change",
    ],
};

/// More events than any story needs.
const MOST_EVENTS: usize = 48;

fn run(data: &[u8]) -> &'static str {
    let mut dice = Dice::new(data);
    let mut scene = Scene::settled();
    for _ in 0..MOST_EVENTS {
        if dice.is_empty() {
            break;
        }
        edits::edit(&mut scene, &mut dice);
    }
    let kind = judge(&scene);
    course::insist(&mut scene);
    kind
}

/// Insists on every rule in this scene; says what is planned.
pub(crate) fn judge(scene: &Scene) -> &'static str {
    let step = plan(&scene.seen(), scene.now);
    assert_eq!(plan(&scene.seen(), scene.now), step, "the same twice");
    rules::insist(scene, &step);
    status::insist(scene);
    kind(scene, &step)
}

fn kind(scene: &Scene, step: &Step) -> &'static str {
    match step {
        Step::Look(_) => "look",
        Step::LookAtKey => "look at key",
        Step::LookBack(_) => "look back",
        Step::Inspect(_) => "inspect",
        Step::LoadKey => "load key",
        Step::GenerateKey => "generate key",
        Step::Recall(_) => "recall",
        Step::Remove(_) => "remove",
        Step::SignClientSecret => "sign",
        Step::SignToken => "sign token",
        Step::Probe(_) => question(scene),
        Step::RequestToken => "request token",
        Step::Verify(_) => "verify",
        Step::Resolve(_) => "resolve",
        Step::Publish(Which::Managed) if scene.memory.token.as_ref().is_some_and(|token| !token.is_proved()) => {
            "publish unverified token"
        }
        Step::Publish(Which::Managed) if scene.object.ads().is_none() => "publish signed token",
        Step::Publish(Which::Managed) => "publish token",
        Step::Publish(Which::ClientSecret) => "publish client secret",
        Step::Restore(_) => "restore",
        Step::Wait(Until::At(_)) => "wait",
        Step::Wait(Until::Changed) => "wait for change",
    }
}

fn question(scene: &Scene) -> &'static str {
    if key_rules::is_refused(scene) {
        "ask about a refused key"
    } else if scene.seen().probe.as_ref().is_some_and(key_rules::was_heard_of) {
        "check a key"
    } else {
        "ask about a new key"
    }
}
