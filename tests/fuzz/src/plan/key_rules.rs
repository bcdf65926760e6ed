//! What must hold for the steps about an API key, whose tokens are signed here.

use asa_operator::{
    api::{Program, Verify},
    credential::{probing::Probe, sight::Sight},
};

use super::{Scene, rules::is_writable};

/// So many refusals in a row of a key that was accepted before are no stray ones.
const REFUSALS: u32 = 3;

pub(super) fn apple_is_asked_about_a_key_only_when_it_is_time(scene: &Scene, program: Program) {
    let object = scene.object.app_store_connect().expect("an API key");
    assert_eq!(object.spec.verify, Verify::Probe, "nobody wants Apple to be asked");
    assert_eq!(object.spec.program, program, "another program knows nothing of the key");
    let seen = scene.seen();
    let probe = seen.probe.as_ref().expect("a key that was read");
    assert!(!probe.is_under_way, "twice at once");
    for target in seen.targets() {
        assert!(is_writable(scene, target), "the answer is of no use: the Secret is somebody else's");
        assert!(was_heard_of(probe) || *seen.sight(target) != Sight::Unknown, "nobody knows whose the Secret is");
    }
    let is_wanted = scene.object.metadata().annotations.is_some() || scene.memory.demanded_at.is_some();
    assert!(!was_heard_of(probe) || is_wanted || scene.now.steady >= probe.next, "Apple was asked just now");
}

pub(super) fn a_token_is_signed_only_with_a_key_that_apple_does_not_refuse(scene: &Scene) {
    assert!(scene.object.app_store_connect().is_some(), "Apple issues the tokens");
    assert!(!is_refused(scene), "a token that serves nobody");
}

pub(super) fn a_token_is_published_only_after_apple_was_asked_about_its_key(scene: &Scene) {
    let was_heard_of = scene.seen().probe.as_ref().is_some_and(was_heard_of);
    assert!(!asks(scene) || was_heard_of, "nothing was heard of the key");
    assert!(!is_refused(scene), "Apple refuses the key");
}

/// Whether Apple refuses the key, and the user wants to know.
pub(super) fn is_refused(scene: &Scene) -> bool {
    let refusal = scene.seen().probe.and_then(|probe| probe.refusal).filter(|_| asks(scene));
    refusal.is_some_and(|refusal| !refusal.was_accepted || refusal.count >= REFUSALS)
}

/// Whether somebody is being told about the key now.
pub(super) fn is_being_asked(scene: &Scene) -> bool {
    asks(scene) && scene.seen().probe.is_some_and(|probe| probe.is_under_way)
}

/// Whether the user wants Apple to be asked about the key.
pub(super) fn asks(scene: &Scene) -> bool {
    scene.object.app_store_connect().is_some_and(|object| object.spec.verify == Verify::Probe)
}

/// An answer, or that there was none.
pub(super) fn was_heard_of(probe: &Probe) -> bool {
    probe.proof.is_some() || probe.refusal.is_some() || probe.silence.is_some()
}
