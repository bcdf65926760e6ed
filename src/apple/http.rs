//! One HTTP client for Apple's hosts, in which nothing happens by itself: no redirect, no retry by status, no cookie, no
//! decompression, no body without bounds, no call without a deadline.

mod base_url;
mod failure;
mod headers;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Certificate, Client, ClientBuilder, RequestBuilder, Response, redirect};
use thiserror::Error as ThisError;
use zeroize::Zeroizing;

use super::error::{Class, Endpoint, Error};
use super::rate_limit::{self, RateLimit};
pub use base_url::{BaseUrl, BaseUrlError};

/// From the first byte sent to the last one read. Apple's own library gives up after 5 s; one try of ours may take twice
/// that, since the next one has a price (a place in the queue).
const DEADLINE: Duration = Duration::from_secs(10);

/// Connections to a host that are kept for later. At the default rate and 100 ms an answer, two are in use.
const MOST_IDLE: usize = 8;

/// A token answer has under 1 KiB; /acls of an agency with 800 campaign groups about 256 KiB.
const MOST_BYTES: usize = 256 * 1024;

/// Of a refusal only a code is wanted, which stands within the first few hundred bytes.
const MOST_BYTES_OF_REFUSAL: usize = 16 * 1024;

/// What is reserved for a body whose length is not announced; a token answer fits without growing.
const USUAL_BYTES: usize = 4 * 1024;

const USER_AGENT: &str = concat!("asa-operator/", env!("CARGO_PKG_VERSION"));

/// A result of Apple's, with what the answer told by the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply<T> {
    /// The result.
    pub value: T,
    /// Apple's clock minus ours; see [`Error::skew`].
    pub skew: Option<SignedDuration>,
}

/// The client. Cheap to clone: clones share their connections.
#[derive(Clone)]
pub struct Http {
    /// HTTPS and nothing else, through the proxy that the environment names.
    https: Client,
    /// Plain HTTP to this machine, through no proxy: a proxy would see the credentials.
    loopback: Client,
}

/// Why there is no client.
#[derive(Debug, ThisError)]
pub enum SetupError {
    /// The file of further roots is no PEM.
    #[error("the CA bundle cannot be read as PEM certificates")]
    Roots(#[source] reqwest::Error),
    /// The file of further roots is PEM without a certificate.
    #[error("the CA bundle contains no certificate")]
    NoRoots,
    /// TLS could not be set up: no roots on this system, or one of the further roots is not a certificate.
    #[error("TLS cannot be set up: no trusted roots on this system, or a broken certificate in the CA bundle")]
    Tls(#[source] reqwest::Error),
}

impl Http {
    /// A client that trusts the system's roots (`SSL_CERT_FILE` and `SSL_CERT_DIR` where set) and those in
    /// `extra_roots_pem`, and uses the proxies that `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` name.
    ///
    /// # Errors
    ///
    /// Where the further roots are none, or where there is no root at all.
    pub fn new(extra_roots_pem: Option<&[u8]>) -> Result<Self, SetupError> {
        let roots = match extra_roots_pem {
            None => Vec::new(),
            Some(pem) => Certificate::from_pem_bundle(pem).map_err(SetupError::Roots)?,
        };
        if extra_roots_pem.is_some() && roots.is_empty() {
            return Err(SetupError::NoRoots);
        }
        Ok(Self {
            https: common().https_only(true).tls_certs_merge(roots).build().map_err(SetupError::Tls)?,
            loopback: common().no_proxy().tls_certs_only([]).build().map_err(SetupError::Tls)?,
        })
    }

    /// Sends a form in the body.
    ///
    /// The form's buffers belong to the HTTP client from here on and are not wiped.
    pub(super) async fn post(
        &self,
        endpoint: Endpoint,
        url: (&BaseUrl, &str),
        form: &[(&str, &str)],
        now: Timestamp,
    ) -> Result<Answer, Error> {
        let request = self.to(url.0).post(url.0.join(url.1)).form(form);
        answered(endpoint, request, now).await
    }

    /// Asks with a credential in the header.
    pub(super) async fn get(
        &self,
        endpoint: Endpoint,
        url: (&BaseUrl, &str),
        authorization: HeaderValue,
        now: Timestamp,
    ) -> Result<Answer, Error> {
        let request = self.to(url.0).get(url.0.join(url.1)).header(AUTHORIZATION, authorization);
        answered(endpoint, request, now).await
    }

    fn to(&self, base: &BaseUrl) -> &Client {
        if base.is_plain_loopback() { &self.loopback } else { &self.https }
    }
}

/// Says nothing: the URL of a proxy may contain a password.
impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

fn common() -> ClientBuilder {
    Client::builder()
        .user_agent(USER_AGENT)
        .default_headers(HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]))
        .redirect(redirect::Policy::none())
        .referer(false)
        .timeout(DEADLINE)
        // More at once occur only in a storm, and each connection holds 30 KB.
        .pool_max_idle_per_host(MOST_IDLE)
        // Whatever features other crates turn on: a compressed body could be a bomb.
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
}

