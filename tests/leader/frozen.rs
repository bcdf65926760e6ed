//! A leader that is stopped for longer than its lease, as a paused machine or a starved process is, and goes on.

use fake_apple::Endpoint;

use crate::replica::{Replica, now};
use crate::support::eventually;
use crate::support::stage::Stage;

/// Renewals are due every four seconds or so, and thus at any moment for whoever slept.
const LIFE: u32 = 8;

#[tokio::test]
async fn a_leader_that_was_frozen_beyond_its_lease_writes_nothing_and_asks_nothing_of_apple() {
    let stage = Stage::without_operator(cluster::shared().await).await;
    stage.apple.state().set_token_life(LIFE);
    let begin = now();
    let old = Replica::ready(&stage, "old").await;
    stage.led_by("old").await;
    let new = Replica::ready(&stage, "new").await;
    stage.become_ready().await;
    stage.worked("old", begin, 3).await;

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
    let calls = stage.apple.state().calls();
    let since = |at| calls.iter().filter(|call| call.endpoint == Some(Endpoint::Token) && call.at >= at).count();
    let published = stage.work_of("new", thawed).iter().filter(|line| line.contains("secrets Some(\"acme\")")).count();
    assert!(since(thawed) <= published + 1, "{} tokens, {published} published", since(thawed));
    eventually("a standby that is well", async || match [old.probe("livez").await, old.probe("readyz").await] {
        [200, 200] => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}
