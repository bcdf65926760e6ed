//! `asa-operator run`

use std::{error::Error, net::SocketAddr, num::NonZeroU32, path::PathBuf, time::Duration};

use clap::{Args, builder::NonEmptyStringValueParser};
use jiff::SignedDuration;
use reqwest::Url;

use crate::{
    apple::http::BaseUrl,
    controller::{apple::AppleUrls, world::Settings},
    credential::pacing::Rate,
    operator::{
        self, Candidacy, MetricsOptions, Options, TlsFiles,
        telemetry::{self, Format},
        traces::Traces,
    },
};

/// Every option is an environment variable too; the option goes first.
#[derive(Debug, Args)]
pub(super) struct Run {
    /// Base URL of Apple's token endpoint; POST {}/auth/oauth2/token
    #[arg(long, value_name = "URL", env = "ASA_OPERATOR_APPLE_ID_URL", default_value = "https://appleid.apple.com")]
    apple_id_url: BaseUrl,

    /// Base URL of the Apple Ads Platform API; GET {}/me and {}/acls
    #[arg(
        long,
        value_name = "URL",
        env = "ASA_OPERATOR_ADS_PLATFORM_URL",
        default_value = "https://api.ads.apple.com/v1"
    )]
    ads_platform_url: BaseUrl,

    /// Base URL of the Campaign Management API v5; GET {}/me and {}/acls
    #[arg(
        long,
        value_name = "URL",
        env = "ASA_OPERATOR_ADS_CAMPAIGN_URL",
        default_value = "https://api.searchads.apple.com/api/v5"
    )]
    ads_campaign_url: BaseUrl,

    /// Base URL of the App Store Connect API; GET {}/v1/apps
    #[arg(
        long,
        value_name = "URL",
        env = "ASA_OPERATOR_APP_STORE_CONNECT_URL",
        default_value = "https://api.appstoreconnect.apple.com"
    )]
    app_store_connect_url: BaseUrl,

    /// Base URL of the Enterprise Program API; GET {}/v1/bundleIds
    #[arg(
        long,
        value_name = "URL",
        env = "ASA_OPERATOR_ENTERPRISE_URL",
        default_value = "https://api.enterprise.developer.apple.com"
    )]
    enterprise_url: BaseUrl,

    /// A namespace to look after; repeat it for several (in the environment: separated by commas). None: all namespaces
    #[arg(long = "namespace", value_name = "NS", env = "ASA_OPERATOR_NAMESPACE", value_delimiter = ',')]
    namespaces: Vec<String>,

    /// Where /livez, /readyz and /metrics are served
    #[arg(long, value_name = "ADDR", env = "ASA_OPERATOR_HTTP_ADDRESS", default_value = "0.0.0.0:8080")]
    http_address: SocketAddr,

    /// Where /metrics is served, there alone
    #[arg(long, value_name = "ADDR", env = "ASA_OPERATOR_METRICS_ADDRESS")]
    metrics_address: Option<SocketAddr>,

    /// The certificate (PEM, with its chain) of /metrics, which is then served over TLS; read again when it changes
    #[arg(
        long,
        value_name = "FILE",
        env = "ASA_OPERATOR_METRICS_TLS_CERT",
        requires_all = ["metrics_tls_key", "metrics_address"]
    )]
    metrics_tls_cert: Option<PathBuf>,

    /// Its key (PEM)
    #[arg(long, value_name = "FILE", env = "ASA_OPERATOR_METRICS_TLS_KEY", requires = "metrics_tls_cert")]
    metrics_tls_key: Option<PathBuf>,

    /// Shows metrics only to whoever has a token that the API server lets GET /metrics
    #[arg(long, env = "ASA_OPERATOR_METRICS_AUTHORIZATION", requires_if("true", "metrics_tls_cert"))]
    metrics_authorization: bool,

    /// Further trusted roots (PEM) for Apple's hosts
    #[arg(long, value_name = "FILE", env = "ASA_OPERATOR_CA_BUNDLE")]
    ca_bundle: Option<PathBuf>,

    /// Requests per second to each of Apple's base URLs
    #[arg(long, value_name = "N", env = "ASA_OPERATOR_APPLE_RATE", default_value = "20")]
    apple_rate: NonZeroU32,

    /// Requests at once to each of Apple's base URLs after a quiet time
    #[arg(long, value_name = "N", env = "ASA_OPERATOR_APPLE_BURST", default_value = "50")]
    apple_burst: NonZeroU32,

    /// How often Secrets are looked at where they may not be watched, for example 5m
    #[arg(long, value_name = "DURATION", env = "ASA_OPERATOR_SECRET_POLL_INTERVAL", default_value = "5m", value_parser = interval)]
    secret_poll_interval: Duration,

    /// Take part in the election of a leader; all others stand by. Without it this process is to be the only one
    #[arg(long, env = "ASA_OPERATOR_LEADER_ELECTION")]
    leader_election: bool,

    /// The Lease that the leader holds; it is created where it is absent
    #[arg(
        long,
        value_name = "NAME",
        env = "ASA_OPERATOR_LEASE_NAME",
        default_value = "asa-operator",
        value_parser = NonEmptyStringValueParser::new()
    )]
    lease_name: String,

    /// The Lease's namespace; without it that of the process' service account, or of the kubeconfig's context
    #[arg(long, value_name = "NS", env = "ASA_OPERATOR_LEASE_NAMESPACE", value_parser = NonEmptyStringValueParser::new())]
    lease_namespace: Option<String>,

    /// What the Lease calls this process, and no other; without it the host name, _ and a random suffix
    #[arg(long, value_name = "NAME", env = "ASA_OPERATOR_IDENTITY", value_parser = NonEmptyStringValueParser::new())]
    identity: Option<String>,
    /// Base URL of a collector that gets traces by OTLP over HTTP; POST {}/v1/traces. None: no traces
    #[arg(long, value_name = "URL", env = "ASA_OPERATOR_OTLP_ENDPOINT")]
    otlp_endpoint: Option<Url>,

    /// How log lines look
    #[arg(long, value_name = "FORMAT", env = "ASA_OPERATOR_LOG_FORMAT", default_value = "json")]
    log_format: Format,

    /// Which lines are logged, by target and level; what kube would log of a failure is told in the operator's own lines
    #[arg(
        long,
        value_name = "FILTER",
        env = "ASA_OPERATOR_LOG_FILTER",
        default_value = "info,kube_client=off,kube_runtime=off"
    )]
    log_filter: String,
}

