//! /livez, /readyz and /metrics: in the open on one port, or metrics by themselves, over TLS, for those who may read them.

use std::fmt::Debug;

use axum::{
    Router,
    extract::{Path, State},
    http::{
        HeaderMap, StatusCode, Uri,
        header::{ACCEPT, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::get,
    serve::Listener,
};

use super::{
    authorization::Gate,
    metrics::{Exposition, Format},
    probes,
};
use crate::controller::{
    clock::Clock,
    health::{Check, Health},
};

/// What the probes look at.
#[derive(Clone)]
pub(super) struct Signs {
    pub(super) clock: Clock,
    pub(super) health: Health,
}

impl Signs {
    fn live(&self) -> Vec<Check> {
        self.health.live(self.clock.now().steady)
    }
}

/// What is scraped, and who decides by whom; without a gate anybody may.
#[derive(Clone)]
pub(super) struct Scraped {
    pub(super) exposition: Exposition,
    pub(super) gate: Option<Gate>,
}

/// /livez and /readyz.
pub(super) fn probes(signs: Signs) -> Router {
    Router::new()
        .route("/livez", get(live))
        .route("/livez/{check}", get(live_check))
        .route("/readyz", get(ready))
        .route("/readyz/{check}", get(ready_check))
        .with_state(signs)
}

/// /metrics.
pub(super) fn metrics(scraped: Scraped) -> Router {
    Router::new().route("/metrics", get(text)).with_state(scraped)
}

/// Serves until the process ends.
pub(super) async fn serve<L: Listener>(listener: L, routes: Router)
where
    L::Addr: Debug,
{
    if let Err(error) = axum::serve(listener, routes).await {
        tracing::error!("probes or metrics can no longer be served: {error}");
    }
}

async fn live(State(signs): State<Signs>, uri: Uri) -> Response {
    probes::all("livez", &signs.live(), &uri)
}

async fn live_check(State(signs): State<Signs>, Path(check): Path<String>) -> Response {
    probes::one(&signs.live(), &check)
}

async fn ready(State(signs): State<Signs>, uri: Uri) -> Response {
    probes::all("readyz", &signs.health.ready(), &uri)
}

async fn ready_check(State(signs): State<Signs>, Path(check): Path<String>) -> Response {
    probes::one(&signs.health.ready(), &check)
}

async fn text(State(scraped): State<Scraped>, headers: HeaderMap) -> Response {
    if let Some(gate) = &scraped.gate
        && let Some(refusal) = gate.refusal(&headers).await
    {
        return refusal.into_response();
    }
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let format = Format::accepted(accept.unwrap_or_default());
    match scraped.exposition.text(format) {
        Ok(text) => ([(CONTENT_TYPE, format.content_type())], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
