//! Whether each renewal that is overdue is being tried: a second look at the work of plan and queue, by other means.

use std::time::Duration;

use super::{
    health::LONGEST_WAIT,
    kept::{Kept, kept},
    world::World,
};
use crate::{
    api::{ConditionStatus, ConditionType, Credential, conditions::find},
    credential::{
        now::{Now, later},
        queue::{Id, Queue, Turn},
    },
};

/// So much later than its time somebody may get into the line.
const LATE: Duration = Duration::from_mins(2);

/// A credential whose renewal is overdue by a quarter of an hour, and which nobody tries to renew: it neither waits for a
/// time that is to come, nor waits for its turn or runs for less than that, nor does its status tell that a change is
/// awaited. `since` is when credentials began to get turns (steady clock).
pub(super) fn neglected<C, A>(world: &World<C, A>, queue: &Queue, since: Duration, now: Now) -> Option<Id> {
    let all = kept(world);
    let overdue = all.iter().filter(|one| one.renewal().is_some_and(|time| now.wall >= later(time, LONGEST_WAIT)));
    let overdue = overdue.filter(|one| one.is_looked_after());
    let neglected = overdue.filter(|one| !is_tried(one, queue.turn(&one.id), since, now));
    neglected.min_by(|one, other| one.id.cmp(&other.id)).map(|one| one.id.clone())
}

fn is_tried(one: &Kept, turn: Turn, since: Duration, now: Now) -> bool {
    match turn {
        Turn::At(time) => now.wall < later(time, LATE),
        Turn::Since(then) => now.steady.saturating_sub(then.max(since)) < LONGEST_WAIT,
        Turn::None => is_told(&one.object),
    }
}

/// Whether status says that the renewal does not go well, and so why nothing is done.
fn is_told(object: &Credential) -> bool {
    let conditions = object.status().map_or(&[][..], |status| &status.conditions);
    find(conditions, ConditionType::RenewalHealthy).is_some_and(|told| told.status == ConditionStatus::False)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::{
        api::AsaCredential,
        controller::{clock::Clock, metrics::Metrics, world::Settings},
        credential::{
            pacing::{Pacing, Rate},
            queue::Next,
        },
    };

    const RATE: Rate = Rate { per_second: NonZeroU32::MIN, burst: NonZeroU32::MIN };

    /// So many minutes after the token was issued, which lives for an hour.
    fn now(minutes: u64) -> Now {
        let steady = Duration::from_mins(minutes);
        Now { wall: later(Timestamp::UNIX_EPOCH, steady), steady }
    }

    /// A credential with a token, as it was last reported.
    fn world(is_healthy: bool, is_suspended: bool) -> (World<(), ()>, Id) {
        let settings = Settings { rate: RATE, secret_poll_interval: Duration::from_mins(5) };
        let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
        let world = World::new((), (), clock, Metrics::default(), settings);
        let healthy = if is_healthy { "True" } else { "False" };
        let acme: AsaCredential = serde_json::from_value(json!({
            "apiVersion": "asa-operator.dev/v1alpha1",
            "kind": "AsaCredential",
            "metadata": {"name": "acme", "namespace": "marketing", "uid": "a", "resourceVersion": "1"},
            "spec": {"privateKey": {"secretRef": {"name": "acme-key"}}, "suspend": is_suspended},
            "status": {
                "accessToken": {
                    "issuedAt": "1970-01-01T00:00:00Z",
                    "expiresAt": "1970-01-01T01:00:00Z",
                    "renewalTime": "1970-01-01T00:29:00Z",
                },
                "conditions": [{
                    "type": "RenewalHealthy",
                    "status": healthy,
                    "reason": "OnSchedule",
                    "message": "",
                    "lastTransitionTime": "1970-01-01T00:00:00Z",
                }],
            },
        }))
        .unwrap();
        let id = world.index().apply_credential(acme).unwrap();
        (world, id)
    }

    /// Whether it is neglected so many minutes after its token was issued, after what `happens` in its queue.
    fn is_neglected(is_healthy: bool, minutes: u64, happens: impl FnOnce(&mut Queue, &mut Pacing, &Id)) -> bool {
        let (world, id) = world(is_healthy, false);
        let (mut queue, mut pacing) = (Queue::new(1), Pacing::new(RATE));
        happens(&mut queue, &mut pacing, &id);
        neglected(&world, &queue, Duration::ZERO, now(minutes)) == Some(id)
    }

    /// It ran at this minute and waits for `next`.
    fn ran(queue: &mut Queue, pacing: &mut Pacing, id: &Id, minutes: u64, next: Next) {
        queue.wake(id, crate::credential::queue::Standing::default(), now(minutes));
        assert!(queue.next(now(minutes), pacing).is_some());
        queue.finished(id, crate::credential::queue::Standing::default(), next, now(minutes));
    }

    #[test]
    fn a_renewal_that_nobody_plans_is_noticed_a_quarter_of_an_hour_after_its_time() {
        assert!(!is_neglected(true, 40, |_, _, _| ()));
        assert!(is_neglected(true, 46, |_, _, _| ()));
        let waits_for_a_change =
            |queue: &mut Queue, pacing: &mut Pacing, id: &Id| ran(queue, pacing, id, 1, Next::Changed);
        assert!(is_neglected(true, 46, waits_for_a_change));
        assert!(!is_neglected(false, 46, waits_for_a_change), "its status says what is awaited");
    }

    #[test]
    fn a_renewal_that_is_to_be_tried_again_is_not_neglected_until_that_time_passes() {
        let at = |minutes| {
            move |queue: &mut Queue, pacing: &mut Pacing, id: &Id| {
                ran(queue, pacing, id, 30, Next::At(now(minutes).wall));
            }
        };
        assert!(!is_neglected(true, 46, at(55)));
        assert!(!is_neglected(true, 56, at(55)), "it may take a moment");
        assert!(is_neglected(true, 58, at(55)));
    }

    #[test]
    fn whoever_waits_for_a_turn_or_runs_for_too_long_is_neglected_among_many_who_are_not() {
        let waits = |queue: &mut Queue, _: &mut Pacing, id: &Id| {
            queue.wake(id, crate::credential::queue::Standing::default(), now(35));
        };
        assert!(!is_neglected(true, 46, waits));
        assert!(is_neglected(true, 51, waits));
        let runs = |queue: &mut Queue, pacing: &mut Pacing, id: &Id| {
            waits(queue, pacing, id);
            assert!(queue.next(now(40), pacing).is_some());
        };
        assert!(!is_neglected(true, 51, runs));
        assert!(is_neglected(true, 56, runs));
    }

    #[test]
    fn a_suspended_credential_is_not_neglected() {
        let (world, _) = world(true, true);
        assert_eq!(neglected(&world, &Queue::new(1), Duration::ZERO, now(300)), None);
    }
}
