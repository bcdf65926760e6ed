use std::num::NonZeroU32;

use super::*;
use crate::api::AsaCredential;
use crate::credential::{now::later, pacing::Rate};

const HOUR: Duration = Duration::from_hours(1);

fn now(seconds: u64) -> Now {
    let steady = Duration::from_secs(seconds);
    Now { wall: later(Timestamp::UNIX_EPOCH, steady), steady }
}

fn id(path: &str) -> Id {
    let (namespace, name) = path.split_once('/').unwrap_or(("default", path));
    Id::new(Kind::Ads, namespace, name)
}

/// A one-hour token that expires so many seconds after the epoch.
fn until(seconds: u64) -> Standing {
    let expires_at = now(seconds).wall;
    let issued_at = crate::credential::now::earlier(expires_at, HOUR);
    Standing { life: Some(Life { issued_at, expires_at }), tried: true, is_stalled: false }
}

fn stalled(standing: Standing) -> Standing {
    Standing { is_stalled: true, ..standing }
}

const FRESH: Standing = Standing { life: None, tried: false, is_stalled: false };
const HOPELESS: Standing = Standing { life: None, tried: true, is_stalled: false };

struct Office {
    queue: Queue,
    pacing: Pacing,
}

impl Office {
    fn new(per_second: u32, burst: u32) -> Self {
        let number = |n| NonZeroU32::new(n).unwrap();
        let pacing = Pacing::new(Rate { per_second: number(per_second), burst: number(burst) });
        Self { queue: Queue::new(1000), pacing }
    }

    /// Puts credentials into the line of Apple's token endpoint.
    fn with_callers(mut self, callers: &[(&str, Standing)], at: Now) -> Self {
        for (name, standing) in callers {
            self.queue.wake(&id(name), *standing, at);
            self.queue.next(at, &mut self.pacing).unwrap();
            self.queue.finished(&id(name), *standing, Next::Host(Host::AppleId), at);
        }
        self
    }

    fn next(&mut self, at: Now) -> Option<String> {
        self.queue.next(at, &mut self.pacing).map(|run| format!("{}/{}", run.id.namespace, run.id.name))
    }

    fn all(&mut self, at: Now) -> Vec<String> {
        std::iter::from_fn(|| self.next(at)).collect()
    }
}

#[test]
fn never_tried_goes_before_renewals_that_are_not_urgent_and_urgent_before_all() {
    let callers = [("due", until(9000)), ("fresh", FRESH), ("urgent", until(500)), ("hopeless", HOPELESS)];
    let mut office = Office::new(20, 50).with_callers(&callers, now(0));
    assert_eq!(office.all(now(0)), ["default/urgent", "default/fresh", "default/due", "default/hopeless"]);
}

#[test]
fn what_has_ended_goes_before_what_is_due_and_costs_no_token_that_lives_its_life_and_nobody_new_a_turn() {
    let callers = [("due", until(9000)), ("ended", until(400)), ("fresh", FRESH), ("urgent", until(600))];
    let mut office = Office::new(20, 50).with_callers(&callers, now(500));
    assert_eq!(office.all(now(500)), ["default/urgent", "default/fresh", "default/ended", "default/due"]);

    let mut office = Office::new(20, 50).with_callers(&[("ends", until(600)), ("lives", until(700))], now(500));
    assert_eq!(office.all(now(600)), ["default/ends", "default/lives"], "it may be that it only has to be published");
    office.queue.finished(&id("ends"), until(600), Next::Host(Host::AppleId), now(600));
    office.queue.finished(&id("lives"), until(700), Next::Host(Host::AppleId), now(600));
    assert_eq!(office.all(now(600)), ["default/lives", "default/ends"]);
}

#[test]
fn a_renewal_that_waits_too_long_becomes_urgent() {
    let callers = [("slow", until(3600)), ("fresh", FRESH)];
    let mut office = Office::new(20, 50).with_callers(&callers, now(0));
    assert_eq!(office.next(now(3001)), Some("default/slow".into()));
}

#[test]
fn whom_only_a_human_can_mend_has_no_turn_while_anybody_else_waits_for_the_host() {
    let callers = [
        ("big/ended", stalled(until(400))),
        ("big/lost", stalled(HOPELESS)),
        ("small/due", until(9000)),
        ("small/hopeless", HOPELESS),
    ];
    let mut office = Office::new(20, 50).with_callers(&callers, now(500));
    assert_eq!(office.all(now(500)), ["small/due", "small/hopeless", "big/ended", "big/lost"]);
}

#[test]
fn whose_last_chance_comes_while_it_waits_for_a_host_runs_at_once_and_then_waits_there_again() {
    let mut office = Office::new(1, 1).with_callers(&[("first", until(3700)), ("last", until(3800))], now(0));
    assert_eq!(office.all(now(0)), ["default/first"]);
    office.pacing.throttled(Host::AppleId, "acme", HOUR, now(0).steady);
    office.pacing.throttled(Host::AppleId, "globex", HOUR, now(0).steady);
    assert_eq!(
        office.all(now(3499)),
        [""; 0],
        "three hundred seconds before its end a token may be published unverified"
    );
    assert_eq!(office.all(now(3500)), ["default/last"]);
    office.queue.finished(&id("last"), until(3800), Next::Host(Host::AppleId), now(3500));
    assert_eq!(office.all(now(3599)), [""; 0], "the host asked for an hour");
    assert_eq!(office.all(now(3600)), ["default/last"]);
}

