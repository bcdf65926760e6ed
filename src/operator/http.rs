//! /livez, /readyz and /metrics.

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::net::TcpListener;

use crate::controller::{clock::Clock, health::Health, metrics::Metrics};

/// <https://prometheus.io/docs/specs/om/open_metrics_spec/#overall-structure>
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone)]
struct Signs {
    clock: Clock,
    metrics: Metrics,
    health: Health,
}

/// Serves until the process ends.
pub(super) async fn serve(listener: TcpListener, clock: Clock, metrics: Metrics, health: Health) {
    let routes = Router::new()
        .route("/livez", get(live))
        .route("/readyz", get(ready))
        .route("/metrics", get(text))
        .with_state(Signs { clock, metrics, health });
    if let Err(error) = axum::serve(listener, routes).await {
        tracing::error!("probes and metrics can no longer be served: {error}");
    }
}

async fn live(State(signs): State<Signs>) -> Response {
    probe(signs.health.is_alive(signs.clock.now().steady), "the loop stands still, or nobody gets a turn")
}

async fn ready(State(signs): State<Signs>) -> Response {
    if signs.health.is_stopping() {
        return probe(false, "the operator is stopping");
    }
    probe(signs.health.is_ready(), "credentials and Secrets were not all seen yet")
}

fn probe(is_well: bool, otherwise: &'static str) -> Response {
    if is_well { "ok".into_response() } else { (StatusCode::SERVICE_UNAVAILABLE, otherwise).into_response() }
}

async fn text(State(signs): State<Signs>) -> Response {
    match signs.metrics.text() {
        Ok(text) => ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
