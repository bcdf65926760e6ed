//! Where a host of Apple's is, as the operator's configuration says.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use reqwest::Url;
use thiserror::Error;

/// The beginning of all URLs of one host: scheme, host, port and path, without a slash at its end.
///
/// `https` to anywhere, `http` to literal loopback addresses only (`127.0.0.0/8`, `[::1]`; not `localhost`, which a
/// resolver may send elsewhere): what is sent there is a signature or a token.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BaseUrl(Url);

/// Why a text is no base URL. Never contains the text, in which a password may stand.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum BaseUrlError {
    /// Not a URL, or one without a host.
    #[error("not a URL with a host")]
    NotAUrl,
    /// Neither `https` nor `http`.
    #[error("the scheme is not https")]
    Scheme,
    /// `http` to anything but a literal loopback address.
    #[error("plain http is allowed to 127.0.0.0/8 and [::1] only, and not to localhost; use https")]
    PlainHttp,
    /// User or password.
    #[error("a user or password has no place in it")]
    Credentials,
    /// Query or fragment.
    #[error("a query or fragment has no place in it")]
    Query,
}

impl BaseUrl {
    /// Reads a base URL.
    ///
    /// # Errors
    ///
    /// [`BaseUrlError`] says which part is not allowed.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        let mut url = Url::parse(text.trim()).map_err(|_| BaseUrlError::NotAUrl)?;
        if !url.has_host() {
            return Err(BaseUrlError::NotAUrl);
        }
        match url.scheme() {
            "https" => {}
            "http" if is_literal_loopback(&url) => {}
            "http" => return Err(BaseUrlError::PlainHttp),
            _ => return Err(BaseUrlError::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlError::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlError::Query);
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }

    /// The URL of `path` below this one; `path` begins with a slash, and a query may follow it.
    pub fn join(&self, path: &str) -> Url {
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let mut url = self.0.clone();
        url.set_path(&format!("{}{path}", self.0.path().trim_end_matches('/')));
        url.set_query(query);
        url
    }

    /// Whether what is sent there is not encrypted, and stays on this machine.
    pub(super) fn is_plain_loopback(&self) -> bool {
        self.0.scheme() == "http"
    }
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, BaseUrlError> {
        Self::parse(text)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

/// Whether the host is an address, and one of this machine.
fn is_literal_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address.is_ok_and(|address| address.is_loopback())
}
