//! How long nobody leads.

use std::cmp::Ordering;

use fake_apple::Endpoint;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};

use crate::replica::{Replica, now, user};
use crate::support::eventually;
use crate::support::stage::Stage;

/// So many pairs side by side, each of which ends once gracefully and crashes once.
const PAIRS: usize = 10;

const LONGEST_AFTER_END: SignedDuration = SignedDuration::from_secs(1);
const LONGEST_AFTER_CRASH: SignedDuration = SignedDuration::from_secs(20);

/// Two replicas of which the first leads, and a credential whose token is fresh for all of the test.
struct Pair {
    stage: Stage<'static>,
    leader: Replica,
    standby: Replica,
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "the figures are worth knowing")]
async fn a_standby_takes_over_within_a_second_of_an_end_and_twenty_of_a_crash() {
    let pairs: Vec<Pair> = join_all((0..PAIRS).map(|_| Pair::new())).await;
    let (pairs, ended): (Vec<_>, Vec<_>) =
        join_all(pairs.into_iter().map(Pair::after_an_end)).await.into_iter().unzip();
    let (pairs, crashed): (Vec<_>, Vec<_>) =
        join_all(pairs.into_iter().map(Pair::after_a_crash)).await.into_iter().unzip();

    println!("after an end: {}", figures(&ended));
    println!("after a crash: {}", figures(&crashed));
    assert!(ended.iter().all(|gap| *gap <= LONGEST_AFTER_END), "{ended:?}");
    assert!(crashed.iter().all(|gap| *gap <= LONGEST_AFTER_CRASH), "{crashed:?}");
    for pair in &pairs {
        pair.stage.only_leaders_wrote();
        let lease = pair.stage.lease().await;
        assert_eq!(lease.lease_transitions, Some(2));
        let tokens = pair.stage.apple.state().counts().at(Endpoint::Token).total();
        assert_eq!(tokens, 1, "a change of leader asks nothing of Apple while tokens are fresh");
        let writes = pair.stage.work_of(&pair.leader.name, Timestamp::MIN);
        assert_eq!(writes, [""; 0], "nor does it write anything");
    }
}

fn figures(gaps: &[SignedDuration]) -> String {
    let mut millis: Vec<_> = gaps.iter().map(SignedDuration::as_millis).collect();
    millis.sort_unstable();
    format!("{} gaps, median {} ms, longest {} ms", millis.len(), millis[millis.len() / 2], millis[millis.len() - 1])
}

impl Pair {
    async fn new() -> Self {
        let stage = Stage::without_operator(cluster::shared().await).await;
        let leader = Replica::ready(&stage, "a").await;
        stage.led_by("a").await;
        stage.become_ready().await;
        let standby = Replica::ready(&stage, "b").await;
        standby.says("another process leads", 1).await;
        Self { stage, leader, standby }
    }

    /// SIGTERM to the leader; what is there then, and how long nobody led.
    async fn after_an_end(mut self) -> (Self, SignedDuration) {
        let told = now();
        self.leader.signal("TERM");
        let gap = self.until_taken_over(told).await;
        assert_eq!(self.leader.ends().await.code(), Some(0));
        let third = Replica::ready(&self.stage, "c").await;
        third.says("another process leads", 1).await;
        (Self { stage: self.stage, leader: self.standby, standby: third }, gap)
    }

    /// SIGKILL to the leader; what is there then, and how long nobody led.
    async fn after_a_crash(mut self) -> (Self, SignedDuration) {
        let killed = now();
        self.leader.kill();
        let gap = self.until_taken_over(killed).await;
        (Self { stage: self.stage, leader: self.standby, standby: self.leader }, gap)
    }

    async fn until_taken_over(&self, since: Timestamp) -> SignedDuration {
        let successor = user(&self.stage, &self.standby.name);
        let taken = eventually("another leader", async || {
            let writes = self.stage.lease_writes();
            let first = writes.iter().find(|write| write.user == successor && write.received >= since);
            first.map(|write| write.answered).ok_or("none")
        })
        .await;
        self.standby.says("became the leader", 1).await;
        match taken.cmp(&since) {
            Ordering::Less => panic!("taken over before the end"),
            _ => taken.duration_since(since),
        }
    }
}
