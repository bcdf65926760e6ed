use super::*;
use crate::credential::now::later;

const ME: &str = "me";
const OTHER: &str = "other";

/// So many milliseconds after the start of this process, whose wall clock is wrong by years.
fn at(millis: u64) -> Now {
    let steady = Duration::from_millis(millis);
    Now { wall: later(Timestamp::UNIX_EPOCH, steady), steady }
}

fn candidate() -> Election {
    Election::new("asa-operator", ME)
}

/// A lease of `holder`, renewed for the `renewal`-th time.
fn held_by(holder: &str, renewal: i64) -> Lease {
    let renewed = MicroTime(Timestamp::from_second(1_800_000_000 + renewal).unwrap());
    let spec = LeaseSpec {
        holder_identity: Some(holder.to_owned()),
        lease_duration_seconds: Some(15),
        acquire_time: Some(MicroTime(Timestamp::from_second(1_800_000_000).unwrap())),
        renew_time: Some(renewed),
        lease_transitions: Some(3),
        ..LeaseSpec::default()
    };
    stored(spec, &renewal.to_string())
}

fn stored(spec: LeaseSpec, version: &str) -> Lease {
    let metadata = ObjectMeta {
        name: Some("asa-operator".to_owned()),
        resource_version: Some(version.to_owned()),
        labels: Some([("kept".to_owned(), "yes".to_owned())].into()),
        ..ObjectMeta::default()
    };
    Lease { metadata, spec: Some(spec) }
}

fn lasting(seconds: Option<i32>) -> Lease {
    let mut lease = held_by(OTHER, 1);
    lease.spec.as_mut().unwrap().lease_duration_seconds = seconds;
    lease
}

fn written(act: Act) -> Lease {
    let Act::Write(lease) = act else { panic!("not a write: {act:?}") };
    *lease
}

fn spec(lease: &Lease) -> &LeaseSpec {
    lease.spec.as_ref().unwrap()
}

fn version(lease: &Lease) -> Option<&str> {
    lease.metadata.resource_version.as_deref()
}

/// Who else leads, and when it is looked at again.
fn waits(election: &mut Election, now: Now) -> Duration {
    let Act::Wait(until) = election.next(now) else { panic!("it does not wait") };
    until
}

/// A leader that renewed at `now`; the lease as it is stored.
fn leader(now: Now) -> (Election, Lease) {
    let mut election = candidate();
    election.looked(None, now);
    let lease = renew(&mut election, now, "1");
    (election, lease)
}

/// The candidate writes the lease, which succeeds.
fn renew(election: &mut Election, now: Now, version: &str) -> Lease {
    let lease = stored(spec(&written(election.next(now))).clone(), version);
    election.wrote(lease.clone(), now);
    lease
}

#[test]
fn whoever_knows_nothing_looks() {
    assert_eq!(candidate().next(at(0)), Act::Look { any: true });
    assert_eq!(candidate().tenure(at(0)), None);
}

#[test]
fn a_lease_that_is_not_there_is_created() {
    let mut election = candidate();
    election.looked(None, at(0));
    let lease = written(election.next(at(0)));
    assert_eq!((version(&lease), lease.metadata.name.as_deref()), (None, Some("asa-operator")));
    let LeaseSpec { holder_identity, lease_duration_seconds, acquire_time, renew_time, lease_transitions, .. } =
        spec(&lease).clone();
    assert_eq!((holder_identity.as_deref(), lease_duration_seconds, lease_transitions), (Some(ME), Some(15), Some(0)));
    assert_eq!((acquire_time, renew_time), (Some(MicroTime(at(0).wall)), Some(MicroTime(at(0).wall))));
    assert_eq!(election.tenure(at(0)), None, "not before the API server has said so");
}

#[test]
fn a_lease_is_taken_over_in_the_version_seen_once_it_did_not_change_for_its_duration() {
    let mut election = candidate();
    election.looked(Some(held_by(OTHER, 1)), at(1000));
    assert_eq!(election.other_leader(at(1000)), Some(OTHER));
    waits(&mut election, at(1000));
    election.looked(Some(held_by(OTHER, 1)), at(15_900));
    assert_eq!(waits(&mut election, at(15_900)), at(16_000).steady, "not a moment later than it may be taken");
    election.looked(Some(held_by(OTHER, 1)), at(16_000));
    let lease = written(election.next(at(16_000)));
    assert_eq!(version(&lease), Some("1"));
    assert_eq!((spec(&lease).holder_identity.as_deref(), spec(&lease).lease_transitions), (Some(ME), Some(4)));
    assert_eq!(spec(&lease).acquire_time, Some(MicroTime(at(16_000).wall)));
    assert!(lease.metadata.labels.is_some(), "all else stays as it is");
}