#[test]
fn stalled_is_who_says_so_of_the_present_generation_and_does_not_renew_well() {
    let object = |generation: i64, healthy: &str| -> Credential {
        let condition = |type_: &str, status: &str| {
            serde_json::json!({"type": type_, "status": status, "reason": "ClientRejected", "message": "",
                "observedGeneration": generation, "lastTransitionTime": "2026-11-22T12:00:00Z"})
        };
        let object: AsaCredential = serde_json::from_value(serde_json::json!({
            "apiVersion": "asa-operator.dev/v1alpha1",
            "kind": "AsaCredential",
            "metadata": {"name": "acme", "generation": 2},
            "spec": {"privateKey": {"secretRef": {"name": "acme-key"}}},
            "status": {"observedGeneration": generation,
                "conditions": [condition("Stalled", "True"), condition("RenewalHealthy", healthy)]},
        }))
        .unwrap();
        object.into()
    };
    assert_eq!(Standing::of(&object(2, "False"), None), stalled(HOPELESS));
    assert_eq!(Standing::of(&object(1, "False"), None), HOPELESS, "the spec was changed since");
    assert_eq!(Standing::of(&object(2, "True"), None), HOPELESS, "tokens are renewed, only the ids are unclear");
}

#[test]
fn within_a_class_the_soonest_expiry_goes_first() {
    let callers = [("c", until(9003)), ("a", until(9001)), ("b", until(9002))];
    let mut office = Office::new(20, 50).with_callers(&callers, now(0));
    assert_eq!(office.all(now(0)), ["default/a", "default/b", "default/c"]);
}

#[test]
fn namespaces_take_turns_however_many_one_of_them_has() {
    let callers = [("big/1", FRESH), ("big/2", FRESH), ("big/3", FRESH), ("small/1", FRESH), ("tiny/1", FRESH)];
    let mut office = Office::new(20, 50).with_callers(&callers, now(0));
    assert_eq!(office.all(now(0)), ["big/1", "small/1", "tiny/1", "big/2", "big/3"]);
}

#[test]
fn a_turn_is_remembered_when_a_line_runs_empty() {
    let mut office = Office::new(20, 50).with_callers(&[("a/1", FRESH)], now(0));
    assert_eq!(office.all(now(0)), ["a/1"]);
    let mut office = office.with_callers(&[("a/2", FRESH), ("b/1", FRESH)], now(1));
    assert_eq!(office.all(now(1)), ["b/1", "a/2"]);
}

#[test]
fn who_asks_nothing_of_apple_is_not_held_up_by_those_who_wait_for_it() {
    let mut office = Office::new(1, 1).with_callers(&[("a", FRESH), ("b", FRESH)], now(0));
    assert_eq!(office.all(now(0)), ["default/a"]);
    office.queue.wake(&id("healing"), until(9000), now(0));
    assert_eq!(office.all(now(0)), ["default/healing"]);
    assert_eq!(office.queue.wake_at(now(0)), Some(now(1).wall), "b gets its turn when the bucket has a token");
    assert_eq!(office.all(now(1)), ["default/b"]);
}

#[test]
fn a_due_time_is_kept_and_a_change_ends_the_wait() {
    let mut office = Office::new(20, 50);
    office.queue.wake(&id("acme"), FRESH, now(0));
    office.next(now(0)).unwrap();
    office.queue.finished(&id("acme"), until(3600), Next::At(now(1700).wall), now(0));
    assert_eq!(office.queue.wake_at(now(0)), Some(now(1700).wall));
    assert_eq!(office.next(now(1699)), None);
    assert_eq!(office.next(now(1700)), Some("default/acme".into()));

    office.queue.finished(&id("acme"), until(7200), Next::At(now(5000).wall), now(1701));
    office.queue.wake(&id("acme"), until(7200), now(1702));
    assert_eq!(office.all(now(1702)), ["default/acme"]);
    assert_eq!(office.queue.wake_at(now(1702)), None);
}

#[test]
fn a_change_while_it_runs_makes_it_run_again_and_never_twice_at_once() {
    let mut office = Office::new(20, 50);
    office.queue.wake(&id("acme"), FRESH, now(0));
    office.next(now(0)).unwrap();
    office.queue.wake(&id("acme"), FRESH, now(0));
    assert_eq!(office.next(now(0)), None);
    office.queue.finished(&id("acme"), FRESH, Next::Changed, now(0));
    assert_eq!(office.all(now(0)), ["default/acme"]);
}

#[test]
fn deleted_and_made_again_while_it_runs_it_runs_once_more_afterwards() {
    let mut office = Office::new(20, 50);
    office.queue.wake(&id("acme"), FRESH, now(0));
    office.next(now(0)).unwrap();
    office.queue.forget(&id("acme"));
    office.queue.wake(&id("acme"), FRESH, now(0));
    assert_eq!(office.next(now(0)), None);
    office.queue.finished(&id("acme"), FRESH, Next::Changed, now(0));
    assert_eq!(office.all(now(0)), ["default/acme"]);
}

#[test]
fn who_is_gone_neither_waits_nor_runs() {
    let mut office = Office::new(20, 50).with_callers(&[("a", FRESH), ("b", until(3600))], now(0));
    office.queue.forget(&id("a"));
    assert_eq!(office.all(now(3500)), ["default/b"]);
    office.queue.forget(&id("b"));
    office.queue.finished(&id("b"), until(3600), Next::At(now(1).wall), now(3500));
    assert_eq!(office.queue.wake_at(now(3500)), None);
    assert_eq!((office.queue.depth(), office.queue.running()), (0, 0));
}

#[test]
fn no_more_run_at_once_than_allowed() {
    let mut office = Office { queue: Queue::new(1), ..Office::new(20, 50) };
    office.queue.wake(&id("a"), FRESH, now(0));
    office.queue.wake(&id("b"), FRESH, now(0));
    assert_eq!(office.all(now(0)).len(), 1);
    office.queue.finished(&id("a"), FRESH, Next::Changed, now(0));
    assert_eq!(office.all(now(0)), ["default/b"]);
}
