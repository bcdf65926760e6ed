//! Renewals: what they cost, and what a workload sees of them.

use asa_operator::api::Reason;
use serde_json::json;

use crate::support::awaited::ready;
use crate::support::credential::{CLIENT_SECRET, client, credential};
use crate::support::secrets::entries;
use crate::support::stage::Stage;
use crate::support::work::{RENEWAL, times};

#[tokio::test]
async fn three_renewals_cost_what_is_promised_and_no_reader_ever_holds_an_expired_token() {
    let stage = Stage::ready_with_tokens_of(8).await;
    let reader = stage.reader();
    let mark = stage.mark();

    stage.operator_renewed(&mark, 3).await;

    assert_eq!(stage.work_since(&mark), times(3, &RENEWAL));
    assert_eq!(stage.events().await, ["Normal Available"]);
    reader.was_never_refused().await;
}

#[tokio::test]
async fn a_renewal_starts_between_45_and_50_percent_of_life() {
    let stage = Stage::ready().await;
    let life = stage.credential().await.status.unwrap().access_token.unwrap();
    let after = life.renewal_time.duration_since(life.issued_at).as_secs();
    assert!((1620..=1800).contains(&after), "{after} s of 3600");
}

#[tokio::test]
async fn renew_before_makes_a_renewal_earlier() {
    let stage = Stage::new().await;
    stage.register(client(&stage.key).token_life(40));
    stage.create_key_secret().await;
    stage.apply(credential().with("accessToken", json!({"renewBefore": "37s"}))).await;
    stage.until(ready()).await;
    stage.event(Reason::Available).await;
    let mark = stage.mark();
    let first = stage.credential().await.status.unwrap().access_token.unwrap();

    stage.operator_renewed(&mark, 1).await;

    let second = stage.credential().await.status.unwrap().access_token.unwrap();
    let after = second.issued_at.duration_since(first.issued_at).as_secs();
    assert!((3..15).contains(&after), "{after} s");
}

#[tokio::test]
async fn a_client_secret_is_signed_anew_in_time_at_the_price_of_one_write_more() {
    let stage = Stage::new().await;
    stage.register(client(&stage.key).token_life(14));
    stage.create_key_secret().await;
    // Due after five seconds, which the first renewal meets.
    stage.apply(credential().with("clientSecret", json!({"lifetime": "60s", "renewBefore": "55s"}))).await;
    stage.until(ready()).await;
    stage.event(Reason::Available).await;
    let first = entries(&stage.secret(CLIENT_SECRET).await);
    let mark = stage.mark();

    stage.operator_renewed(&mark, 1).await;

    let mut expected = [&RENEWAL[..], &["get secrets acme-key", "patch secrets acme-client-secret"]].concat();
    expected.sort_unstable();
    assert_eq!(stage.work_since(&mark), expected);
    let second = entries(&stage.secret(CLIENT_SECRET).await);
    assert!(second["expires_at"] > first["expires_at"] && second["client_secret"] != first["client_secret"]);
}