#[test]
fn a_lease_that_changes_is_not_taken_over_whatever_times_it_tells() {
    let mut election = candidate();
    for renewal in 0..100_u16 {
        let now = at(u64::from(renewal) * 14_000);
        // Its renewTime is years ahead of the clock here, or years behind.
        election.looked(Some(held_by(OTHER, i64::from(renewal) * 1_000_000 - 50_000_000)), now);
        waits(&mut election, now);
    }
}

#[test]
fn a_change_of_metadata_is_no_sign_of_life() {
    let mut election = candidate();
    election.looked(Some(stored(spec(&held_by(OTHER, 1)).clone(), "1")), at(0));
    election.looked(Some(stored(spec(&held_by(OTHER, 1)).clone(), "2")), at(15_000));
    assert_eq!(version(&written(election.next(at(15_000)))), Some("2"));
}

#[test]
fn a_lease_that_was_given_up_is_taken_at_once() {
    let mut election = candidate();
    election.looked(Some(held_by(OTHER, 1)), at(0));
    waits(&mut election, at(0));
    election.looked(Some(held_by("", 2)), at(3000));
    assert_eq!(spec(&written(election.next(at(3000)))).lease_transitions, Some(4));
}

#[test]
fn a_standby_that_is_told_of_no_change_looks_itself_and_one_that_is_told_need_not() {
    for name in ["a", "b", "c", "d"] {
        let mut election = Election::new("asa-operator", name);
        election.looked(Some(held_by(OTHER, 1)), at(0));
        let pause = waits(&mut election, at(0));
        assert!((at(2400).steady..=at(3000).steady).contains(&pause), "{pause:?}");
        election.changed(Some(held_by(OTHER, 2)), at(2000));
        assert_eq!(waits(&mut election, at(2000)), pause + at(2000).steady);
        assert_eq!(election.next(Now { steady: pause + at(2000).steady, ..at(0) }), Act::Look { any: true });
    }
}

#[test]
fn a_standby_that_is_told_of_a_lease_that_was_given_up_takes_it_at_once() {
    let mut election = candidate();
    election.looked(Some(held_by(OTHER, 1)), at(0));
    waits(&mut election, at(0));
    election.changed(Some(held_by("", 2)), at(1));
    written(election.next(at(1)));
}

#[test]
fn changes_are_of_interest_to_standbys_from_the_version_they_saw_and_to_nobody_else() {
    let mut election = candidate();
    assert_eq!(election.watches_from(), None, "it knows of none");
    election.looked(Some(stored(spec(&held_by(OTHER, 1)).clone(), "7")), at(0));
    assert_eq!(election.watches_from(), Some("7"));
    election.looked(None, at(1));
    assert_eq!(election.watches_from(), None, "it is gone");
    let (election, _) = leader(at(0));
    assert_eq!(election.watches_from(), None, "it holds it");
}

#[test]
fn the_duration_in_the_lease_counts_and_nonsense_is_fifteen_seconds() {
    let minute = Duration::from_mins(1);
    for (said, held_for) in [
        (Some(15), LEASE_DURATION),
        (Some(60), minute),
        (Some(3), Duration::from_secs(3)),
        (None, LEASE_DURATION),
        (Some(0), LEASE_DURATION),
        (Some(-7), LEASE_DURATION),
    ] {
        let mut election = candidate();
        election.looked(Some(lasting(said)), at(0));
        let just_before = Now { steady: held_for.mul_f64(0.999), ..at(0) };
        assert_eq!(election.other_leader(just_before), Some(OTHER), "{said:?}");
        assert_eq!(election.other_leader(Now { steady: held_for, ..at(0) }), None, "{said:?}");
    }
}

