//! Where the operator may not watch Secrets, it looks at them.

use asa_operator::api::{ConditionType, Reason};
use serde_json::json;

use crate::support::awaited::{is, ready};
use crate::support::credential::{CLIENT_SECRET, KEY_SECRET, NAME, client_with_both, credential};
use crate::support::key::KeyPair;
use crate::support::rbac::Secrets;
use crate::support::stage::Stage;
use crate::support::work::{REFUSED_LIST, RENEWAL, times};

async fn stage_without_watches(token_life: u32, arguments: &[&str]) -> Stage<'static> {
    let mut stage = Stage::in_tier(cluster::shared().await, Secrets::Get).await;
    stage.launch_operator(arguments);
    stage.apple.state().set_token_life(token_life);
    stage.become_ready().await;
    stage
}

#[tokio::test]
async fn where_secrets_may_not_be_watched_a_renewal_looks_at_each_once_and_works() {
    let stage = stage_without_watches(8, &["--secret-poll-interval", "5m"]).await;
    let reader = stage.reader();
    let mark = stage.mark();

    stage.operator_renewed(&mark, 2).await;

    let looks = ["get secrets acme", "get secrets acme-client-secret", "get secrets acme-key"];
    // Whether it still may not is tried for half a minute after the start, whoever renews.
    let work: Vec<_> = stage.all_work_since(&mark).into_iter().filter(|line| line != REFUSED_LIST).collect();
    assert_eq!(work, times(2, &[&RENEWAL[..], &looks].concat()));
    reader.was_never_refused().await;
}

#[tokio::test]
async fn where_secrets_may_not_be_watched_a_deleted_one_comes_back_after_the_interval() {
    let stage = stage_without_watches(3600, &["--secret-poll-interval", "1s"]).await;
    let before = stage.token().await;
    let mark = stage.mark();

    stage.delete_secret(NAME).await;

    stage.until_secret(NAME, "the Secret", |_| true).await;
    assert_eq!(stage.token().await, before);
    assert_eq!(stage.token_requests_since(&mark), 0);
}

#[tokio::test]
async fn where_secrets_may_not_be_watched_a_new_key_is_noticed_after_the_interval() {
    let stage = stage_without_watches(3600, &["--secret-poll-interval", "1s"]).await;
    let before = stage.token().await;
    let new_key = KeyPair::new();
    stage.register(client_with_both(&stage.key, &new_key));

    stage.write_entry(KEY_SECRET, "private-key.pem", new_key.private()).await;

    stage.token_other_than(&before).await;
    stage.until(is(ConditionType::RenewalHealthy, Reason::OnSchedule)).await;
    stage.until(ready()).await;
}

#[tokio::test]
async fn where_secrets_may_not_be_watched_an_earlier_mode_does_not_end_the_looks() {
    let stage = stage_without_watches(3600, &["--secret-poll-interval", "1s"]).await;
    stage.apply(credential().with("clientSecret", json!({"mode": "Ephemeral"}))).await;
    stage.until_gone(CLIENT_SECRET).await;
    stage.operator_saw_it_all().await;
    let before = stage.token().await;

    stage.delete_secret(NAME).await;

    stage.until_secret(NAME, "the Secret", |_| true).await;
    assert_eq!(stage.token().await, before);
}
