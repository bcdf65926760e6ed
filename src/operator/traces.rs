//! Traces: spans sent to a collector by OTLP over HTTP, where the operator is told to.
//!
//! Spans carry names of objects, steps, hosts, paths and results: explicit fields, none of which can hold a secret.

use std::{
    fmt,
    pin::Pin,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use opentelemetry::trace::{TraceContextExt as _, TracerProvider as _};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{SdkTracer, SdkTracerProvider},
};
use reqwest::{Client, Url, redirect};
use tokio::runtime::Handle;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::{
    Layer,
    filter::filter_fn,
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Format, Json, Writer},
    },
    registry::LookupSpan,
};

/// What is appended to the endpoint: <https://opentelemetry.io/docs/specs/otlp/#otlphttp-request>
const PATH: &str = "v1/traces";

/// A collector that does not answer loses spans, and costs nothing else.
const DEADLINE: Duration = Duration::from_secs(10);

/// At the end of the process what was not sent yet has so long; SIGTERM gives ten seconds to everything.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The operator's own spans; those of libraries stay here.
const OWN: &str = "asa_operator";

/// Why spans cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// The option is no URL to send to.
    #[error("--otlp-endpoint is to be a URL with http or https and a host, for example http://collector:4318")]
    NoEndpoint,
    /// The client could not be built.
    #[error("the client for --otlp-endpoint could not be set up: no trusted roots on this system?")]
    Client(#[source] reqwest::Error),
    /// The exporter could not be built.
    #[error("the exporter of traces could not be set up")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
}

/// The exporter, which runs until this is dropped; then what is left is sent.
#[derive(Debug)]
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Sends spans to `endpoint`, by a thread of its own and the tasks of `runtime`.
    ///
    /// # Errors
    /// Where the endpoint is none, or there is no client for it.
    pub fn start(endpoint: &Url, runtime: Handle) -> Result<Self, TracesError> {
        if !matches!(endpoint.scheme(), "http" | "https") || !endpoint.has_host() {
            return Err(TracesError::NoEndpoint);
        }
        let client = Client::builder().timeout(DEADLINE).redirect(redirect::Policy::none()).build();
        let sender =
            Sender { client: client.map_err(TracesError::Client)?, runtime, has_failed: AtomicBool::new(false) };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(sender)
            .with_endpoint(format!("{}/{PATH}", endpoint.as_str().trim_end_matches('/')))
            .build()?;
        let version = opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder().with_service_name("asa-operator").with_attribute(version).build();
        Ok(Self(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build()))
    }

    /// What turns the operator's spans into those that are sent. Events stay log lines.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let tracer: SdkTracer = self.0.tracer("asa-operator");
        let layer = tracing_opentelemetry::layer().with_tracer(tracer);
        // Neither lines of source code nor threads help whoever reads a trace.
        let layer = layer.with_location(false).with_threads(false).with_tracked_inactivity(false);
        layer.with_filter(filter_fn(is_own_span))
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        // A collector that is away at the end loses the last spans.
        let _ = self.0.shutdown_with_timeout(LAST_WORDS);
    }
}

fn is_own_span(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target().starts_with(OWN)
}

/// Sends from the exporter's thread through the runtime, which alone can.
#[derive(Debug)]
struct Sender {
    client: Client,
    runtime: Handle,
    has_failed: AtomicBool,
}

impl HttpClient for Sender {
    fn send_bytes<'this, 'answer>(
        &'this self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'answer>>
    where
        'this: 'answer,
        Self: 'answer,
    {
        Box::pin(async move {
            let client = self.client.clone();
            let request = reqwest::Request::try_from(request)?;
            let answer = self.runtime.spawn(async move { client.execute(request).await }).await?;
            let is_well = answer.as_ref().is_ok_and(|answer| answer.status().is_success());
            // Each failure once: spans are sent every few seconds.
            let had_failed = self.has_failed.swap(!is_well, Ordering::Relaxed);
            if !is_well && !had_failed {
                tracing::warn!("traces cannot be sent: {}", cause(&answer));
            }
            // What a collector says beside the status helps nobody, and could be long.
            Ok(Response::builder().status(answer?.status()).body(Bytes::new())?)
        })
    }
}

/// In words of our own: the endpoint's URL may have a password in it.
fn cause(answer: &Result<reqwest::Response, reqwest::Error>) -> String {
    match answer {
        Ok(answer) => format!("the collector answered {}", answer.status().as_u16()),
        Err(error) if error.is_timeout() => "the collector does not answer".to_owned(),
        Err(_) => "the collector cannot be reached".to_owned(),
    }
}

/// Lines of JSON with the ids of the span that they belong to.
pub(super) struct WithIds(pub(super) Format<Json>);

impl<S, N> FormatEvent<S, N> for WithIds
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        let current = opentelemetry::Context::current();
        let span = current.span().span_context().clone();
        match line.trim_end().strip_suffix('}') {
            Some(fields) if span.is_valid() => {
                let (trace_id, span_id) = (span.trace_id(), span.span_id());
                writeln!(writer, "{fields},\"trace_id\":\"{trace_id}\",\"span_id\":\"{span_id}\"}}")
            }
            _ => writer.write_str(&line),
        }
    }
}
