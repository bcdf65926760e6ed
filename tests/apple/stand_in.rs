//! Against the strict stand-in for Apple, which verifies client secrets with another library.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use asa_operator::api::AdsApi;
use asa_operator::apple::ads::client_secret::{Client, ClientSecret, sign};
use asa_operator::apple::ads::identity::{Acls, AdAccountRow, CampaignGroupRow, Me, acls, me};
use asa_operator::apple::ads::oauth::{IssuedToken, request_token};
use asa_operator::apple::error::{Class, Error, OAuthError};
use asa_operator::apple::http::{Http, Reply};
use fake_apple::{Clock, FakeApple, Options};

use crate::support::{base, client, http, key, now};

async fn apple(options: Options) -> FakeApple {
    let options = Options { clock: Clock::new(now), ..options };
    let apple = FakeApple::start_with(options).await.unwrap();
    let Client { client_id, team_id, key_id } = client();
    let known = fake_apple::Client::new(client_id, team_id, key_id, key().public_key_pem())
        .organization(11, "One")
        .organization(12, "Two")
        .ad_account(21, "Account");
    apple.state().register(known).unwrap();
    apple
}

fn secret() -> ClientSecret {
    sign(key(), &client(), now(), Duration::from_hours(180 * 24)).unwrap()
}

async fn ask(http: &Http, url: &str) -> Result<Reply<IssuedToken>, Error> {
    request_token(http, &base(url), &client().client_id, &secret(), now()).await
}

#[tokio::test]
async fn from_the_key_to_the_accounts_over_http_and_https() {
    let apple = apple(Options::default()).await;
    let trusting = Http::new(Some(apple.ca_pem().as_bytes())).unwrap();
    for url in [apple.url(), apple.https_url()] {
        let issued = ask(&trusting, &url).await.unwrap();
        assert_eq!(issued.value.expires_in, Duration::from_hours(1));
        assert!(issued.skew.unwrap().is_zero());
        let token = issued.value.token;

        let (v1, v5) = (base(&format!("{url}/v1")), base(&format!("{url}/api/v5")));
        let org_id = Some(40_669_820);
        let row = |org_id, name: &str| CampaignGroupRow {
            org_id,
            name: Some(name.to_owned()),
            parent_org_id: Some(40_669_820),
        };
        for (api, base, rows) in [
            (
                AdsApi::PlatformV1,
                v1,
                Acls::Platform(vec![AdAccountRow { id: 21, name: Some("Account".to_owned()), org_id }]),
            ),
            (AdsApi::CampaignManagementV5, v5, Acls::Campaign(vec![row(11, "One"), row(12, "Two")])),
        ] {
            let who = me(&trusting, &base, api, &token, now()).await.unwrap();
            assert_eq!(who.value, Me { org_id });
            assert_eq!(acls(&trusting, &base, api, &token, now()).await.unwrap().value, rows);
        }
    }
}

#[tokio::test]
async fn a_server_that_cannot_be_trusted_is_told_nothing() {
    let elsewhere = Options { https_listen: SocketAddr::from((Ipv4Addr::new(127, 0, 0, 2), 0)), ..Options::default() };
    let apple = apple(elsewhere).await;
    let trusting = Http::new(Some(apple.ca_pem().as_bytes())).unwrap();
    let plain = apple.url().replace("http://", "https://");
    for (http, url, why) in [
        (&http(), apple.https_url(), "TLS: its certificate is from an unknown authority"),
        (&trusting, apple.https_url(), "TLS: its certificate is for another name"),
        (&trusting, plain, "TLS could not be agreed on"),
    ] {
        let asked = ask(http, &url).await;
        assert_eq!(asked.unwrap_err().class, Class::Unreachable(why));
    }
    assert_eq!(apple.state().counts().total(), 0);
}

#[tokio::test]
async fn a_client_that_apple_does_not_know_is_rejected() {
    let apple = apple(Options::default()).await;
    let http = http();
    let (base, life) = (base(&apple.url()), Duration::from_hours(1));
    for stranger in [
        Client { client_id: "SEARCHADS.other".to_owned(), ..client() },
        Client { team_id: "SEARCHADS.other".to_owned(), ..client() },
        Client { key_id: "other".to_owned(), ..client() },
    ] {
        let secret = sign(key(), &stranger, now(), life).unwrap();
        let asked = request_token(&http, &base, &stranger.client_id, &secret, now()).await;
        assert_eq!(asked.unwrap_err().class, Class::Rejected(OAuthError::InvalidClient), "{stranger:?}");
    }
}

#[tokio::test]
async fn a_clock_that_differs_is_measured() {
    let apple = apple(Options::default()).await;
    for (offset, accepted) in [(59, true), (300, true), (-59, true), (-300, false)] {
        apple.state().set_clock_offset(offset);
        let asked = ask(&http(), &apple.url()).await;
        let (issued, skew) = match asked {
            Ok(reply) => (true, reply.skew),
            Err(error) => {
                assert_eq!(error.class, Class::Rejected(OAuthError::InvalidClient));
                (false, error.skew)
            }
        };
        assert_eq!((issued, skew.unwrap().as_secs()), (accepted, offset));
    }
}

#[tokio::test]
async fn a_token_that_has_ended_is_not_accepted() {
    let apple = apple(Options::default()).await;
    let (http, url) = (http(), apple.url());
    let issued = ask(&http, &url).await.unwrap();
    apple.state().revoke_tokens(&client().client_id);
    for (api, base) in [
        (AdsApi::PlatformV1, base(&format!("{url}/v1"))),
        (AdsApi::CampaignManagementV5, base(&format!("{url}/api/v5"))),
    ] {
        let asked = me(&http, &base, api, &issued.value.token, now()).await;
        assert_eq!(asked.unwrap_err().class, Class::Unauthorized);
    }
}
