//! What Prometheus sees.

mod scrape;
pub(crate) mod secured;

use std::collections::{BTreeMap, BTreeSet};

use asa_operator::api::{ConditionType, Reason};
use scrape::Scrape;
use serde_json::json;

use crate::support::awaited::{is_not, ready};
use crate::support::credential::{NAME, ORG, credential};
use crate::support::eventually;
use crate::support::stage::Stage;

/// Names and labels of the credential of most tests, but for the namespace.
const ACME: [(&str, &str); 2] = [("kind", "AsaCredential"), ("name", NAME)];

/// A credential that is Ready, and where its operator is scraped.
async fn scraped(token_life: u32) -> (Stage<'static>, String) {
    let stage = Stage::new().await;
    stage.apple.state().set_token_life(token_life);
    stage.become_ready().await;
    let address = stage.serves_at("http_address").await;
    (stage, address)
}

/// The rows of the page: name, type, labels.
fn documented() -> Vec<(String, String, BTreeSet<String>)> {
    let page = include_str!("../../../docs/metrics.md");
    let rows = page.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split('|').map(str::trim);
        let name = cells.next()?.trim_end_matches('`').to_owned();
        let type_ = cells.next()?.to_owned();
        let labels = cells.next()?.split(',').map(|label| label.trim().to_owned()).filter(|label| !label.is_empty());
        Some((name, type_, labels.collect()))
    });
    rows.collect()
}

#[tokio::test]
async fn the_page_of_metrics_tells_every_metric_with_its_type_and_labels_and_prometheus_finds_no_fault() {
    let mut stage = Stage::without_operator(cluster::shared().await).await;
    // As the chart's operator it might hold the chart's Lease only, which the operators of other tests would wait for.
    stage.operator_may_do_everything();
    let namespace = stage.namespace.clone();
    stage.start_operator(&["--leader-election", "--lease-namespace", &namespace]).await;
    stage.become_ready().await;
    let address = stage.serves_at("http_address").await;
    let mark = stage.mark();
    stage.request_renewal("now").await;
    stage.operator_renewed(&mark, 1).await;
    stage.until(ready()).await;

    let scrape = Scrape::of(&address).await;
    let page = documented();
    let told: BTreeMap<_, _> = page.iter().map(|(name, type_, _)| (name.clone(), type_.clone())).collect();
    assert_eq!(scrape.families(), told);
    for (name, type_, labels) in &page {
        assert_eq!(&scrape.labels_of(name, type_), labels, "{name}");
    }
    assert_eq!(scrape.judged(), "");
}

#[tokio::test]
async fn a_scraper_that_reads_open_metrics_gets_it() {
    let (_stage, address) = scraped(3600).await;
    let request = reqwest::Client::new().get(format!("http://{address}/metrics"));
    let answer = request.header("accept", "application/openmetrics-text;version=1.0.0").send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let text = answer.text().await.unwrap();
    assert!(text.contains("# TYPE asa_tokens_issued counter\n") && text.ends_with("# EOF\n"), "{text}");
}

#[tokio::test]
async fn metrics_say_what_status_says_and_what_was_done() {
    let (stage, address) = scraped(3600).await;
    let life = stage.credential().await.status.unwrap().access_token.unwrap();

    let scrape = Scrape::of(&address).await;
    let is = |name, time: jiff::Timestamp| assert!((scrape.value(name, &ACME) - seconds(time)).abs() < 0.5, "{name}");
    is("asa_credential_token_expiration_timestamp_seconds", life.expires_at);
    is("asa_credential_renewal_timestamp_seconds", life.renewal_time);
    for (status, value) in [("True", 1.0), ("False", 0.0), ("Unknown", 0.0)] {
        let labels = [ACME[0], ACME[1], ("type", "Ready"), ("status", status)];
        equal(scrape.value("asa_credential_condition", &labels), value);
    }
    let organization = ORG.to_string();
    let labels = [
        ACME[0],
        ("namespace", &*stage.namespace),
        ("secret", NAME),
        ("organization", &organization),
        ("suspended", "false"),
    ];
    equal(scrape.value("asa_credential_info", &labels), 1.0);
    equal(scrape.value("asa_renewals_overdue", &[]), 0.0);
    equal(scrape.value("asa_expired_token_seconds_total", &[]), 0.0);
    equal(scrape.value("asa_tokens_issued_total", &[]), 1.0);
    equal(scrape.value("asa_renewal_slack_seconds_count", &[("kind", "AsaCredential")]), 0.0);
    equal(scrape.value("asa_apple_request_duration_seconds_count", &[("host", "apple_id")]), 1.0);
    assert!(scrape.value("asa_clock_skew_seconds", &[("host", "apple_id")]).abs() < 20.0);
    assert!(scrape.value("workqueue_queue_duration_seconds_count", &[]) >= 1.0);
    assert!(scrape.value("rest_client_requests_total", &[("method", "POST"), ("code", "201")]) >= 2.0);
}

#[tokio::test]
async fn each_renewal_tells_how_much_life_the_old_token_had_left() {
    let (stage, address) = scraped(12).await;
    let mark = stage.mark();
    stage.operator_renewed(&mark, 1).await;

    let scrape = Scrape::of(&address).await;
    let slack = |part: &str| scrape.value(&format!("asa_renewal_slack_seconds_{part}"), &[("kind", "AsaCredential")]);
    equal(slack("count"), 1.0);
    assert!(slack("sum") > 0.0 && slack("sum") < 7.0, "{}", scrape.0);
    equal(scrape.value("asa_expired_token_seconds_total", &[]), 0.0);
}

#[tokio::test]
async fn a_token_that_ended_is_counted_until_somebody_suspends_the_credential() {
    let (mut stage, address) = scraped(3).await;
    stage.apple.pause();
    stage.until(is_not(ConditionType::Ready, Reason::AppleUnreachable)).await;
    let lapsed = "asa_expired_token_seconds_total";
    let first = Scrape::of(&address).await;
    equal(first.value("asa_renewals_overdue", &[]), 1.0);
    eventually("more expired seconds", async || {
        let more = Scrape::of(&address).await.value(lapsed, &[]);
        if more > first.value(lapsed, &[]) { Ok(()) } else { Err(more) }
    })
    .await;

    stage.apply(credential().with("suspend", json!(true))).await;

    eventually("nothing overdue", async || {
        let scrape = Scrape::of(&address).await;
        if scrape.value("asa_renewals_overdue", &[]) == 0.0 { Ok(()) } else { Err(scrape.0) }
    })
    .await;
    let (one, other) = (Scrape::of(&address).await, Scrape::of(&address).await);
    equal(one.value(lapsed, &[]), other.value(lapsed, &[]));
}

#[tokio::test]
async fn the_series_of_a_deleted_credential_are_gone() {
    let (stage, address) = scraped(3600).await;
    let about = |scrape: &Scrape| scrape.0.lines().filter(|line| line.contains(r#"name="acme""#)).count();
    assert!(about(&Scrape::of(&address).await) > 20);

    stage.credentials().delete(NAME, &kube::api::DeleteParams::default()).await.unwrap();

    eventually("no series of acme", async || {
        let left = about(&Scrape::of(&address).await);
        if left == 0 { Ok(()) } else { Err(left) }
    })
    .await;
}

#[expect(clippy::cast_precision_loss, reason = "whole seconds of this century are exact")]
fn seconds(time: jiff::Timestamp) -> f64 {
    time.as_second() as f64
}

/// Counts, which are exact.
fn equal(is: f64, wanted: f64) {
    assert!((is - wanted).abs() < f64::EPSILON, "{is} is not {wanted}");
}
