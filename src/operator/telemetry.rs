//! Log lines: their form, their filter, and what never becomes one.

use tracing::Metadata;
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{LevelFilter, filter_fn},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use super::traces::{Traces, WithIds};

/// Targets under which kube quotes what is not its own to tell, and how talkative each may be. Whatever the user's filter
/// says, no more of them is logged; what went wrong is in the operator's own lines.
///
/// - `kube_client::client`: whole bodies, at WARN where one does not parse and at DEBUG always; a Secret's is among them.
/// - `kube_runtime::watcher`: errors with the same bodies in them; what a user applied is in a Secret's metadata too.
/// - `kube_client::config`: at TRACE an excerpt of a kubeconfig that does not parse.
const RESTRAINED: [(&str, LevelFilter); 3] = [
    ("kube_client::client", LevelFilter::OFF),
    ("kube_runtime::watcher", LevelFilter::OFF),
    ("kube_client::config", LevelFilter::WARN),
];

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// The filter of the option `--log-filter` cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("--log-filter cannot be read: {0}; for example: info,asa_operator=debug")]
pub struct FilterError(#[from] tracing_subscriber::filter::ParseError);

/// Installs the process' log, and its traces where there are any.
///
/// # Errors
/// [`FilterError`] for a filter that is none.
pub fn install(format: Format, filter: &str, traces: Option<&Traces>) -> Result<(), FilterError> {
    let filter = EnvFilter::builder().parse(filter)?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    let json = || fmt::format().json().flatten_event(true).with_current_span(false).with_span_list(false);
    let lines = match (format, traces) {
        (Format::Json, None) => lines.json().event_format(json()).boxed(),
        (Format::Json, Some(_)) => lines.json().event_format(WithIds(json())).boxed(),
        (Format::Text, _) => lines.boxed(),
    };
    let lines = lines.with_filter(filter_fn(may_be_logged));
    match traces {
        None => tracing_subscriber::registry().with(lines).with(filter).init(),
        // The filter is one of lines: it leaves the spans as they are.
        Some(traces) => tracing_subscriber::registry().with(lines.with_filter(filter)).with(traces.layer()).init(),
    }
    Ok(())
}

fn may_be_logged(metadata: &Metadata<'_>) -> bool {
    let restrained = RESTRAINED.iter().find(|(target, _)| metadata.target() == *target);
    restrained.is_none_or(|(_, most)| metadata.level() <= most)
}
