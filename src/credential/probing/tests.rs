use super::*;
use crate::{
    api::{Kind, Program},
    apple::error::{Endpoint, OAuthError},
    credential::now::later,
};

const MINUTE: u64 = 60;

fn now(seconds: u64) -> Now {
    let steady = Duration::from_secs(seconds);
    Now { wall: later("2026-11-22T12:00:00Z".parse().unwrap(), steady), steady }
}

fn id(name: &str) -> Id {
    Id::new(Kind::AppStoreConnect, "apps", name)
}

fn proved(proof: Proof) -> Heard {
    Heard { result: Ok(proof), is_budget_low: false }
}

fn failed(class: Class) -> Heard {
    Heard { result: Err(AppleError::new(Endpoint::Probe(Program::AppStore), class)), is_budget_low: false }
}

fn refused() -> Heard {
    failed(Class::Rejected(OAuthError::Other("NOT_AUTHORIZED".to_owned())))
}

/// One key with one user, and what was heard of it, each at its second.
fn after(heard: &[(u64, Heard)]) -> Probe {
    let mut probes = Probes::default();
    probes.see("key", &id("acme"), Recalled::default(), now(0));
    for (at, heard) in heard {
        assert!(probes.begin("key"), "nobody else asks");
        probes.end("key", heard.clone(), now(*at));
        probes.give_up("key");
    }
    probes.see("key", &id("acme"), Recalled::default(), now(0))
}

fn minutes_to_next(probe: &Probe, at: u64) -> u64 {
    probe.next.saturating_sub(now(at).steady).as_secs() / MINUTE
}

#[test]
fn a_good_key_is_asked_about_once_an_hour_and_its_narrow_role_changes_nothing() {
    for proof in [Proof::Accepted, Proof::RoleTooNarrow] {
        let probe = after(&[(5, proved(proof))]);
        assert_eq!((probe.proof, probe.proved_at), (Some(proof), Some(now(5).wall)));
        assert_eq!(minutes_to_next(&probe, 5), 60);
        assert!(probe.is_settled() && !probe.is_refused());
    }
}

#[test]
fn a_missing_agreement_is_looked_at_every_ten_minutes() {
    assert_eq!(minutes_to_next(&after(&[(0, proved(Proof::AgreementMissing))]), 0), 10);
}

#[test]
fn a_key_that_was_never_accepted_is_refused_by_the_first_refusal_and_tried_again_after_1_2_4_to_30_minutes() {
    let heard: Vec<_> = (0..7).map(|_| (0, refused())).collect();
    let waits: Vec<u64> = (1..=7).map(|count| minutes_to_next(&after(&heard[..count]), 0)).collect();
    assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
    assert!(after(&heard[..1]).is_refused());
}

#[test]
fn three_refusals_in_a_row_a_minute_apart_revoke_a_good_key_and_two_do_not() {
    let heard = [(0, proved(Proof::Accepted)), (60, refused()), (120, refused()), (180, refused())];
    let two = after(&heard[..3]);
    assert!(!two.is_refused());
    assert_eq!(minutes_to_next(&two, 120), 1);
    let three = after(&heard);
    assert!(three.is_refused());
    assert_eq!(minutes_to_next(&three, 180), 1);
    assert_eq!(three.refusal.unwrap().since, now(60).wall);
}

#[test]
fn a_stray_refusal_is_forgotten_with_the_next_proof() {
    let stray = [(0, proved(Proof::Accepted)), (60, refused()), (120, proved(Proof::Accepted)), (180, refused())];
    let probe = after(&stray);
    assert_eq!(probe.refusal.as_ref().map(|refusal| refusal.count), Some(1));
    assert!(!probe.is_refused());
}

#[test]
fn silence_is_no_refusal_and_ends_no_proof() {
    let silent = after(&[(0, failed(Class::TimedOut))]);
    assert!(silent.is_judged() && !silent.is_refused() && !silent.is_settled());
    let proved_before = after(&[(0, proved(Proof::Accepted)), (60, failed(Class::Server(503)))]);
    assert_eq!(proved_before.proof, Some(Proof::Accepted));
    let in_between =
        after(&[(0, proved(Proof::Accepted)), (60, refused()), (120, failed(Class::TimedOut)), (180, refused())]);
    assert!(!in_between.is_refused());
    assert_eq!(in_between.refusal.unwrap().count, 2, "silence in between acquits nobody");
}

