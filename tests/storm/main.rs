//! Five hundred credentials whose tokens live for a minute, all due when an operator comes back, beside a tenant of whom
//! nobody gets a token.
//!
//! A test binary of its own, because it measures seconds: beside it nothing else runs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod reading;
#[path = "../life/support/mod.rs"]
#[allow(dead_code, reason = "the life of a single credential needs more of it")]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use asa_operator::api::{AsaCredential, ConditionType, Reason};
use fake_apple::{Call, Endpoint};
use jiff::Timestamp;
use kube::ResourceExt as _;
use kube::api::ListParams;
use tokio::time::{Instant, sleep};

use reading::Reading;
use support::awaited::{is, not_ready, ready, told};
use support::credential::{Credential, KEY_SECRET, credential, other_client};
use support::fleet::UNPACED;
use support::stage::Stage;

const CREDENTIALS: usize = 500;

/// So many of them have a token that ends while there is no operator.
const TOO_LATE: usize = 50;

const HOPELESS: usize = 200;

/// A token's life in seconds; its renewal is due after 27 to 30 of them. With one for each of the five hundred every 28
/// seconds, nearly all of Apple's rate is in use for ever.
const LIFE: u32 = 60;
const SHORT_LIFE: u32 = 25;

/// Apple's rate, as the operator keeps it by default, and what it allows at once.
const PER_SECOND: f64 = 20.0;
const BURST: f64 = 50.0;

/// A second's worth of requests may arrive together on a busy machine, though they were sent apart.
const JITTER: f64 = PER_SECOND;

/// Readers go on for so long when all is well again; meanwhile a quarter of all tokens are replaced once more.
const AFTERWARDS: Duration = Duration::from_secs(8);

const LONGEST: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "how long it took is worth knowing")]
async fn five_hundred_due_at_once_are_renewed_in_time_at_apples_rate_whoever_is_hopeless_beside_them() {
    let mut stage = Stage::without_operator(cluster::shared().await).await;
    let hopeless = create_all(&mut stage).await;
    let beside = ["--namespace", &hopeless];
    stage.start_operator(&[&beside[..], &UNPACED[..]].concat()).await;
    until_each(&stage, CREDENTIALS, |seen| ready().holds(seen)).await;
    until_hopeless(&mut stage, &hopeless).await;
    stage.kill_operator();
    while let Ok(left) = Duration::try_from(now().duration_until(all_due(&stage).await))
        && !left.is_zero()
    {
        sleep(left).await;
    }

    let (began, counted) = (now(), Instant::now());
    let ends = stage.ends().await;
    let late: BTreeSet<String> = ends.iter().filter(|(_, end)| **end <= began).map(|(name, _)| name.clone()).collect();
    let too_late = late.len();
    assert!((TOO_LATE..CREDENTIALS / 2).contains(&too_late), "{too_late} have ended: it took too long to come here");
    stage.launch_operator(&beside);
    let reading = Reading::start(&stage, late);
    let on_schedule = is(ConditionType::RenewalHealthy, Reason::OnSchedule);
    let is_well = |seen: &AsaCredential| {
        let renewed =
            seen.status.as_ref().and_then(|status| status.access_token).is_some_and(|life| life.issued_at >= began);
        renewed && ready().holds(seen) && on_schedule.holds(seen)
    };
    until_each(&stage, CREDENTIALS, is_well).await;
    let caught_up = counted.elapsed();
    let calls = stage.apple.state().calls().into_iter();
    let calls: Vec<Call> = calls.filter(|call| call.at >= began && call.endpoint == Some(Endpoint::Token)).collect();
    reading.all_are_caught_up();
    sleep(AFTERWARDS).await;

    let read = reading.was_never_refused().await;
    println!("{CREDENTIALS} caught up after {caught_up:?}, {read} calls of readers");
    the_rate_was_kept(&calls);
    who_had_life_left_asked_in_time(&calls, &ends, began);
    the_hopeless_came_last(&calls);
}

