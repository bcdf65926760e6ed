//! The API server is away for longer than a leader's time in office, or than a lease lasts.

use std::time::Duration;

use cluster::{Cluster, Options};
use fake_apple::{Endpoint, Fault};

use crate::replica::{Replica, now};
use crate::support::eventually;
use crate::support::stage::Stage;

/// From the end of the leader's time in office: the lease is anybody's 5 s later.
const BEYOND_THE_LEASE: Duration = Duration::from_secs(6);

fn tokens(stage: &Stage<'_>) -> u64 {
    stage.apple.state().counts().at(Endpoint::Token).total()
}

#[tokio::test]
async fn without_an_api_server_the_leader_stops_and_afterwards_one_leads_again() {
    let cluster = Cluster::start(Options::of_workspace().unwrap()).await.unwrap();
    let stage = Stage::without_operator(&cluster).await;
    let first = Replica::ready(&stage, "first").await;
    stage.led_by("first").await;
    stage.become_ready().await;

    a_token_in_hand_outlasts_the_lapse(&stage, &first).await;

    let second = Replica::ready(&stage, "second").await;
    second.says("another process leads", 1).await;
    let replicas = [first, second];
    nobody_acts_without_an_api_server(&stage, &replicas).await;
    let back = now();
    cluster.start_apiserver().await.unwrap();

    let leads = stage.led_by_one_of(&["first", "second"]).await;
    stage.request_renewal("afterwards").await;
    stage.worked(&replicas[leads].name, back, 1).await;
    stage.only_leaders_wrote();
    assert!(stage.call_platform(&stage.published().await).await.0.is_success());
    for (number, replica) in replicas.iter().enumerate() {
        let terms = replica.said("became the leader") - replica.said("lost the lease");
        assert_eq!(terms, usize::from(number == leads), "{}", replica.name);
    }
}

/// Nobody else led meanwhile: what the leader had in hand is as good as it was.
async fn a_token_in_hand_outlasts_the_lapse(stage: &Stage<'_>, leader: &Replica) {
    let old = stage.published().await;
    stage.apple.state().fail(Fault::at(Endpoint::Token).times(1).delay(Duration::from_secs(1)));
    stage.request_renewal("before").await;
    eventually("a request for a token", async || if tokens(stage) == 2 { Ok(()) } else { Err(tokens(stage)) }).await;
    stage.cluster.stop_apiserver();
    leader.says("lost the lease", 1).await;
    stage.cluster.start_apiserver().await.unwrap();

    leader.says("became the leader", 2).await;
    stage.token_other_than(&old["access_token"]).await;

    assert_eq!(tokens(stage), 2, "the token in hand was published");
    assert_eq!(stage.lease().await.lease_transitions, Some(0), "it is the same time in office");
}

async fn nobody_acts_without_an_api_server(stage: &Stage<'_>, replicas: &[Replica; 2]) {
    let [first, second] = replicas;
    stage.cluster.stop_apiserver();
    first.says("lost the lease", 2).await;
    tokio::time::sleep(BEYOND_THE_LEASE).await;

    assert_eq!(tokens(stage), 2, "who does not lead asks nothing");
    assert!(first.master_status().await.iter().any(|line| line.ends_with("} 0")));
    assert_eq!([first.probe("livez").await, first.probe("readyz").await, second.probe("readyz").await], [200; 3]);
    let told = |replica: &Replica| replica.said("the lease cannot be had or kept: no connection");
    assert_eq!([told(first), told(second)], [2, 1], "once for each outage");
}
