//! Apple, or the API server, away for a while.

use std::time::Duration;

use asa_operator::api::{ConditionType, Reason};
use cluster::{Cluster, Options};
use fake_apple::{Delivery, Endpoint, Fault};
use tokio::time::Instant;

use crate::support::awaited::{is, is_not, message, not_ready, ready};
use crate::support::credential::{CLIENT_SECRET, NAME};
use crate::support::eventually;
use crate::support::rbac::Secrets;
use crate::support::stage::Stage;

/// So long after the API server is back the operator sees again what happens there, at the latest.
const SIGHT: Duration = Duration::from_secs(12);

#[tokio::test]
async fn while_apple_cannot_be_reached_the_token_stays_and_the_renewal_is_made_up_for() {
    let stage = Stage::ready_with_tokens_of(16).await;
    let reader = stage.reader();
    stage.apple.state().fail(Fault::at(Endpoint::Token).delivery(Delivery::Reset));

    let acme = stage.until(is_not(ConditionType::RenewalHealthy, Reason::AppleUnreachable)).await;
    assert!(ready().holds(&acme), "what is published works");
    let words = message(&acme, ConditionType::RenewalHealthy);
    assert!(words.starts_with("The published token works until 20"), "{words}");
    let old = stage.token().await;

    stage.apple.state().clear_faults();
    stage.token_other_than(&old).await;
    let acme = stage.until(is(ConditionType::RenewalHealthy, Reason::OnSchedule)).await;
    assert!(ready().holds(&acme));
    stage.event(Reason::OnSchedule).await;
    assert_eq!(stage.events().await, ["Normal Available", "Warning AppleUnreachable", "Normal OnSchedule"]);
    reader.was_never_refused().await;
}

#[tokio::test]
async fn a_failure_that_is_met_again_and_again_is_one_line_of_the_log_and_its_end_another() {
    let stage = Stage::ready_with_tokens_of(16).await;
    stage.apple.state().fail(Fault::at(Endpoint::Token).status(503));
    let refused = || stage.apple.state().counts().at(Endpoint::Token).with_status(503).total();
    eventually("a third try", async || if refused() >= 3 { Ok(()) } else { Err(refused()) }).await;
    stage.apple.state().clear_faults();
    stage.until(is(ConditionType::RenewalHealthy, Reason::OnSchedule)).await;
    stage.event(Reason::OnSchedule).await;

    let log = stage.operator_log();
    let lines = |part: &str| log.lines().filter(|line| line.contains(part)).count();
    let of_watches = usize::from(Secrets::of_this_run() == Secrets::Get);
    assert_eq!(lines("Secrets cannot be watched: "), of_watches, "{log}");
    assert_eq!(lines(r#""level":"WARN""#), 1 + of_watches, "{log}");
    assert_eq!(lines(r#""reason":"AppleUnavailable","failure":"POST /auth/oauth2/token: "#), 1, "{log}");
    assert_eq!(lines(r#""reason":"OnSchedule""#), 1, "{log}");
}

#[tokio::test]
async fn after_an_outage_of_apple_that_outlasted_the_token_the_credential_is_ready_again() {
    let mut stage = Stage::ready_with_tokens_of(4).await;
    stage.apple.pause();

    stage.until(not_ready(Reason::AppleUnreachable)).await;
    stage.apple.resume().await.unwrap();

    stage.until(ready()).await;
}

#[tokio::test]
async fn the_next_api_verifies_a_token_when_the_first_does_not_answer() {
    let stage = Stage::ready_with_tokens_of(8).await;
    stage.apple.state().fail(Fault::at(Endpoint::MeV1).status(503));
    let mark = stage.mark();

    stage.operator_renewed(&mark, 1).await;

    let expected = ["apple me-v1 503", "apple me-v5 200", "apple token 200", "patch secrets acme"];
    assert_eq!(stage.work_since(&mark)[..4], expected);
    assert!(ready().holds(&stage.credential().await));
}

#[tokio::test]
async fn after_an_outage_of_the_api_server_the_token_in_hand_is_published_and_nothing_is_lost() {
    let cluster = Cluster::start(Options::of_workspace().unwrap()).await.unwrap();
    let mut stage = Stage::without_operator(&cluster).await;
    stage.start_operator(&[]).await;
    stage.apple.state().set_token_life(60);
    stage.become_ready().await;
    let old = stage.token().await;
    let mark = stage.mark();

    cluster.stop_apiserver();
    stage.apple.state().until(|counts| counts.at(Endpoint::Token).total() == 2).await;
    cluster.start_apiserver().await.unwrap();
    let back = Instant::now();

    stage.token_other_than(&old).await;
    assert_eq!(stage.token_requests_since(&mark), 1, "the token in hand was kept");
    let acme = stage.until(is(ConditionType::RenewalHealthy, Reason::OnSchedule)).await;
    assert!(ready().holds(&acme));

    stage.delete_secret(NAME).await;
    stage.delete_secret(CLIENT_SECRET).await;
    stage.until_secret(NAME, "the Secret", |_| true).await;
    stage.until_secret(CLIENT_SECRET, "the client secret", |_| true).await;
    assert!(back.elapsed() < SIGHT, "the operator sees again after {:?}", back.elapsed());
}