/// By the clock of this machine, which is Apple's as well.
#[expect(clippy::disallowed_methods, reason = "tokens end by the wall clock")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// Everybody's documents, of two namespaces; Apple knows nobody of the second one, which is told.
async fn create_all(stage: &mut Stage<'_>) -> String {
    let names: Vec<String> = (0..CREDENTIALS).map(name).collect();
    for name in &names {
        let life = if ends_early(name) { SHORT_LIFE } else { LIFE };
        stage.register(other_client(&client_id(name), stage.key.public()).token_life(life));
    }
    stage.create_key_secret().await;
    stage.apply_all(names.iter().map(|name| document(name)).collect()).await;

    let hopeless = stage.cluster.namespace("hopeless").await.unwrap();
    let others = std::mem::replace(&mut stage.namespace, hopeless);
    stage.create_key_secret().await;
    stage.apply_all((0..HOPELESS).map(|number| document(&format!("hopeless-{number:03}"))).collect()).await;
    std::mem::replace(&mut stage.namespace, others)
}

fn name(number: usize) -> String {
    format!("c-{number:03}")
}

/// Whether its token is to end while there is no operator.
fn ends_early(credential: &str) -> bool {
    credential < &*name(TOO_LATE)
}

fn client_id(name: &str) -> String {
    format!("SEARCHADS.{name}")
}

fn document(name: &str) -> Credential {
    credential().named(name).of_client(&client_id(name)).key_in(KEY_SECRET)
}

/// Waits until the operator told of each that Apple does not know it.
async fn until_hopeless(stage: &mut Stage<'_>, namespace: &str) {
    let others = std::mem::replace(&mut stage.namespace, namespace.to_owned());
    until_each(stage, HOPELESS, |seen| not_ready(Reason::ClientRejected).holds(seen)).await;
    stage.namespace = others;
}

/// Waits until it is so with so many credentials, all that there are. Looks less often than [`Stage::until_each`]: a list
/// of five hundred costs the API server as much as ten renewals.
async fn until_each(stage: &Stage<'_>, count: usize, is: impl Fn(&AsaCredential) -> bool) {
    let started = Instant::now();
    loop {
        let all = stage.credentials().list(&ListParams::default()).await.unwrap();
        assert_eq!(all.items.len(), count);
        let others: Vec<_> = all.iter().filter(|seen| !is(seen)).collect();
        let Some(first) = others.first() else { return };
        assert!(started.elapsed() < LONGEST, "{} of {} and others: {}", others.len(), first.name_any(), told(*first));
        sleep(Duration::from_secs(1)).await;
    }
}

/// When the last renewal is due, and the last token has ended of those that are to.
async fn all_due(stage: &Stage<'_>) -> Timestamp {
    let all = stage.credentials().list(&ListParams::default()).await.unwrap();
    let renewal = |seen: &AsaCredential| seen.status.as_ref().unwrap().access_token.unwrap().renewal_time;
    let ends = stage.ends().await.into_iter().filter(|(name, _)| ends_early(name)).map(|(_, end)| end);
    all.iter().map(renewal).chain(ends).max().unwrap()
}

/// At no moment Apple was asked for more tokens than the rate allows since any other.
fn the_rate_was_kept(calls: &[Call]) {
    let (mut level, mut last) = (0.0, Timestamp::MIN);
    let mut most = 0.0_f64;
    for call in calls {
        let drained = call.at.duration_since(last).as_secs_f64() * PER_SECOND;
        level = (level - drained).max(0.0) + 1.0;
        most = most.max(level);
        last = call.at;
    }
    assert!(most <= BURST + JITTER, "{most} tokens were asked for beyond the rate");
    assert!(most > BURST / 2.0, "only {most}: a rate that nobody needs proves nothing");
}

/// Whoever had a token with life left was asking for the next one before it ended.
fn who_had_life_left_asked_in_time(calls: &[Call], ends: &BTreeMap<String, Timestamp>, began: Timestamp) {
    for (name, end) in ends.iter().filter(|(_, end)| **end > began) {
        let asked = calls.iter().find(|call| call.client.as_deref() == Some(&client_id(name))).unwrap().at;
        assert!(asked < *end, "{name} asked at {asked}, and its token had ended at {end}");
    }
}

/// While the five hundred waited, the hopeless ones had no turn, but for the moment in which the operator learnt who is
/// there, a namespace after the other.
fn the_hopeless_came_last(calls: &[Call]) {
    let (mut waiting, mut hopeless, mut before): (BTreeSet<&str>, _, _) = (BTreeSet::new(), 0_u32, 0_u32);
    for call in calls {
        match call.client.as_deref() {
            Some(client) if client.contains("hopeless") => hopeless += 1,
            Some(client) if waiting.insert(client) => before = hopeless,
            _ => {}
        }
    }
    assert_eq!(waiting.len(), CREDENTIALS);
    assert!(f64::from(before) <= BURST + JITTER, "{before} hopeless requests went before the last of the others");
}
