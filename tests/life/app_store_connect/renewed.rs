//! Renewals, restarts, and requests.

use std::time::Duration;

use asa_operator::api::Reason;
use serde_json::json;
use tokio::time::sleep;

use super::{STATUS, api_key, api_key_with};
use crate::restart::start;
use crate::support::awaited::ready;
use crate::support::credential::NAME;
use crate::support::stage::Stage;
use crate::support::{a_minute_later, work::times};

#[tokio::test]
async fn a_renewal_costs_one_write_of_the_secret_and_one_of_status_and_nothing_else() {
    let stage = Stage::new().await;
    stage.begin_with(stage.team_key(), api_key_with(&json!({"token": {"lifetime": "60s"}}))).await;
    stage.until_api_key(ready()).await;
    stage.event(Reason::Available).await;
    let (mark, before) = (stage.mark(), stage.published().await);

    a_minute_later("a renewal", async || {
        let work = stage.work_since(&mark);
        if work.iter().any(|line| line == STATUS) { Ok(()) } else { Err(work.join(", ")) }
    })
    .await;

    assert_eq!(stage.work_since(&mark), ["patch secrets acme", STATUS]);
    let after = stage.published().await;
    assert_ne!(after["token"], before["token"]);
    assert_eq!(stage.call_app_store_connect("/app-store-connect/v1/apps?limit=1").await, 200);
}

#[tokio::test]
async fn a_restart_probes_nothing_and_writes_nothing() {
    let mut stage = Stage::with_ready_api_key().await;
    let before = (stage.api_keys().get(NAME).await.unwrap(), stage.secret(NAME).await);
    let mark = stage.mark();

    for _ in 0..2 {
        stage.kill_operator();
        stage.start_operator(&[]).await;
        stage.operator_saw_all_api_keys().await;
    }

    assert_eq!(stage.work_since(&mark), times(2, &start()));
    assert_eq!((stage.api_keys().get(NAME).await.unwrap(), stage.secret(NAME).await), before);
}

#[tokio::test]
async fn on_demand_another_token_is_signed_and_the_key_is_asked_about_once() {
    let stage = Stage::with_ready_api_key().await;
    let mark = stage.mark();
    // A token of the same second would be the same token's twin.
    sleep(Duration::from_secs(1)).await;

    for _ in 0..2 {
        stage.request_token_of(NAME, "please").await;
        stage.operator_saw_all_api_keys().await;
    }

    assert_eq!(stage.work_since(&mark), ["apple apps 200", "patch secrets acme", STATUS]);
}

#[tokio::test]
async fn of_many_resources_with_the_same_key_one_asks() {
    let stage = Stage::new().await;
    stage.register_api_key(stage.team_key());
    let mark = stage.mark();
    let names: Vec<String> = (0..20).map(|number| format!("user-{number}")).collect();
    for name in &names {
        stage.apply_api_key(api_key().named(name).key_in("acme-key")).await;
    }

    stage.create_key_secret().await;

    for name in &names {
        stage.until_api_key_named(name, ready()).await;
    }
    stage.operator_saw_all_api_keys().await;
    let mut probes = stage.work_since(&mark);
    probes.retain(|line| line.starts_with("apple"));
    assert_eq!(probes, ["apple apps 200"]);
}
