//! What every test here needs.

pub(crate) mod accepted;
pub(crate) mod forms;
pub(crate) mod openssl;
pub(crate) mod refused;
pub(crate) mod responder;

use std::sync::LazyLock;
use std::time::Duration;

use asa_operator::api::Program;
use asa_operator::apple::ads::client_secret::{Client, ClientSecret, sign};
use asa_operator::apple::ads::oauth::{AccessToken, IssuedToken, request_token};
use asa_operator::apple::app_store_connect::ApiKey;
use asa_operator::apple::error::{Class, Error};
use asa_operator::apple::http::{BaseUrl, Http, Reply};
use asa_operator::apple::private_key::PrivateKey;
use jiff::Timestamp;

/// A day on which nothing happens; tests that need another say so.
pub(crate) fn now() -> Timestamp {
    "2026-09-01T12:00:00Z".parse().unwrap()
}

pub(crate) fn client() -> Client {
    Client {
        client_id: "SEARCHADS.27478e71-3bb0-4588-998c-182e2b405577".to_owned(),
        team_id: "SEARCHADS.aeb3ef5f-0c5a-4f2a-99c8-fca83f25a9".to_owned(),
        key_id: "bacaebda-e219-41ee-a907-e2c25b24d1b2".to_owned(),
    }
}

/// A team key of App Store Connect.
pub(crate) const TEAM: ApiKey<'static> = ApiKey {
    program: Program::AppStore,
    key_id: "2X9R4HXF34",
    issuer_id: Some("57246542-96fe-1a63-e053-0824d011072a"),
};

/// An individual one.
pub(crate) const INDIVIDUAL: ApiKey<'static> = ApiKey { key_id: "5AAAAAAAAA", issuer_id: None, ..TEAM };

/// A key of the Enterprise Program.
pub(crate) const ENTERPRISE: ApiKey<'static> = ApiKey {
    program: Program::Enterprise,
    key_id: "7BBBBBBBBB",
    issuer_id: Some("69a6de70-03db-47e3-e053-5b8c7c11a4d1"),
};

/// Made once; which key it is does not matter.
pub(crate) fn key() -> &'static PrivateKey {
    static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::parse(&openssl::sec1("prime256v1")).unwrap());
    &KEY
}

pub(crate) fn client_secret() -> ClientSecret {
    sign(key(), &client(), now(), Duration::from_hours(24)).unwrap()
}

pub(crate) fn access_token() -> AccessToken {
    AccessToken::new("canary-of-an-access-token".to_owned())
}

pub(crate) fn http() -> Http {
    Http::new(None).unwrap()
}

pub(crate) fn base(url: &str) -> BaseUrl {
    url.parse().unwrap()
}

/// What Apple answers.
pub(crate) const TOKEN: &str = r#"{"access_token":"t","token_type":"Bearer","expires_in":3600}"#;

/// Asks for a token there.
pub(crate) async fn token(http: &Http, url: &str) -> Result<Reply<IssuedToken>, Error> {
    request_token(http, &base(url), "SEARCHADS.c", &client_secret(), now()).await
}

/// How asking for a token ends there.
pub(crate) async fn token_class(http: &Http, apple: &responder::Responder) -> Class {
    token(http, &apple.url()).await.unwrap_err().class
}