#[test]
fn a_pause_that_apple_asks_for_is_kept() {
    let mut error = AppleError::new(Endpoint::Probe(Program::AppStore), Class::Throttled);
    error.retry_after = Some(Duration::from_secs(9 * MINUTE));
    let probe = after(&[(0, Heard { result: Err(error), is_budget_low: false })]);
    assert_eq!(minutes_to_next(&probe, 0), 9);
}

#[test]
fn with_less_than_a_tenth_of_the_hour_left_nothing_is_asked_for_an_hour() {
    for heard in [refused(), failed(Class::Throttled), proved(Proof::AgreementMissing)] {
        let probe = after(&[(0, Heard { is_budget_low: true, ..heard })]);
        assert_eq!(minutes_to_next(&probe, 0), 60);
    }
}

#[test]
fn of_all_users_of_a_key_one_asks_and_the_others_hear_of_it_once() {
    let mut probes = Probes::default();
    for name in ["a", "b", "c"] {
        probes.see("key", &id(name), Recalled::default(), now(0));
    }
    probes.see("another", &id("d"), Recalled::default(), now(0));
    assert!(probes.begin("key") && !probes.begin("key"));
    assert!(probes.see("key", &id("b"), Recalled::default(), now(0)).is_under_way);
    assert_eq!(probes.end("key", proved(Proof::Accepted), now(1)), [id("a"), id("b"), id("c")]);
    probes.give_up("key");
    assert!(probes.begin("key"));
    assert!(probes.end("key", proved(Proof::Accepted), now(2)).is_empty(), "it is known");
}

#[test]
fn what_an_earlier_process_proved_counts_until_its_hour_is_over() {
    let recalled = Recalled { proved_at: Some(now(0).wall), ..Recalled::default() };
    let probe = Probes::default().see("key", &id("acme"), recalled, now(20 * MINUTE));
    assert_eq!(probe.proof, Some(Proof::Accepted));
    assert_eq!(minutes_to_next(&probe, 20 * MINUTE), 40);
}

#[test]
fn of_what_two_resources_recall_the_later_proof_counts_and_an_answer_more_than_both() {
    let mut probes = Probes::default();
    let recalled = |seconds| Recalled { proved_at: Some(now(seconds).wall), ..Recalled::default() };
    probes.see("key", &id("a"), recalled(10), now(100));
    assert_eq!(probes.see("key", &id("b"), recalled(20), now(100)).proved_at, Some(now(20).wall));
    assert_eq!(probes.see("key", &id("c"), recalled(15), now(100)).proved_at, Some(now(20).wall));
    probes.begin("key");
    probes.end("key", refused(), now(100));
    let probe = probes.see("key", &id("c"), recalled(90), now(100));
    assert_eq!(probe.refusal.map(|refusal| refusal.was_accepted), Some(true));
}

#[test]
fn a_revoked_key_stays_revoked_through_a_restart_and_is_asked_about_at_once() {
    let recalled =
        Recalled { proved_at: Some(now(0).wall), refused: Some("revoked".to_owned()), ..Recalled::default() };
    let probe = Probes::default().see("key", &id("acme"), recalled, now(60));
    assert!(probe.is_refused());
    assert_eq!(probe.next, now(60).steady);
}

#[test]
fn a_key_that_nobody_uses_is_forgotten_but_not_while_it_is_asked_about() {
    let mut probes = Probes::default();
    probes.see("key", &id("acme"), Recalled::default(), now(0));
    probes.begin("key");
    probes.see("other", &id("acme"), Recalled::default(), now(0));
    assert_eq!(probes.entries.len(), 2);
    probes.give_up("key");
    assert_eq!(probes.entries.len(), 1);
    probes.leave(&id("acme"));
    assert!(probes.entries.is_empty() && probes.keys.is_empty());
}