#[test]
fn a_leader_renews_every_two_seconds_without_reading_and_keeps_what_the_lease_tells_of_it() {
    let (mut election, first) = leader(at(0));
    assert_eq!(waits(&mut election, at(1)), at(2000).steady);
    let second = written(election.next(at(2000)));
    assert_eq!(version(&second), Some("1"));
    assert_eq!(spec(&second).acquire_time, spec(&first).acquire_time);
    assert_eq!(spec(&second).lease_transitions, spec(&first).lease_transitions);
    assert_eq!(spec(&second).renew_time, Some(MicroTime(at(2000).wall)));
}

#[test]
fn a_leader_is_in_office_for_ten_seconds_from_the_moment_it_sent_the_renewal() {
    let (mut election, _) = leader(at(0));
    renew(&mut election, at(2000), "2");
    assert_eq!(election.tenure(at(11_999)), Some(Tenure { number: 1, ends_at: at(12_000).steady }));
    assert_eq!(election.tenure(at(12_000)), None);
}

#[test]
fn a_leader_whose_time_is_over_looks_before_it_writes() {
    let (mut election, _) = leader(at(0));
    assert_eq!(election.next(at(20_000)), Act::Look { any: false });
    election.looked(Some(held_by(OTHER, 7)), at(20_001));
    assert_eq!(election.tenure(at(20_001)), None);
    waits(&mut election, at(20_001));
    assert_eq!(election.give_up(at(20_002)), None, "there is nothing to give up");
}

#[test]
fn a_time_in_office_that_lapsed_goes_on_if_nobody_else_held_the_lease() {
    let (mut election, lease) = leader(at(0));
    election.failed(Setback::Failure, at(2000), at(5000));
    election.next(at(30_000));
    election.looked(Some(lease), at(30_000));
    let lease = renew(&mut election, at(30_000), "2");
    assert_eq!(election.tenure(at(30_000)).map(|tenure| tenure.number), Some(1));
    assert_eq!(spec(&lease).lease_transitions, Some(0));
}

#[test]
fn a_time_in_office_after_somebody_elses_is_another_one() {
    let (mut election, _) = leader(at(0));
    election.failed(Setback::Conflict, at(2000), at(2001));
    election.looked(Some(held_by(OTHER, 1)), at(3000));
    assert_eq!(election.tenure(at(3000)), None, "at once, not when its ten seconds are over");
    election.looked(Some(held_by(OTHER, 1)), at(18_000));
    renew(&mut election, at(18_000), "2");
    assert_eq!(election.tenure(at(18_000)).map(|tenure| tenure.number), Some(2));
}

#[test]
fn a_renewal_without_an_answer_is_looked_for() {
    let (mut election, lease) = leader(at(0));
    let lost = written(election.next(at(2000)));
    election.failed(Setback::Failure, at(2000), at(5000));
    assert_eq!(election.next(at(5000)), Act::Look { any: false });
    for (found, version, now) in [(lease, "1", at(5001)), (stored(spec(&lost).clone(), "2"), "2", at(6001))] {
        election.looked(Some(found), now);
        let again = written(election.next(now));
        assert_eq!(again.metadata.resource_version.as_deref(), Some(version), "with or without an effect it is ours");
        election.failed(Setback::Conflict, now, now);
    }
}

#[test]
fn another_process_of_the_same_name_is_another_one() {
    let mut election = candidate();
    election.looked(Some(held_by(ME, 1)), at(0));
    waits(&mut election, at(0));
    let (mut election, _) = leader(at(0));
    election.failed(Setback::Conflict, at(2000), at(2001));
    election.looked(Some(held_by(ME, 1)), at(2300));
    assert_eq!(election.tenure(at(2300)), None);
    waits(&mut election, at(2300));
}

#[test]
fn a_lost_race_is_looked_at_again_soon_and_another_failure_after_two_seconds() {
    for (setback, due) in [(Setback::Conflict, 5200), (Setback::Failure, 7000)] {
        let mut election = candidate();
        election.failed(setback, at(5000), at(5000));
        assert_eq!(waits(&mut election, at(5000)), at(due).steady);
        assert_eq!(election.next(at(due)), Act::Look { any: true });
    }
}

