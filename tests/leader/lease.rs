//! What others do to the Lease.

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

use crate::replica::{LEASE, Replica, now};
use crate::support::eventually;
use crate::support::stage::Stage;

#[tokio::test]
async fn a_lease_that_is_deleted_is_made_anew_by_its_leader_which_goes_on() {
    let stage = Stage::without_operator(cluster::shared().await).await;
    let leader = Replica::ready(&stage, "leader").await;
    stage.led_by("leader").await;
    let standby = Replica::ready(&stage, "standby").await;
    standby.says("another process leads", 1).await;

    for _ in 0..3 {
        let uid = stage.leases().get(LEASE).await.unwrap().metadata.uid;
        stage.leases().delete(LEASE, &DeleteParams::default()).await.unwrap();
        eventually("another lease", async || match stage.leases().get_opt(LEASE).await.unwrap() {
            Some(lease) if lease.metadata.uid != uid => Ok(()),
            _ => Err("none"),
        })
        .await;
        assert_eq!(stage.lease().await.holder_identity.as_deref(), Some("leader"));
    }

    assert_eq!([leader.said("became the leader"), leader.said("lost the lease")], [1, 0]);
    assert_eq!(standby.said("became the leader"), 0);
}

#[tokio::test]
async fn a_lease_that_somebody_else_takes_away_is_lost_at_the_next_renewal() {
    let stage = Stage::without_operator(cluster::shared().await).await;
    let replica = Replica::ready(&stage, "replica").await;
    stage.led_by("replica").await;

    let patch = json!({"metadata": {"labels": {"team": "acme"}}, "spec": {"holderIdentity": "somebody"}});
    stage.leases().patch(LEASE, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    let taken = now();
    replica.says("lost the lease", 1).await;
    assert!(now().duration_since(taken) < SignedDuration::from_secs(9), "not only when its ten seconds were over");

    stage.led_by("replica").await;
    replica.says("became the leader", 2).await;
    let lease = stage.leases().get(LEASE).await.unwrap();
    assert_eq!(lease.metadata.labels.unwrap()["team"], "acme", "what others wrote stays");
}

#[tokio::test]
async fn a_lease_of_a_leader_that_never_renews_is_taken_over_whatever_year_it_names() {
    let stage = Stage::without_operator(cluster::shared().await).await;
    let future: Timestamp = "2099-01-01T00:00:00Z".parse().unwrap();
    let lease = json!({
        "metadata": {"name": LEASE},
        "spec": {"holderIdentity": "gone", "leaseDurationSeconds": 3, "leaseTransitions": 7,
                 "renewTime": format!("{future:.6}"), "acquireTime": format!("{future:.6}")},
    });
    stage.leases().create(&kube::api::PostParams::default(), &serde_json::from_value(lease).unwrap()).await.unwrap();

    let replica = Replica::ready(&stage, "replica").await;

    stage.led_by("replica").await;
    assert_eq!(replica.said("another process leads"), 1);
    assert_eq!(stage.lease().await.lease_transitions, Some(8));
}
