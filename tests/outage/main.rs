//! A fleet whose tokens live for a minute, through an outage of the API server and one of Apple. Each lasts 25 of the 60
//! seconds: for tokens of an hour that is 25 of the 26 minutes that are promised.
//!
//! A test binary of its own, because it measures seconds: beside it nothing else runs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod readers;
#[path = "../life/support/mod.rs"]
#[allow(dead_code, reason = "the life of a single credential needs more of it")]
mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use asa_operator::api::conditions::find;
use asa_operator::api::{AsaCredential, ConditionType, Reason};
use cluster::{Cluster, Options};
use fake_apple::Endpoint;
use jiff::Timestamp;
use kube::ResourceExt as _;
use kube::api::ListParams;
use tokio::time::{Instant, interval, sleep_until};

use readers::Readers;
use support::awaited::{conditions, is, is_not, ready};
use support::credential::{KEY_SECRET, credential, other_client};
use support::stage::Stage;

const CREDENTIALS: usize = 100;

/// A token's life in seconds; its renewal is due after 27 to 30 of them.
const LIFE: u32 = 60;

const OUTAGE: Duration = Duration::from_secs(25);

/// From one credential's creation to the next one's. The last is created when the first comes due, so that an outage finds
/// every phase of life.
const PACE: Duration = Duration::from_millis(270);

#[tokio::test(flavor = "multi_thread")]
async fn outages_of_the_api_server_and_of_apple_leave_every_reader_of_a_hundred_credentials_a_token_that_works() {
    let cluster = Cluster::start(Options::of_workspace().unwrap()).await.unwrap();
    let restart = time_to_restart(&cluster).await;
    let mut stage = Stage::without_operator(&cluster).await;
    stage.start_operator(&[]).await;
    create_one_after_the_other(&stage).await;
    let begun = ready_since(&stage).await;
    let readers = Readers::start(&stage, begun.keys().cloned());

    without_the_api_server(&stage, restart).await;
    all_are_healthy(&stage).await;
    without_apple(&mut stage).await;
    all_are_healthy(&stage).await;

    readers.were_never_refused().await;
    assert_eq!(stage.apple.state().counts().at(Endpoint::CampaignsV1).with_status(401).total(), 0);
    assert_eq!(ready_since(&stage).await, begun, "Ready was True all the time");
}

/// What a start of the API server takes on this machine.
async fn time_to_restart(cluster: &Cluster) -> Duration {
    cluster.stop_apiserver();
    let started = Instant::now();
    cluster.start_apiserver().await.unwrap();
    started.elapsed()
}

async fn create_one_after_the_other(stage: &Stage<'_>) {
    stage.create_key_secret().await;
    let mut pace = interval(PACE);
    for name in (0..CREDENTIALS).map(|number| format!("c-{number:02}")) {
        pace.tick().await;
        let client_id = format!("SEARCHADS.{name}");
        stage.register(other_client(&client_id, stage.key.public()).token_life(LIFE));
        stage.apply(credential().named(&name).of_client(&client_id).key_in(KEY_SECRET)).await;
    }
    all_are_healthy(stage).await;
}

/// Waits until every credential is Ready and on schedule.
async fn all_are_healthy(stage: &Stage<'_>) {
    let on_schedule = is(ConditionType::RenewalHealthy, Reason::OnSchedule);
    let all = stage.until_each("Ready and on schedule", |seen| ready().holds(seen) && on_schedule.holds(seen)).await;
    assert_eq!(all.len(), CREDENTIALS);
}

/// When each credential became Ready.
async fn ready_since(stage: &Stage<'_>) -> BTreeMap<String, Timestamp> {
    let all = stage.credentials().list(&ListParams::default()).await.unwrap();
    let since = |seen: &AsaCredential| find(conditions(seen), ConditionType::Ready).unwrap().last_transition_time;
    all.iter().map(|seen| (seen.name_any(), since(seen))).collect()
}

/// The API server is killed, and started again on the same port so that it is ready when the outage is over.
async fn without_the_api_server(stage: &Stage<'_>, restart: Duration) {
    let asked = || -> BTreeMap<_, _> {
        let rows = stage.apple.state().counts().at(Endpoint::Token).rows();
        rows.into_iter().map(|row| (row.client, row.requests)).collect()
    };
    let (before, stopped) = (asked(), Instant::now());
    stage.cluster.stop_apiserver();
    sleep_until(stopped + OUTAGE.saturating_sub(restart)).await;
    let during = asked();
    stage.cluster.start_apiserver().await.unwrap();

    let renewed = during.iter().filter(|(client, count)| **count > before[*client]).count();
    assert!(renewed > CREDENTIALS / 2, "only {renewed} came due: an outage that nobody notices proves nothing");
    assert!(during.iter().all(|(client, count)| *count <= before[client] + 1), "a token in hand was asked for anew");
}

async fn without_apple(stage: &mut Stage<'_>) {
    let paused = Instant::now();
    stage.apple.pause();
    sleep_until(paused + OUTAGE).await;
    let unreachable = is_not(ConditionType::RenewalHealthy, Reason::AppleUnreachable);
    let all = stage.credentials().list(&ListParams::default()).await.unwrap();
    stage.apple.resume().await.unwrap();

    let waiting = all.iter().filter(|seen| unreachable.holds(*seen)).count();
    assert!(waiting > CREDENTIALS / 2, "only {waiting} came due: an outage that nobody notices proves nothing");
    assert!(all.iter().all(|seen| ready().holds(seen)), "what is published works");
}