#[test]
fn a_leader_makes_a_deleted_lease_anew_and_a_standby_leaves_it_the_time_to_do_so() {
    let (mut election, _) = leader(at(0));
    written(election.next(at(2000)));
    election.failed(Setback::Conflict, at(2000), at(2001));
    election.looked(None, at(2201));
    let anew = written(election.next(at(2201)));
    assert_eq!((version(&anew), spec(&anew).holder_identity.as_deref()), (None, Some(ME)));

    let mut standby = candidate();
    standby.looked(Some(held_by(OTHER, 1)), at(0));
    waits(&mut standby, at(0));
    standby.looked(None, at(500));
    waits(&mut standby, at(500));
    standby.looked(None, at(15_000));
    assert_eq!(version(&written(standby.next(at(15_000)))), None);
}

#[test]
fn whoever_never_saw_the_lease_creates_it_and_meets_a_conflict_if_somebody_was_faster() {
    let mut election = candidate();
    election.looked(None, at(0));
    written(election.next(at(0)));
    election.failed(Setback::Conflict, at(0), at(1));
    election.looked(Some(held_by(OTHER, 1)), at(201));
    waits(&mut election, at(201));
    assert_eq!(election.tenure(at(201)), None);
}

#[test]
fn a_lease_is_given_up_as_client_go_does() {
    let (mut election, lease) = leader(at(0));
    let given_up = written(election.give_up(at(1000)).unwrap());
    assert_eq!(election.tenure(at(1000)), None);
    assert_eq!(version(&given_up), version(&lease));
    let LeaseSpec { holder_identity, lease_duration_seconds, lease_transitions, .. } = spec(&given_up).clone();
    assert_eq!((holder_identity.as_deref(), lease_duration_seconds, lease_transitions), (Some(""), Some(1), Some(0)));
}

#[test]
fn what_may_be_ours_is_looked_at_before_it_is_given_up() {
    let (mut election, _) = leader(at(0));
    let lost = written(election.next(at(2000)));
    assert_eq!(election.give_up(at(2001)), Some(Act::Look { any: false }));
    election.looked(Some(stored(spec(&lost).clone(), "2")), at(2002));
    assert_eq!(version(&written(election.give_up(at(2002)).unwrap())), Some("2"));
    election.looked(None, at(2003));
    assert_eq!(election.give_up(at(2003)), None, "it is gone");
}

#[test]
fn who_never_held_the_lease_gives_nothing_up() {
    let mut election = candidate();
    assert_eq!(election.give_up(at(0)), None);
    election.looked(Some(held_by(OTHER, 1)), at(0));
    assert_eq!(election.give_up(at(0)), None);
}

#[test]
fn no_two_of_three_candidates_are_ever_in_office_whatever_answers_are_lost() {
    // A lease in memory, candidates that each act when chosen, and answers lost before or after the effect.
    for seed in 0..400 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut server: Option<Lease> = None;
        let mut writes = 0_u64;
        let mut candidates: Vec<Election> = ["a", "b", "b"].map(|name| Election::new("lease", name)).into();
        for step in 0..600_u64 {
            let now = at(step * 310);
            let one = random.usize(..candidates.len());
            let election = &mut candidates[one];
            match election.next(now) {
                Act::Wait(_) => {}
                Act::Look { .. } if random.u8(..10) == 0 => election.failed(Setback::Failure, now, now),
                Act::Look { .. } => election.looked(server.clone(), now),
                Act::Write(lease) => {
                    let is_current = server.as_ref().and_then(version) == version(&lease);
                    let (is_lost, has_effect) = (random.u8(..6) == 0, random.bool());
                    if !is_current {
                        election.failed(Setback::Conflict, now, now);
                    } else if is_lost && !has_effect {
                        election.failed(Setback::Failure, now, now);
                    } else {
                        writes += 1;
                        let lease = stored(spec(&lease).clone(), &writes.to_string());
                        server = Some(lease.clone());
                        if is_lost {
                            election.failed(Setback::Failure, now, now);
                        } else {
                            election.wrote(lease, now);
                        }
                    }
                }
            }
            let leaders = candidates.iter().filter(|candidate| candidate.tenure(now).is_some()).count();
            assert!(leaders <= 1, "seed {seed}, step {step}");
        }
        assert!(writes > 20, "seed {seed}: nobody ever led");
    }
}
