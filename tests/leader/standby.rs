//! Two replicas in quiet times.

use fake_apple::Endpoint;

use crate::replica::{Replica, now, user};
use crate::support::stage::Stage;

#[tokio::test]
async fn one_of_two_replicas_leads_and_the_other_is_ready_and_writes_nothing() {
    let stage = Stage::without_operator(cluster::shared().await).await;
    stage.apple.state().set_token_life(12);
    let begin = now();
    let first = Replica::ready(&stage, "first").await;
    stage.led_by("first").await;
    let second = Replica::ready(&stage, "second").await;
    stage.become_ready().await;

    stage.worked("first", begin, 6).await;

    assert_eq!([second.probe("readyz").await, second.probe("livez").await], [200, 200]);
    let sample = |value| vec![format!("leader_election_master_status{{name=\"asa-operator\"}} {value}")];
    let samples = |lines: Vec<String>| lines.into_iter().filter(|line| !line.starts_with('#')).collect::<Vec<_>>();
    assert_eq!(samples(first.master_status().await), sample(1));
    assert_eq!(samples(second.master_status().await), sample(0));
    assert_eq!([first.said("became the leader"), first.said("lost the lease")], [1, 0]);
    assert_eq!([second.said("became the leader"), second.said("lost the lease")], [0, 0]);
    assert_eq!(second.said("another process leads"), 1);
    stage.only_leaders_wrote();

    let standby = user(&stage, "second");
    let asked = stage.cluster.requests(&stage.namespace, "asa-operator/").unwrap();
    let mut asked: Vec<_> = asked.iter().filter(|request| request.user == standby).map(line).collect();
    let looks = asked.iter().filter(|line| *line == "get leases").count();
    asked.sort();
    asked.dedup();
    assert_eq!(
        asked,
        [
            "get leases",
            "list appstoreconnectcredentials",
            "list asacredentials",
            "list secrets",
            "watch appstoreconnectcredentials",
            "watch asacredentials",
            "watch leases",
            "watch secrets",
        ]
    );
    let renewals = stage.lease_writes().len();
    assert!(looks * 4 <= renewals, "{looks} looks at the lease while it was renewed {renewals} times");
    let tokens = stage.apple.state().counts().at(Endpoint::Token).total();
    let renewals = stage.work_of("first", begin).iter().filter(|line| line.contains(" secrets Some(\"acme\")")).count();
    assert!(tokens <= u64::try_from(renewals).unwrap() + 1, "{tokens} tokens for {renewals} renewals");
}

fn line(request: &cluster::Request) -> String {
    format!("{} {}", request.verb, request.resource)
}

#[tokio::test]
async fn without_leader_election_there_is_no_lease_and_no_metric_of_one() {
    let mut stage = Stage::without_operator(cluster::shared().await).await;
    let alone = Replica::start_with(&stage, "alone", stage.cluster.kubeconfig(), &[]);
    alone.becomes_ready().await;
    stage.become_ready().await;

    assert_eq!(alone.master_status().await, [""; 0]);
    let asked = stage.cluster.requests(&stage.namespace, "asa-operator/").unwrap();
    assert!(asked.iter().all(|request| request.resource != "leases"));
    stage.kill_operator();
}
