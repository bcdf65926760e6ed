//! A leader that is stopped for longer than its lease, as a paused machine or a starved process is, and goes on.

use std::time::Duration;

use fake_apple::{Endpoint, Fault};

use crate::replica::{Replica, now};
use crate::support::eventually;
use crate::support::stage::Stage;

/// Renewals are due every four seconds or so, and thus at any moment for whoever slept.
const LIFE: u32 = 8;

#[tokio::test]
async fn a_leader_that_was_frozen_beyond_its_lease_writes_nothing_and_asks_nothing_of_apple() {
    let stage = Stage::without_operator(cluster::shared().await).await;
    let old = Replica::ready(&stage, "old").await;
    stage.led_by("old").await;
    let new = Replica::ready(&stage, "new").await;
    stage.become_ready().await;

    // Frozen in the middle of a renewal: Apple's answer waits in the socket for the process to go on.
    stage.apple.state().fail(Fault::at(Endpoint::Token).times(1).delay(Duration::from_secs(1)));
    stage.apple.state().set_token_life(LIFE);
    stage.request_renewal("now").await;
    eventually("a request for a token", async || match asked(&stage, Endpoint::Token) {
        2 => Ok(()),
        other => Err(other),
    })
    .await;
    let frozen = now();
    old.signal("STOP");
    stage.led_by("new").await;
    stage.worked("new", frozen, 2).await;
    let thawed = now();
    old.signal("CONT");
    old.says("another process leads", 1).await;
    stage.worked("new", thawed, 2).await;

    assert_eq!(stage.work_of("old", thawed), [""; 0]);
    stage.only_leaders_wrote();
    assert_eq!([old.said("became the leader"), old.said("lost the lease"), new.said("lost the lease")], [1, 1, 0]);
    let published = stage.work_of("new", frozen).iter().filter(|line| line.contains("secrets Some(\"acme\")")).count();
    let verified = asked(&stage, Endpoint::MeV1) - 1;
    assert!(verified <= published + 1, "{verified} tokens were verified, and the new leader published {published}");
    eventually("a standby that is well", async || match [old.probe("livez").await, old.probe("readyz").await] {
        [200, 200] => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}

fn asked(stage: &Stage<'_>, endpoint: Endpoint) -> usize {
    stage.apple.state().calls().iter().filter(|call| call.endpoint == Some(endpoint)).count()
}