/// A status with as much of the body as is worth reading.
pub struct Answer {
    endpoint: Endpoint,
    pub(super) status: u16,
    /// Complete for 200. For 4xx what could be read, perhaps nothing: there the status decides, and the body only adds a
    /// code to it. Empty for any other status.
    pub(super) body: Zeroizing<Vec<u8>>,
    skew: Option<SignedDuration>,
    retry_after: Option<Duration>,
    pub(super) rate_limit: Option<RateLimit>,
}

impl Answer {
    /// Reads `response` to what `endpoint` was asked at `now`. A function of its arguments, so that any answer can be tried
    /// without a server.
    ///
    /// # Errors
    ///
    /// Where a 200 has no body that is whole, plain and small enough.
    pub async fn read(endpoint: Endpoint, mut response: Response, now: Timestamp) -> Result<Self, Error> {
        let status = response.status().as_u16();
        let date = headers::date(response.headers());
        let mut answer = Self {
            endpoint,
            status,
            body: Zeroizing::new(Vec::new()),
            skew: date.map(|date| date.duration_since(now)),
            retry_after: headers::retry_after(response.headers(), date.unwrap_or(now)),
            rate_limit: rate_limit::of(response.headers()),
        };
        if status == 200 {
            answer.body = body(&mut response, MOST_BYTES).await.map_err(|class| answer.error(class))?;
        } else if (400..500).contains(&status) {
            answer.body = body(&mut response, MOST_BYTES_OF_REFUSAL).await.unwrap_or_default();
        }
        Ok(answer)
    }

    /// The result of an answer that was understood.
    pub(super) fn reply<T>(&self, value: T) -> Reply<T> {
        Reply { value, skew: self.skew }
    }

    /// The error that this answer is.
    pub(super) fn error(&self, class: Class) -> Error {
        let (skew, retry_after, rate_limit) = (self.skew, self.retry_after, self.rate_limit);
        Error { skew, retry_after, rate_limit, ..Error::new(self.endpoint, class) }
    }
}

async fn answered(endpoint: Endpoint, request: RequestBuilder, now: Timestamp) -> Result<Answer, Error> {
    let response = request.send().await.map_err(|error| Error::new(endpoint, failure::class(&error)))?;
    Answer::read(endpoint, response, now).await
}

/// The whole body, if it is no longer than `most` bytes; no more than that is ever held.
async fn body(response: &mut Response, most: usize) -> Result<Zeroizing<Vec<u8>>, Class> {
    let announced = response.content_length().map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    if announced.is_some_and(|length| length > most) {
        return Err(Class::TooLarge);
    }
    if headers::is_encoded(response.headers()) {
        return Err(Class::Unintelligible("a compressed body, not asked for"));
    }
    let mut body = Zeroizing::new(Vec::with_capacity(announced.unwrap_or(USUAL_BYTES)));
    while let Some(chunk) = response.chunk().await.map_err(|error| failure::class(&error))? {
        if body.len() + chunk.len() > most {
            return Err(Class::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
