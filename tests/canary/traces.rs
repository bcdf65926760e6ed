//! Spans reach a collector, and nothing secret is in them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use asa_operator::api::Reason;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use fake_apple::{Endpoint, Fault};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::net::TcpListener;

use crate::needles::Needles;
use crate::support::awaited::is_not;
use crate::support::credential::{NAME, credential};
use crate::support::eventually;
use crate::support::operator::{Operator, command};
use crate::support::secrets::entries;
use crate::support::stage::Stage;

/// A collector that keeps what it is sent, as it came.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Bytes>>>);

impl Collector {
    /// Where it listens.
    async fn start(&self) -> String {
        async fn take(State(Collector(kept)): State<Collector>, body: Bytes) {
            kept.lock().unwrap().push(body);
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new().route("/v1/traces", post(take)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        format!("http://{address}")
    }

    fn bodies(&self) -> Vec<Bytes> {
        self.0.lock().unwrap().clone()
    }

    fn spans(&self) -> Vec<Span> {
        let requests = self.bodies().into_iter().map(|body| ExportTraceServiceRequest::decode(body).unwrap());
        let scopes = requests.flat_map(|request| request.resource_spans).flat_map(|spans| spans.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }
}

/// The texts among a span's attributes.
fn texts(span: &Span) -> BTreeMap<&str, &str> {
    let texts = span.attributes.iter().filter_map(|attribute| match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some((attribute.key.as_str(), text.as_str())),
        _ => None,
    });
    texts.collect()
}

#[tokio::test]
async fn runs_steps_and_requests_are_traced_log_lines_tell_the_trace_and_no_span_tells_a_secret() {
    let stage = Stage::without_operator(cluster::shared().await).await;
    let collector = Collector::default();
    let endpoint = collector.start().await;
    stage.upload_key();
    stage.create_key_secret().await;
    stage.apply(credential()).await;
    let mut operator = Operator::new();
    let mut run = command(&stage.namespace, &stage.apple.url(), stage.cluster.kubeconfig());
    // Spans go out after as much time as this, in milliseconds.
    operator.run(run.args(["--otlp-endpoint", &endpoint]).env("OTEL_BSP_SCHEDULE_DELAY", "100"));
    stage.until(crate::support::awaited::ready()).await;
    let token = stage.token().await;
    stage.apple.state().fail(Fault::at(Endpoint::Token).status(503));
    stage.request_renewal("now").await;
    stage.until(is_not(asa_operator::api::ConditionType::RenewalHealthy, Reason::AppleUnavailable)).await;

    let wanted = BTreeSet::from(["reconcile", "step", "apple", "kubernetes"]);
    eventually("spans of each kind", async || {
        let spans = collector.spans();
        let names: BTreeSet<String> = spans.iter().map(|span| span.name.clone()).collect();
        let has_failed = spans.iter().any(|span| texts(span).get("outcome") == Some(&"error"));
        let all = has_failed && names.iter().map(String::as_str).collect::<BTreeSet<_>>() == wanted;
        if all { Ok(()) } else { Err(format!("{names:?}")) }
    })
    .await;
    let spans = collector.spans();
    let run = spans.iter().find(|span| texts(span).get("outcome") == Some(&"error")).unwrap();
    let expected = [("kind", "AsaCredential"), ("namespace", &*stage.namespace), ("name", NAME)];
    assert!(expected.iter().all(|(key, value)| texts(run).get(key) == Some(value)), "{run:?}");
    let asked = spans.iter().find(|span| span.name == "apple" && span.trace_id == run.trace_id).unwrap();
    assert_eq!(texts(asked)["endpoint"], "POST /auth/oauth2/token");

    let log = operator.log();
    let digits: Vec<String> = run.trace_id.iter().map(|byte| format!("{byte:02x}")).collect();
    let trace_id = digits.concat();
    let line = log.lines().find(|line| line.contains("AppleUnavailable") && line.contains(&trace_id));
    assert!(line.is_some_and(|line| line.contains("\"span_id\":\"")), "{log}");

    let mut needles = Needles::default();
    needles.key("the key", stage.key.private());
    needles.token("the token", &token);
    let client_secret = entries(&stage.secret("acme-client-secret").await)["client_secret"].clone();
    needles.token("the client secret", &client_secret);
    for body in collector.bodies() {
        assert_eq!(needles.find(&body), None);
    }
    for span in &spans {
        assert_eq!(needles.find(format!("{span:?}")), None);
    }
    assert!(needles.find(format!("{token} {:?}", spans[0])).is_some(), "what is planted is found");
}
