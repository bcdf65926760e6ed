//! A client secret that is signed for each use and stored nowhere.

use asa_operator::api::{ConditionType, Reason};
use serde_json::json;

use crate::support::awaited::{message, ready};
use crate::support::credential::{CLIENT_SECRET, Credential, credential};
use crate::support::stage::Stage;

fn ephemeral() -> Credential {
    credential().with("clientSecret", json!({"mode": "Ephemeral"}))
}

#[tokio::test]
async fn an_ephemeral_client_secret_is_signed_at_each_renewal_and_stored_nowhere() {
    let stage = Stage::new().await;
    stage.apple.state().set_token_life(16);
    stage.upload_key();
    stage.create_key_secret().await;
    stage.apply(ephemeral()).await;
    let acme = stage.until(ready()).await;
    assert_eq!(acme.status.as_ref().unwrap().client_secret, None);
    assert!(message(&acme, ConditionType::ClientSecretIssued).contains("stored nowhere"));
    stage.event(Reason::Available).await;
    let mark = stage.mark();

    stage.operator_renewed(&mark, 1).await;

    let expected = [
        "apple me-v1 200",
        "apple token 200",
        "get secrets acme-key",
        "patch secrets acme",
        "update asacredentials/status acme",
    ];
    assert_eq!(stage.work_since(&mark), expected, "the key is read for each signature and never kept");
    assert!(stage.secrets().get_opt(CLIENT_SECRET).await.unwrap().is_none());
}

#[tokio::test]
async fn the_secret_of_the_earlier_mode_goes_and_comes_back() {
    let stage = Stage::ready().await;
    let before = stage.published().await;
    let mark = stage.mark();

    stage.apply(ephemeral()).await;
    stage.until_gone(CLIENT_SECRET).await;

    stage.apply(credential()).await;
    stage.until_secret(CLIENT_SECRET, "the client secret", |_| true).await;
    stage.until(ready()).await;
    stage.operator_saw_it_all().await;
    assert_eq!(stage.published().await, before);
    assert_eq!(stage.token_requests_since(&mark), 0);
}

#[tokio::test]
async fn somebody_elses_secret_of_that_name_stays() {
    let stage = Stage::new().await;
    stage.upload_key();
    stage.create_key_secret().await;
    let theirs = stage.create_secret(CLIENT_SECRET, "Opaque", &[("password", "somebody's")]).await;

    stage.apply(ephemeral()).await;

    stage.until(ready()).await;
    stage.operator_saw_it_all().await;
    assert_eq!(stage.secret(CLIENT_SECRET).await, theirs);
    assert!(stage.call_platform(&stage.published().await).await.0.is_success());
}