/// The CA bundle cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("--ca-bundle {} cannot be read: {source}", path.display())]
struct CaBundleError {
    path: PathBuf,
    source: std::io::Error,
}

impl Run {
    pub(super) fn execute(self) -> Result<(), Box<dyn Error>> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        // Dropped at the end, before the runtime: then what is left of the traces is sent.
        let traces = self.otlp_endpoint.as_ref().map(|url| {
            operator::install_crypto_provider();
            Traces::start(url, runtime.handle().clone())
        });
        let traces = traces.transpose()?;
        telemetry::install(self.log_format, &self.log_filter, traces.as_ref())?;
        let ca_bundle =
            self.ca_bundle.map(|path| std::fs::read(&path).map_err(|source| CaBundleError { path, source }));
        let candidacy = Candidacy { lease: self.lease_name, namespace: self.lease_namespace, identity: self.identity };
        let tls = self.metrics_tls_cert.zip(self.metrics_tls_key).map(|(cert, key)| TlsFiles { cert, key });
        let metrics =
            self.metrics_address.map(|address| MetricsOptions { address, tls, authorizes: self.metrics_authorization });
        let options = Options {
            urls: AppleUrls {
                apple_id: self.apple_id_url,
                ads_platform: self.ads_platform_url,
                ads_campaign: self.ads_campaign_url,
                app_store_connect: self.app_store_connect_url,
                enterprise: self.enterprise_url,
            },
            ca_bundle: ca_bundle.transpose()?,
            namespaces: self.namespaces,
            http_address: self.http_address,
            metrics,
            settings: Settings {
                rate: Rate { per_second: self.apple_rate, burst: self.apple_burst },
                secret_poll_interval: self.secret_poll_interval,
            },
            leader_election: self.leader_election.then_some(candidacy),
        };
        let done = runtime.block_on(operator::run(options));
        drop(traces);
        // A look-up of a host name blocks a thread for as long as it likes; the end of the process does not wait for it.
        runtime.shutdown_background();
        Ok(done?)
    }
}

/// A duration of at least a second, as jiff's friendly format reads it.
fn interval(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration = text.parse().map_err(|error| format!("{error}; for example 5m"))?;
    let duration = Duration::try_from(parsed).map_err(|_| "it is negative".to_owned())?;
    if duration < Duration::from_secs(1) { Err("it is shorter than a second".to_owned()) } else { Ok(duration) }
}
