//! `asa-operator probe`: what `helm test` runs, in an image without a shell.

use std::{error::Error, io::Write, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use clap::Args;
use reqwest::{Client, StatusCode, Url, redirect};

use crate::operator::install_crypto_provider;

/// A question takes at most this long.
const DEADLINE: Duration = Duration::from_secs(10);

/// A connection takes at most this long.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// After an upgrade a Service leads to pods that are gone for some seconds: so often it is tried again, after a quarter of a
/// second, a half, one and two.
const RETRIES: usize = 4;

/// Asks a running operator, for example for <http://asa-operator:8080/readyz>.
#[derive(Debug, Args)]
pub(super) struct Probe {
    /// What to GET, one after the other; anything but an answer of 200 within ten seconds is a failure, after some attempts
    /// to connect
    #[arg(value_name = "URL", required = true)]
    urls: Vec<Url>,
}

/// The operator is not as it should be.
#[derive(Debug, thiserror::Error)]
enum ProbeError {
    /// It answered, with another status.
    #[error("{url} answered {status}: {body}")]
    Refused { url: Url, status: StatusCode, body: String },
    /// It did not answer, or too late.
    #[error("{url} did not answer: {}", innermost(source))]
    Silent { url: Url, source: reqwest::Error },
}

impl Probe {
    pub(super) fn execute(self) -> Result<(), Box<dyn Error>> {
        install_crypto_provider();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        for url in self.urls {
            let body = runtime.block_on(ask(url))?;
            match writeln!(std::io::stdout(), "{}", body.trim_end()) {
                // Whoever reads it may stop early.
                Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }
}

/// What it all came from, such as a refused connection or an unknown name. The error itself only says what was tried.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// The body of a good answer.
async fn ask(url: Url) -> Result<String, ProbeError> {
    let silent = |source: reqwest::Error| ProbeError::Silent { url: url.clone(), source: source.without_url() };
    // The operator is asked itself, whatever proxy leads to Apple.
    let client = Client::builder().no_proxy().redirect(redirect::Policy::none());
    let client = client.timeout(DEADLINE).connect_timeout(CONNECT_TIMEOUT).build().map_err(silent)?;
    let pauses = ExponentialBuilder::default().with_min_delay(Duration::from_millis(250)).with_max_times(RETRIES);
    let answer = async || client.get(url.clone()).send().await;
    let answer = (|| answer()).retry(pauses).sleep(tokio::time::sleep).when(reqwest::Error::is_connect).await;
    let answer = answer.map_err(silent)?;
    let status = answer.status();
    let body = answer.text().await.map_err(silent)?;
    if status == StatusCode::OK { Ok(body) } else { Err(ProbeError::Refused { url, status, body }) }
}
