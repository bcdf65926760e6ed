//! What must hold for a planned step, said in other words than the plan's own: from the Secrets as they are seen and the
//! times as they stand.

use std::time::Duration;

use asa_operator::{
    api::Kind,
    credential::{
        failure::Side,
        identity::Choice,
        memory::TokenInHand,
        now::{Now, between, earlier, later},
        plan::{Step, Until, plan},
        published::{Record, bundle},
        schedule::Life,
        secret_meta::SecretMeta,
        sight::Sight,
        target::Target,
    },
};
use jiff::Timestamp;

use super::{Scene, key_rules, steps};
use crate::acme::UID;

const MINUTE: Duration = Duration::from_mins(1);

/// Insists on every rule.
pub(super) fn insist(scene: &Scene, step: &Step) {
    no_step_is_taken_that_a_failure_holds_up(scene, step);
    nothing_is_done_while_suspended_or_going(scene, step);
    apple_is_asked_only_where_the_answer_can_be_used(scene, step);
    match step {
        Step::Publish(Target::Managed) => {
            a_token_is_published_only_if_it_is_better(scene);
            key_rules::a_token_is_published_only_after_apple_was_asked_about_its_key(scene);
        }
        Step::Publish(Target::ClientSecret) => a_client_secret_is_published_while_it_is_good(scene),
        Step::RequestToken => no_token_is_made_while_one_is_good(scene),
        Step::SignToken => {
            no_token_is_made_while_one_is_good(scene);
            key_rules::a_token_is_signed_only_with_a_key_that_apple_does_not_refuse(scene);
        }
        Step::Probe(program) => key_rules::apple_is_asked_about_a_key_only_when_it_is_time(scene, *program),
        Step::GenerateKey => steps::a_key_is_made_only_where_none_is_and_apple_knows_none(scene),
        Step::SignClientSecret => assert!(scene.bundle().is_some(), "nobody to sign for"),
        Step::Recall(name) => steps::a_token_is_recalled_only_from_ours(scene, name),
        Step::Restore(target) => steps::marks_are_set_only_on_ours_and_last(scene, *target),
        Step::Remove(name) => steps::only_ours_is_removed_and_only_when_replaced(scene, name),
        Step::Wait(until) => a_wait_ends(scene, *until),
        _ => {}
    }
}

fn no_step_is_taken_that_a_failure_holds_up(scene: &Scene, step: &Step) {
    let inputs = scene.seen().inputs(scene.now);
    let held = |side: Side| {
        let trouble = scene.memory.trouble(side);
        trouble.is_some_and(|trouble| trouble.inputs == inputs && trouble.next_try > scene.now.steady)
    };
    let side = match step {
        // How often a key is asked about is no single resource's matter.
        Step::Wait(_) | Step::Probe(_) => return,
        Step::RequestToken | Step::Verify(_) => Side::Token,
        Step::Resolve(_) => Side::Identity,
        _ => Side::Cluster,
    };
    assert!(!held(side), "{step:?} although {:?}", scene.memory.trouble(side));
}

fn nothing_is_done_while_suspended_or_going(scene: &Scene, step: &Step) {
    if scene.object.is_suspended() || is_going(scene) {
        assert!(matches!(step, Step::Wait(_)), "{step:?} for a resource that is to be left alone");
    }
}

fn apple_is_asked_only_where_the_answer_can_be_used(scene: &Scene, step: &Step) {
    if !matches!(step, Step::RequestToken | Step::Verify(_) | Step::Resolve(_)) {
        return;
    }
    let object = scene.object.ads().expect("a client of Apple Ads");
    assert!(object.client_ids().is_some(), "{step:?} before Apple's ids are set");
    for target in scene.seen().targets() {
        assert!(is_writable(scene, target), "{step:?} although the Secret is somebody else's");
        let is_checked = *scene.seen().sight(target) != Sight::Unknown;
        assert!(is_checked || *step != Step::RequestToken, "nobody knows whose the Secret is");
    }
    let apis = object.apis();
    match step {
        Step::Verify(api) => {
            assert!(apis.contains(api) && in_hand(scene).is_some_and(|life| !left(scene, life).is_zero()));
        }
        Step::Resolve(api) => {
            let proved = scene.memory.token.as_ref().is_some_and(TokenInHand::is_proved);
            assert!(apis.contains(api) && proved, "{step:?} without a proved token");
        }
        _ => {
            let secret = scene.memory.client_secret.as_ref().expect("a client secret to ask with");
            assert!(
                scene.now.wall < secret.life.expires_at,
                "a client secret that ended at {}",
                secret.life.expires_at
            );
        }
    }
}

