//! The port to Apple, and the real one.

use std::{future::Future, time::Duration};

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use tracing::{Instrument as _, field::Empty};

use super::{clock::Clock, metrics::Metrics};
use crate::{
    api::{AdAccount, AdsApi, Organization, Program},
    apple::{
        ads::{self, AccessToken, Acls, AdAccountRow, CampaignGroupRow, ClientSecret},
        app_store_connect,
        error::{Class, Endpoint, Error},
        http::{BaseUrl, Http, Reply},
    },
    credential::probing::{Heard, Proof},
};

/// A token and how long it lives, from when it was asked for.
pub struct Issued {
    /// The token.
    pub token: SecretString,
    /// How long Apple says it lives.
    pub expires_in: Duration,
}

/// What an API lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// The Platform API's ad accounts.
    AdAccounts(Vec<AdAccount>),
    /// v5's campaign groups.
    Organizations(Vec<Organization>),
}

/// What the operator asks of Apple.
pub trait Apple: Send + Sync + 'static {
    /// A token for `client_id`, whose key signed `client_secret`.
    fn request_token(
        &self,
        client_id: &str,
        client_secret: &SecretString,
        now: Timestamp,
    ) -> impl Future<Output = Result<Issued, Error>> + Send;

    /// The orgId of the token's user; that there is an answer proves the token.
    fn me(
        &self,
        api: AdsApi,
        token: &SecretString,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<i64>, Error>> + Send;

    /// What the token's user may use.
    fn acls(
        &self,
        api: AdsApi,
        token: &SecretString,
        now: Timestamp,
    ) -> impl Future<Output = Result<Listed, Error>> + Send;

    /// Whether Apple knows the key that signed `token`.
    fn probe(&self, program: Program, token: &SecretString, now: Timestamp) -> impl Future<Output = Heard> + Send;
}

/// Where Apple is.
#[derive(Clone, Debug)]
pub struct AppleUrls {
    /// The token endpoint's.
    pub apple_id: BaseUrl,
    /// The Platform API's.
    pub ads_platform: BaseUrl,
    /// API v5's.
    pub ads_campaign: BaseUrl,
    /// App Store Connect's.
    pub app_store_connect: BaseUrl,
    /// The Enterprise Program's.
    pub enterprise: BaseUrl,
}

/// The real Apple, over HTTP, every call counted and timed.
#[derive(Debug)]
pub struct RealApple {
    http: Http,
    urls: AppleUrls,
    clock: Clock,
    metrics: Metrics,
}

impl RealApple {
    /// Apple at these URLs.
    #[must_use]
    pub fn new(http: Http, urls: AppleUrls, clock: Clock, metrics: Metrics) -> Self {
        Self { http, urls, clock, metrics }
    }

    fn url(&self, api: AdsApi) -> &BaseUrl {
        match api {
            AdsApi::PlatformV1 => &self.urls.ads_platform,
            AdsApi::CampaignManagementV5 => &self.urls.ads_campaign,
        }
    }

    async fn counted<T>(
        &self,
        endpoint: Endpoint,
        call: impl Future<Output = Result<Reply<T>, Error>>,
    ) -> Result<T, Error> {
        let started = self.clock.now().steady;
        let host = endpoint.host();
        let span = tracing::debug_span!("apple", %endpoint, host = host.label(), result = Empty);
        let answer = call.instrument(span.clone()).await;
        let (result, skew) = match &answer {
            Ok(reply) => ("success", reply.skew),
            Err(error) => (error.class.label(), error.skew),
        };
        let took = self.clock.now().steady.saturating_sub(started);
        span.record("result", result);
        self.metrics.apple_answered(host, result, took, skew);
        answer.map(|reply| reply.value)
    }
}

impl Apple for RealApple {
    async fn request_token(
        &self,
        client_id: &str,
        client_secret: &SecretString,
        now: Timestamp,
    ) -> Result<Issued, Error> {
        let endpoint = Endpoint::TokenEndpoint;
        // What was published may have been edited into something that is no JWT; Apple need not be asked to say so.
        let client_secret = ClientSecret::from_published(client_secret.expose_secret().to_owned())
            .map_err(|_| Error::new(endpoint, Class::Unintelligible("the client secret in hand is no JWT")))?;
        let call = ads::request_token(&self.http, &self.urls.apple_id, client_id, &client_secret, now);
        let issued = self.counted(endpoint, call).await?;
        Ok(Issued { token: issued.token.expose().to_owned().into(), expires_in: issued.expires_in })
    }

    async fn me(&self, api: AdsApi, token: &SecretString, now: Timestamp) -> Result<Option<i64>, Error> {
        let token = AccessToken::new(token.expose_secret().to_owned());
        let call = ads::me(&self.http, self.url(api), api, &token, now);
        Ok(self.counted(Endpoint::Me(api), call).await?.org_id)
    }

    async fn acls(&self, api: AdsApi, token: &SecretString, now: Timestamp) -> Result<Listed, Error> {
        let token = AccessToken::new(token.expose_secret().to_owned());
        let call = ads::acls(&self.http, self.url(api), api, &token, now);
        Ok(match self.counted(Endpoint::Acls(api), call).await? {
            Acls::Platform(rows) => Listed::AdAccounts(rows.into_iter().map(ad_account).collect()),
            Acls::Campaign(rows) => Listed::Organizations(rows.into_iter().map(organization).collect()),
        })
    }

    async fn probe(&self, program: Program, token: &SecretString, now: Timestamp) -> Heard {
        let url = match program {
            Program::AppStore => &self.urls.app_store_connect,
            Program::Enterprise => &self.urls.enterprise,
        };
        let call = app_store_connect::probe(&self.http, url, program, token, now);
        let result = self.counted(Endpoint::Probe(program), call).await;
        let left = result.as_ref().map_or_else(|error| error.rate_limit, |probed| probed.rate_limit);
        Heard {
            result: result.map(|probed| match probed.proof {
                app_store_connect::Proof::Accepted => Proof::Accepted,
                app_store_connect::Proof::RoleTooNarrow => Proof::RoleTooNarrow,
                app_store_connect::Proof::AgreementMissing => Proof::AgreementMissing,
            }),
            is_budget_low: left.is_some_and(|left| left.remaining < left.limit / 10),
        }
    }
}

fn ad_account(row: AdAccountRow) -> AdAccount {
    AdAccount { id: row.id, name: row.name, org_id: row.org_id }
}

fn organization(row: CampaignGroupRow) -> Organization {
    Organization { org_id: row.org_id, name: row.name, parent_org_id: row.parent_org_id }
}
