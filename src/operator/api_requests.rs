//! What the operator asks the API server is counted on its way, and that its watches go on is noted.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use axum::http::{Method, Request, Response};
use futures::{FutureExt, future::BoxFuture};
use kube::client::Body;
use tower::{Layer, Service};
use tracing::{Instrument as _, field::Empty};

use crate::controller::{clock::Clock, health::Health, metrics::Metrics};

/// Where the paths of leases begin.
const LEASES: &str = "/apis/coordination.k8s.io/";

/// The layer of kube's client. It is the outermost, so one that the client repeats by itself counts once.
#[derive(Clone, Debug)]
pub(super) struct NoteRequests {
    host: Arc<str>,
    metrics: Metrics,
    health: Health,
    clock: Clock,
}

impl NoteRequests {
    /// For requests to `host`.
    pub(super) fn new(host: &str, metrics: Metrics, health: Health, clock: Clock) -> Self {
        Self { host: host.into(), metrics, health, clock }
    }

    /// Watches are the only ones here who ask for collections. That of the lease lasts only as long as this process stands by,
    /// and is not relied on.
    fn note_watch(&self, request: &Request<Body>) {
        if request.uri().path().starts_with(LEASES) {
            return;
        }
        let mut options = request.uri().query().unwrap_or_default().split('&');
        if options.any(|option| option.starts_with("watch=") || option.starts_with("limit=")) {
            self.health.watched(request.uri().path(), self.clock.now().steady);
        }
    }
}

impl<S> Layer<S> for NoteRequests {
    type Service = Noted<S>;

    fn layer(&self, inner: S) -> Noted<S> {
        Noted { inner, layer: self.clone() }
    }
}

/// A client whose requests are noted.
#[derive(Clone, Debug)]
pub(super) struct Noted<S> {
    inner: S,
    layer: NoteRequests,
}

impl<S, B> Service<Request<Body>> for Noted<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let method = name_of(request.method());
        self.layer.note_watch(&request);
        let NoteRequests { host, metrics, .. } = self.layer.clone();
        let path = request.uri().path();
        let span = tracing::debug_span!("kubernetes", method, path, status = Empty);
        let answer = self.inner.call(request);
        async move {
            let answer = answer.instrument(span.clone()).await;
            let status = answer.as_ref().ok().map(|response| response.status().as_u16());
            span.record("status", status);
            metrics.api_server_answered(&host, method, status);
            answer
        }
        .boxed()
    }
}

/// The methods that the operator uses.
fn name_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "OTHER",
    }
}
