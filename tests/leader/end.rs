//! SIGTERM, whatever is under way.

use std::time::Duration;

use cluster::{Cluster, Options};
use fake_apple::{Delivery, Endpoint, Fault};
use tokio::time::Instant;

use crate::replica::Replica;
use crate::support::awaited::ready;
use crate::support::credential::{NAME, credential};
use crate::support::eventually;
use crate::support::stage::Stage;

const LONGEST: Duration = Duration::from_secs(10);

/// A leader with a credential that asks Apple for a token, which misbehaves in this way.
async fn leader_that_asks(stage: &Stage<'_>, fault: Fault) -> Replica {
    let leader = Replica::ready(stage, "leader").await;
    stage.led_by("leader").await;
    stage.apple.state().fail(fault);
    stage.upload_key();
    stage.create_key_secret().await;
    stage.apply(credential()).await;
    leader
}

async fn until_asked(stage: &Stage<'_>) {
    eventually("a request for a token", async || {
        let asked = stage.apple.state().counts().at(Endpoint::Token).total();
        if asked > 0 { Ok(()) } else { Err("none") }
    })
    .await;
}

/// How long it takes to end, with success.
async fn ends_well(mut replica: Replica, signal: &str) -> Duration {
    let told = Instant::now();
    replica.signal(signal);
    assert_eq!(replica.ends().await.code(), Some(0));
    told.elapsed()
}

#[tokio::test]
async fn a_leader_that_has_nothing_to_do_ends_at_once_and_gives_up_the_lease() {
    for signal in ["TERM", "INT"] {
        let stage = Stage::without_operator(cluster::shared().await).await;
        let leader = Replica::ready(&stage, "leader").await;
        stage.led_by("leader").await;

        let took = ends_well(leader, signal).await;

        assert!(took < Duration::from_secs(2), "{took:?}");
        let lease = stage.lease().await;
        assert_eq!((lease.holder_identity.as_deref(), lease.lease_duration_seconds), (Some(""), Some(1)));
    }
}

#[tokio::test]
async fn a_standby_ends_at_once_and_leaves_the_lease_alone() {
    let stage = Stage::without_operator(cluster::shared().await).await;
    let _leader = Replica::ready(&stage, "leader").await;
    stage.led_by("leader").await;
    let standby = Replica::ready(&stage, "standby").await;

    let took = ends_well(standby, "TERM").await;

    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!(stage.lease().await.holder_identity.as_deref(), Some("leader"));
}

#[tokio::test]
async fn a_token_that_is_being_issued_is_still_published() {
    let stage = Stage::without_operator(cluster::shared().await).await;
    let leader = leader_that_asks(&stage, Fault::at(Endpoint::Token).delay(Duration::from_secs(2))).await;
    until_asked(&stage).await;

    leader.signal("TERM");
    eventually("a probe that tells of the end", async || match leader.probe("readyz").await {
        503 => Ok(leader.probe("livez").await),
        status => Err(status),
    })
    .await;
    let took = ends_well(leader, "CONT").await;

    assert!(took < LONGEST, "{took:?}");
    assert!(stage.call_platform(&stage.published().await).await.0.is_success());
    assert!(ready().holds(&stage.credential().await));
    assert_eq!(stage.lease().await.holder_identity.as_deref(), Some(""));
    stage.only_leaders_wrote();
}

#[tokio::test]
async fn an_apple_that_hangs_holds_nobody_up() {
    let stage = Stage::without_operator(cluster::shared().await).await;
    let leader = leader_that_asks(&stage, Fault::at(Endpoint::Token).delivery(Delivery::Silent)).await;
    until_asked(&stage).await;

    let took = ends_well(leader, "TERM").await;

    assert!(took < LONGEST, "{took:?}");
    assert!(stage.secrets().get_opt(NAME).await.unwrap().is_none());
    assert_eq!(stage.lease().await.holder_identity.as_deref(), Some(""));
}

#[tokio::test]
async fn an_api_server_that_hangs_or_is_away_holds_nobody_up() {
    let cluster = Cluster::start(Options::of_workspace().unwrap()).await.unwrap();
    let stage = Stage::without_operator(&cluster).await;
    for way in ["hangs", "is away"] {
        let leader = Replica::ready(&stage, way).await;
        stage.led_by(way).await;
        if way == "hangs" {
            cluster.freeze_apiserver().unwrap();
        } else {
            cluster.stop_apiserver();
        }

        let took = ends_well(leader, "TERM").await;

        assert!(took < LONGEST, "{way}: {took:?}");
        if way == "hangs" {
            cluster.thaw_apiserver().unwrap();
        }
    }
}

#[tokio::test]
async fn a_process_that_never_saw_an_api_server_ends_at_once() {
    let stage = Stage::without_operator(cluster::shared().await).await;
    let nowhere = tempfile::NamedTempFile::new().unwrap();
    let kubeconfig = std::fs::read_to_string(stage.cluster.kubeconfig()).unwrap();
    std::fs::write(nowhere.path(), kubeconfig.replace(stage.cluster.url(), "https://127.0.0.1:1")).unwrap();
    let replica = Replica::start_with(&stage, "lost", nowhere.path(), &["--leader-election"]);
    eventually("an answer", async || match replica.probe("livez").await {
        200 => Ok(()),
        status => Err(status),
    })
    .await;

    let took = ends_well(replica, "TERM").await;

    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let stage = Stage::without_operator(cluster::shared().await).await;
    let mut leader = leader_that_asks(&stage, Fault::at(Endpoint::Token).delivery(Delivery::Silent)).await;
    until_asked(&stage).await;
    leader.signal("TERM");
    leader.says("stopping", 1).await;

    let told = Instant::now();
    leader.signal("TERM");

    assert_eq!(leader.ends().await.code(), Some(1));
    assert!(told.elapsed() < Duration::from_secs(1), "{:?}", told.elapsed());
    assert_eq!(leader.said("second signal"), 1);
}