fn a_token_is_published_only_if_it_is_better(scene: &Scene) {
    let token = scene.memory.token.as_ref().expect("a token to publish");
    assert!(is_writable(scene, Target::Managed), "a foreign Secret");
    assert!(!left(scene, token.life).is_zero(), "a token that ended at {}", token.life.expires_at);
    let seen = scene.seen();
    let key = seen.key().expect("a key that it was issued for");
    assert_eq!(Some(&token.bundle), bundle(&scene.object, &key.fingerprint).as_ref(), "a token of another client");
    let old = readable(scene, Target::Managed);
    if !token.is_proved() {
        let life = old.expect("a first token waits for a proof").life();
        let margin = (5 * MINUTE).min(life.length() / 12);
        assert!(left(scene, life) <= margin, "unverified, over one that lives for {:?}", left(scene, life));
    }
    if let Some(old) = old.filter(|old| old.issued_at > token.life.issued_at) {
        assert!(is_from_the_future(old, scene.now), "an older token over that of {}", old.issued_at);
    }
}

fn a_client_secret_is_published_while_it_is_good(scene: &Scene) {
    let secret = scene.memory.client_secret.as_ref().expect("a client secret to publish");
    assert!(is_writable(scene, Target::ClientSecret), "a foreign Secret");
    assert!(scene.now.wall < secret.life.expires_at, "a client secret that ended at {}", secret.life.expires_at);
}

/// A fresh token of the present client and key, as it was published and proved, is enough.
fn no_token_is_made_while_one_is_good(scene: &Scene) {
    let asked_by_hand = scene.object.metadata().annotations.is_some();
    // A token that cannot be read back cannot be written in another form, nor tell whose it is.
    let is_open = || scene.object.kind() == Kind::Ads && scene.seen().is_identity_open();
    let serves = |record: &Record| record.formats == scene.object.formats() && !is_open();
    let is_usable = |record: &&Record| !record.unverified && (scene.memory.recalled.is_empty() || serves(record));
    let Some(record) = readable(scene, Target::Managed).filter(is_usable).filter(|_| !asked_by_hand) else {
        return;
    };
    let known = scene.memory.managed.known.as_ref();
    let is_intact = known.is_some_and(|known| {
        known.intact && scene.sights.managed.meta().is_some_and(|meta| meta.version == known.version)
    });
    let is_ours = scene.seen().bundle() == Some(&record.bundle);
    let choice = scene.object.ads().map(Choice::of);
    let is_chosen = record.identity.as_ref().map(|identity| &identity.choice) == choice.as_ref();
    if !(is_intact && is_ours && is_chosen && is_plausible(scene, record) && record.issued_at <= scene.now.wall) {
        return;
    }
    let life = record.life();
    let early = life.length().mul_f64(0.45);
    let asked = scene.object.token_renew_before().filter(|before| *before < life.length());
    let due = later(life.issued_at, early).min(asked.map_or(Timestamp::MAX, |before| earlier(life.expires_at, before)));
    assert!(left(scene, life) <= between(due, life.expires_at), "a token is asked for although the last one is fresh");
}

