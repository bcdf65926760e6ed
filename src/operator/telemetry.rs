//! Log lines: their form, their filter, and what never becomes one.

use tracing::Metadata;
use tracing_subscriber::{EnvFilter, Layer, filter::filter_fn, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// kube logs whole response bodies under this target, at WARN where one does not parse and at DEBUG always; a Secret's
/// body is among them. Dropped at every level, whatever the user's filter says.
const LEAKY_TARGET: &str = "kube_client::client";

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

/// Installs the process' log.
///
/// # Errors
/// [`FilterError`] for a filter that is none.
pub fn install(format: Format, filter: &str) -> Result<(), FilterError> {
    let filter = EnvFilter::builder().parse(filter)?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        Format::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
        Format::Text => lines.boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(filter_fn(may_be_logged))).with(filter).init();
    Ok(())
}

fn may_be_logged(metadata: &Metadata<'_>) -> bool {
    metadata.target() != LEAKY_TARGET
}
