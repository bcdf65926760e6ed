//! Log lines: their form, their filter, and what never becomes one.

use tracing::Metadata;
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{LevelFilter, filter_fn},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

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
    let restrained = RESTRAINED.iter().find(|(target, _)| metadata.target() == *target);
    restrained.is_none_or(|(_, most)| metadata.level() <= most)
}