/// A wait ends at a time to come, not too far away; or, where only somebody's change can help, with that. Until then
/// nothing is missed.
fn a_wait_ends(scene: &Scene, until: Until) {
    let is_stuck = is_stuck(scene) || key_rules::is_being_asked(scene);
    let Now { wall, steady } = scene.now;
    // At the end of time there is nothing to wait for.
    let longest_wait = longest_life(scene);
    if wall > earlier(Timestamp::MAX, 2 * longest_wait) {
        return;
    }
    let unproved = scene.seen().token_in_hand(scene.now).is_some_and(|token| !token.is_proved());
    assert!(
        is_stuck || !unproved || scene.memory.troubles().count() > 0,
        "a token is left lying, and nothing holds it up"
    );
    match until {
        Until::Changed => assert!(is_stuck, "it waits for a change although time alone would do"),
        Until::At(time) => {
            assert!(time > wall, "it waits for {time}, at {wall}");
            assert!(is_stuck || time <= later(wall, longest_wait), "it waits until {time}, at {wall}");
            let wait = between(wall, time);
            for part in [wait / 3, wait.saturating_sub(Duration::from_nanos(1))] {
                let then = plan(&scene.seen(), Now { wall: later(wall, part), steady: steady + part });
                let is_renewed = scene.memory.token.as_ref().is_some_and(|it| steady + part < it.asked_at + MINUTE);
                let may_come_later = match then {
                    // A client secret that ends before its next use is signed with that use.
                    Step::Wait(_) | Step::SignClientSecret => true,
                    // What is not done with this renewal is done with the next.
                    Step::Probe(_) => is_renewed,
                    _ => false,
                };
                assert!(may_come_later, "{then:?} is due {part:?} after {wall}, before {time}");
            }
        }
    }
}

/// Whether a reader of the managed Secret finds a token that has not ended, as far as that can be known.
pub(super) fn a_live_token_is_published(scene: &Scene) -> bool {
    readable(scene, Target::Managed).is_some_and(|record| !left(scene, record.life()).is_zero())
}

/// Whether only somebody's change can help.
pub(super) fn is_stuck(scene: &Scene) -> bool {
    is_going(scene)
        || scene.object.is_suspended()
        || scene.bundle().is_none()
        || scene.seen().bad_key().is_some()
        || scene.seen().targets().any(|target| !is_writable(scene, target))
}

fn is_going(scene: &Scene) -> bool {
    scene.object.metadata().deletion_timestamp.is_some()
}

pub(super) fn is_writable(scene: &Scene, target: Target) -> bool {
    scene.seen().sight(target).meta().is_none_or(is_ours)
}

fn is_ours(meta: &SecretMeta) -> bool {
    let marked = meta.owner_label.as_deref() == Some(UID) || meta.owner_references.iter().any(|owner| owner.uid == UID);
    marked && !meta.is_going
}

/// The record of a Secret of ours, unless it is known that somebody edited the Secret.
pub(super) fn readable(scene: &Scene, target: Target) -> Option<&Record> {
    let sight = match target {
        Target::Managed => &scene.sights.managed,
        Target::ClientSecret => &scene.sights.client_secret,
    };
    let meta = sight.meta().filter(|meta| is_ours(meta))?;
    let known = scene.memory.content(target).known.as_ref();
    let edited = known.is_some_and(|known| !known.intact && known.version == meta.version);
    meta.record.as_ref().filter(|_| !edited)
}

fn in_hand(scene: &Scene) -> Option<Life> {
    scene.memory.token.as_ref().map(|token| token.life)
}

/// What is left of a token of this life by the wall clock; by the steady one too, where it is the token in hand.
fn left(scene: &Scene, life: Life) -> Duration {
    let by_wall = between(scene.now.wall, life.expires_at);
    let token = scene.memory.token.as_ref().filter(|token| token.life == life);
    let by_steady = token.map(|token| life.length().saturating_sub(scene.now.steady.saturating_sub(token.asked_at)));
    by_steady.map_or(by_wall, |left| left.min(by_wall))
}

fn is_from_the_future(record: &Record, now: Now) -> bool {
    record.issued_at > later(now.wall, MINUTE)
}

/// Whether a record can be of a token that was issued.
fn is_plausible(scene: &Scene, record: &Record) -> bool {
    (Duration::from_secs(1)..=longest_life(scene)).contains(&record.life().length())
}

/// No token lives for longer, and no wait, no interval and no pause is longer.
fn longest_life(scene: &Scene) -> Duration {
    match scene.object.kind() {
        Kind::Ads => Duration::from_hours(24),
        Kind::AppStoreConnect => Duration::from_hours(180 * 24),
    }
}
